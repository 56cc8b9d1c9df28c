"""The ImageNet weights, if their files are there: the networks recognise ImageNet classes."""

import io

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn.functional import conv2d

from sklearn_distill import nets
from sklearn_distill.datasets import fetch_imagenette
from sklearn_distill.datasets._files import read_data_file
from sklearn_distill.nets.weights import RESNET50

# The ImageNet class numbers of Imagenette's tench, English springer, cassette player, chain saw,
# church, French horn, garbage truck, gas pump, golf ball and parachute.
IMAGENET = [0, 217, 482, 491, 497, 566, 569, 571, 574, 701]

NORMALISATION = ("gamma", "beta", "moving_mean", "moving_variance")


def loaded(network):
    try:
        return nets.load_imagenet_weights(network)
    except FileNotFoundError as error:
        pytest.skip(str(error).partition(" Looked at")[0])


def imagenette(n_samples, size):
    """Return test images, enlarged, and their classes."""
    try:
        bunch = fetch_imagenette(subset="test", n_samples=n_samples)
    except (FileNotFoundError, ImportError) as error:
        pytest.skip(str(error).partition(" Looked at")[0])
    images = torch.from_numpy(bunch.images.transpose(0, 3, 1, 2))
    return nn.functional.interpolate(images, size=size, mode="bicubic").clamp(0, 1), bunch.target


def accuracy(network, n_samples, size):
    """Return the accuracy of the scores of the ten classes."""
    images, y = imagenette(n_samples, size)
    with torch.inference_mode():
        scores = torch.cat([network.eval()(batch) for batch in images.split(20)])
    return np.mean(scores[:, IMAGENET].argmax(1).numpy() == y)


@pytest.mark.slow
def test_resnet50_recognises_imagenette():
    """0.885 on these; RGB for BGR gives 0.8, the stride in the 3×3 convolutions 0.785."""
    network = nn.Sequential(nets.BGRPixels(), loaded(nets.ResNet50()))
    assert accuracy(network, n_samples=200, size=224) > 0.86


def test_resnet50_recognises_a_few_images():
    """0.8 on these 40 at 160 pixels; chance is 0.1."""
    network = nn.Sequential(nets.BGRPixels(), loaded(nets.ResNet50()))
    assert accuracy(network, n_samples=40, size=160) > 0.7


def test_squeezenet_recognises_imagenette():
    """0.71 on 200 such images, which were 64 pixels wide."""
    network = nn.Sequential(nets.BGRPixels((104, 117, 123)), loaded(nets.SqueezeNet()))
    assert accuracy(network, n_samples=100, size=227) > 0.6


@pytest.mark.slow
def test_vgg19_features_tell_classes_apart():
    """0.615 for a linear model of 200 images' mean features; 0.375 with random weights."""
    images, y = imagenette(400, 64)
    accuracies = []
    for network in (loaded(nets.VGG19Features()), nets.VGG19Features()):
        pixels = nn.Sequential(nets.BGRPixels(), network)
        with torch.inference_mode():
            X = torch.cat([pixels(batch).mean((2, 3)) for batch in images.split(20)]).numpy()
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
        accuracies.append(probe.fit(X[:200], y[:200]).score(X[200:], y[200:]))
    assert accuracies[0] > accuracies[1] + 0.1


def test_normalisation_includes_the_bias_of_keras():
    """The first layers equal γ (W∗x + b − μ)/√(σ² + 10⁻³) + β with the arrays of the file."""
    network = loaded(nets.ResNet50()).double().eval()
    with np.load(io.BytesIO(read_data_file(RESNET50))) as a:
        kernel = a["conv1/kernel/q"].astype(float) * a["conv1/kernel/scale"]
        W = torch.from_numpy(kernel.transpose(3, 2, 0, 1))
        b, γ, β, μ, σ2 = (
            torch.from_numpy(a[name].astype(float)).view(-1, 1, 1)
            for name in ("conv1/bias", *(f"bn_conv1/{part}" for part in NORMALISATION))
        )
    x = 100 * torch.randn(2, 3, 20, 20, dtype=float)
    expected = γ * (conv2d(x, W, stride=2, padding=3) + b - μ) / (σ2 + 1e-3).sqrt() + β
    with torch.inference_mode():
        torch.testing.assert_close(network.stem[:2](x), expected, rtol=1e-4, atol=1e-4)


def test_a_head_with_other_outputs_keeps_its_weights():
    network = nets.ResNet50(n_outputs=2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert loaded(network) is network
    after = network.state_dict()
    assert [name for name in before if torch.equal(before[name], after[name])] == [
        *(name for name in before if name.endswith("num_batches_tracked")),
        "head.weight",
        "head.bias",
    ]


def test_grey_images_are_an_error():
    with pytest.raises(ValueError, match="in_channels=3"):
        loaded(nets.ResNet50(in_channels=1))


def test_network_without_weights_is_an_error():
    with pytest.raises(TypeError, match="a ResNet18; there are weights for ResNet50, SqueezeNet"):
        nets.load_imagenet_weights(nets.ResNet18())


def test_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("SKLEARN_DISTILL_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="squeezenet1_1_imagenet_fp16") as raised:
        nets.load_imagenet_weights(nets.SqueezeNet(), data_home=tmp_path)
    assert str(tmp_path) in str(raised.value)


def test_wrong_file_is_refused_and_changes_nothing(tmp_path):
    file = tmp_path / "weights" / "squeezenet1_1_imagenet_fp16.npz"
    file.parent.mkdir()
    file.write_bytes(b"other weights")
    network = nets.SqueezeNet()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(OSError, match="sha256"):
        nets.load_imagenet_weights(network, data_home=tmp_path)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
