"""The uncertainty grows with soft labels, not with hard ones; proved where possible."""

import numpy as np
import pytest
from scipy.stats import t as student_t
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    SoftTargetClassifier,
)

X, Y = make_classification(200, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
X_NEW = np.random.default_rng(0).normal(size=(100, 5))


def coefficients(model):
    return np.array([fitted.coef_ for fitted in model.estimators_])


def test_without_a_penalty_a_logistic_regression_reproduces_itself():
    """The cross-entropy with the student's own probabilities is minimal at its own coefficients."""
    student = DistilledLogisticRegression(C=np.inf, solver="newton-cg", tol=1e-9)
    coef = coefficients(BornAgainClassifier(student, n_generations=4).fit(X, Y))
    np.testing.assert_allclose(coef, np.broadcast_to(coef[0], coef.shape), atol=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_with_a_penalty_the_coefficients_shrink_from_generation_to_generation(temperature):
    """‖W‖² falls: the teacher's term is minimal at its own W, so only a smaller W is worthwhile."""
    student = DistilledLogisticRegression(
        temperature=temperature, C=0.1, solver="newton-cg", tol=1e-8
    )
    model = BornAgainClassifier(student).fit(X, Y)
    norms = (coefficients(model) ** 2).sum(axis=(1, 2))
    assert (np.diff(norms) < 0).all()
    assert (model.generations_["train_uncertainty"].diff()[1:] > 0).all()


@pytest.mark.parametrize("labels", ["soft", "hard"])
def test_a_student_that_memorises_the_labels_reproduces_itself(labels):
    """Its in-sample predictions are the labels; its out-of-fold predictions are not."""
    student = SoftTargetClassifier(DecisionTreeRegressor(random_state=0))
    model = BornAgainClassifier(student, n_generations=4, labels=labels).fit(X, Y)
    first = model.estimators_[0].predict_proba(X_NEW)
    for fitted in model.estimators_[1:]:
        np.testing.assert_allclose(
            fitted.predict_proba(X), np.eye(len(model.classes_))[Y], atol=1e-12
        )
        if labels == "hard":  # the floor of soft predictions decides between equal splits
            np.testing.assert_allclose(fitted.predict_proba(X_NEW), first, atol=1e-12)
    out_of_fold = BornAgainClassifier(student, n_generations=2, labels=labels, cv=5).fit(X, Y)
    assert abs(out_of_fold.predict_proba(X_NEW) - first).max() > 0.5


def changes(student, labels, n_splits):
    """Return the change of the uncertainty on test digits over six generations, by split."""
    features, y = load_digits(return_X_y=True)
    features = (features / 16).astype(np.float32)
    rows = []
    for seed in range(n_splits):
        X_train, X_test, y_train, y_test = train_test_split(
            features, y, train_size=600, stratify=y, random_state=seed
        )
        model = BornAgainClassifier(student, labels=labels, random_state=seed)
        model.fit(X_train, y_train, X_val=X_test, y_val=y_test)
        rows.append(model.generations_["validation_uncertainty"].to_numpy())
    return np.array(rows)[:, -1] - np.array(rows)[:, 0]


def interval(values):
    """Return the mean's 95 % interval."""
    half = student_t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


def assert_published_direction(student, n_splits):
    soft, hard = (changes(student, labels, n_splits) for labels in ("soft", "hard"))
    assert interval(soft)[0] > 0, f"soft: {interval(soft)}"
    assert interval(hard)[0] <= 0, f"hard: {interval(hard)}"
    assert interval(soft - hard)[0] > 0, f"soft - hard: {interval(soft - hard)}"
    assert abs(hard.mean()) < soft.mean() / 3, f"hard {hard.mean()}, soft {soft.mean()}"


def test_digits_by_a_logistic_regression():
    assert_published_direction(DistilledLogisticRegression(C=1.0), n_splits=4)


@pytest.mark.slow
def test_digits_by_a_network():
    student = DistilledNeuralClassifier(
        hidden_layer_sizes=(32,), lr=0.01, batch_size=50, max_epochs=20
    )
    assert_published_direction(student, n_splits=8)
