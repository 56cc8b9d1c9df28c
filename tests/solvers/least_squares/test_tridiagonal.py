"""A tridiagonal form solves for every penalty what a Cholesky factor solves for one."""

import numpy as np
import pytest

from sklearn_distill.solvers.least_squares._tridiagonal import Tridiagonal

ALPHAS = np.array([0.0, 1e-3, 1.0, 1e4])


@pytest.mark.parametrize("d", [1, 2, 3, 30])
@pytest.mark.parametrize("m", [1, 4])
def test_solutions_are_those_of_each_matrix(d, m):
    rng = np.random.default_rng(d)
    A, b = rng.normal(size=(2 * d + 3, d)), rng.normal(size=(d, m))
    H = A.T @ A
    expected = [np.linalg.solve(H + alpha * np.eye(d), b) for alpha in ALPHAS]
    found = Tridiagonal.of(H).solve_all(ALPHAS, b)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("d", [1, 2, 30])
def test_condition_is_the_ratio_of_singular_values(d):
    A = np.random.default_rng(d).normal(size=(2 * d + 3, d))
    expected = [np.sqrt(np.linalg.cond(A.T @ A + alpha * np.eye(d))) for alpha in ALPHAS]
    np.testing.assert_allclose(Tridiagonal.of(A.T @ A).condition(ALPHAS), expected, rtol=1e-8)


def test_a_singular_matrix_has_a_large_condition_only_without_a_penalty():
    condition = Tridiagonal.of(np.ones((3, 3))).condition(np.array([0.0, 1.0]))
    assert condition[0] > 1e6
    assert condition[1] == pytest.approx(2.0)
