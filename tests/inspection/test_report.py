"""The report agrees with the metrics, whatever classes the models know."""

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    roc_auc_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import ImplausibleTeacherWarning
from sklearn_distill.inspection import DistillationReport, distillation_report, paired_interval
from sklearn_distill.metrics import (
    brier_score,
    expected_calibration_error,
    fidelity_score,
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
ROWS = ["prior", "teacher", "baseline", "distilled"]
QUALITY = [*METRICS, "fidelity", "gap_closed"]


def test_form(report):
    assert isinstance(report, DistillationReport)
    assert list(report.table.index) == ROWS
    assert list(report.table.columns) == [*QUALITY, *COSTS]
    assert set(report.table.dtypes) == {np.dtype(float)}
    differences = report.did_the_teacher_help
    assert list(differences.index) == METRICS
    assert list(differences.columns) == ["difference", "low", "high", "better", "verdict"]
    assert (report.n_rows, report.n_rows_left_out, report.classes) == (300, 0, NAMES.tolist())
    assert report.metric == "log_loss"


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_table_agrees_with_the_metrics(n_classes, weighted):
    X, y = labelled_samples(n_classes)
    w = np.random.default_rng(0).uniform(size=300) if weighted else None
    teacher = HistGradientBoostingClassifier(max_iter=5).fit(X[:300], y[:300])
    baseline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:50], y[:50])
    X, y = X[300:], y[300:]
    report = distillation_report(
        teacher=teacher, baseline=baseline, distilled=teacher, X=X, y=y, sample_weight=w,
        scoring=[*METRICS, "uncertainty_degree", "max_min_gap", "f1_macro"],
        n_repeats=1, n_bins=7,
    )  # fmt: skip
    options = {"sample_weight": w}
    for row, model in zip(ROWS[1:], [teacher, baseline, teacher], strict=True):
        p = model.predict_proba(X)
        one_or_all = (p[:, 1], {}) if n_classes == 2 else (p, {"multi_class": "ovr"})
        expected = {
            "accuracy": accuracy_score(y, model.predict(X), **options),
            "balanced_accuracy": balanced_accuracy_score(y, model.predict(X), **options),
            "log_loss": log_loss(y, p, **options),
            "brier_score": brier_score(y, p, **options),
            "roc_auc": roc_auc_score(y, one_or_all[0], **one_or_all[1], **options),
            "calibration_error": expected_calibration_error(y, p, n_bins=7, **options),
            "uncertainty_degree": uncertainty_degree(p, **options),
            "max_min_gap": max_min_gap(p, **options),
            "f1_macro": f1_score(y, model.predict(X), average="macro", **options),
            "fidelity": fidelity_score(teacher.predict_proba(X), p, **options),
        }
        assert report.table.loc[row, list(expected)].to_dict() == pytest.approx(expected, rel=1e-10)
    assert report.table.loc["teacher", "fidelity"] == 1


def test_the_prior_predicts_the_frequencies(case, report):
    frequencies = np.unique(case["y"], return_counts=True)[1] / 300
    row = report.table.loc["prior"]
    assert row["log_loss"] == pytest.approx(-np.sum(frequencies * np.log(frequencies)))
    assert row["accuracy"] == pytest.approx(frequencies.max())
    assert row["balanced_accuracy"] == pytest.approx(1 / 3)
    assert row["roc_auc"] == pytest.approx(0.5)
    assert row[COSTS].isna().all()


@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft labels"])
def test_the_prior_predicts_the_frequencies_of_the_training_rows(case, report, soft):
    train = np.array(["ant"] * 6 + ["bee"] * 3 + ["cat"], dtype=object)
    train = pd.get_dummies(train).astype(float) if soft else np.append(train, None)  # one missing
    found = distillation_report(**case, y_train=train).table
    share = pd.Series({"ant": 0.6, "bee": 0.3, "cat": 0.1})
    assert found.loc["prior", "log_loss"] == pytest.approx(-np.log(share[case["y"]]).mean())
    assert found.loc["prior", "log_loss"] > report.table.loc["prior", "log_loss"]
    assert found.loc["baseline", "log_loss"] == report.table.loc["baseline", "log_loss"]


def test_a_class_of_the_training_rows_that_no_model_knows(case):
    found = distillation_report(**case, y_train=["ant", "bee", "cat", "dog"])
    assert "dog" in found.classes
    with pytest.raises(ValueError, match="y_train has no values; pass y_train=None"):
        distillation_report(**case, y_train=[None])


@pytest.mark.parametrize("form", ["columns", "rows"])
def test_a_teacher_in_another_order_is_named(case, form):
    q = case["teacher"].predict_proba(case["X"])
    wrong = q[:, [1, 0, 2]] if form == "columns" else q[::-1]
    given = case | {"teacher": None, "teacher_proba": wrong}
    with pytest.warns(ImplausibleTeacherWarning, match=r"^teacher_proba agrees with the labels"):
        distillation_report(**given)
    if form == "rows":
        given = case | {"X_teacher": case["X"][::-1].copy()}
        with pytest.warns(ImplausibleTeacherWarning, match=r"^teacher\.predict_proba agrees"):
            distillation_report(**given)


def test_size_and_time(case, report):
    costs = report.table[COSTS].drop("prior")
    assert costs.loc["distilled", "n_parameters"] == 27
    trees = case["teacher"].estimators_
    assert costs.loc["teacher", "n_parameters"] == sum(t.tree_.node_count for t in trees)
    assert costs.loc["teacher", "n_bytes"] == len(pickle.dumps(case["teacher"], protocol=5))
    assert (costs > 0).all(axis=None)
    assert (costs["latency_p99_us"] >= costs["latency_p50_us"]).all()
    assert costs.loc["teacher", "rows_per_second"] < costs.loc["distilled", "rows_per_second"]


def test_differences_are_those_of_the_table(report):
    differences, table = report.did_the_teacher_help, report.table
    gain = table.loc["distilled"] - table.loc["baseline"]
    expected = gain[differences.index].to_dict()
    assert differences["difference"].to_dict() == pytest.approx(expected)
    assert (differences["low"] <= differences["difference"]).all()
    assert (differences["difference"] <= differences["high"]).all()


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_intervals_are_those_of_the_samples(case, report, metric):
    columns = np.searchsorted(NAMES, case["y"])
    scores = []
    for name in ("baseline", "distilled"):
        p = case[name].predict_proba(case["X"])
        hit = (p.argmax(axis=1) == columns).astype(float)
        loss = -np.log(np.maximum(p[np.arange(300), columns], np.finfo(float).eps))
        scores.append(hit if metric == "accuracy" else loss)
    expected = np.ravel(paired_interval(scores[1] - scores[0]))
    row = report.did_the_teacher_help.loc[metric, ["low", "high"]]
    assert row.tolist() == pytest.approx(expected.tolist())


def test_gap_closed_is_the_share_of_the_teachers_gain(report):
    loss = report.table["log_loss"]
    expected = (loss["distilled"] - loss["baseline"]) / (loss["teacher"] - loss["baseline"])
    gap = report.table["gap_closed"]
    assert gap["distilled"] == pytest.approx(expected)
    assert (gap["baseline"], gap["teacher"]) == (0, 1)


def test_a_better_student_helps_and_a_worse_one_hurts(case, report):
    swapped = distillation_report(
        **case | {"baseline": case["distilled"], "distilled": case["baseline"]}
    )
    better, worse = report.did_the_teacher_help, swapped.did_the_teacher_help
    assert set(better["verdict"]) == {"helps"}
    assert set(worse["verdict"]) == {"hurts"}
    assert worse["difference"].to_dict() == pytest.approx((-better["difference"]).to_dict())
    assert worse["low"].to_numpy() == pytest.approx(-better["high"].to_numpy())


def test_identical_students_are_undecided(case):
    report = distillation_report(**case | {"baseline": case["distilled"]})
    differences = report.did_the_teacher_help
    assert set(differences["verdict"]) == {"undecided"}
    assert not differences["difference"].any()
    assert differences.loc["accuracy", "high"] > 0  # other samples might tell them apart


@pytest.mark.parametrize(("metric", "least"), [("log_loss", 6), ("accuracy", 4)])
def test_few_differing_samples_cannot_decide(metric, least):
    # a student that is better on a few samples, and equal on all others
    y = np.arange(100) % 2
    p = np.where(y == 1, 0.4, 0.6)
    better = p.copy()
    X = np.arange(100)[:, None]
    for n, verdict in ((least - 1, "undecided"), (least, "helps")):
        better[:n] = np.where(y[:n] == 1, 0.9, 0.1)
        report = distillation_report(
            baseline=Stored(p), distilled=Stored(better), teacher_proba=1 - p, X=X, y=y,
            scoring=metric, n_repeats=1,
        )  # fmt: skip
        row = report.did_the_teacher_help.loc[metric]
        assert row["verdict"] == verdict
        assert (row["low"] <= 0 <= row["high"]) == (verdict == "undecided")


class Stored:
    """Probabilities of the second of two classes, by the number of the sample."""

    def __init__(self, p):
        self.p, self.classes_ = np.asarray(p), np.array([0, 1])

    def predict_proba(self, X):
        p = self.p[np.asarray(X)[:, 0]]
        return np.column_stack([1 - p, p])


def test_weights_are_repeated_samples(case):
    w = np.arange(300) % 3
    weighted = distillation_report(**case | {"sample_weight": w})
    repeated = distillation_report(
        **case | {"X": np.repeat(case["X"], w, axis=0), "y": np.repeat(case["y"], w)},
        groups=np.repeat(np.arange(300), w),
    )
    pd.testing.assert_frame_equal(weighted.table[QUALITY], repeated.table[QUALITY])
    pd.testing.assert_frame_equal(weighted.did_the_teacher_help, repeated.did_the_teacher_help)


def test_groups_widen_the_intervals(case, report):
    X, y = (np.repeat(case[name], 4, axis=0) for name in ("X", "y"))
    grouped = distillation_report(**case | {"X": X, "y": y}, groups=np.repeat(np.arange(300), 4))
    columns = ["difference", "low", "high"]
    expected = report.did_the_teacher_help[columns]
    pd.testing.assert_frame_equal(grouped.did_the_teacher_help[columns], expected)


def test_several_students_have_intervals_together(case, report):
    students = {"weak": case["baseline"], "strong": case["distilled"]}
    several = distillation_report(**case | {"distilled": students})
    assert list(several.table.index) == ["prior", "teacher", "baseline", "weak", "strong"]
    alone = distillation_report(**case, confidence_level=0.975).did_the_teacher_help
    pd.testing.assert_frame_equal(several.did_the_teacher_help.loc["strong"], alone)
    assert several.headline.replace("strong", "distilled").startswith("Distillation helps: -")
    for name in ("prior", "distilled", "baseline"):
        pd.testing.assert_series_equal(
            several.table.loc["strong" if name == "distilled" else name, METRICS],
            report.table.loc[name, METRICS],
            check_names=False,
        )
    with pytest.raises(ValueError, match="distilled has the names"):
        distillation_report(**case | {"distilled": {"prior": case["baseline"]}})


def test_a_small_test_set_warns(case):
    with pytest.warns(UserWarning, match="has 49 independent samples"):
        distillation_report(**case | {"X": case["X"][:49], "y": case["y"][:49]})


def test_prints(case):
    fitted_on = "rows 0-299 & <none> of the test rows"
    report = distillation_report(**case, teacher_saw=fitted_on)
    text, html = str(report), report._repr_html_()
    assert repr(report) == text
    assert text.startswith(report.headline)
    assert f"300 test samples, 3 classes. The teacher was fitted on {fitted_on}." in text
    assert "Times with 1 thread." in text
    assert "95 % intervals" in text
    assert max(map(len, text.partition("\n")[2].splitlines())) <= 100
    assert html.count("<table") == 2
    assert "&amp; &lt;none&gt;" in html
    for word in [*QUALITY, *COSTS, *ROWS, "helps", "27"]:
        assert word in text
        assert word in html
    missing = case | {"teacher": None, "teacher_proba": case["teacher"].predict_proba(case["X"])}
    assert "–" in str(distillation_report(**missing))


def test_html_page_needs_nothing_else(report, tmp_path):
    page = report.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == page
    assert report.headline in page
    assert page.count("<table") == 2
    assert 'src="data:image/png;base64,' in page
    for outside in ("http:", "https:", "<script", "<link", "url("):
        assert outside not in page


def test_is_frozen_and_pickles(report):
    with pytest.raises(FrozenInstanceError):
        report.table = None
    copy = pickle.loads(pickle.dumps(report))
    pd.testing.assert_frame_equal(copy.table, report.table)
