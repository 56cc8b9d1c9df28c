"""Inputs of the report: models of different classes, teachers in any form, and invalid ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_distill.inspection import distillation_report
from sklearn_distill.metrics import (
    brier_score,
    max_min_gap,
    uncertainty_degree,
)
from tests.inspection.data import NAMES, labelled_samples

QUALITY = [
    "accuracy",
    "cross_entropy",
    "brier",
    "calibration_error",
    "uncertainty_degree",
    "max_min_gap",
    "fidelity",
]
COSTS = ["n_parameters", "n_bytes", "predict_us_per_row"]


def test_models_that_know_different_classes(case):
    """The baseline knows two classes, y has two others; an unknown class has p = 0."""
    X, y = labelled_samples()
    two = y[:300] != "cat"
    baseline = LogisticRegression().fit(X[:300][two], y[:300][two])
    rows = case["y"] != "ant"
    report = distillation_report(
        **case | {"baseline": baseline, "X": case["X"][rows], "y": case["y"][rows]}
    )
    assert report.classes == NAMES.tolist()
    own = baseline.predict_proba(case["X"][rows])
    p = np.column_stack([own, np.zeros(rows.sum())])
    y = case["y"][rows]
    row = report.table.loc["baseline"]
    assert row["accuracy"] == pytest.approx(np.mean(baseline.predict(case["X"][rows]) == y))
    assert row["cross_entropy"] == pytest.approx(log_loss(y, p, labels=NAMES))
    assert row["brier"] == pytest.approx(brier_score(y, p, labels=NAMES))
    assert row["max_min_gap"] == max_min_gap(own)
    assert row["uncertainty_degree"] == uncertainty_degree(own)
    assert report.did_the_teacher_help.loc["cross_entropy", "verdict"] == "helps"


def test_class_that_no_model_knows(case):
    y = case["y"].copy()
    y[:9] = "dog"
    report = distillation_report(**case | {"y": y})
    assert report.classes == [*NAMES.tolist(), "dog"]
    assert np.isfinite(report.table[QUALITY].to_numpy()).all()


def test_precomputed_teacher(case, report):
    q = case["teacher"].predict_proba(case["X"])
    given = case | {"teacher": None}
    frame = pd.DataFrame(q, columns=NAMES)[["cat", "ant", "bee"]]
    for proba in (
        {"teacher_proba": q},
        {"teacher_proba": frame},
        {"teacher_proba": q[:, ::-1], "teacher_classes": NAMES[::-1]},
    ):
        table = distillation_report(**given, **proba).table
        pd.testing.assert_frame_equal(table[QUALITY], report.table[QUALITY])
        assert table.loc["teacher", COSTS].isna().all()


def test_precomputed_teacher_with_the_text_of_numbers_as_columns(case):
    X, y = labelled_samples()
    y = np.searchsorted(NAMES, y)
    student = LogisticRegression().fit(X[:300], y[:300])
    q = student.predict_proba(X[300:])
    frame = pd.DataFrame(q, columns=["0", "1", "2"])[["2", "0", "1"]]
    report = distillation_report(
        teacher_proba=frame, baseline=student, distilled=student, X=X[300:],
        y=y[300:], n_repeats=1, n_bootstrap=10,
    )  # fmt: skip
    assert report.classes == [0, 1, 2]
    assert set(report.table["fidelity"]) == {1.0}


def test_binary_teacher_in_one_dimension():
    X, y = labelled_samples(2)
    student = LogisticRegression().fit(X, y)
    report = distillation_report(
        teacher_proba=student.predict_proba(X)[:, 1], baseline=student,
        distilled=student, X=X, y=y, n_repeats=1, n_bootstrap=10,
    )  # fmt: skip
    assert (report.table.nunique()[QUALITY] == 1).all()


def test_privileged_teacher_frames_and_searches(case):
    X, y = labelled_samples()
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    train, test = frame[:300], frame[300:]
    teacher = RandomForestClassifier(10, random_state=0).fit(train, y[:300])
    columns = make_column_transformer((StandardScaler(), ["a", "b", "c"]))
    student = make_pipeline(columns, LogisticRegression())
    baseline = student.fit(train[["a", "b", "c"]], y[:300])
    search = GridSearchCV(student, {"logisticregression__C": [0.1, 1]}, cv=2)
    search.fit(train[["a", "b", "c"]], y[:300])
    report = distillation_report(
        teacher=teacher, baseline=baseline, distilled=search,
        X=test[["c", "b", "a"]], X_teacher=test, y=pd.Series(y[300:]), n_repeats=1, n_bootstrap=10,
    )  # fmt: skip
    expected = teacher.score(test, y[300:])
    assert report.table.loc["teacher", "accuracy"] == pytest.approx(expected)
    assert set(report.table["n_parameters"].iloc[1:]) == {3 + 3 + 9 + 3}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teacher": None}, "neither of teacher and teacher_proba"),
        ({"teacher_proba": [0.5]}, "both of teacher and teacher_proba"),
        ({"baseline": LinearSVC()}, "baseline is a LinearSVC without predict_proba"),
        ({"y": np.arange(300) % 3}, r"strings in \['baseline', .*\] and not in \['y'\]"),
        ({"y": [None] * 300}, "y: row 0 is None"),
        ({"y": [["ant"]] * 300}, "y has shape"),
        ({"y": ["ant"] * 299}, "y has 299 rows and teacher's prediction has 300"),
        ({"sample_weight": np.ones(3)}, "sample_weight has shape"),
        ({"n_repeats": 0}, "n_repeats=0"),
        ({"n_bootstrap": 0}, "n_bootstrap=0"),
        ({"confidence_level": 1.5}, "confidence_level=1.5"),
        ({"n_bins": 0}, "n_bins=0"),
        (
            {"teacher": None, "teacher_proba": np.full((300, 2), 0.5)},
            "teacher_proba gives 2 columns of probabilities for the classes",
        ),
        (
            {
                "teacher": None,
                "teacher_proba": np.full((300, 2), 0.5),
                "teacher_classes": ["ant", "ant"],
            },
            "teacher_proba gives 2 columns",
        ),
        (
            {"teacher": None, "teacher_proba": np.full((300, 3), np.nan)},
            "teacher_proba: row 0 is .*leave out",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors(case, change, message):
    with pytest.raises(ValueError, match=message):
        distillation_report(**case | change)
