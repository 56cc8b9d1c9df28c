"""Whatever comes into ``fit``: finite answers, or an error that names the argument."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
)
from sklearn_distill.solvers.lbfgs import MEMORY
from tests.faults.contract import (
    OF_SPLITTERS,
    fitted_or_refused,
    predicts_numbers,
    predicts_probabilities,
)
from tests.faults.strategies import class_data, holds, imitations, powers, regression_data

# what PrivilegedLinearRegression announces of its estimates and of solver="gram"
OF_LEAST_SQUARES = (
    ".*(found a perfect fit|here a prediction counts as a label"
    "|ill-conditioned or has dependent columns)"
)

of_the_loss = {
    "imitation": imitations(),
    "temperature": powers(-3, 3),
    "soften_student": st.booleans(),
    "t_squared": st.booleans(),
    "regularizer": st.sampled_from((None, None, "grabovoy", "continuous_categorical")),
    "class_weight": st.sampled_from((None, None, "balanced", {0: 2.0, 1: 0.0})),
    "C": powers(-8, 8),
    "fit_intercept": st.booleans(),
    "solver": st.sampled_from(("auto", "lbfgs", "newton-cg")),
}
of_the_search = of_the_loss | {
    "metaparameters": st.sampled_from(("imitation", "temperature", "C")),
    "method": st.sampled_from(("implicit", "grid")),
    "validation_temperature": powers(-3, 3),
}
of_least_squares = {
    "imitation": imitations(),
    "noise_variance": st.just("auto") | powers(-8, 8),
    "teacher_noise_variance": st.just("auto") | powers(-8, 8),
    "alpha": st.just(0.0) | powers(-8, 8),
    "fit_intercept": st.booleans(),
    "solver": st.sampled_from(("auto", "gram", "tsqr")),
}
of_soft_target = {"imitation": imitations(), "temperature": powers(-3, 3)}


def linear(data, options, unpenalised):
    student = DistilledLogisticRegression(max_iter=50, **options)
    if unpenalised:
        student.set_params(C=np.inf)
    if fitted_or_refused(student, data):
        predicts_probabilities(student, data.X)
        assert np.isfinite(student.coef_).all()
        assert not np.isnan(student.intercept_).any()


def linear_again(data, warm_start):
    """A refused fit leaves the earlier one, where a warm start would begin."""
    student = DistilledLogisticRegression(max_iter=50, warm_start=warm_start)
    X = np.array([[0.0], [1.0], [2.0]])
    before = student.fit(X, [0, 1, 0], teacher_proba=[0.2, 0.8, 0.2]).predict_proba(X)
    if fitted_or_refused(student, data):
        predicts_probabilities(student, data.X)
    else:
        np.testing.assert_array_equal(student.predict_proba(X), before)


def linear_search(data, options):
    limits = {"cv": 2, "grid": 2, "max_evaluations": 3, "max_iter": 30}
    student = DistilledLogisticRegressionCV(**limits, **options)
    if fitted_or_refused(student, data, documented=OF_SPLITTERS):
        predicts_probabilities(student, data.X)
        assert np.isfinite(student.coef_).all()
        assert np.isfinite(student.best_score_)


def least_squares(data, options):
    student = PrivilegedLinearRegression(**options)
    if fitted_or_refused(student, data, documented=OF_LEAST_SQUARES):
        predicts_numbers(student, data.X)
        assert np.isfinite(student.coef_).all()


def soft_target(data, options):
    student = SoftTargetClassifier(DecisionTreeRegressor(max_depth=3, random_state=0), **options)
    if fitted_or_refused(student, data):
        predicts_probabilities(student, data.X)


LAWS = {
    linear: {
        "data": class_data(),
        "options": st.fixed_dictionaries(of_the_loss),
        "unpenalised": st.booleans(),
    },
    linear_again: {"data": class_data(), "warm_start": st.booleans()},
    linear_search: {
        "data": class_data(max_classes=3, max_rows=12),
        "options": st.fixed_dictionaries(of_the_search),
    },
    least_squares: {
        "data": regression_data(),
        "options": st.fixed_dictionaries(of_least_squares),
    },
    soft_target: {
        "data": class_data(),
        "options": st.fixed_dictionaries(of_soft_target),
    },
}
FEW = {linear: 200, linear_again: 60, linear_search: 60, least_squares: 150, soft_target: 80}
MANY = {linear: 2000, linear_search: 300}


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("certain", [False, True])
def test_a_thousand_classes_and_few_rows(solver, certain):
    """The Hessian of all weights would take 20 GB; a fit takes some copies of the scores."""
    K, n, d = 1000, 20, 50
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d)), np.arange(n)
    says = np.eye(K)[rng.integers(K, size=n)] if certain else np.full((n, K), 1 / K)
    student = DistilledLogisticRegression(classes=range(K), solver=solver)
    tracemalloc.start()
    try:
        student.fit(X, y, teacher_proba=says)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # L-BFGS keeps two vectors of weights for each of its last steps
    assert peak < (2 * MEMORY + 10) * 8 * K * (n + d + 1)
    predicts_probabilities(student, X)


@pytest.mark.parametrize("law", LAWS)
def test_finite_answers_or_an_error_that_helps(law):
    holds(law, FEW[law], **LAWS[law])


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
def test_finite_answers_or_an_error_that_helps_on_many_examples(law):
    holds(law, MANY.get(law, 1000), **LAWS[law])
