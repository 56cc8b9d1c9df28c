"""The report on classifiers of several labels."""

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, log_loss

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    MultiLabelStudent,
)
from sklearn_distill.inspection import distillation_report
from sklearn_distill.metrics import get_scorer

X, Y = make_multilabel_classification(500, 8, n_classes=3, random_state=0)
TRAIN, TEST = slice(0, 300), slice(300, None)
SOME_Y = np.where(np.random.default_rng(0).random(Y.shape) < 0.2, np.nan, Y)[TEST]
FAST = {"n_repeats": 1}


@pytest.fixture(scope="module")
def models():
    teacher = RandomForestClassifier(20, random_state=0).fit(X[TRAIN], Y[TRAIN])
    proba = np.column_stack([p[:, 1] for p in teacher.predict_proba(X[TRAIN])])
    student = MultiLabelStudent(DistilledLogisticRegression())
    distilled = student.fit(X[TRAIN], Y[TRAIN], teacher_proba=proba)
    alone = MultiLabelStudent(DistilledLogisticRegression(imitation=0)).fit(X[TRAIN], Y[TRAIN])
    network = DistilledNeuralClassifier(lr=0.01, max_epochs=5, random_state=0)
    network.fit(X[TRAIN], Y[TRAIN], teacher_proba=proba)
    return {
        "teacher": teacher,
        "baseline": alone,
        "distilled": {"logistic": distilled, "network": network},
    }


def test_metrics_are_those_of_all_labels(models):
    report = distillation_report(**models, X=X[TEST], y=Y[TEST], **FAST)
    student = models["distilled"]["logistic"]
    p, predicted, y = student.predict_proba(X[TEST]), student.predict(X[TEST]), Y[TEST]
    expected = {
        "log_loss": log_loss(y.ravel(), p.ravel()),
        "brier_score": brier_score_loss(y.ravel(), p.ravel()),
        "label_accuracy": np.mean(predicted == y),
        "accuracy": accuracy_score(y, predicted),
        "f1_macro": f1_score(y, predicted, average="macro"),
        "f1_micro": f1_score(y, predicted, average="micro"),
    }
    assert list(report.table.columns[:6]) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(report.table.loc["logistic", name], value)
        scored = get_scorer(f"neg_{name}" if "lo" in name[:2] or "br" in name[:2] else name)
        np.testing.assert_allclose(abs(scored(student, X[TEST], y)), value)
    mean = Y[TEST].mean(axis=0)
    prior = -np.mean(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
    np.testing.assert_allclose(report.table.loc["prior", "log_loss"], prior)
    assert report.table.loc["teacher", "fidelity"] == 1
    assert "200 test samples, 3 labels." in str(report)
    assert report.n_rows_left_out == 0
    low, high = (report.did_the_teacher_help[end] for end in ("low", "high"))
    assert (low <= high).all()


def test_missing_labels_are_left_out_one_by_one(models):
    report = distillation_report(**models, X=X[TEST], y=SOME_Y, sample_weight=X[TEST, 0], **FAST)
    student, s = models["distilled"]["network"], X[TEST, 0]
    for name, column in (("neg_log_loss", "log_loss"), ("label_accuracy",) * 2):
        value = abs(get_scorer(name)(student, X[TEST], SOME_Y, sample_weight=s))
        np.testing.assert_allclose(report.table.loc["network", column], value)
    complete = ~np.isnan(SOME_Y).any(axis=1)
    value = accuracy_score(
        SOME_Y[complete], student.predict(X[TEST][complete]), sample_weight=s[complete]
    )
    np.testing.assert_allclose(report.table.loc["network", "accuracy"], value)


def test_precomputed_teachers_and_no_labels(models):
    given = models | {"X": X[TEST], "scoring": "log_loss"} | FAST
    teacher = given.pop("teacher")
    proba = np.column_stack([p[:, 1] for p in teacher.predict_proba(X[TEST])])
    whole = distillation_report(teacher=teacher, y=Y[TEST], **given)
    read = distillation_report(teacher_proba=proba, y=Y[TEST], **given)
    np.testing.assert_allclose(read.table["log_loss"], whole.table["log_loss"])
    read = distillation_report(teacher_proba=np.where(proba > 0.9, np.nan, proba), y=None, **given)
    assert np.isfinite(read.table["log_loss"]).all()
    with pytest.raises(ValueError, match="the labels of y has 2 rows and the labels of the models"):
        distillation_report(teacher=teacher, y=Y[TEST, :2], **given)
    with pytest.raises(ValueError, match="pass the teacher's predictions as teacher_proba"):
        distillation_report(teacher_prediction=proba, y=Y[TEST], **given)
