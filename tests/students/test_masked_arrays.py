"""A mask is never dropped: masked labels and predictions are missing, other masked entries errors.

Under each mask lies a value that would change the result.
"""

import dask.array as da
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
)
from sklearn_distill.metrics import cross_entropy_from_proba, expected_calibration_error
from sklearn_distill.teachers import combine_teachers, out_of_fold_proba

N = 40
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 2))
Y = (X[:, 0] > 0).astype(int)
PROBA = np.stack([1 - Y, Y], axis=1) * 0.8 + 0.1
HIDDEN = np.arange(N) % 3 == 0
CLASSIFIERS = {
    "logistic": DistilledLogisticRegression(),
    "search": DistilledLogisticRegressionCV(("imitation",), cv=2),
    "tree": SoftTargetClassifier(DecisionTreeRegressor(max_depth=2, random_state=0)),
    "boosting": DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=2)),
    "network": DistilledNeuralClassifier(max_epochs=2, random_state=0),
}
REGRESSORS = {
    "linear": PrivilegedLinearRegression(),
    "boosting": DistilledBoostingRegressor(HistGradientBoostingRegressor(max_iter=2)),
    "tree": SoftTargetRegressor(DecisionTreeRegressor(max_depth=2, random_state=0)),
    "network": DistilledNeuralRegressor(max_epochs=2, random_state=0),
}


def masked(values, under_the_mask):
    values = np.array(values)
    values[HIDDEN] = under_the_mask
    mask = np.broadcast_to(HIDDEN.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
    return np.ma.masked_array(values, mask)


def missing(values):
    values = np.array(values, dtype=float)
    values[HIDDEN] = np.nan
    return values


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_masked_prediction_is_missing(name):
    student = CLASSIFIERS[name]
    expected = student.fit(X, Y, teacher_proba=missing(PROBA)).predict_proba(X)
    for teacher in (
        masked(PROBA, [1.0, 0.0]),
        list(masked(PROBA, [1.0, 0.0])),
        masked(PROBA[:, 1], 1.0),
        masked(np.stack([PROBA, PROBA], axis=1), [1.0, 0.0]),
    ):
        student.fit(X, Y, teacher_proba=teacher)
        assert student.n_taught_rows_ == (~HIDDEN).sum()
        np.testing.assert_allclose(student.predict_proba(X), expected, rtol=1e-5)
    student.fit(X, Y, teacher_logits=masked(np.log(PROBA), 5.0))
    np.testing.assert_allclose(student.predict_proba(X), expected, rtol=1e-5)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_masked_label_is_missing(name):
    student = CLASSIFIERS[name]
    expected = student.fit(X, missing(Y), teacher_proba=PROBA).predict_proba(X)
    for y in (masked(Y, 1), masked(Y.astype(float), np.inf)):
        student.fit(X, y, teacher_proba=PROBA)
        np.testing.assert_allclose(student.predict_proba(X), expected, rtol=1e-6)
    assert student.fit(X, masked(Y, 1), teacher_proba=PROBA).classes_.dtype.kind == "i"
    with pytest.raises(ValueError, match="row 0 has neither a label in y nor a teacher"):
        student.fit(X, masked(Y, 1))


@pytest.mark.parametrize("name", REGRESSORS)
def test_masked_numbers_of_a_regressor_are_missing(name):
    student = REGRESSORS[name]
    y, s = X @ [1.0, 2.0] + RNG.normal(size=(2, N))
    expected = student.fit(X, y, teacher_prediction=missing(s)).predict(X)
    student.fit(X, y, teacher_prediction=masked(s, 1e6))
    np.testing.assert_array_equal(student.predict(X), expected)
    expected = student.fit(X, missing(y), teacher_prediction=s).predict(X)
    student.fit(X, masked(y, 1e6), teacher_prediction=s)
    np.testing.assert_array_equal(student.predict(X), expected)
    with pytest.raises(ValueError, match="y"):
        student.fit(X, masked(y, 1e6))


def test_a_masked_embedding_is_missing():
    student = DistilledNeuralClassifier(max_epochs=2, embedding_weight=1.0, random_state=0)
    expected = student.fit(X, Y, teacher_embedding=missing(X)).predict_proba(X)
    student.fit(X, Y, teacher_embedding=masked(X, 1e6))
    np.testing.assert_array_equal(student.predict_proba(X), expected)


def fitted(student):
    """The student, with a teacher unless it has its own."""
    has_own = isinstance(student, TeacherStudentClassifier | BornAgainClassifier)
    return student.fit(X, Y, **({} if has_own else {"teacher_proba": PROBA}))


@pytest.mark.parametrize("name", [*CLASSIFIERS, "teacher-student", "born again"])
def test_masked_features_and_weights_are_errors(name):
    student = CLASSIFIERS | {
        "teacher-student": TeacherStudentClassifier(
            LogisticRegression(), DistilledLogisticRegression()
        ),
        "born again": BornAgainClassifier(DistilledLogisticRegression(), n_generations=2),
    }
    student = student[name]
    with pytest.raises(ValueError, match="X is a masked array with 28 masked entries: pass"):
        student.fit(masked(X, 0.0), Y)
    with pytest.raises(ValueError, match="sample_weight: row 0 is nan"):
        student.fit(X, Y, masked(np.ones(N), 1.0))
    with pytest.raises(ValueError, match="X is a masked array"):
        fitted(student).predict(masked(X, 0.0))


@pytest.mark.parametrize(
    "estimator",
    [
        TeacherStudentClassifier(LogisticRegression(), DistilledLogisticRegression()),
        BornAgainClassifier(DistilledLogisticRegression(), n_generations=2),
    ],
)
def test_masked_labels_of_a_meta_estimator(estimator):
    expected = estimator.fit(X, missing(Y)).predict_proba(X)
    np.testing.assert_allclose(estimator.fit(X, masked(Y, 1)).predict_proba(X), expected)
    hidden_infinity = masked(Y.astype(float), np.inf)
    np.testing.assert_allclose(estimator.fit(X, hidden_infinity).predict_proba(X), expected)


def test_a_mask_in_a_chunk():
    student = DistilledLogisticRegression(tol=1e-10)
    expected = student.fit(X, Y, teacher_proba=missing(PROBA)).coef_
    chunks = da.from_array(X, chunks=(15, 2))
    student.fit(chunks, Y, teacher_proba=masked(PROBA, [1.0, 0.0]))
    np.testing.assert_allclose(student.coef_, expected, rtol=1e-6)
    with pytest.raises(ValueError, match="X is a masked array"):
        student.fit(da.ma.masked_greater(chunks, 1.0), Y)


def test_masks_in_teachers_and_metrics():
    hidden = masked(PROBA, [1.0, 0.0])
    combined = combine_teachers([hidden, hidden])
    np.testing.assert_array_equal(np.isnan(combined[:, 0]), HIDDEN)
    from_labels = out_of_fold_proba(LogisticRegression(), X, masked(Y, 1), cv=2)
    np.testing.assert_array_equal(np.isnan(from_labels[:, 0]), HIDDEN)
    with pytest.raises(ValueError, match="row 0 is"):
        cross_entropy_from_proba(hidden, PROBA)
    with pytest.raises(ValueError, match="y_true: row 0 is None"):
        expected_calibration_error(masked(Y, 1), PROBA)
