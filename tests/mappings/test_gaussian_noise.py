"""Noise that is a function of the row."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, norm
from sklearn.base import clone

from sklearn_distill import GaussianNoise


@pytest.fixture
def X():
    return np.random.default_rng(0).uniform(0.4, 0.6, size=(50, 200))


def fitted(X, **params):
    return GaussianNoise(**{"random_state": 0} | params).fit(X)


def test_noise_is_standard_normal_times_scale(X):
    xi = (fitted(X, scale=0.05, clip=None).transform(X) - X) / 0.05
    assert kstest(xi.ravel(), norm.cdf).pvalue > 0.01
    # independent between rows and between columns: no correlation beyond chance
    correlations = np.corrcoef(np.concatenate([xi, xi[:, ::-1]]))[:50, :50]
    assert np.abs(correlations[np.triu_indices(50, 1)]).max() < 5 / np.sqrt(200)
    assert np.abs(np.corrcoef(xi.T)[np.triu_indices(200, 1)]).max() < 6 / np.sqrt(50)


def test_the_same_row_gets_the_same_noise_wherever_it_stands(X):
    phi = fitted(X)
    noisy = phi.transform(X)
    order = np.random.default_rng(1).permutation(len(X))
    np.testing.assert_array_equal(phi.transform(X[order]), noisy[order])
    np.testing.assert_array_equal(phi.transform(X[7:8]), noisy[7:8])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(phi)).transform(X), noisy)
    images = phi.fit(X.reshape(50, 10, 20)).transform(X.reshape(50, 10, 20))
    np.testing.assert_array_equal(images.reshape(50, -1), noisy)


def test_another_row_gets_other_noise(X):
    near = X.copy()
    near[:, 0] += 1e-9
    phi = fitted(X)
    assert (np.abs(phi.transform(near) - phi.transform(X)).max(axis=1) > 0.05).all()


def test_zero_has_no_sign():
    phi = fitted(np.zeros((1, 3)))
    np.testing.assert_array_equal(phi.transform([[-0.0] * 3]), phi.transform([[0.0] * 3]))


def test_random_state_decides(X):
    same, other = clone(fitted(X)).fit(X), fitted(X, random_state=1)
    np.testing.assert_array_equal(same.transform(X), fitted(X).transform(X))
    assert not np.array_equal(other.transform(X), same.transform(X))
    free = GaussianNoise().fit(X)
    np.testing.assert_array_equal(free.transform(X), free.transform(X))


def test_global_random_numbers_are_left_alone(X):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    fitted(X).transform(X)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize(("clip", "low", "high"), [((0, 1), 0, 1), ((-0.5, 0.5), -0.5, 0.5)])
def test_clip(X, clip, low, high):
    noisy = fitted(X, scale=5.0, clip=clip).transform(X)
    assert (noisy.min(), noisy.max()) == (low, high)
    assert np.abs(fitted(X, scale=5.0, clip=None).transform(X)).max() > 5


def test_scale_zero_is_the_identity_and_X_is_left_alone(X):
    before = X.copy()
    np.testing.assert_array_equal(fitted(X, scale=0.0).transform(X), X)
    fitted(X).transform(X)
    np.testing.assert_array_equal(X, before)


def test_types_and_names(X):
    assert fitted(X).transform(X.astype(np.float32)).dtype == np.float32
    frame = pd.DataFrame(X[:, :2], columns=["a", "b"])
    out = fitted(frame).set_output(transform="pandas").transform(frame)
    assert list(out.columns) == ["a", "b"]


@pytest.mark.parametrize("clip", [(1, 0), (0,), (0, 0)])
def test_clip_is_a_pair_in_order(X, clip):
    with pytest.raises(ValueError, match="clip="):
        fitted(X, clip=clip)
