"""Style transfer: what its two losses do, and what it refuses."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_distill import StyleTransfer, nets
from sklearn_distill.datasets import fetch_imagenette
from sklearn_distill.mappings._style import as_images
from sklearn_distill.nets.features import FeatureNetwork

LAYERS = {"content_layer": "last", "style_layers": ["first", "last"]}


class SmallNetwork(FeatureNetwork):
    """Two layers, whose weights a seed gives."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential()
        for name, n_in in (("first", 3), ("last", 8)):
            layer = torch.nn.Sequential(torch.nn.Conv2d(n_in, 8, 3, padding=1), torch.nn.ReLU())
            self.layers.add_module(name, layer)
        generator = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            torch.nn.init.normal_(parameter, std=0.2, generator=generator)


def features_of(network, images, layer):
    with torch.no_grad():
        return network.features(nets.BGRPixels()(as_images(images)), [layer])[layer].numpy()


def moved(phi, images, styled, layer):
    """Return how far the layer's features are from those of the images themselves."""
    before, after = (features_of(phi.network_, x, layer) for x in (images, styled))
    return np.square(after - before).sum() / np.square(before).sum()


@pytest.fixture
def images():
    return np.random.default_rng(0).random((5, 12, 10, 3)).astype(np.float32)


@pytest.fixture
def style():
    """Smooth and reddish, where the images are noise."""
    ramp = np.linspace(0, 1, 12)[:, None] * np.ones((12, 12))
    return np.stack([ramp, ramp / 3, ramp / 5], axis=2)[None]


@pytest.fixture
def phi(style):
    return StyleTransfer(SmallNetwork(), max_iter=40, **LAYERS).fit(style)


def test_style_comes_and_content_stays(phi, images):
    styled = phi.transform(images)
    assert styled.shape == images.shape
    assert styled.dtype == np.float32
    assert styled.min() >= 0
    assert styled.max() <= 1
    assert (phi.style_loss(styled) < 0.3 * phi.style_loss(images)).all()
    faithful = clone(phi).set_params(content_weight=100.0).fit(styled[:1])
    faithful.grams_ = phi.grams_
    assert moved(phi, images, faithful.transform(images), "last") < 0.3 * moved(
        phi, images, styled, "last"
    )


def test_no_style_is_the_identity(phi, images):
    np.testing.assert_array_equal(phi.set_params(style_weight=0.0).transform(images), images)
    integers = (255 * images).astype(np.uint8)
    np.testing.assert_array_equal(phi.transform(integers), np.float32(integers) / np.float32(255))


def test_images_do_not_depend_on_their_batch(phi, images):
    """But for rounding, which forty steps may make larger."""
    together = phi.transform(images)
    alone = phi.set_params(batch_size=1).transform(images)
    assert np.abs(alone - together).mean() < 1e-3


def test_gram_matrices_are_those_of_the_definition(phi, style, images):
    for layer in LAYERS["style_layers"]:
        maps = features_of(phi.network_, style, layer).reshape(8, -1)
        expected = maps @ maps.T / maps.shape[1]
        np.testing.assert_allclose(phi.grams_[layer], expected, rtol=1e-4)
    both = clone(phi).set_params(batch_size=2).fit(images)
    singles = [clone(phi).fit(image[None]).grams_["last"] for image in images]
    np.testing.assert_allclose(both.grams_["last"], np.mean(singles, axis=0), rtol=1e-4)
    np.testing.assert_allclose(phi.style_loss(style), 0, atol=1e-9)


def test_a_layer_that_is_silent_moves_nothing(style, images):
    network = SmallNetwork()
    with torch.no_grad():
        network.layers[1][0].bias -= 1e6
    phi = StyleTransfer(network, max_iter=3, content_layer="last", style_layers=["last"])
    np.testing.assert_array_equal(phi.fit(style).transform(images), images)
    assert np.isfinite(phi.set_params(style_layers=["first"]).fit(style).transform(images)).all()


def test_the_networks_weights_are_left_alone(style, images):
    network = SmallNetwork()
    phi = StyleTransfer(network, max_iter=1, **LAYERS).fit(style)
    phi.transform(images)
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())


def test_it_pickles(phi, images):
    again = pickle.loads(pickle.dumps(phi))
    np.testing.assert_array_equal(again.transform(images), phi.transform(images))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 8, 8)), "X has shape .2, 8, 8.: pass colour images"),
        (np.zeros((2, 8, 8, 1)), "grey ones can be repeated"),
        (np.full((1, 8, 8, 3), 2.0), "pixels from 2 to 2: pass floats in .0, 1., or integers"),
        (np.full((1, 8, 8, 3), np.nan), "NaN"),
    ],
)
def test_what_is_no_image_is_refused(phi, X, message):
    with pytest.raises(ValueError, match=message):
        clone(phi).fit(X)
    with pytest.raises(ValueError, match=message):
        phi.transform(X)


def test_other_errors(phi, style, images):
    with pytest.raises(ValueError, match=r"names has \['middle'\], which are no layers"):
        clone(phi).set_params(content_layer="middle").fit(style)
    with pytest.raises(ValueError, match="style_layers is empty"):
        clone(phi).set_params(style_layers=[]).fit(style)
    with pytest.raises(TypeError, match="network=3: pass a "):
        clone(phi).set_params(network=3).fit(style)
    with pytest.raises(NotFittedError):
        clone(phi).transform(images)
    large = StyleTransfer(nets.VGG19Features())
    with pytest.raises(ValueError, match="4 × 4 pixels, too small for the layers"):
        large.fit(np.zeros((1, 4, 4, 3)))
    with pytest.raises(ValueError, match="4 × 4 pixels, too small for the layers"):
        large.fit(np.zeros((1, 8, 8, 3))).transform(np.zeros((1, 4, 4, 3)))


def test_missing_weights_say_where_they_were_looked_for(style, monkeypatch, tmp_path):
    monkeypatch.delenv("SKLEARN_DISTILL_DATA", raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    for network in (None, tmp_path):
        with pytest.raises(FileNotFoundError, match="vgg19_to_block4_conv2_q8"):
            StyleTransfer(network).fit(style)


def test_photographs():
    """Real weights on real images: the style halves, and the content does not move as far."""
    try:
        images = fetch_imagenette(subset="test", n_samples=3, download_if_missing=False).images
        phi = StyleTransfer(max_iter=10).fit(images[:2])
    except (FileNotFoundError, ImportError) as error:
        pytest.skip(str(error).partition(" Looked at")[0])
    content = images[2:, 16:48, 16:48]
    styled = phi.transform(content)
    assert phi.style_loss(styled) < 0.8 * phi.style_loss(content)
    assert moved(phi, content, styled, "block4_conv2") < 0.2


def test_progress_is_shown_where_wanted(phi, images, capsys):
    phi.transform(images)
    assert capsys.readouterr().err == ""
    phi.set_params(verbose=1).transform(images)
    assert "StyleTransfer" in capsys.readouterr().err
