"""Products with X equal those with the matrix [X 1] for each storage of X."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_distill.losses import as_design
from sklearn_distill.losses import design as design_module
from sklearn_distill.losses.design import DenseDesign, SparseDesign, stack_designs

N_ROWS = 12
STORAGES = [np.ascontiguousarray, np.asfortranarray, sparse.csr_array, sparse.csc_array]
every_storage = pytest.mark.parametrize("storage", STORAGES)
either_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def numbers(n_rows, n_columns, seed=0):
    x = np.random.default_rng(seed).normal(size=(n_rows, n_columns))
    return np.where(np.abs(x) < 0.5, 0, x)


def matrix_of(X, fit_intercept):
    return np.column_stack([X, np.ones(len(X))]) if fit_intercept else X


@every_storage
@either_intercept
@pytest.mark.parametrize("rows", [slice(0, N_ROWS), slice(0, 5), slice(3, 9), slice(7, N_ROWS)])
def test_products_are_those_of_the_matrix(storage, fit_intercept, rows):
    X = numbers(N_ROWS, 3)
    A = matrix_of(X, fit_intercept)[rows]
    design = as_design(storage(X), fit_intercept)
    W, R = numbers(2, A.shape[1], seed=1), numbers(2, len(A), seed=2)
    weight = np.random.default_rng(3).normal(size=len(A))  # of either sign, since r may be concave
    np.testing.assert_allclose(design.scores(W, rows), W @ A.T, atol=1e-14)
    np.testing.assert_allclose(design.pull_back(R, rows), R @ A, atol=1e-14)
    gram = A.T @ np.diag(weight) @ A
    np.testing.assert_allclose(design.gram(weight, rows), gram, atol=1e-13)
    # equal weights have a sum of their own; 1e-13 is the rounding of both orders of the sums
    for c in (weight, np.full_like(weight, 0.7)):
        diagonal = np.diag(design.gram(c, rows))
        np.testing.assert_allclose(design.gram_diagonal(c, rows), diagonal, atol=1e-13)


@pytest.mark.parametrize("share", [0.0, 1.0], ids=["dense tiles", "sparse product"])
def test_a_sparse_gram_matrix_is_the_same_in_dense_tiles(share, monkeypatch):
    monkeypatch.setattr(design_module, "DENSE_SHARE", share)
    monkeypatch.setattr(design_module, "TILE_BYTES", 1)
    X = numbers(600, 3) * (numbers(600, 3, seed=1) > 0.5)
    weight = np.random.default_rng(2).normal(size=600)
    gram = as_design(sparse.csr_array(X), False).gram(weight, slice(0, 600))
    np.testing.assert_allclose(gram, X.T @ np.diag(weight) @ X, atol=1e-12)


@every_storage
def test_products_are_made_in_the_precision_of_X(storage):
    """A float64 factor would convert all of a float32 X in each product."""
    X = numbers(N_ROWS, 3).astype(np.float32)
    design, rows = as_design(storage(X), True), slice(0, N_ROWS)
    W, R, weight = numbers(2, 4, seed=1), numbers(2, N_ROWS, seed=2), np.linspace(0.1, 1, N_ROWS)
    assert design.scores(W, rows).dtype == np.float32
    for product, factor in ((design.pull_back, R), (design.gram, weight)):
        double, single = product(factor, rows), product(factor.astype(np.float32), rows)
        assert double.dtype == np.float64  # so that sums over tiles are in double precision
        np.testing.assert_array_equal(double[:, :3][:3], single[:, :3][:3])


@every_storage
def test_sums_over_rows_of_the_intercept_are_of_double_precision(storage):
    n = 50_000
    design, rows = as_design(storage(np.ones((n, 1), np.float32)), True), slice(0, n)
    tenth = np.full(n, 0.1, np.float32)
    total = n * float(np.float32(0.1))
    np.testing.assert_allclose(design.pull_back(tenth[np.newaxis], rows)[0, -1], total, rtol=1e-12)
    np.testing.assert_allclose(design.gram(tenth, rows)[-1, -1], total, rtol=1e-12)


@every_storage
@pytest.mark.parametrize("tile_bytes", [1, 2**13, 2**20])
def test_tiles_are_consecutive_and_cover_all_rows(storage, tile_bytes, monkeypatch):
    monkeypatch.setattr(design_module, "TILE_BYTES", tile_bytes)
    design = as_design(storage(np.ones((1000, 2))), True)
    tiles = list(design.tiles())
    assert all(rows.start < rows.stop <= design.n_rows for rows in tiles)
    numbers = np.concatenate([np.arange(rows.start, rows.stop) for rows in tiles])
    np.testing.assert_array_equal(numbers, np.arange(1000))


@pytest.mark.parametrize(("dtype", "n_rows"), [(np.float32, 1024), (np.float64, 512)])
def test_a_tile_has_at_most_tile_bytes(dtype, n_rows, monkeypatch):
    monkeypatch.setattr(design_module, "TILE_BYTES", 2**13)
    tiles = list(as_design(np.ones((5000, 2), dtype), True).tiles())
    assert {rows.stop - rows.start for rows in tiles[:-1]} == {n_rows}


@pytest.mark.parametrize("n_features", [0, 100])
def test_a_tile_has_at_least_256_rows_and_needs_no_features(n_features, monkeypatch):
    monkeypatch.setattr(design_module, "TILE_BYTES", 2**8)
    design = as_design(np.ones((1000, n_features)), True)
    assert next(design.tiles()) == slice(0, 256)
    np.testing.assert_array_equal(
        design.scores(np.ones((1, n_features + 1)), slice(0, 2)), np.full((1, 2), n_features + 1.0)
    )


@every_storage
@either_intercept
@pytest.mark.parametrize("cuts", [[0, 4, 5, N_ROWS], [0, N_ROWS]])
def test_stacked_parts_are_all_rows(storage, fit_intercept, cuts):
    whole = as_design(storage(numbers(N_ROWS, 3)), fit_intercept)
    parts = [whole.take(slice(a, b)) for a, b in pairwise(cuts)]
    stacked, rows = stack_designs(parts), slice(0, N_ROWS)
    assert (
        type(stacked) is type(whole) is (SparseDesign if sparse.issparse(whole.X) else DenseDesign)
    )
    assert (stacked.n_rows, stacked.n_columns) == (N_ROWS, 3 + fit_intercept)
    assert stacked.fit_intercept == fit_intercept
    assert stacked.dtype == whole.dtype == np.float64
    W = numbers(2, whole.n_columns)
    np.testing.assert_array_equal(stacked.scores(W, rows), whole.scores(W, rows))


@pytest.mark.parametrize("storage", [*STORAGES, torch.as_tensor])
@pytest.mark.parametrize("length", [1e-46, 1e45])
def test_weights_beyond_float32_have_scores(storage, length):
    """A solver may evaluate them where there is no penalty."""
    X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    W = length * np.random.default_rng(1).normal(size=(2, 4))
    rows = slice(0, 5)
    found = as_design(storage(X), True).scores(W, rows)
    expected = as_design(X.astype(np.float64), True).scores(W, rows)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
