"""L-BFGS without a factor, and with one made on the way, find the same minimum."""

import numpy as np
import pytest

from sklearn_distill.losses import as_design
from sklearn_distill.solvers import coarse_to_fine, late_factor, lbfgs_with_late_factor, newton_cg
from sklearn_distill.solvers.factor import TriangleFactor
from tests.helpers import label
from tests.solvers.test_newton_cholesky import constant_and_repeated, many_scales, problem

SIZE = {"n": 300, "d": 20}


@pytest.fixture(params=["never", "early"])
def factor(request, monkeypatch):
    """Make no factor at all, or one after a few steps."""
    early = request.param == "early"
    monkeypatch.setattr(
        late_factor._Rate, "is_slow", lambda self, n_iter, distance: early and n_iter == 3
    )


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize(
    "problem_params",
    [
        {},
        {"C": 1e-8},
        {"C": 1e4},
        {"temperature": 1e3},
        {"temperature": 1e-3, "C": 0.01},
        {"change": constant_and_repeated},
        {"change": many_scales},
        {"change": lambda X: X.astype(np.float32)},
        {"change": np.asfortranarray},
        {"separable": True},
        {"fit_intercept": False},
        {"zero_weights": True},
    ],
    ids=label,
)
def test_finds_the_minimum(K, problem_params, factor):
    objective = problem(K, **SIZE, **problem_params)
    tol = max(1e-8, 100 * objective.precision)
    solution = lbfgs_with_late_factor(
        objective, objective.zeros(), tol=tol, max_iter=1000, precision=objective.precision
    )
    assert solution.converged
    better = newton_cg(objective, solution.w, tol=1e-12, max_iter=20, precision=objective.precision)
    assert solution.value <= better.value + 1e-9 + 10 * objective.precision


@pytest.mark.parametrize("K", [2, 4])
def test_without_penalty_it_is_as_near_as_the_other_solvers(K):
    objective = problem(K, **SIZE, C=np.inf)
    run = {"tol": 1e-8, "max_iter": 1000}
    solution = lbfgs_with_late_factor(objective, objective.zeros(), **run)
    expected = coarse_to_fine(objective, objective.zeros(), **run)
    assert solution.value == pytest.approx(expected.value, abs=1e-8)


def test_correlated_columns_call_for_a_factor(monkeypatch):
    made = []
    single = late_factor._single_factor
    monkeypatch.setattr(
        late_factor, "_single_factor", lambda *args: made.append(args) or single(*args)
    )
    monkeypatch.setattr(late_factor, "factor_cost", lambda *_, **__: 1e-9)
    monkeypatch.setattr(late_factor, "STEPS_WITH_HESSIAN", 1)
    mix = np.random.default_rng(3).normal(size=(20, 20)) + 5
    for change, n_made in ((np.asarray, 0), (lambda X: X @ mix, 1)):
        made.clear()
        objective = problem(2, **SIZE, change=change, C=1e3)
        rate = late_factor._Rate(objective, 1e-6)
        assert rate.has_factor
        if n_made:
            solution = lbfgs_with_late_factor(
                objective, objective.zeros(), tol=1e-6, distance_tol=1e-6, max_iter=500
            )
            assert solution.converged
            assert len(made) == n_made


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_mean_block_is_the_hessian_at_equal_probabilities(K, fit_intercept):
    objective = problem(K, fit_intercept=fit_intercept)
    expected = np.tril(objective.hessian_at_zero())
    for dtype, atol in ((np.float64, 1e-14), (np.float32, 1e-6)):
        A = np.tril(objective.mean_block(objective.zeros(), dtype))
        assert A.dtype == dtype
        np.testing.assert_allclose(A, expected, atol=atol)


def test_mean_block_of_one_logit_is_the_hessian():
    objective = problem(2)
    w = np.random.default_rng(0).normal(size=objective.zeros().shape)
    A = np.tril(objective.mean_block(w))
    np.testing.assert_allclose(A, np.tril(objective.hessian(w)), atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_scores", [1, 3])
def test_triangle_factor_solves(dtype, n_scores):
    rng = np.random.default_rng(0)
    B = rng.normal(size=(30, 5)) * 10.0 ** rng.uniform(-3, 3, 5)
    A, v = B.T @ B, rng.normal(size=5 * n_scores)
    solved = TriangleFactor(np.asfortranarray(np.tril(A), dtype)).solve(1e-60 * v)
    expected = np.linalg.solve(A, v.reshape(n_scores, 5).T).T.ravel()
    np.testing.assert_allclose(1e60 * solved, expected, rtol=1e-8 if dtype is np.float64 else 2e-3)


@pytest.mark.parametrize("A", [np.full((2, 2), np.nan), np.diag([1.0, -1.0]), [[1.0, 0], [9, 1]]])
def test_triangle_factor_refuses_other_matrices(A):
    with pytest.raises(np.linalg.LinAlgError):
        TriangleFactor(np.array(A, order="F"))


def test_gram_triangle_does_not_depend_on_tiles(monkeypatch):
    X, c = np.random.default_rng(0).normal(size=(100, 4)), np.linspace(0, 1, 100)
    design = as_design(X, True)
    whole = design.gram(c, slice(0, 100))
    monkeypatch.setattr("sklearn_distill.losses.design.MIN_GRAM_ROWS", 7)
    np.testing.assert_allclose(design.gram_triangle(c, np.float64), np.tril(whole), atol=1e-13)
