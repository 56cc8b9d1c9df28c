"""The points and the bar agree with the report."""

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


@pytest.mark.parametrize("cost", ["predict_us_per_row", "n_parameters", "n_bytes"])
@pytest.mark.parametrize("metric", ["accuracy", "cross_entropy", "calibration_error"])
def test_a_point_for_each_model(report, metric, cost):
    display = ReportDisplay.from_report(report, metric=metric, cost=cost)
    assert list(display.markers_) == MODELS
    for name, point in display.markers_.items():
        expected = report.table.loc[[name], [cost, metric]]
        np.testing.assert_array_equal(point.get_offsets(), expected)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_ylabel() == f"{metric.replace('_', ' ')} on the test set"
    assert legend_texts(display)[:3] == MODELS


@pytest.mark.parametrize("metric", ["accuracy", "cross_entropy", "brier"])
def test_the_bar_is_the_interval_added_to_the_baseline(report, metric):
    display = report.plot(metric)
    assert isinstance(display, ReportDisplay)
    level = report.table[metric]["baseline"]
    difference = report.did_the_teacher_help.loc[metric]
    np.testing.assert_array_equal(
        display.bar_.get_ydata(), [level + difference["low"], level + difference["high"]]
    )
    time = report.table["predict_us_per_row"]["distilled"]
    assert display.bar_.get_xdata().tolist() == [time, time]
    assert np.unique(display.baseline_.get_ydata()).tolist() == [level]
    low, high = display.bar_.get_ydata()
    assert low <= report.table[metric]["distilled"] <= high
    assert (low <= level <= high) == (display.interval_.verdict == "undecided")
    assert legend_texts(display)[-1] == f"difference to baseline, 95 %: {difference['verdict']}"


def test_other_metrics_have_no_bar(report):
    display = report.plot("fidelity")
    assert display.interval_ is display.bar_ is display.baseline_ is None
    assert legend_texts(display) == MODELS


def test_a_model_of_unknown_cost_is_a_line(case):
    proba = case["teacher"].predict_proba(case["X"])
    report = distillation_report(**case | {"teacher": None, "teacher_proba": proba})
    display = report.plot()
    level = display.markers_["teacher"]
    accuracy = report.table["accuracy"]["teacher"]
    assert np.unique(level.get_ydata()).tolist() == [accuracy]
    assert legend_texts(display)[0] == "teacher (cost not known)"
    low, high = display.ax_.get_ylim()
    assert low < accuracy < high


def test_the_interval_of_a_student_of_unknown_cost_has_the_whole_width(report):
    table = report.table.assign(n_parameters=[1e4, 50.0, np.nan])
    display = ReportDisplay(
        table=table,
        did_the_teacher_help=report.did_the_teacher_help,
        cost="n_parameters",
    ).plot()
    box = display.bar_.get_extents().transformed(display.ax_.transData.inverted())
    assert (box.y0, box.y1) == pytest.approx((display.interval_.low, display.interval_.high))
    assert legend_texts(display)[-1] == "difference to baseline: helps"


def test_other_models(report):
    table = report.table.rename(index=lambda name: f"my {name}")
    display = ReportDisplay(table=table).plot()
    assert list(display.markers_) == [f"my {name}" for name in MODELS]
    assert display.bar_ is None
    assert len({tuple(point.get_facecolor()[0]) for point in display.markers_.values()}) == 3
    with pytest.raises(ValueError, match="need 'baseline' and 'distilled', leave"):
        ReportDisplay(table=table, did_the_teacher_help=report.did_the_teacher_help)


def test_plot_again_and_axes_that_are_given(report):
    figure, ax = plt.subplots()
    display = report.plot(ax=ax)
    assert (display.ax_, display.figure_) == (ax, figure)
    before = {name: point.get_offsets() for name, point in display.markers_.items()}
    assert display.plot(s=10) is display
    assert display.figure_ is not figure
    for name, point in display.markers_.items():
        np.testing.assert_array_equal(point.get_offsets(), before[name])
        assert point.get_sizes().tolist() == [10]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "auc"}, r"metric='auc'; pass one of the report's \['accuracy', "),
        ({"metric": "n_bytes"}, "metric='n_bytes'; pass one of"),
        ({"cost": "accuracy"}, r"cost='accuracy'; .*\['predict_us_per_row', 'n_param"),
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
