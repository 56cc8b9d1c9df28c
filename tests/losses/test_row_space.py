"""L has the Gram matrix of the centred rows, and weights have the scores and norm of their own."""

import numpy as np
import pytest

from sklearn_distill.losses import RowSpace
from sklearn_distill.losses import row_space as row_space_module

N_ROWS, N_FEATURES = 12, 40


def features(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    return {
        "plain": X,
        "Fortran": np.asfortranarray(X),
        "float32": X.astype(np.float32),
        "repeated rows": X[np.arange(N_ROWS) // 2],
        "nearly repeated rows": X[np.arange(N_ROWS) // 2] + 1e-7 * rng.normal(size=X.shape),
        "low rank": X[:, :3] @ X[:3],
        "unscaled": X * 10.0 ** np.linspace(-4, 4, N_FEATURES),
        "large mean": X + 1e4,
    }[kind]


KINDS = (
    "plain",
    "Fortran",
    "float32",
    "repeated rows",
    "nearly repeated rows",
    "low rank",
    "unscaled",
    "large mean",
)


@pytest.fixture(autouse=True)
def several_blocks(monkeypatch):
    monkeypatch.setattr(row_space_module, "BLOCK_ENTRIES", 1)
    monkeypatch.setattr(row_space_module, "MIN_BLOCK_COLUMNS", 7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_weights_and_their_coordinates_have_the_same_scores_and_norm(kind, fit_intercept):
    X = features(kind)
    space = RowSpace.of(X, fit_intercept=fit_intercept)
    X = X.astype(np.float64)
    centred = X - X.mean(axis=0) if fit_intercept else X
    largest = np.abs(centred).max()
    np.testing.assert_allclose(space.L @ space.L.T, centred @ centred.T, atol=1e-10 * largest**2)
    V = np.random.default_rng(1).normal(size=(2, space.L.shape[1] + fit_intercept))
    W, rank = space.lift(V), space.L.shape[1]
    bias_of_V, bias_of_W = (V[:, rank:], W[:, N_FEATURES:]) if fit_intercept else (0.0, 0.0)
    scores = V[:, :rank] @ space.L.T + bias_of_V
    size = np.abs(W[:, :N_FEATURES]).max() * np.abs(X).max()
    np.testing.assert_allclose(
        W[:, :N_FEATURES] @ X.T + bias_of_W, scores, atol=1e-9 * largest + 1e-13 * size
    )
    np.testing.assert_allclose(
        np.linalg.norm(W[:, :N_FEATURES]), np.linalg.norm(V[:, :rank]), rtol=1e-7
    )
    np.testing.assert_allclose(space.project(W), V, atol=1e-7)


@pytest.mark.parametrize(
    ("kind", "rank"),
    [("plain", 11), ("repeated rows", 5), ("nearly repeated rows", 11), ("low rank", 3)],
)
def test_the_rank_is_that_of_the_centred_rows(kind, rank):
    assert RowSpace.of(features(kind), fit_intercept=True).L.shape == (N_ROWS, rank)


@pytest.mark.parametrize("X", [np.zeros((3, 9)), np.full((3, 9), 1e200), np.full((3, 9), 1e-170)])
def test_a_gram_matrix_out_of_range_has_no_coordinates(X):
    assert RowSpace.of(X, fit_intercept=False) is None
