"""The points and the intervals agree with the report."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sklearn_distill.inspection import ReportDisplay, distillation_report

MODELS = ["teacher", "baseline", "distilled"]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def legend_texts(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.mark.parametrize("cost", ["latency_p50_us", "rows_per_second", "n_bytes"])
@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "calibration_error"])
def test_a_point_for_each_model(report, metric, cost):
    display = ReportDisplay.from_report(report, metric=metric, cost=cost)
    assert list(display.markers_) == MODELS
    for name, point in display.markers_.items():
        expected = report.table.loc[[name], [cost, metric]]
        np.testing.assert_array_equal(point.get_offsets(), expected)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_yscale() == ("linear" if metric == "accuracy" else "log")
    assert display.ax_.get_ylabel() == f"{metric.replace('_', ' ')} on the test set"
    assert legend_texts(display) == MODELS


def test_the_metric_that_decides_is_the_default(report):
    assert report.plot().ax_.get_ylabel() == "log loss on the test set"


def test_intervals_have_the_scale_of_their_farther_end_and_better_is_right(report):
    display = report.plot()
    assert isinstance(display, ReportDisplay)
    differences = report.did_the_teacher_help
    assert list(display.intervals_) == list(differences.index)
    for metric, line in display.intervals_.items():
        low, high = differences.loc[metric, ["low", "high"]]
        sign = 1 if differences.loc[metric, "better"] == "higher" else -1
        ends = sign * np.array([low, high]) / max(abs(low), abs(high))
        np.testing.assert_allclose(np.array(line.get_xdata(), dtype=float), ends)
        assert ends.min() > 0  # this student is better in every metric
    texts = [text.get_text() for text in display.intervals_ax_.texts]
    row = differences.loc["log_loss"]
    assert texts[0].startswith(f"{row['difference']:+.3g} (")
    assert texts[0].endswith("helps")


def test_identical_students_have_intervals_at_zero(case):
    report = distillation_report(**case | {"baseline": case["distilled"]}, scoring="log_loss")
    assert set(report.plot().intervals_["log_loss"].get_xdata()) == {0.0}


def test_several_students_and_metrics_without_a_direction(case):
    report = distillation_report(
        **case | {"distilled": {"one": case["distilled"], "two": case["baseline"]}},
        scoring=["accuracy", "max_min_gap"],
    )
    display = report.plot()
    assert list(display.intervals_) == [("one", "accuracy"), ("two", "accuracy")]
    labels = [label.get_text() for label in display.intervals_ax_.get_yticklabels()]
    assert labels == ["one accuracy", "two accuracy"]
    assert list(display.markers_) == ["teacher", "baseline", "one", "two"]


def test_a_model_of_unknown_cost_is_a_line(case):
    proba = case["teacher"].predict_proba(case["X"])
    report = distillation_report(**case | {"teacher": None, "teacher_proba": proba})
    display = report.plot("accuracy")
    level = display.markers_["teacher"]
    accuracy = report.table["accuracy"]["teacher"]
    assert np.unique(level.get_ydata()).tolist() == [accuracy]
    assert legend_texts(display)[0] == "teacher (cost not known)"
    low, high = display.ax_.get_ylim()
    assert low < accuracy < high


def test_other_models(report):
    table = report.table.drop("prior").rename(index=lambda name: f"my {name}")
    display = ReportDisplay(table=table).plot()
    assert list(display.markers_) == [f"my {name}" for name in MODELS]
    assert display.intervals_ax_ is None
    assert len({tuple(point.get_facecolor()[0]) for point in display.markers_.values()}) == 3


def test_plot_again_and_axes_that_are_given(report):
    figure, ax = plt.subplots()
    display = report.plot(ax=ax)
    assert (display.ax_, display.figure_) == (ax, figure)
    assert display.intervals_ax_ is None  # one Axes has the plane only
    two = plt.subplots(1, 2)[1]
    assert report.plot(ax=two).intervals_ax_ is two[0]
    before = {name: point.get_offsets() for name, point in display.markers_.items()}
    assert display.plot(s=10) is display
    assert display.figure_ is not figure
    for name, point in display.markers_.items():
        np.testing.assert_array_equal(point.get_offsets(), before[name])
        assert point.get_sizes().tolist() == [10]
    with pytest.raises(ValueError, match="ax holds 3 axes; pass 2"):
        report.plot(ax=plt.subplots(1, 3)[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "auc"}, r"metric='auc'; pass one of the report's \['log_loss', "),
        ({"metric": "n_bytes"}, "metric='n_bytes'; pass one of"),
        ({"cost": "accuracy"}, r"cost='accuracy'; .*\['latency_p50_us', 'laten"),
    ],
)
def test_unknown_columns(report, arguments, message):
    with pytest.raises(ValueError, match=message):
        report.plot(**arguments)
    assert plt.get_fignums() == []


def test_the_table_stays_as_it_was(report):
    before = report.table.copy()
    points = report.plot().points_
    points.loc[:] = 0
    pd.testing.assert_frame_equal(report.table, before)


def test_axes_that_are_given_need_no_pyplot(report, monkeypatch):
    from matplotlib.figure import Figure

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    ax = Figure().subplots()
    assert report.plot(ax=ax).ax_ is ax
    with pytest.raises(ImportError, match=r'pip install "sklearn-distill\[plot\]"'):
        report.plot()
