"""The plot of a trajectory agrees with its history."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_distill import DistilledLogisticRegression, DistilledNeuralClassifier
from sklearn_distill.inspection import TrajectoryDisplay
from sklearn_distill.search import GreedyHypergradient, LinearTrajectory

SOURCE = ["computed"] * 2 + ["predicted"] * 3 + ["computed"] * 2 + ["predicted", "held"]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def history(n=9, seed=0):
    rng = np.random.default_rng(seed)
    columns = {"imitation": rng.random(n), "temperature": 10 ** rng.uniform(-1, 1, n)}
    return pd.DataFrame(columns | {"source": SOURCE[:n]}, index=pd.RangeIndex(n, name="step"))


def fitted(optimizer, **options):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    student = DistilledNeuralClassifier(
        metaparameter_optimizer=optimizer, batch_size=10, max_epochs=3, random_state=0, **options
    )
    return student.fit(X, y, teacher_proba=np.full((40, 2), 0.5), X_val=X, y_val=y)


def spans(shade):
    """Return (left, right, bottom, top) of each shaded box."""
    boxes = [path.get_extents() for path in shade.get_paths()]
    return [(box.x0, box.x1, box.y0, box.y1) for box in boxes]


def test_lines_are_the_history():
    given = history()
    display = TrajectoryDisplay.from_history(given, name="mine", color="k")
    for line, name in zip(display.lines_, ["imitation", "temperature"], strict=True):
        np.testing.assert_array_equal(line.get_xdata(), given.index)
        np.testing.assert_array_equal(line.get_ydata(), given[name])
        assert (line.get_label(), line.get_color()) == ("mine", "k")
    assert [axes.get_yscale() for axes in display.axes_] == ["linear", "log"]
    assert [axes.get_ylabel() for axes in display.axes_] == ["imitation λ", "temperature T"]
    assert display.figure_ is display.axes_[0].figure


def test_shades_are_the_predicted_steps():
    display = TrajectoryDisplay.from_history(history())
    for shade in display.shades_:
        assert spans(shade) == [(1.5, 4.5, 0, 1), (6.5, 7.5, 0, 1)]
    legend = display.axes_[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["predicted"]
    assert display.trajectory_.n_computed == 4


def test_shades_do_not_move_the_axes():
    """The boxes span the panels' height, but the limits of T's axis are those of T."""
    given = history()
    display = TrajectoryDisplay.from_history(given)
    low, high = display.axes_[1].get_ylim()
    T = given["temperature"]
    assert T.min() / 2 < low < T.min() < T.max() < high < T.max() * 2
    assert display.axes_[0].get_ylim() == (-0.03, 1.03)


def test_nothing_is_shaded_where_nothing_was_predicted():
    display = TrajectoryDisplay.from_history(history().assign(source="computed"))
    assert display.shades_ == []
    assert display.axes_[0].get_legend() is None


@pytest.mark.parametrize(
    ("optimizer", "n_computed"), [(GreedyHypergradient(), 12), (LinearTrajectory(2, 2), 6)]
)
def test_from_estimator(optimizer, n_computed):
    student = fitted(optimizer)
    display = TrajectoryDisplay.from_estimator(student)
    given = student.metaparameter_history_
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), given["imitation"])
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), given["temperature"])
    assert display.lines_[0].get_label() == type(optimizer).__name__
    assert display.trajectory_.n_computed == n_computed
    assert (display.shades_ != []) == isinstance(optimizer, LinearTrajectory)


def test_two_in_one_figure():
    first = TrajectoryDisplay.from_history(history().assign(source="computed"), name="one")
    second = TrajectoryDisplay.from_history(history(seed=1), name="two", ax=first.axes_)
    assert second.figure_ is first.figure_
    assert [len(axes.lines) for axes in first.axes_] == [2, 2]
    texts = [text.get_text() for text in first.axes_[0].get_legend().get_texts()]
    assert texts == ["one", "two", "predicted"]
    second.plot(ax=first.axes_, name="three")
    texts = [text.get_text() for text in first.axes_[0].get_legend().get_texts()]
    assert sorted(texts) == ["one", "predicted", "three", "two"]


def test_plot_makes_a_figure_of_its_own():
    display = TrajectoryDisplay.from_history(history())
    figure = display.figure_
    assert display.plot() is display
    assert display.figure_ is not figure
    assert len(display.figure_.axes) == 2


def test_the_history_stays_as_it_was():
    given = history()
    display = TrajectoryDisplay.from_history(given)
    before = given.copy()
    display.trajectory_.imitation[:] = 0
    pd.testing.assert_frame_equal(given, before)


def test_the_constructor_takes_lists():
    display = TrajectoryDisplay(
        step=[0, 1], imitation=[0, 1], temperature=[1, 2], source=["computed", "held"]
    ).plot()
    assert display.lines_[1].get_ydata().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda h: h.drop(columns="source"), ValueError, r"lacks the columns \['source'\]"),
        (lambda h: h[["source"]], ValueError, r"\['imitation', 'temperature'\], it has"),
        (lambda h: h.iloc[:0], ValueError, "history has no rows"),
        (lambda h: h.to_dict(), TypeError, "history must be a DataFrame, got dict"),
        (lambda h: h.assign(temperature=0.0), ValueError, "temperature holds 0.0: every T"),
        (lambda h: h.assign(imitation=np.nan), ValueError, "imitation must be finite"),
        (lambda h: h.assign(source="guessed"), ValueError, r"source holds \['guessed'\]"),
        (lambda h: h.iloc[::-1], ValueError, "must ascend"),
    ],
)
def test_invalid_histories(change, error, message):
    with pytest.raises(error, match=message):
        TrajectoryDisplay.from_history(change(history()))
    assert plt.get_fignums() == []


def test_arrays_of_different_lengths():
    with pytest.raises(ValueError, match=r"one length, their shapes are .*'imitation': \(1,\)"):
        TrajectoryDisplay(step=[0, 1], imitation=[0], temperature=[1, 2], source=["held"] * 2)


def test_students_without_a_trajectory():
    with pytest.raises(NotFittedError):
        TrajectoryDisplay.from_estimator(DistilledNeuralClassifier(imitation=0))
    with pytest.raises(ValueError, match="student is a DistilledNeuralClassifier without metapar"):
        TrajectoryDisplay.from_estimator(fitted(None))
    plain = clone(DistilledLogisticRegression(imitation=0)).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="student is a DistilledLogisticRegression without"):
        TrajectoryDisplay.from_estimator(plain)


@pytest.mark.parametrize("n_axes", [1, 3])
def test_another_number_of_axes(n_axes):
    axes = plt.subplots(1, n_axes)[1]
    with pytest.raises(ValueError, match=f"ax holds {n_axes} axes; pass 2"):
        TrajectoryDisplay.from_history(history(), ax=axes)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-distill\[plot\]"'):
        TrajectoryDisplay.from_history(history())
