"""A random convolution against scipy's and torch's."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.signal import correlate2d
from sklearn.base import clone

from sklearn_distill import RandomConvolution


@pytest.fixture
def images():
    return np.random.default_rng(0).random((300, 9, 7))


def test_it_is_what_scipy_and_a_layer_without_padding_give(images):
    phi = RandomConvolution(3, random_state=0).fit(images)
    expected = [correlate2d(image, phi.kernel_, mode="valid") for image in images]
    np.testing.assert_allclose(phi.transform(images), expected, atol=1e-12)
    layer = torch.nn.functional.conv2d(
        torch.tensor(images)[:, None], torch.tensor(phi.kernel_)[None, None]
    )
    np.testing.assert_allclose(phi.transform(images), layer[:, 0], atol=1e-12)


def test_flat_rows_give_flat_rows(images):
    flat = images.reshape(300, -1)
    phi = RandomConvolution(3, image_shape=(9, 7), random_state=0)
    as_images = clone(phi).fit_transform(images)
    np.testing.assert_array_equal(phi.fit_transform(flat), as_images.reshape(300, -1))
    assert phi.n_features_in_ == 63
    assert len(phi.get_feature_names_out()) == 7 * 5
    assert RandomConvolution(random_state=0).fit_transform(np.ones((1, 784))).shape == (1, 576)


def test_channels_share_the_kernel(images):
    colours = np.stack([images, 2 * images, 1 - images], axis=3)
    phi = RandomConvolution(random_state=0).fit(colours)
    out = phi.transform(colours)
    assert out.shape == (300, 5, 3, 3)
    np.testing.assert_allclose(out[..., 1], 2 * out[..., 0])
    flat = RandomConvolution(image_shape=(9, 7, 3), random_state=0).fit(colours.reshape(300, -1))
    np.testing.assert_allclose(flat.transform(colours.reshape(300, -1)), out.reshape(300, -1))


def test_kernel_keeps_the_variance_of_independent_pixels():
    noise = np.random.default_rng(0).normal(size=(200, 30, 30))
    for seed in range(5):
        phi = RandomConvolution(random_state=seed).fit(noise)
        assert np.linalg.norm(phi.kernel_) == pytest.approx(1)
        assert phi.transform(noise).std() == pytest.approx(1, rel=0.02)


def test_random_state_draws_the_kernel_in_fit_alone(images):
    phi = RandomConvolution(random_state=0).fit(images)
    out = phi.transform(images)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(phi)).transform(images), out)
    np.testing.assert_array_equal(phi.transform(images[3:4]), out[3:4])
    np.testing.assert_array_equal(clone(phi).fit(images[:1]).kernel_, phi.kernel_)
    other = RandomConvolution(random_state=1).fit(images)
    assert not np.allclose(other.kernel_, phi.kernel_)


def test_types_and_names(images):
    flat = images.reshape(300, -1)
    phi = RandomConvolution(3, image_shape=(9, 7), random_state=0).set_output(transform="pandas")
    out = phi.fit_transform(flat.astype(np.float32))
    assert isinstance(out, pd.DataFrame)
    assert list(out.columns[:2]) == ["randomconvolution0", "randomconvolution1"]
    assert phi.set_output(transform="default").transform(flat.astype(np.float32)).dtype == "float32"


@pytest.mark.parametrize(
    ("shape", "params", "message"),
    [
        ((2, 50), {}, "50 features, which is not a square image: pass image_shape"),
        ((2, 16), {}, "kernel_size=5, but images have the shape"),
        ((2, 50), {"image_shape": (5, 9)}, "needs images of this shape or flat rows of 45"),
        ((2, 50), {"image_shape": (50,)}, "give .height, width"),
        ((2, 5, 5, 3), {"image_shape": (5, 5)}, "X has rows of shape .5, 5, 3."),
        ((2, 5, 5, 3, 1), {}, "give flat rows, or images"),
    ],
)
def test_errors_say_what_to_do(shape, params, message):
    with pytest.raises(ValueError, match=message):
        RandomConvolution(**params).fit(np.zeros(shape))


def test_other_images_than_those_of_fit():
    phi = RandomConvolution().fit(np.zeros((2, 8, 6)))
    with pytest.raises(ValueError, match=r"image_shape=\(8, 6\) needs images"):
        phi.transform(np.zeros((2, 8, 7)))
    assert phi.transform(np.zeros((2, 8, 6))).shape == (2, 4, 2)
