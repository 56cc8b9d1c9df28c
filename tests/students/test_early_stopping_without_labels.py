"""Without a label, early stopping watches the teacher's predictions of held-out rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import log_softmax, softmax
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
)
from sklearn_distill.search import GreedyHypergradient

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Z = 2 * X @ RNG.normal(size=(3, 3)) + RNG.normal(size=(80, 3))
S = softmax(Z, axis=1)
NUMBERS = Z[:, 0]
NETWORK = {
    "hidden_layer_sizes": (8,),
    "lr": 0.1,
    "max_epochs": 40,
    "batch_size": 16,
    "random_state": 0,
}


def held_out_rows(student, X, **teacher):
    """Fit a student; return it and the numbers of the rows that it held out."""
    seen = []

    class Spy(type(student)):
        def _train_network(self, settled, targets, train_data, held_out, *args):
            seen.append(held_out)
            return super()._train_network(settled, targets, train_data, held_out, *args)

    spy = Spy(**student.get_params(deep=False)).fit(X, **teacher)
    [(features, _, _)] = seen
    rows = [int(np.flatnonzero((X.astype(np.float32) == row).all(axis=1))[0]) for row in features]
    return spy, np.array(rows)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
@pytest.mark.parametrize("y", [None, np.full(80, np.nan)])
def test_a_network_stops_at_the_least_loss_of_the_teachers_predictions(temperature, y):
    student = DistilledNeuralClassifier(
        classes=[0, 1, 2],
        early_stopping=True,
        n_iter_no_change=5,
        temperature=temperature,
        **NETWORK,
    )
    spy, rows = held_out_rows(student, X, y=y, teacher_proba=S)
    assert len(rows) == 8
    history = spy.history_
    assert len(history) < 40
    log_p = log_softmax(spy.predict_log_proba(X[rows]) / temperature, axis=1)
    q = softmax(np.log(S[rows]) / temperature, axis=1)
    assert_allclose(history["valid_loss"].min(), -(q * log_p).sum(axis=1).mean(), rtol=1e-4)


def test_a_networks_regression_does_too():
    student = DistilledNeuralRegressor(
        early_stopping=True, n_iter_no_change=5, normalize_y=False, **NETWORK
    )
    spy, rows = held_out_rows(student, X, teacher_prediction=NUMBERS)
    error = np.mean((spy.predict(X[rows]) - NUMBERS[rows]) ** 2)
    assert_allclose(spy.history_["valid_loss"].min(), error, rtol=1e-4)


def test_with_a_label_the_labels_alone_are_watched():
    y = np.where(np.arange(80) < 40, S.argmax(axis=1), np.nan)
    student = DistilledNeuralClassifier(early_stopping=True, **NETWORK)
    spy, rows = held_out_rows(student, X, y=y, teacher_proba=S)
    assert (rows < 40).all()
    log_p = spy.predict_log_proba(X[rows])[np.arange(len(rows)), y[rows].astype(int)]
    assert_allclose(spy.history_["valid_loss"].min(), -log_p.mean(), rtol=1e-4)


def test_weights_count_on_the_held_out_rows():
    weight = np.where(np.arange(80) % 2 == 0, 1.0, 1e-6)
    student = DistilledNeuralRegressor(
        early_stopping=True, n_iter_no_change=5, normalize_y=False, **NETWORK
    )
    spy, rows = held_out_rows(student, X, teacher_prediction=NUMBERS, sample_weight=weight)
    error = np.average((spy.predict(X[rows]) - NUMBERS[rows]) ** 2, weights=weight[rows])
    assert_allclose(
        spy.history_["valid_loss"].min(), error * weight[rows].mean() / weight.mean(), rtol=1e-3
    )


def test_labels_that_are_passed_for_validation_are_used():
    student = DistilledNeuralClassifier(
        classes=[0, 1, 2], early_stopping=True, temperature=3.0, **NETWORK
    )
    rows, y = np.arange(60, 80), S.argmax(axis=1)
    student.fit(X[:60], teacher_proba=S[:60], X_val=X[rows], y_val=y[rows])
    log_p = student.predict_log_proba(X[rows])[np.arange(len(rows)), y[rows]]
    assert_allclose(student.history_["valid_loss"].min(), -log_p.mean(), rtol=1e-4)


@pytest.mark.parametrize("boosted", [True, False])
def test_a_class_that_is_rarely_the_most_probable_is_no_obstacle(boosted):
    rare = np.array(S)
    rare[:, 2] = 0.01
    rare[0] = [0, 0, 1]
    rare /= rare.sum(axis=1, keepdims=True)
    if boosted:
        boosting = HistGradientBoostingClassifier(early_stopping=True, max_iter=5)
        student = DistilledBoostingClassifier(boosting, classes=[0, 1, 2], random_state=0)
    else:
        student = DistilledNeuralClassifier(classes=[0, 1, 2], early_stopping=True, **NETWORK)
    assert student.fit(X, teacher_proba=rare).predict_proba(X).shape == (80, 3)


def test_the_hypergradient_needs_labels():
    student = DistilledNeuralClassifier(
        classes=[0, 1, 2], metaparameter_optimizer=GreedyHypergradient(), **NETWORK
    )
    with pytest.raises(ValueError, match=r"metaparameter_optimizer.*no labels"):
        student.fit(X, teacher_proba=S)


@pytest.mark.parametrize("classes", [True, False])
def test_boosting_stops_early(classes):
    options = {
        "max_iter": 100,
        "n_iter_no_change": 3,
        "early_stopping": True,
        "min_samples_leaf": 5,
    }
    if classes:
        student = DistilledBoostingClassifier(
            HistGradientBoostingClassifier(**options), classes=[0, 1, 2], random_state=0
        ).fit(X, teacher_proba=S)
    else:
        student = DistilledBoostingRegressor(
            HistGradientBoostingRegressor(**options), random_state=0
        ).fit(X, teacher_prediction=NUMBERS)
    losses = -student.estimator_.validation_score_
    assert len(losses) < 100
    assert losses.min() < losses[0]
