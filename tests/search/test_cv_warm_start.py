"""A fit in a search starts from the nearest earlier one, with a factor that its fold keeps."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sklearn_distill import DistilledLogisticRegressionCV
from sklearn_distill.search import _cv_warm_start
from sklearn_distill.search._cv_loss import CrossValidatedLoss
from sklearn_distill.search._cv_warm_start import PastFits, WarmStart
from sklearn_distill.search._space import Space
from sklearn_distill.solvers import BlockFactor, KroneckerFactor
from sklearn_distill.students._problem import LossParams, TrainingTargets
from tests.search.problems import make_problem
from tests.search.test_hypergradient import make_cv_loss

CLASSES = np.array([True, True])


def fit_at(setting, active=CLASSES, n_weights=2):
    return WarmStart(active, np.full(n_weights, setting), KroneckerFactor(np.eye(n_weights)))


def kept(settings, **parameters):
    past = PastFits()
    for setting in settings:
        past.keep(np.array([setting]), fit_at(setting, **parameters))
    return past


def nearest(past, setting, active=CLASSES):
    fit = past.nearest(np.array([setting]), active)
    return None if fit is None else fit.w[0]


def test_the_nearest_fit_is_found():
    past = kept([0.0, 1.0, 0.5])
    assert [nearest(past, setting) for setting in (-1.0, 0.7, 0.8)] == [0.0, 0.5, 1.0]


def test_fits_of_other_classes_are_not_found():
    past = kept([0.0, 1.0])
    past.keep(np.array([0.4]), fit_at(0.4, active=np.array([True, False])))
    assert nearest(past, 0.4) == 0.0
    assert nearest(PastFits(), 0.4) is None


def test_a_fit_takes_the_place_of_an_earlier_one_to_the_same_setting():
    past = kept([0.0])
    past.keep(np.array([0.0]), fit_at(3.0))
    assert nearest(past, 0.0) == 3.0


@pytest.mark.parametrize(("n_weights", "n_kept"), [(2, 3), (10, 2), (1000, 1)])
def test_only_the_latest_fits_are_kept(n_weights, n_kept, monkeypatch):
    monkeypatch.setattr(_cv_warm_start, "MAX_KEPT", 3)
    monkeypatch.setattr(_cv_warm_start, "MAX_KEPT_ENTRIES", 20)
    past = kept([0.0, 1.0, 2.0, 3.0], n_weights=n_weights)
    assert nearest(past, 0.0) == 4 - n_kept
    assert past.nearest(np.zeros(1), CLASSES).factor is None  # its memory is not kept


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_setting_that_was_fitted_before_takes_no_step(n_jobs):
    cv_loss = make_cv_loss(make_problem(3), n_jobs)
    u = cv_loss.space.start_coordinates
    cv_loss.evaluate(u, "coarse")
    before = [fold.warm_start.w for fold in cv_loss._folds]
    cv_loss.evaluate(u + 0.3, "coarse")
    cv_loss.evaluate(u, "descent", gradient=True)
    for fold, w in zip(cv_loss._folds, before, strict=True):
        assert fold.warm_start.w is w


def test_a_fold_keeps_the_factor_that_it_renewed_and_others_take_the_first_ones():
    cv_loss = make_cv_loss(make_problem(3, n=300), solver="lbfgs")
    u = cv_loss.space.start_coordinates
    cv_loss.evaluate(u, "coarse")
    first, second, third = cv_loss._folds
    assert second.factor is third.factor is first.factor
    loss_params = cv_loss.space.loss_params(u)
    second.renew_factor(loss_params)
    of_second, shared = second.factor, first.factor
    first.renew_factor(loss_params)
    cv_loss._share_factor(shared, loss_params)
    assert third.factor is first.factor is not shared
    assert second.factor is of_second


def test_blocks_that_leave_many_steps_are_followed_by_the_joint_hessian():
    """Without much of a penalty, the scores of many classes depend on each other."""
    X, y = load_digits(return_X_y=True)
    search = DistilledLogisticRegressionCV("C", cv=2, imitation=0.0, tol=1e-6)
    space = Space.of(("C",), LossParams.of(search), None)
    targets = TrainingTargets.read(search, len(X), y, None, None, None)
    folds = search._make_folds(X / 16, targets, {}, weighted=False)
    cv_loss = CrossValidatedLoss(folds, space, None, lambda evaluation: None)
    cv_loss.evaluate(space.start_coordinates, "coarse")
    assert isinstance(folds[0].factor, BlockFactor)
    evaluation = cv_loss.evaluate(space.box[1], "coarse")
    assert isinstance(folds[0].factor, KroneckerFactor)
    assert all(fold.converged for fold in evaluation.folds)
