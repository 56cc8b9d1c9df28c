"""The report agrees with the metrics, whatever classes the models know."""

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill.inspection import DistillationReport, distillation_report
from sklearn_distill.metrics import (
    brier_score,
    expected_calibration_error,
    fidelity_score,
    max_min_gap,
    uncertainty_degree,
)
from tests.inspection.data import NAMES, labelled_samples

COLUMNS = [
    "accuracy",
    "cross_entropy",
    "brier",
    "calibration_error",
    "uncertainty_degree",
    "max_min_gap",
    "fidelity",
    "n_parameters",
    "n_bytes",
    "predict_us_per_row",
]
ROWS = ["teacher", "baseline", "distilled"]
QUALITY = COLUMNS[:7]


def test_form(report):
    assert isinstance(report, DistillationReport)
    assert list(report.table.index) == ROWS
    assert list(report.table.columns) == COLUMNS
    assert set(report.table.dtypes) == {np.dtype(float)}
    differences = report.did_the_teacher_help
    assert list(differences.index) == ["accuracy", "cross_entropy", "brier"]
    assert list(differences.columns) == ["difference", "low", "high", "verdict"]
    assert (report.n_rows, report.classes) == (300, NAMES.tolist())


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_table_agrees_with_the_metrics(n_classes, weighted):
    X, y = labelled_samples(n_classes)
    w = np.random.default_rng(0).uniform(size=300) if weighted else None
    teacher = HistGradientBoostingClassifier(max_iter=5).fit(X[:300], y[:300])
    baseline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:50], y[:50])
    models = [teacher, baseline, teacher]
    X, y = X[300:], y[300:]
    report = distillation_report(
        teacher=teacher, baseline=baseline, distilled=teacher, X=X, y=y,
        sample_weight=w, n_repeats=1, n_bootstrap=10, n_bins=7,
    )  # fmt: skip
    for row, model in zip(ROWS, models, strict=True):
        p = model.predict_proba(X)
        expected = {
            "accuracy": accuracy_score(y, model.predict(X), sample_weight=w),
            "cross_entropy": log_loss(y, p, sample_weight=w),
            "brier": brier_score(y, p, sample_weight=w),
            "calibration_error": expected_calibration_error(y, p, n_bins=7, sample_weight=w),
            "uncertainty_degree": uncertainty_degree(p, sample_weight=w),
            "max_min_gap": max_min_gap(p, sample_weight=w),
            "fidelity": fidelity_score(teacher.predict_proba(X), p, sample_weight=w),
        }
        assert report.table.loc[row, QUALITY].to_dict() == pytest.approx(expected, rel=1e-10)
    assert report.table.loc["teacher", "fidelity"] == 1


def test_size_and_time(case, report):
    costs = report.table[COLUMNS[7:]]
    assert costs.loc["distilled", "n_parameters"] == 27
    trees = case["teacher"].estimators_
    assert costs.loc["teacher", "n_parameters"] == sum(t.tree_.node_count for t in trees)
    assert costs.loc["teacher", "n_bytes"] == len(pickle.dumps(case["teacher"], protocol=5))
    assert (costs["predict_us_per_row"] > 0).all()
    time = costs["predict_us_per_row"]
    assert time["teacher"] > time["distilled"]


def test_differences_are_those_of_the_table(report):
    differences, table = report.did_the_teacher_help, report.table
    gain = table.loc["distilled"] - table.loc["baseline"]
    expected = gain[differences.index].to_dict()
    assert differences["difference"].to_dict() == pytest.approx(expected)
    assert (differences["low"] <= differences["difference"]).all()
    assert (differences["difference"] <= differences["high"]).all()


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
    assert not differences[["difference", "low", "high"]].to_numpy().any()


def test_weights_are_repeated_samples(case):
    w = np.arange(300) % 3
    weighted = distillation_report(**case | {"sample_weight": w})
    repeated = distillation_report(
        **case | {"X": np.repeat(case["X"], w, axis=0), "y": np.repeat(case["y"], w)}
    )
    pd.testing.assert_frame_equal(weighted.table[QUALITY], repeated.table[QUALITY])


def test_seed(case, report):
    again = distillation_report(**case).did_the_teacher_help
    pd.testing.assert_frame_equal(again, report.did_the_teacher_help)
    other = distillation_report(**case | {"random_state": 1}).did_the_teacher_help
    assert not other["low"].equals(again["low"])


@pytest.mark.parametrize("form", [pd.DataFrame, scipy.sparse.coo_array, np.asarray])
def test_batches_of_many_rows(form):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1500, 3)), np.arange(1500) % 2
    model = Counting().fit(X, y)
    distillation_report(
        teacher=LogisticRegression().fit(form(X), y), baseline=model, distilled=model,
        X=form(X), y=y, n_repeats=3, n_bootstrap=10,
    )  # fmt: skip
    assert model.rows_ == 2 * ([1500] + [1000] * 4)  # the prediction, a warm-up, three timed calls


class Counting(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_, self.rows_ = np.unique(y), []
        return self

    def predict_proba(self, X):
        self.rows_.append(X.shape[0])
        return np.full((X.shape[0], 2), 0.5)


def test_prints(case):
    fitted_on = "rows 0-299 & <none> of the test rows"
    report = distillation_report(**case, teacher_saw=fitted_on)
    text, html = str(report), report._repr_html_()
    assert repr(report) == text
    assert f"300 test samples, 3 classes. The teacher was fitted on {fitted_on}." in text
    assert "95 % intervals of 200 paired resamples" in text
    assert max(map(len, text.splitlines())) <= 100
    assert html.count("<table") == 2
    assert "&amp; &lt;none&gt;" in html
    for word in [*COLUMNS, *ROWS, "helps", "27"]:
        assert word in text
        assert word in html
    missing = case | {"teacher": None, "teacher_proba": case["teacher"].predict_proba(case["X"])}
    assert "–" in str(distillation_report(**missing))


def test_is_frozen_and_pickles(report):
    with pytest.raises(FrozenInstanceError):
        report.table = None
    copy = pickle.loads(pickle.dumps(report))
    pd.testing.assert_frame_equal(copy.table, report.table)
