"""The hypergradient of the cross-validated loss equals finite differences of refits."""

import numpy as np
import pytest

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.search import DistilledLogisticRegressionCV
from sklearn_distill.search._cv_loss import CrossValidatedLoss
from sklearn_distill.search._space import Space
from sklearn_distill.students._problem import LossParams, TrainingTargets
from tests.helpers import central_difference
from tests.search.problems import METAPARAMETERS, cross_validated_loss, make_problem

NAMES = ("imitation", "temperature", "C")
LOSS_FORMS = [
    {},
    {"soften_student": False},
    {"t_squared": True},
    {"fit_intercept": False},
    {"solver": "newton-cg"},
    {"regularizer": "grabovoy"},
    {"regularizer": "continuous_categorical"},
    {"class_weight": "balanced"},
    {"class_weight": {0: 0.5, 1: 4.0}},
    {"class_weight": {0: 0.5, 1: 4.0}, "regularizer": "continuous_categorical"},
]


def make_cv_loss(problem, n_jobs=None, **parameters):
    """Return the loss that ``fit`` minimises, before the search."""
    X, y, logits, weight = problem
    search = DistilledLogisticRegressionCV(NAMES, cv=3, **parameters)
    targets = TrainingTargets.read(search, len(X), y, weight, None, logits)
    space = Space.of(NAMES, LossParams.of(search), None)
    return CrossValidatedLoss(
        search._make_folds(X, targets, {}, weighted=True), space, n_jobs, lambda evaluation: None
    )


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("form", LOSS_FORMS, ids=str)
@pytest.mark.parametrize("validation_temperature", [1.0, 0.5])
def test_hypergradient_is_the_finite_difference_of_refits(K, form, validation_temperature):
    problem = make_problem(K)
    params = METAPARAMETERS | {"tol": 1e-11, "max_iter": 1000} | form
    cv_loss = make_cv_loss(problem, validation_temperature=validation_temperature, **params)
    evaluation = cv_loss.evaluate(cv_loss.space.start_coordinates, "test", gradient=True)

    def loss_at(name, value):
        changed = params | {"validation_temperature": validation_temperature, name: value}
        return cross_validated_loss(*problem, **changed)

    assert evaluation.loss == pytest.approx(loss_at("C", params["C"]), rel=1e-8)
    expected = [
        central_difference(lambda t, name=name: loss_at(name, t), params[name], 1e-4)
        for name in NAMES
    ]
    np.testing.assert_allclose(
        evaluation.gradient / evaluation.jacobian, expected, rtol=1e-4, atol=1e-8
    )


@pytest.mark.parametrize("K", [2, 3])
def test_hypergradient_with_trust_by_row(K):
    """A row's λ is λ times its trust, up to 1; the weights of two teachers average them."""
    X, y, logits, weight = make_problem(K)
    trust = np.random.default_rng(1).uniform(0, 5, size=(len(X), 2))
    params = METAPARAMETERS | {"tol": 1e-11, "max_iter": 1000}
    search = DistilledLogisticRegressionCV(NAMES, cv=3, **params)
    targets = TrainingTargets.read(search, len(X), y, weight, None, logits, teacher_weight=trust)
    space = Space.of(NAMES, LossParams.of(search), None)
    folds = search._make_folds(X, targets, {}, weighted=True)
    cv_loss = CrossValidatedLoss(folds, space, None, lambda evaluation: None)
    evaluation = cv_loss.evaluate(space.start_coordinates, "test", gradient=True)

    def loss_at(name, value):
        changed = params | {name: value}
        return cross_validated_loss(X, y, logits, weight, trust=trust, **changed)

    assert evaluation.loss == pytest.approx(loss_at("C", params["C"]), rel=1e-8)
    expected = [
        central_difference(lambda t, name=name: loss_at(name, t), params[name], 1e-5)
        for name in NAMES
    ]
    np.testing.assert_allclose(
        evaluation.gradient / evaluation.jacobian, expected, rtol=1e-4, atol=1e-8
    )


def test_the_loss_of_an_unconverged_fit_is_corrected():
    """The adjoint corrects, to first order, for a loose tolerance."""
    problem = make_problem(3)
    exact, loose = (
        make_cv_loss(problem, **METAPARAMETERS, tol=tol, solver="newton-cg")
        for tol in (1e-11, 1e-2)
    )
    true = exact.evaluate(exact.space.start_coordinates, "test").loss
    plain = loose.evaluate(loose.space.start_coordinates, "test").loss
    again = make_cv_loss(problem, **METAPARAMETERS, tol=1e-2, solver="newton-cg")
    corrected = again.evaluate(again.space.start_coordinates, "test", gradient=True).loss
    assert abs(corrected - true) < 0.2 * abs(plain - true)


def test_the_gradient_does_not_depend_on_the_warm_start():
    """Solution, factor and adjoint of other settings do not change the result."""
    problem = make_problem(3)
    fresh, warm = (make_cv_loss(problem, **METAPARAMETERS, tol=1e-11) for _ in range(2))
    for fraction in ([0.9, 0.9, 0.9], [0.1, 0.2, 0.6]):
        warm.evaluate(warm.space.at_fraction(np.array(fraction)), "test", gradient=True)
    u = fresh.space.start_coordinates
    of_fresh, of_warm = (cv_loss.evaluate(u, "test", gradient=True) for cv_loss in (fresh, warm))
    assert of_fresh.loss == pytest.approx(of_warm.loss, rel=1e-9)
    np.testing.assert_allclose(of_fresh.gradient, of_warm.gradient, rtol=1e-5)


def test_without_imitation_the_temperature_has_no_effect():
    X, y, logits, weight = make_problem(3)
    labelled = ~np.isnan(y)
    problem = X[labelled], y[labelled], logits[labelled], weight[labelled]
    cv_loss = make_cv_loss(problem, **METAPARAMETERS | {"imitation": 0.0}, tol=1e-10)
    gradient = cv_loss.evaluate(cv_loss.space.start_coordinates, "test", gradient=True).gradient
    assert gradient[1] == 0
    assert abs(gradient[0]) > 1e-3


@pytest.mark.parametrize("imitation", [0.0, 1.0])
def test_a_class_of_one_source_only_keeps_the_loss_finite(imitation):
    """At λ = 0 a class of the teacher only has no mass, at λ = 1 one of the labels only."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 2)), np.arange(90) % 3
    logits = rng.normal(size=(90, 3))
    folds = [(np.arange(0, 60), np.arange(60, 90))]
    if imitation == 0:
        X, y, logits = (a[np.r_[np.flatnonzero(y[:60] < 2), 60:90]] for a in (X, y, logits))
        folds = [(np.arange(len(y) - 30), np.arange(len(y) - 30, len(y)))]
    else:
        logits[:, 2] = -np.inf
    search = DistilledLogisticRegressionCV(
        ("imitation", "temperature"), cv=folds, imitation=imitation, classes=[0, 1, 2], tol=1e-8
    ).fit(X, y, teacher_logits=logits)
    assert np.isfinite(search.path_["loss"]).all()
    assert 0 < search.imitation_ < 1
    train, test = folds[0]
    student = DistilledLogisticRegression(imitation, 1.0, classes=[0, 1, 2], tol=1e-8)
    proba = student.fit(X[train], y[train], teacher_logits=logits[train]).predict_proba(X[test])
    of_label = proba[np.arange(len(test)), y[test]]
    expected = -np.log(np.maximum(of_label, np.finfo(float).eps)).mean()
    assert search.path_["loss"][0] == pytest.approx(expected, rel=1e-5)
