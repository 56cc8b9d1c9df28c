"""The networks: their parameter counts, gradients of all parameters, the convention of the head."""

import copy
import io
import itertools
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_distill import nets


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (nets.LeNet(), 29_176),
        (nets.CifarCNN(), 15_050),
        (nets.MLP(784, 10, ()), 7_850),
        (nets.MLP(768, 2, ()), 1_538),
        (nets.MLP(784, 10), 784 * 64 + 64 + 64 * 10 + 10),
        (nets.ResNet18(), 11_689_512),
        (nets.ResNet50(), 25_557_032),
        (nets.SqueezeNet(), 1_235_496),
        # the published 20,024,384 of all sixteen convolutions less the last six
        (nets.VGG19Features(), 20_024_384 - 6 * (9 * 512 * 512 + 512)),
        (nets.BiLSTM(50, 2, 7, 5), 50 * 7 + 2 * 4 * (5 * (7 + 5) + 2 * 5) + 2 * (2 * 5 + 1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_published_counts(network, expected):
    assert count(network) == expected


def test_keras_counts_biases_that_batch_normalisation_makes_superfluous():
    """Keras prints 25,583,592 trainable parameters for ResNet-50: one more for each channel."""
    channels = sum(m.num_features for m in nets.ResNet50().modules() if hasattr(m, "running_var"))
    assert count(nets.ResNet50()) + channels == 25_583_592


SCORES = {
    "MLP": (lambda: nets.MLP(6, 4, (8, 5)), (6,), 5),
    "linear MLP": (lambda: nets.MLP(6, 4, ()), (6,), 6),
    "MLP of images": (lambda: nets.MLP(24, 4), (2, 3, 4), 64),
    "LeNet": (lambda: nets.LeNet(4), (1, 28, 28), 84),
    "LeNet of colour": (lambda: nets.LeNet(4, (3, 20, 33)), (3, 20, 33), 84),
    "CifarCNN": (lambda: nets.CifarCNN(4), (3, 32, 32), 64),
    "CifarCNN of grey": (lambda: nets.CifarCNN(4, (1, 22, 40)), (1, 22, 40), 64),
    "ResNet18": (lambda: nets.ResNet18(4), (3, 40, 40), 512),
    "ResNet18 of grey": (lambda: nets.ResNet18(4, 1), (1, 32, 32), 512),
    "ResNet50": (lambda: nets.ResNet50(4), (3, 32, 32), 2048),
    "BiLSTM": (lambda: nets.BiLSTM(30, 4, 8, 6, n_layers=2), (9,), 12),
}


@pytest.fixture(params=SCORES)
def case(request):
    make, shape, width = SCORES[request.param]
    torch.manual_seed(0)
    network = make()
    X = torch.randn(3, *shape)
    if isinstance(network, nets.BiLSTM):
        X = torch.randint(1, 30, (3, *shape))
    return make, network, X, width


def test_scores_are_the_head_of_the_representation(case):
    _, network, X, width = case
    network.eval()
    hidden = network.hidden(X)
    assert hidden.shape == (3, width)
    assert torch.equal(network(X), network.head(hidden))
    assert network(X).shape == (3, 4)
    linear = [name for name, m in network.named_modules() if isinstance(m, nn.Linear)]
    assert linear[-1] == "head"


def test_every_parameter_gets_a_gradient(case):
    _, network, X, _ = case
    network(X).square().sum().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


def test_rows_do_not_mix(case):
    """In evaluation, when batch normalisation is fixed."""
    _, network, X, _ = case
    network.eval()
    one_by_one = torch.cat([network(X[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(network(X), one_by_one, atol=1e-5, rtol=1e-4)


def test_state_makes_the_same_network(case):
    make, network, X, _ = case
    network.train()(X)  # moves the statistics of batch normalisation
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    other = make()
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(network.eval()(X), other.eval()(X))


@pytest.mark.parametrize(
    "network", [nets.MLP(6, 4, (8, 8), dropout=0.5), nets.BiLSTM(9, 4, dropout=0.5)], ids=type
)
def test_dropout_is_random_only_in_training(network):
    X = torch.randint(1, 9, (50, 6)).to(torch.float32)
    assert not torch.equal(network.train()(X), network(X))
    assert torch.equal(network.eval()(X), network(X))


@pytest.mark.parametrize("padding", [0, 3])
def test_padding_of_a_text_changes_nothing(padding):
    torch.manual_seed(0)
    network = nets.BiLSTM(30, 2, 8, 6, padding=padding)
    words = torch.randint(4, 30, (5, 7))
    padded = nn.functional.pad(words, (0, 4), value=padding)
    torch.testing.assert_close(network(words), network(padded))
    torch.testing.assert_close(network(words), network(words.float()))


def test_order_of_the_words_counts_in_both_directions():
    """The last word changes the backward half, the first one the forward half, and conversely."""
    network = nets.BiLSTM(30, 2, 8, 6)
    texts = torch.tensor([[1, 2, 3], [9, 2, 3], [1, 2, 9]])
    hidden = network.hidden(texts)
    forwards, backwards = hidden[:, :6], hidden[:, 6:]
    for half, (i, j) in itertools.product((forwards, backwards), [(0, 1), (0, 2)]):
        assert not torch.equal(half[i], half[j])


def test_empty_text_has_scores():
    scores = nets.BiLSTM(30, 2)(torch.tensor([[0, 0], [5, 4]]))
    assert torch.isfinite(scores).all()


def test_squeezenet_scores_are_means_of_conv10():
    network = nets.SqueezeNet().eval()
    X = torch.randn(2, 3, 70, 70)
    maps = network.features(X, ["conv10", "fire5"])
    assert list(maps) == ["fire5", "conv10"]
    torch.testing.assert_close(network(X), maps["conv10"].mean((2, 3)))


def test_features_stop_at_the_last_requested_layer():
    network = nets.VGG19Features()
    reached = []
    for name, layer in network.layers.named_children():
        layer.register_forward_hook(lambda *_, name=name: reached.append(name))
    found = network.features(torch.randn(1, 3, 16, 16), ["block2_conv1", "block1_conv1"])
    assert list(found) == ["block1_conv1", "block2_conv1"]
    assert reached == ["block1_conv1", "block1_conv2", "block1_pool", "block2_conv1"]
    assert (found["block2_conv1"] >= 0).all()
    assert found["block2_conv1"].shape == (1, 128, 8, 8)
    assert network.features(torch.zeros(1, 3, 8, 8), []) == {}


def test_unknown_layer_is_an_error():
    with pytest.raises(ValueError, match=r"\['block5_conv1'\], which are no layers"):
        nets.VGG19Features().features(torch.zeros(1, 3, 8, 8), ["block5_conv1"])


def test_pixels_are_bgr_without_the_mean():
    rgb = np.random.default_rng(0).random((2, 3, 4, 5), dtype=np.float32)
    mean = np.array([103.939, 116.779, 123.68], dtype=np.float32)[:, None, None]
    pixels = nets.BGRPixels()
    np.testing.assert_allclose(
        pixels(torch.tensor(rgb)), 255 * rgb[:, ::-1] - mean, rtol=1e-5, atol=1e-4
    )
    assert pixels.state_dict() == {}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_cifar_cnn_computes_with_the_channels_last(copied):
    """And returns the same scores as with the channels first."""
    network = copied(nets.CifarCNN().eval())
    assert network.body[0].weight.is_contiguous(memory_format=torch.channels_last)
    images = torch.randn(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    scores = network(images)
    first = network.to(memory_format=torch.contiguous_format)(images)
    # sums of float32 in another order, of scores below 1
    assert first.abs().max() < 1
    torch.testing.assert_close(scores, first, rtol=0, atol=1e-6)
