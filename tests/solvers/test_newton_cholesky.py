"""Newton's method with factors finds the minimum of small problems, also of degenerate ones."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
from sklearn_distill.solvers import newton_cg, newton_cholesky
from sklearn_distill.targets import Labels, TargetMixture, Teachers
from tests.helpers import gradient_by_differences, label


def problem(
    K,
    *,
    n=80,
    d=4,
    C=1.0,
    temperature=2.0,
    change=np.asarray,
    separable=False,
    fit_intercept=True,
    zero_weights=False,
):
    rng = np.random.default_rng(K)
    X = rng.normal(size=(n, d))
    logits = 2 * X @ rng.normal(size=(d, K))
    noise = 0 if separable else rng.gumbel(size=logits.shape)
    labels = Labels((logits + noise).argmax(axis=1), K)
    teachers = None if separable else Teachers((logits + rng.normal(size=(n, K))).T[None])
    weight = rng.uniform(0.2, 2, n) * (rng.random(n) < 0.7 if zero_weights else 1)
    mixture = TargetMixture(labels, teachers, weight, 0.0 if separable else 0.5, temperature)
    design = as_design(change(X), fit_intercept)
    return SoftTargetObjective(RowSums(design, mixture.targets(), weight), 1 / (C * n))


def constant_and_repeated(X):
    return np.column_stack([X, np.ones(len(X)), np.zeros(len(X)), X[:, 0]])


def many_scales(X):
    return X * np.geomspace(1e-4, 1e4, X.shape[1])


@pytest.mark.parametrize("K", [2, 3, 6])
@pytest.mark.parametrize("temperature", [1e-3, 1.0, 2.0, 1e3])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_small_objective_is_the_same_function(K, temperature, storage):
    objective = problem(K, temperature=temperature, change=storage)
    w = 0.1 * np.random.default_rng(0).normal(size=objective.zeros().shape)
    point = objective.in_cache().at(w)
    value, gradient = objective.value_and_gradient(w)
    assert point.value == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(point.gradient, gradient, atol=1e-12 * np.abs(gradient).max())
    expected = objective.nonsingular_hessian(w) if K > 2 else objective.hessian(w)
    np.testing.assert_allclose(point.hessian(), expected, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("K", [2, 3])
def test_gradient_is_that_of_the_value(K):
    small = problem(K).in_cache()
    w = 0.3 * np.random.default_rng(1).normal(size=small.shape).ravel()
    expected = gradient_by_differences(lambda v: small.at(v).value, w)
    np.testing.assert_allclose(small.at(w).gradient, expected, atol=1e-8)


@pytest.mark.parametrize("K", [2, 3, 6])
@pytest.mark.parametrize(
    "problem_params",
    [
        {},
        {"C": 1e-8},
        {"C": 1e8},
        {"C": np.inf},
        {"temperature": 1e3},
        {"temperature": 0.1},
        {"change": constant_and_repeated},
        {"change": constant_and_repeated, "C": np.inf},
        {"change": many_scales},
        {"separable": True},
        {"fit_intercept": False},
        {"zero_weights": True},
    ],
    ids=label,
)
def test_finds_the_minimum(K, problem_params):
    objective = problem(K, **problem_params)
    solution = newton_cholesky(objective, objective.zeros(), tol=1e-9, max_iter=200)
    assert solution.converged
    assert solution.solver == "newton-cholesky"
    # an independent method cannot improve on it
    better = newton_cg(objective, solution.w, tol=1e-13, max_iter=50)
    assert solution.value <= better.value + 1e-8  # a class without mass has no minimum


@pytest.mark.parametrize("K", [2, 3])
def test_separable_labels_without_penalty_converge(K):
    objective = problem(K, separable=True, C=np.inf)
    solution = newton_cholesky(objective, objective.zeros(), tol=1e-6, max_iter=200)
    assert solution.converged
    assert solution.value < 1e-4


def test_stops_at_the_largest_number_of_iterations_and_at_the_distance():
    objective = problem(3)
    run = {"objective": objective, "start": objective.zeros()}
    assert newton_cholesky(**run, tol=1e-9, max_iter=0).n_iter == 0
    stopped = newton_cholesky(**run, tol=1e-9, max_iter=2)
    assert (stopped.n_iter, stopped.converged) == (2, False)
    exact = newton_cholesky(**run, tol=1e-12, max_iter=50).w
    for distance_tol in (1e-2, 1e-4, 1e-6):
        w = newton_cholesky(**run, tol=1.0, distance_tol=distance_tol, max_iter=50).w
        error = w - exact
        assert np.sqrt(error @ objective.hessian(exact) @ error) <= distance_tol


def test_infinite_features_end_without_a_factor():
    objective = problem(2, change=lambda X: X * 1e200)
    with np.errstate(all="ignore"):
        solution = newton_cholesky(objective, objective.zeros(), tol=1e-9, max_iter=5)
    assert not solution.converged
