"""Inputs of the report: models of different classes, teachers and labels in any form."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_distill.inspection import distillation_report
from sklearn_distill.metrics import (
    brier_score,
    cross_entropy_from_proba,
    max_min_gap,
    uncertainty_degree,
)
from tests.inspection.data import NAMES, labelled_samples

METRICS = [
    "log_loss",
    "brier_score",
    "accuracy",
    "balanced_accuracy",
    "roc_auc",
    "calibration_error",
]
COSTS = ["n_parameters", "n_bytes", "latency_p50_us", "latency_p99_us", "rows_per_second"]
ENDS = ["difference", "low", "high"]


def assert_same(report, other):
    pd.testing.assert_frame_equal(report.table[METRICS], other.table[METRICS])
    differences, expected = report.did_the_teacher_help, other.did_the_teacher_help
    pd.testing.assert_frame_equal(differences, expected)


def test_models_that_know_different_classes(case):
    """The baseline knows two classes, y has two others; an unknown class has p = 0."""
    X, y = labelled_samples()
    two = y[:300] != "cat"
    baseline = LogisticRegression().fit(X[:300][two], y[:300][two])
    rows = case["y"] != "ant"
    report = distillation_report(
        **case | {"baseline": baseline, "X": case["X"][rows], "y": case["y"][rows]},
        scoring=["log_loss", "brier_score", "accuracy", "max_min_gap", "uncertainty_degree"],
    )
    assert report.classes == NAMES.tolist()
    own = baseline.predict_proba(case["X"][rows])
    p = np.column_stack([own, np.zeros(rows.sum())])
    y = case["y"][rows]
    row = report.table.loc["baseline"]
    assert row["accuracy"] == pytest.approx(np.mean(baseline.predict(case["X"][rows]) == y))
    assert row["log_loss"] == pytest.approx(log_loss(y, p, labels=NAMES))
    assert row["brier_score"] == pytest.approx(brier_score(y, p, labels=NAMES))
    assert row["max_min_gap"] == pytest.approx(max_min_gap(own))
    assert row["uncertainty_degree"] == pytest.approx(uncertainty_degree(own))
    assert report.did_the_teacher_help.loc["log_loss", "verdict"] == "helps"
    assert report.did_the_teacher_help.loc["max_min_gap", "verdict"] == "–"


def test_class_that_no_model_knows(case):
    y = case["y"].copy()
    y[:9] = "dog"
    report = distillation_report(**case | {"y": y})
    assert report.classes == [*NAMES.tolist(), "dog"]
    assert np.isfinite(report.table[METRICS].to_numpy()).all()


def test_a_test_set_of_one_class_has_no_area_under_the_curve(case):
    rows = case["y"] == "ant"
    report = distillation_report(**case | {"X": case["X"][rows], "y": case["y"][rows]})
    assert report.table["roc_auc"].isna().all()
    assert report.did_the_teacher_help.loc["roc_auc", "verdict"] == "undecided"


def test_precomputed_teacher(case, report):
    q = case["teacher"].predict_proba(case["X"])
    given = case | {"teacher": None}
    frame = pd.DataFrame(q, columns=NAMES)[["cat", "ant", "bee"]]
    for proba in (
        {"teacher_proba": q},
        {"teacher_proba": frame},
        {"teacher_proba": q[:, ::-1], "teacher_classes": NAMES[::-1]},
    ):
        precomputed = distillation_report(**given, **proba)
        assert_same(precomputed, report)
        assert precomputed.table.loc["teacher", COSTS].isna().all()


def test_missing_predictions_of_the_teacher_leave_the_students_as_they_are(case, report):
    q = case["teacher"].predict_proba(case["X"])
    q[:100] = np.nan
    missing = distillation_report(**case | {"teacher": None}, teacher_proba=q)
    students = ["prior", "baseline", "distilled"]
    pd.testing.assert_frame_equal(
        missing.table.loc[students, METRICS], report.table.loc[students, METRICS]
    )
    rest = distillation_report(
        **case | {"teacher": None, "X": case["X"][100:], "y": case["y"][100:]},
        teacher_proba=q[100:],
    )
    columns = ["fidelity", "gap_closed"]
    pd.testing.assert_frame_equal(
        missing.table.loc[students[1:], columns], rest.table.loc[students[1:], columns]
    )
    assert missing.table.loc["teacher", METRICS].equals(rest.table.loc["teacher", METRICS])


def test_precomputed_teacher_with_the_text_of_numbers_as_columns(case):
    X, y = labelled_samples()
    y = np.searchsorted(NAMES, y)
    student = LogisticRegression().fit(X[:300], y[:300])
    q = student.predict_proba(X[300:])
    frame = pd.DataFrame(q, columns=["0", "1", "2"])[["2", "0", "1"]]
    report = distillation_report(
        teacher_proba=frame, baseline=student, distilled=student, X=X[300:],
        y=y[300:], n_repeats=1,
    )  # fmt: skip
    assert report.classes == [0, 1, 2]
    assert set(report.table["fidelity"].drop("prior")) == {1.0}


def test_binary_teacher_in_one_dimension():
    X, y = labelled_samples(2)
    student = LogisticRegression().fit(X, y)
    report = distillation_report(
        teacher_proba=student.predict_proba(X)[:, 1], baseline=student,
        distilled=student, X=X, y=y, n_repeats=1,
    )  # fmt: skip
    assert (report.table.drop("prior").nunique()[METRICS] == 1).all()


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
        X=test[["c", "b", "a"]], X_teacher=test, y=pd.Series(y[300:]), n_repeats=1,
    )  # fmt: skip
    expected = teacher.score(test, y[300:])
    assert report.table.loc["teacher", "accuracy"] == pytest.approx(expected)
    assert set(report.table["n_parameters"].iloc[2:]) == {3 + 3 + 9 + 3}


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan")])
def test_rows_without_a_label_are_left_out(case, missing):
    y = case["y"].astype(object)
    y[::3] = missing
    some = np.arange(300) % 3 > 0
    report = distillation_report(**case | {"y": y})
    expected = distillation_report(**case | {"X": case["X"][some], "y": case["y"][some]})
    assert_same(report, expected)
    assert (report.n_rows, report.n_rows_left_out) == (200, 100)
    assert "200 test samples (100 more without a true value)" in str(report)
    # the fidelity needs no label
    teacher, student = (case[name].predict(case["X"]) for name in ("teacher", "distilled"))
    assert report.table.loc["distilled", "fidelity"] == pytest.approx(np.mean(teacher == student))


@pytest.mark.parametrize("form", [np.asarray, lambda p: pd.DataFrame(p, columns=NAMES)])
def test_certain_soft_labels_are_labels(case, report, form):
    soft = distillation_report(**case | {"y": form(np.eye(3)[np.searchsorted(NAMES, case["y"])])})
    assert_same(soft, report)


# of the copies, the teacher predicts the same class whatever their label
@pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")
def test_soft_labels_are_expectations_over_labels(case):
    soft = np.random.default_rng(0).dirichlet([1, 1, 1], 300)
    soft[::10] = np.nan
    report = distillation_report(**case | {"y": soft})
    some = np.arange(300) % 10 > 0
    p = case["distilled"].predict_proba(case["X"])[some]
    s = soft[some]
    row = report.table.loc["distilled"]
    assert row["log_loss"] == pytest.approx(cross_entropy_from_proba(s, p))
    assert row["accuracy"] == pytest.approx(s[np.arange(270), p.argmax(axis=1)].mean())
    # the Brier score of labels is their variance above the distance from their probabilities
    expected = ((p - s) ** 2).sum(axis=1) + (s * (1 - s)).sum(axis=1)
    assert row["brier_score"] == pytest.approx(expected.mean())
    assert (report.n_rows, report.n_rows_left_out) == (270, 30)
    copies = distillation_report(
        **case | {"X": np.repeat(case["X"][some], 3, axis=0), "y": np.tile(NAMES, 270)},
        sample_weight=s.ravel(),
        groups=np.repeat(np.arange(270), 3),
    )
    assert_same(report, copies)


def test_without_labels_the_teacher_is_the_truth(case):
    q = case["teacher"].predict_proba(case["X"])
    report = distillation_report(**case | {"y": None})
    assert_same(report, distillation_report(**case | {"y": q}))
    assert report.judge == "teacher"
    assert "judged by the teacher's predictions" in report.headline
    entropy = cross_entropy_from_proba(q, q)
    assert report.table.loc["teacher", "log_loss"] == pytest.approx(entropy)
    partly = np.where(np.arange(300)[:, None] < 50, np.nan, q)
    masked = distillation_report(**case | {"y": None, "teacher": None}, teacher_proba=partly)
    assert masked.n_rows == 250


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teacher": None}, "0 of teacher, teacher_proba and teacher_prediction"),
        ({"teacher_proba": [0.5]}, "2 of teacher, teacher_proba and teacher_prediction"),
        ({"teacher": None, "teacher_prediction": [0.5]}, "are classifiers: .* as teacher_proba"),
        ({"baseline": LinearSVC()}, "baseline is a LinearSVC without predict_proba"),
        ({"y": np.arange(300) % 3}, r"strings in \['baseline', .*\] and not in \['y'\]"),
        ({"y": [None] * 300}, "y has no values; pass y=None to compare"),
        ({"y": np.full((300, 3), np.nan)}, "y has no values; pass y=None to compare"),
        ({"y": np.full((300, 3), 0.5)}, "y: row 0 sums to 1.5"),
        ({"y": ["ant"] * 299}, "y has 299 rows and X has 300"),
        ({"sample_weight": np.ones(3)}, "sample_weight has shape"),
        ({"groups": np.ones(3)}, "groups has shape"),
        ({"y_train": []}, "y_train has no values; pass y_train=None"),
        ({"y_train": [1, 2]}, r"strings in \['baseline'\] and not in \['y_train'\]"),
        ({"n_repeats": 0}, "n_repeats=0"),
        ({"n_threads": 0}, "n_threads=0"),
        ({"confidence_level": 1.5}, "confidence_level=1.5"),
        ({"n_bins": 0}, "n_bins=0"),
        ({"scoring": "acuracy"}, "scoring has 'acuracy'; pass one of"),
        ({"scoring": []}, "the first metric decides"),
        ({"scoring": ["max_min_gap", "accuracy"]}, "the first metric decides"),
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
            "teacher_proba: every row is missing",
        ),
        (
            {"teacher": None, "teacher_proba": [[np.nan, 0.5, 0.5]] * 300},
            "teacher_proba: row 0 is .*leave out",
        ),
        ({"teacher": None, "teacher_proba": np.full((9, 3), 1 / 3)}, "teacher_proba has 9 rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors(case, change, message):
    with pytest.raises(ValueError, match=message):
        distillation_report(**case | change)


def test_rows_of_the_teacher_and_rows_with_labels_must_meet(case):
    q, y = case["teacher"].predict_proba(case["X"]), case["y"].astype(object)
    q[:150], y[150:] = np.nan, None
    with pytest.raises(ValueError, match="both a true value and the teacher's prediction"):
        distillation_report(**case | {"teacher": None, "y": y}, teacher_proba=q)


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    y = X @ np.arange(5.0) + 3 * rng.normal(size=400)
    teacher = LinearRegression().fit(X[:200], y[:200])
    baseline = LinearRegression().fit(X[:7], y[:7])
    return {
        "teacher": teacher,
        "baseline": baseline,
        "distilled": LinearRegression().fit(X[:7], teacher.predict(X[:7])),
        "X": X[200:],
        "y": y[200:],
        "n_repeats": 1,
    }


def test_regression(numbers):
    from sklearn.metrics import (
        mean_absolute_error,
        mean_squared_error,
        r2_score,
        root_mean_squared_error,
    )

    report = distillation_report(
        **numbers,
        scoring=["neg_root_mean_squared_error", "neg_mean_absolute_error", "r2",
                 "neg_mean_squared_error", "neg_median_absolute_error"],
    )  # fmt: skip
    y = numbers["y"]
    for name in ("teacher", "baseline", "distilled"):
        f, row = numbers[name].predict(numbers["X"]), report.table.loc[name]
        expected = {
            "root_mean_squared_error": root_mean_squared_error(y, f),
            "mean_absolute_error": mean_absolute_error(y, f),
            "r2": r2_score(y, f),
            "mean_squared_error": mean_squared_error(y, f),
            "median_absolute_error": np.median(np.abs(y - f)),
            "fidelity": r2_score(numbers["teacher"].predict(numbers["X"]), f),
        }
        assert row[list(expected)].to_dict() == pytest.approx(expected)
    assert report.table.loc["prior", "r2"] == pytest.approx(0, abs=1e-12)
    assert report.classes is None
    assert report.decision == "distil"
    assert set(report.did_the_teacher_help["verdict"]) == {"helps"}
    better = report.did_the_teacher_help["better"]
    assert (better["r2"], better["median_absolute_error"]) == ("higher", "lower")
    assert "200 test samples.\n" in str(report)


def test_regression_with_missing_numbers_weights_and_predictions(numbers):
    y, w = numbers["y"].copy(), np.arange(200) % 3
    y[:20] = np.nan
    given = numbers | {"teacher": None, "y": y}
    prediction = numbers["teacher"].predict(numbers["X"])
    report = distillation_report(**given, teacher_prediction=prediction, sample_weight=w)
    repeated = np.repeat(np.arange(20, 200), w[20:])
    expected = distillation_report(
        **given | {"X": numbers["X"][repeated], "y": y[repeated]},
        teacher_prediction=prediction[repeated],
        groups=repeated,
    )
    columns = ["root_mean_squared_error", "mean_absolute_error", "r2"]
    pd.testing.assert_frame_equal(report.table[columns], expected.table[columns])
    pd.testing.assert_frame_equal(report.did_the_teacher_help, expected.did_the_teacher_help)
    judged = distillation_report(**given | {"y": None}, teacher_prediction=prediction)
    assert judged.table.loc["teacher", "r2"] == 1
    assert judged.headline.startswith("Distillation helps")


def test_regression_of_several_outputs(numbers):
    y = np.column_stack([numbers["y"], numbers["y"] ** 2])
    model = LinearRegression().fit(numbers["X"][:50], y[:50])
    report = distillation_report(
        teacher=model, baseline=model, distilled=model, X=numbers["X"], y=y, n_repeats=1
    )
    f = model.predict(numbers["X"])
    assert report.table.loc["baseline", "r2"] == pytest.approx(model.score(numbers["X"], y))
    expected = np.sqrt(((y - f) ** 2).mean(axis=0)).mean()
    assert report.table.loc["teacher", "root_mean_squared_error"] == pytest.approx(expected)


def test_the_prior_of_a_regression_is_the_mean_of_the_training_rows(numbers):
    report = distillation_report(**numbers, y_train=[1.0, np.nan, 4.0])
    expected = np.sqrt(np.mean((numbers["y"] - 2.5) ** 2))
    assert report.table.loc["prior", "root_mean_squared_error"] == pytest.approx(expected)
    with pytest.raises(ValueError, match="y_train has 2 outputs and baseline predicts 1"):
        distillation_report(**numbers, y_train=np.zeros((5, 2)))


def test_a_regression_needs_the_teachers_numbers(numbers):
    with pytest.raises(ValueError, match="regressors: pass the teacher's predictions as teacher_p"):
        distillation_report(**numbers | {"teacher": None}, teacher_proba=np.full(200, 0.5))


@pytest.mark.parametrize("name", ["teacher_proba", "sample_weight", "groups"])
def test_rows_in_another_order_are_an_error(name):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 2)), index=[f"row {i}" for i in range(60)])
    y = (X[0] > 0).astype(int)
    model = LogisticRegression().fit(X.to_numpy(), y)
    by_row = {
        "teacher_proba": pd.DataFrame(np.eye(2)[y] * 0.8 + 0.1, X.index),
        "sample_weight": pd.Series(1.0, X.index),
        "groups": pd.Series(range(60), X.index),
    }
    by_row[name] = by_row[name][::-1]
    with pytest.raises(ValueError, match=f"{name} and y have their rows in another order"):
        distillation_report(baseline=model, distilled=model, X=X.to_numpy(), y=y, **by_row)
