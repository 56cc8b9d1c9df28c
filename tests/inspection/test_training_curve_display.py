"""Lines are the histories, bands the spread of several runs of one student."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.inspection import TrainingCurveDisplay

draw = TrainingCurveDisplay.from_curves


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def students():
    return [fitted(seed) for seed in range(3)]


def fitted(seed):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2
    student = DistilledNeuralClassifier(
        imitation=0, hidden_layer_sizes=(3,), max_epochs=4, random_state=seed
    )
    return student.fit(X, y, X_val=X, y_val=y)


def history(n=5, seed=0):
    rng = np.random.default_rng(seed)
    columns = {name: rng.random(n) for name in ("train_loss", "valid_loss", "valid_acc")}
    return pd.DataFrame(columns, index=pd.RangeIndex(1, n + 1, name="epoch"))


def ends(band):
    """Return the lower and the upper edge of a band."""
    n = (len(band.get_paths()[0].vertices) - 3) // 2
    x, y = band.get_paths()[0].vertices.T
    lower, upper = y[1 : n + 1], y[n + 2 : 2 * n + 2][::-1]
    assert x[1 : n + 1].tolist() == x[n + 2 : 2 * n + 2][::-1].tolist()
    return lower, upper


def legend_texts(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_lines_are_the_history():
    given = history()
    display = draw({"student": given})
    for line, name in zip(display.lines_, ["train_loss", "valid_loss"], strict=True):
        np.testing.assert_array_equal(line.get_xdata(), given.index)
        np.testing.assert_array_equal(line.get_ydata(), given[name])
    train, valid = display.lines_
    assert train.get_color() == valid.get_color()
    assert (train.get_linestyle(), valid.get_linestyle()) == ("--", "-")
    assert legend_texts(display) == ["student, training", "student, validation"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "loss")
    assert display.bands_ == []
    assert display.figure_ is display.ax_.figure


@pytest.mark.parametrize(
    ("columns", "label"), [("valid_acc", "acc"), (["valid_loss", "valid_acc"], "loss, acc")]
)
def test_columns(columns, label):
    display = draw({"a": history(), "b": history(seed=1)}, columns=columns)
    wanted = [columns] if isinstance(columns, str) else columns
    assert [(curve.name, curve.column) for curve in display.curves_] == [
        (name, column) for name in "ab" for column in wanted
    ]
    assert display.ax_.get_ylabel() == label
    colours = {line.get_color() for line in display.lines_}
    assert len(colours) == 2
    if len(wanted) == 1:
        assert legend_texts(display) == ["a", "b"]


@pytest.mark.parametrize("band", ["std", "min-max", None])
def test_runs_are_a_mean_and_a_band(band):
    runs = [history(seed=seed) for seed in range(4)]
    display = draw({"many": runs, "one": history(seed=9)}, columns="valid_loss", band=band)
    values = np.array([run["valid_loss"] for run in runs])
    np.testing.assert_allclose(display.lines_[0].get_ydata(), values.mean(axis=0))
    expected = {
        "std": values.mean(axis=0) + np.outer([-1, 1], values.std(axis=0, ddof=1)),
        "min-max": [values.min(axis=0), values.max(axis=0)],
    }
    assert legend_texts(display) == ["many (mean of 4)", "one"]
    assert [curve.n_runs for curve in display.curves_] == [4, 1]
    if band is None:
        assert display.bands_ == []
    else:
        (drawn,) = display.bands_
        np.testing.assert_allclose(ends(drawn), expected[band])


def test_runs_end_with_the_shortest():
    display = draw([history(5), history(3, seed=1)], columns="train_loss")
    assert display.curves_[0].step.tolist() == [1, 2, 3]
    assert legend_texts(display) == ["training (mean of 2)"]


def test_epochs_that_were_not_measured_are_left_out():
    given = history().assign(valid_loss=[np.nan, 0.5, np.nan, 0.4, np.nan])
    display = draw(given, columns="valid_loss")
    assert display.lines_[0].get_xydata().tolist() == [[2, 0.5], [4, 0.4]]


def test_forms_of_a_history(students):
    frame = students[0].history_
    arrays = {name: frame[name].tolist() for name in ("train_loss", "valid_loss")}
    forms = [frame, frame.reset_index(), arrays, students[0].net_.history]
    for form in forms:
        for given in (form, [form], {"x": form}, {"x": [form]}):
            display = draw(given)
            for line, name in zip(display.lines_, arrays, strict=True):
                np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
                np.testing.assert_array_equal(line.get_ydata(), arrays[name])


def test_from_estimator(students):
    display = TrainingCurveDisplay.from_estimator(students[0])
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), students[0].history_["valid_loss"])
    assert legend_texts(display)[0] == "DistilledNeuralClassifier, training"
    values = np.mean([student.history_["valid_loss"] for student in students], axis=0)
    for given in (students, {"x": students}):
        display = TrainingCurveDisplay.from_estimator(given, columns="valid_loss")
        np.testing.assert_allclose(display.lines_[0].get_ydata(), values)
        assert len(display.bands_) == 1
    net = TrainingCurveDisplay.from_estimator(students[0].net_, columns="train_loss")
    np.testing.assert_array_equal(net.lines_[0].get_ydata(), students[0].history_["train_loss"])


def test_plot_again_and_axes_that_are_given():
    display = draw({"x": [history(), history(seed=1)]})
    before = [line.get_xydata() for line in display.lines_]
    ax = plt.subplots()[1]
    assert display.plot(ax=ax, color="k") is display
    assert (display.ax_, display.figure_) == (ax, ax.figure)
    np.testing.assert_array_equal([line.get_xydata() for line in display.lines_], before)
    assert {line.get_color() for line in display.lines_} == {"k"}
    assert len(ax.collections) == len(display.bands_) == 2


def test_the_history_stays_as_it_was():
    given = history()
    before = given.copy()
    draw(given).curves_[0].mean[:] = 0
    pd.testing.assert_frame_equal(given, before)


@pytest.mark.parametrize(
    ("curves", "options", "error", "message"),
    [
        (3, {}, TypeError, "curves must be a DataFrame, .* got int"),
        ({"x": [3]}, {}, ValueError, r"the history has the columns \['x'\]"),
        ({"x": [history(), 3]}, {}, TypeError, "'x' must be .* got int"),
        ({}, {}, ValueError, "empty dict"),
        ([], {}, ValueError, "curves is empty"),
        ({"x": history(), "z": []}, {}, ValueError, "'z' is empty"),
        (history()[["valid_acc"]], {}, ValueError, r"\['valid_acc'\] and not \['train_loss', 'val"),
        ({"x": history()}, {"columns": "lr"}, ValueError, r"of 'x' has .* and not \['lr'\]"),
        ({"a": [1.0], "b": [1.0, 2.0]}, {}, ValueError, r"of one length, .*'b': \(2,\)"),
        (history().iloc[::-1], {}, ValueError, "the epochs must be ascending numbers"),
        (history().set_axis(list("abcde")), {}, ValueError, "must be ascending numbers"),
        (pd.concat([history()] * 2).sort_index(), {}, ValueError, "an epoch comes twice"),
        ([history(3), history().iloc[3:]], {}, ValueError, "no epoch that all runs have"),
        (history(), {"band": "sem"}, ValueError, "band='sem'; pass one of"),
    ],
)
def test_invalid_curves(curves, options, error, message):
    with pytest.raises(error, match=message):
        draw(curves, **options)
    assert plt.get_fignums() == []


def test_students_without_a_history():
    with pytest.raises(NotFittedError):
        TrainingCurveDisplay.from_estimator(DistilledNeuralClassifier(imitation=0))
    plain = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="LogisticRegression has no history_"):
        TrainingCurveDisplay.from_estimator(plain)
    with pytest.raises(ValueError, match="estimator is empty"):
        TrainingCurveDisplay.from_estimator([])


def test_several_axes():
    with pytest.raises(ValueError, match="ax holds 2 axes; pass 1"):
        draw(history(), ax=plt.subplots(2)[1])


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-distill\[plot\]"'):
        draw(history())
