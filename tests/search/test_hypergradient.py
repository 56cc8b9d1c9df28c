"""The implicit derivative of the cross-validated loss is the finite difference of refits."""

import numpy as np
import pytest

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.search import DistilledLogisticRegressionCV
from sklearn_distill.search._cv_loss import CrossValidatedLoss
from sklearn_distill.search._space import Space
from sklearn_distill.students._problem import LossParams, TrainingTargets
from tests.helpers import central_difference
from tests.search.problems import NATURAL, cross_validated, lesson

NAMES = ("imitation", "temperature", "C")
SETTINGS = [
    {},
    {"soften_student": False},
    {"t_squared": True},
    {"fit_intercept": False},
    {"solver": "newton-cg"},
    {"regularizer": "grabovoy"},
    {"regularizer": "continuous_categorical"},
    {"class_weight": "balanced"},
]


def surface_of(problem, n_jobs=None, **parameters):
    """The surface that ``fit`` searches, before the search."""
    X, y, logits, weight = problem
    search = DistilledLogisticRegressionCV(NAMES, cv=3, **parameters)
    taken = TrainingTargets.read(search, len(X), y, weight, None, logits)
    space = Space.of(NAMES, LossParams.of(search), None)
    return CrossValidatedLoss(search._folds(X, taken, {}), space, n_jobs, lambda point: None)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("validation_temperature", [1.0, 0.5])
def test_hypergradient_is_the_finite_difference_of_refits(K, setting, validation_temperature):
    problem = lesson(K)
    at = NATURAL | {"tol": 1e-11, "max_iter": 1000} | setting
    surface = surface_of(problem, validation_temperature=validation_temperature, **at)
    point = surface.evaluate(surface.space.started, "test", gradient=True)

    def moved(name, value):
        parameters = at | {"validation_temperature": validation_temperature, name: value}
        return cross_validated(*problem, **parameters)

    assert point.loss == pytest.approx(moved("C", at["C"]), rel=1e-8)
    expected = [
        central_difference(lambda t, name=name: moved(name, t), at[name], 1e-4) for name in NAMES
    ]
    np.testing.assert_allclose(point.slope / point.rates, expected, rtol=1e-4, atol=1e-8)


def test_an_unfinished_fit_gives_the_finished_loss():
    """The adjoint says to first order what a loose tolerance leaves out."""
    problem = lesson(3)
    exact, loose = (
        surface_of(problem, **NATURAL, tol=tol, solver="newton-cg") for tol in (1e-11, 1e-2)
    )
    true = exact.evaluate(exact.space.started, "test").loss
    plain = loose.evaluate(loose.space.started, "test").loss
    again = surface_of(problem, **NATURAL, tol=1e-2, solver="newton-cg")
    corrected = again.evaluate(again.space.started, "test", gradient=True).loss
    assert abs(corrected - true) < 0.2 * abs(plain - true)


def test_the_derivative_does_not_depend_on_the_way():
    """Warm starts, a factor and an adjoint from elsewhere leave no trace."""
    problem = lesson(3)
    fresh, travelled = (surface_of(problem, **NATURAL, tol=1e-11) for _ in range(2))
    for share in ([0.9, 0.9, 0.9], [0.1, 0.2, 0.6]):
        travelled.evaluate(travelled.space.inside(np.array(share)), "test", gradient=True)
    u = fresh.space.started
    one, other = (s.evaluate(u, "test", gradient=True) for s in (fresh, travelled))
    assert one.loss == pytest.approx(other.loss, rel=1e-9)
    np.testing.assert_allclose(one.slope, other.slope, rtol=1e-5)


def test_at_no_imitation_the_temperature_says_nothing():
    X, y, logits, weight = lesson(3)
    heard = ~np.isnan(y)
    problem = X[heard], y[heard], logits[heard], weight[heard]
    surface = surface_of(problem, **NATURAL | {"imitation": 0.0}, tol=1e-10)
    slope = surface.evaluate(surface.space.started, "test", gradient=True).slope
    assert slope[1] == 0
    assert abs(slope[0]) > 1e-3


@pytest.mark.parametrize("imitation", [0.0, 1.0])
def test_a_class_that_one_side_alone_knows_keeps_the_loss_finite(imitation):
    """At λ = 0 the class of the teacher, at λ = 1 that of the labels has no mass."""
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
