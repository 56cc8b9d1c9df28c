"""Continuation from solutions of similar problems, and linear systems with the Hessian."""

import numpy as np
import pytest

from sklearn_distill.solvers import (
    BlockFactor,
    KroneckerFactor,
    conjugate_gradients,
    continue_from,
    hessian_factor,
    newton_cg,
)
from sklearn_distill.solvers._factor_choice import (
    NO_FACTOR,
    FactorChoice,
    block_factor,
    full_factor,
)
from tests.solvers.test_subsampling import problem

CHOICE = "sklearn_distill.solvers.subsampling.choose_factor_of_many_fits"


def chosen(make):
    """Return a function that chooses a kind of factor, whatever it costs."""
    return lambda n_rows, *shape: FactorChoice(make, n_rows, 1.0, 1.0, 2.0)


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("make", [full_factor, block_factor])
def test_a_similar_problem_is_solved_in_few_steps(K, make, monkeypatch):
    monkeypatch.setattr(CHOICE, chosen(make))
    before, after = (problem(K, n=1500, temperature=T) for T in (2.0, 2.2))
    start = newton_cg(before, before.zeros(), tol=1e-9, max_iter=100)
    factor = hessian_factor(before, start.w)
    assert isinstance(factor, BlockFactor if make is block_factor else KroneckerFactor)
    solution = continue_from(after, start.w, factor, tol=1e-9, max_iter=100)
    assert solution.converged
    assert solution.solver == "lbfgs"
    assert solution.n_iter <= (40 if make is block_factor else 12)
    np.testing.assert_allclose(after.value_and_gradient(solution.w)[1], solution.gradient)
    exact = newton_cg(after, solution.w, tol=1e-11, max_iter=100)
    assert solution.value == pytest.approx(exact.value, abs=1e-12)


def test_too_many_weights_have_no_factor(monkeypatch):
    monkeypatch.setattr(CHOICE, lambda *shape: NO_FACTOR)
    objective = problem(3, n=100)
    assert hessian_factor(objective, objective.zeros()) is None


def test_scores_are_factorised_jointly_on_request_unless_they_have_many_weights(monkeypatch):
    monkeypatch.setattr(CHOICE, chosen(block_factor))
    objective = problem(3, n=500)
    w = objective.zeros()
    assert isinstance(hessian_factor(objective, w), BlockFactor)
    assert isinstance(hessian_factor(objective, w, jointly=True), KroneckerFactor)
    monkeypatch.setattr("sklearn_distill.solvers.subsampling.FULL_HESSIAN_WEIGHTS", 0)
    assert isinstance(hessian_factor(objective, w, jointly=True), BlockFactor)


@pytest.mark.parametrize(("stall_tol", "solver"), [(0.0, "newton-cg"), (1e-3, "lbfgs")])
def test_newton_takes_over_a_stall_only_far_from_the_minimum(stall_tol, solver):
    """Products in float32 do not resolve a gradient of 1e-12."""
    objective = problem(3, n=1500, change=np.float32)
    factor = hessian_factor(objective, objective.zeros())
    solution = continue_from(
        objective,
        objective.zeros(),
        factor,
        tol=1e-12,
        max_iter=200,
        renew_after=200,
        precision=objective.precision,
        stall_tol=stall_tol,
    )
    assert solution.solver == solver
    assert solution.stalled
    assert solution.gradient_norm < 1e-5


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("preconditioned", [False, True])
def test_the_null_vector_of_the_intercepts_is_not_in_the_solution(K, preconditioned):
    """The result solves (H + nnᵀ) a = b for a b that sums to zero over the classes."""
    objective = problem(K, n=500)
    w = 0.3 * np.random.default_rng(0).normal(size=objective.zeros().shape)
    w -= 0 if K == 2 else np.tile(w.reshape(K, -1).mean(axis=0), K)
    b = objective.value_and_gradient(w)[1]
    n = np.zeros(objective.shape)
    if K > 2:
        n[:, -1] = 1 / np.sqrt(K)
    expected = np.linalg.solve(objective.hessian(w) + np.outer(n, n), b)
    factor = hessian_factor(objective, w)
    a, n_products = conjugate_gradients(
        objective.hessian_operator(w),
        b,
        precondition=factor.solve if preconditioned else None,
        rtol=1e-12,
    )
    np.testing.assert_allclose(a, expected, atol=1e-7)
    if preconditioned:
        assert n_products <= 10
    again, n_products = conjugate_gradients(
        objective.hessian_operator(w), b, start=a, precondition=factor.solve, rtol=1e-6
    )
    assert n_products <= 1
    np.testing.assert_array_equal(again, a)


def test_conjugate_gradients_stop_at_negative_curvature():
    a, n_products = conjugate_gradients(lambda v: np.array([1.0, -1.0]) * v, np.array([0.0, 1.0]))
    assert n_products == 1
    assert not a.any()
