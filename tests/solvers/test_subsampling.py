"""L-BFGS agrees with Newton's method, also where its preconditioner is not reliable."""

import numpy as np
import pytest

from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
from sklearn_distill.solvers import coarse_to_fine, newton_cg
from sklearn_distill.solvers.subsampling import spread_rows
from sklearn_distill.targets import Labels, TargetMixture, Teachers
from tests.helpers import label


def problem(
    K, *, n=4000, d=8, C=1.0, temperature=2.0, change=None, separable=False, regularizer=None
):
    rng = np.random.default_rng(K)
    X = rng.normal(size=(n, d))
    logits = 2 * X @ rng.normal(size=(d, K))
    noise = 0 if separable else rng.gumbel(size=logits.shape)
    labels = Labels((logits + noise).argmax(axis=1), K)
    teachers = None if separable else Teachers(logits.T[None])
    mixture = TargetMixture(labels, teachers, np.ones(n), 0.5, temperature, regularizer=regularizer)
    X = X if change is None else change(X)
    return SoftTargetObjective(
        RowSums(as_design(X, True), mixture.targets(), np.ones(n)), 1 / (C * n)
    )


def constant_and_repeated(X):
    return np.column_stack([X, np.ones(len(X)), np.zeros(len(X)), X[:, 0]])


def many_scales(X):
    return X * np.geomspace(1e-4, 1e4, X.shape[1])


@pytest.mark.parametrize("K", [2, 3, 6])
@pytest.mark.parametrize(
    "problem_params",
    [
        {},
        {"C": 1e-4},
        {"C": 1e4},
        {"temperature": 1e3},
        {"change": constant_and_repeated},
        {"change": many_scales},
        {"change": np.asfortranarray},
        {"regularizer": "continuous_categorical"},
    ],
    ids=label,
)
def test_agrees_with_newton(K, problem_params, monkeypatch):
    monkeypatch.setattr("sklearn_distill.solvers.subsampling.MIN_ENTRIES", 0)
    objective = problem(K, **problem_params)
    quasi_newton = coarse_to_fine(objective, objective.zeros(), tol=1e-9, max_iter=500)
    newton = newton_cg(
        objective, quasi_newton.w, tol=1e-11, max_iter=100, precondition=quasi_newton.factor.solve
    )  # fmt: skip
    assert quasi_newton.converged
    Z, expected = (
        objective.sums.design.scores(s.w.reshape(objective.shape), slice(0, 4000))
        for s in (quasi_newton, newton)
    )
    np.testing.assert_allclose(Z, expected, atol=2e-3)


@pytest.mark.parametrize("full_hessian", [True, False])
def test_few_passes(full_hessian, monkeypatch):
    """With the subsample and its Hessian a few passes over all rows suffice."""
    if not full_hessian:
        monkeypatch.setattr("sklearn_distill.solvers._factor_choice.FULL_HESSIAN_WEIGHTS", 0)
    objective = problem(3, n=100_000)
    passes = []
    original = SoftTargetObjective.value_and_gradient

    def counting(self, w):
        passes.append(self.n_rows / objective.n_rows)
        return original(self, w)

    monkeypatch.setattr(SoftTargetObjective, "value_and_gradient", counting)
    solution = coarse_to_fine(objective, objective.zeros(), tol=1e-6, max_iter=100)
    assert solution.converged
    assert solution.solver == "lbfgs"
    assert sum(passes) <= (8 if full_hessian else 20)


def test_no_full_hessian_where_it_costs_more_than_the_passes(monkeypatch):
    def forbidden(self, w):
        raise AssertionError("30 classes: 465 Gram matrices for a few hundred rows")

    monkeypatch.setattr(SoftTargetObjective, "nonsingular_hessian", forbidden)
    objective = problem(30, n=600)
    assert coarse_to_fine(objective, objective.zeros(), tol=1e-6, max_iter=100).converged


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(
    "problem_params",
    [{"C": 1e8, "separable": True}, {"temperature": 1e-3}],
    ids=["separable", "T = 1e-3"],
)
def test_hard_problems_are_solved_or_reported_as_not_converged(K, problem_params):
    objective = problem(K, n=600, **problem_params)
    solution = coarse_to_fine(objective, objective.zeros(), tol=1e-6, max_iter=1000)
    value, gradient = objective.value_and_gradient(solution.w)
    assert solution.converged == (np.abs(gradient).max() <= 1e-6)
    assert value < objective.value_and_gradient(objective.zeros())[0]


def test_newton_takes_over_where_the_steps_are_many(monkeypatch):
    monkeypatch.setattr("sklearn_distill.solvers._factor_choice.STEPS_BEFORE_RENEWAL", 0.2)
    monkeypatch.setattr("sklearn_distill.solvers.subsampling.PASSES_BEFORE_RENEWAL", 0.0)
    monkeypatch.setattr("sklearn_distill.solvers.continuation.MAX_RENEWALS", 1)
    objective = problem(3, n=600, C=1e8, separable=True)
    iterations = []
    solution = coarse_to_fine(
        objective,
        objective.zeros(),
        tol=1e-6,
        max_iter=300,
        progress=lambda *s: iterations.append(s[0]),
    )
    assert solution.converged
    assert solution.solver == "newton-cg"
    assert iterations == sorted(iterations)
    assert solution.n_iter == iterations[-1]


def test_newton_takes_over_where_there_is_no_factor(monkeypatch):
    class NoFactor:
        def __init__(self, A):
            raise np.linalg.LinAlgError

    monkeypatch.setattr("sklearn_distill.solvers.subsampling.KroneckerFactor", NoFactor)
    objective = problem(3, n=600)
    solution = coarse_to_fine(objective, objective.zeros(), tol=1e-6, max_iter=300)
    assert solution.converged
    assert solution.solver == "newton-cg"


def test_max_iter_counts_all_steps():
    objective = problem(3, n=600, C=1e4)
    for max_iter in (1, 3, 7):
        solution = coarse_to_fine(objective, objective.zeros(), tol=1e-12, max_iter=max_iter)
        assert solution.n_iter == max_iter
        assert not solution.converged


class TestSpreadRows:
    @pytest.mark.parametrize("period", [2, 3, 7, 10, 100])
    def test_periodic_data_are_sampled_in_proportion(self, period):
        classes = np.arange(60_000) % period
        share = np.bincount(classes[spread_rows(60_000, 3_750)], minlength=period) / 3_750
        np.testing.assert_allclose(share, 1 / period, rtol=0.15)

    def test_sorted_data_are_sampled_in_proportion(self):
        rows = spread_rows(60_000, 3_750)
        share = np.histogram(rows, bins=10, range=(0, 60_000))[0] / len(rows)
        np.testing.assert_allclose(share, 0.1, rtol=0.02)
        assert (np.diff(rows) > 0).all()
        assert len(rows) == 3_750
