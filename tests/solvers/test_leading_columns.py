"""The factor of leading columns inverts its matrix and divides by the other entries."""

import numpy as np
import pytest

from sklearn_distill.solvers import LeadingColumnsFactor

COLUMNS = np.array([0, 3, 4])


def matrix_and_factor(n=6, *, dtype=np.float64, by_column=False, scales=1.0):
    rng = np.random.default_rng(0)
    B = rng.normal(size=(8, len(COLUMNS))) * scales
    A, diagonal = B.T @ B, rng.uniform(1, 2, size=n)
    M = np.diag(diagonal)
    M[np.ix_(COLUMNS, COLUMNS)] = A
    factor = LeadingColumnsFactor(diagonal.astype(dtype), COLUMNS, A, by_column=by_column)
    return M, factor


@pytest.mark.parametrize("scales", [1.0, np.array([1e-5, 1.0, 1e5])], ids=["one scale", "many"])
@pytest.mark.parametrize("by_column", [False, True])
def test_it_is_the_inverse(by_column, scales):
    M, factor = matrix_and_factor(by_column=by_column, scales=scales)
    V = np.random.default_rng(1).normal(size=(4, len(M)))
    solved = factor.solve((V.T if by_column else V).ravel())
    solved = solved.reshape(len(M), 4).T if by_column else solved.reshape(V.shape)
    np.testing.assert_allclose(solved, np.linalg.solve(M, V.T).T, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_keeps_the_precision(dtype):
    M, factor = matrix_and_factor(dtype=dtype)
    assert factor.solve(np.ones(len(M), dtype)).dtype == dtype


def test_repeated_columns_leave_it_positive():
    A = np.ones((3, 3))
    factor = LeadingColumnsFactor(np.array([1.0, 1.0, 1.0, 0.0]), np.arange(3), A)
    M = np.array([factor.solve(e) for e in np.eye(4)])
    assert np.linalg.eigvalsh((M + M.T) / 2).min() > 0


def test_an_indefinite_matrix_has_no_factor():
    with pytest.raises(np.linalg.LinAlgError):
        LeadingColumnsFactor(np.ones(3), np.arange(2), np.array([[1.0, 2.0], [2.0, 1.0]]))
