"""Each bar and each cell is a probability from the given arrays."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_distill.inspection import ProbabilityStripDisplay
from tests.inspection.data import NAMES, labelled_samples

draw = ProbabilityStripDisplay.from_predictions


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def random_proba(n=30, n_classes=3, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), n)


def boxes(strip):
    """Return (bottom, height) of the bars, each of shape (n_shown, n_classes)."""
    bottom = np.array([[bar.get_y() for bar in bars] for bars in strip]).T
    height = np.array([[bar.get_height() for bar in bars] for bars in strip]).T
    return bottom, height


def ticks(ax):
    return [text.get_text() for text in ax.get_xticklabels()]


@pytest.mark.parametrize("n_classes", [2, 3, 14])
def test_bars_are_stacked_probabilities(n_classes):
    models = {"true": random_proba(5, n_classes, 1), "student": random_proba(5, n_classes, 2)}
    display = draw(models)
    for strip, p in zip(display.strips_, models.values(), strict=True):
        bottom, height = boxes(strip)
        np.testing.assert_allclose(height, p)
        np.testing.assert_allclose(bottom[:, 1:], np.cumsum(p, axis=1)[:, :-1])
        np.testing.assert_allclose(bottom[:, 0], 0, atol=1e-15)
    assert [ax.get_ylabel() for ax in display.axes_] == ["true", "student"]
    legend = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert legend == [str(k) for k in range(n_classes)]
    colours = {bars[0].get_facecolor() for bars in display.strips_[0]}
    assert len(colours) == n_classes
    assert display.colorbar_ is None


def test_cells():
    models = {"true": random_proba(5, seed=1), "student": random_proba(5, seed=2)}
    display = draw(models, kind="cells", cmap="magma")
    for mesh, p in zip(display.strips_, models.values(), strict=True):
        np.testing.assert_array_equal(mesh.get_array(), p.T)
        assert (mesh.norm.vmin, mesh.norm.vmax, mesh.get_cmap().name) == (0, 1, "magma")
    assert display.colorbar_.ax.get_ylabel() == "probability"
    labels = [text.get_text() for text in display.axes_[1].get_yticklabels()]
    assert labels == ["0", "1", "2"]


@pytest.mark.parametrize(("kind", "at"), [("bars", 0.0), ("cells", 0.5)])
def test_the_first_twenty_or_the_given_rows(kind, at):
    p, y = random_proba(), np.arange(30) % 3
    display = draw(p, kind=kind)
    np.testing.assert_array_equal(display.proba_["predictions"], p[:20])
    assert ticks(display.axes_[-1]) == [str(i) for i in range(20)]
    assert display.axes_[-1].get_xlabel() == "sample"
    rows = [29, 3, 3]
    display = draw(p, y, rows=rows, kind=kind)
    np.testing.assert_array_equal(display.proba_["predictions"], p[rows])
    assert display.labels_ == [2, 0, 0]
    assert ticks(display.axes_[-1]) == ["2", "0", "0"]
    assert display.axes_[-1].get_xticks().tolist() == [at, 1 + at, 2 + at]
    assert display.axes_[-1].get_xlim() == (at - 0.5, at + 2.5)
    assert display.axes_[-1].get_xlabel() == "true class of the sample"


def test_long_names_are_wrapped_or_rotated():
    y = np.array(["a long class", "b"])
    display = draw({"student, without a teacher": random_proba(2, 2)}, y)
    assert display.axes_[0].get_ylabel() == "student, without\na teacher"
    assert {text.get_rotation() for text in display.axes_[0].get_xticklabels()} == {90}


def test_from_estimator():
    X, y = labelled_samples()
    model = LogisticRegression().fit(X[:300], y[:300])
    display = ProbabilityStripDisplay.from_estimator(model, X[300:], y[300:], rows=[5, 0])
    p = model.predict_proba(X[300:])[[5, 0]]
    np.testing.assert_allclose(boxes(display.strips_[0])[1], p)
    assert display.classes_ == NAMES.tolist()
    assert display.axes_[0].get_ylabel() == "LogisticRegression"
    assert display.labels_ == y[[305, 300]].tolist()


def test_columns_of_frames_are_aligned():
    p = random_proba()
    frame = pd.DataFrame(p, columns=NAMES)
    models = {"a": frame, "b": frame[["cat", "bee", "ant"]]}
    display = draw(models)
    np.testing.assert_array_equal(display.proba_["a"], display.proba_["b"])
    assert display.classes_ == NAMES.tolist()


def test_plot_again_and_axes_that_are_given():
    display = draw({"a": random_proba(4), "b": random_proba(4, seed=1)})
    before = [boxes(strip) for strip in display.strips_]
    axes = plt.subplots(2)[1]
    assert display.plot(ax=axes, width=0.5) is display
    assert display.axes_.tolist() == axes.tolist()
    assert [ticks(ax) for ax in axes] == [[""] * 4, list("0123")]
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert display.strips_[0][0][0].get_width() == 0.5
    np.testing.assert_array_equal([boxes(strip) for strip in display.strips_], before)
    display.plot(kind="cells")
    assert display.figure_ is not axes[0].figure


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": [30]}, "pass positions between 0 and 29"),
        ({"rows": [-1]}, "pass positions between 0 and 29"),
        ({"rows": []}, "pass positions"),
        ({"rows": [True] * 30}, "pass positions"),
        ({"kind": "lines"}, "kind='lines'; pass one of"),
        ({"y": [0] * 29}, "y has 29 rows and y_proba has 30"),
        ({"y_proba": {}}, "there is no model"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(**{"y_proba": random_proba(), "classes": [0, 1, 2]} | arguments)
    assert plt.get_fignums() == []


def test_another_number_of_axes():
    with pytest.raises(ValueError, match="ax holds 1 axes; pass 2"):
        draw({"a": random_proba(), "b": random_proba()}, ax=plt.subplots()[1])


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-distill\[plot\]"'):
        draw(random_proba())
