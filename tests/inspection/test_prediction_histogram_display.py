"""The bars are counts of the predictions, the legend has their degree of uncertainty."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from sklearn_distill.inspection import PredictionHistogramDisplay
from sklearn_distill.metrics import uncertainty_degree
from tests.inspection.data import NAMES, labelled_samples

draw = PredictionHistogramDisplay.from_predictions


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def random_proba(n=200, n_classes=3, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), n)


def shares(values, n_bins=20):
    """Count by hand: bins are half-open, the last one holds 1."""
    place = np.minimum((np.asarray(values) * n_bins).astype(int), n_bins - 1)
    return np.bincount(place, minlength=n_bins) / len(values)


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("n_classes", "label", "column", "name"),
    [
        (2, None, lambda p: p[:, 1], "probability of 1"),
        (2, 0, lambda p: p[:, 0], "probability of 0"),
        (3, None, lambda p: p.max(axis=1), "largest probability"),
        (3, 2, lambda p: p[:, 2], "probability of 2"),
    ],
)
def test_which_probability_is_plotted(n_classes, label, column, name):
    p = random_proba(n_classes=n_classes)
    display = draw(p, label=label)
    (patch,) = display.patches_
    np.testing.assert_allclose(patch.get_data().values, shares(column(p)))
    np.testing.assert_allclose(patch.get_data().edges, np.arange(21) / 20)
    assert display.axes_[0].get_xlabel() == display.value_name_ == name
    assert display.figure_ is display.axes_[0].figure


def test_one_dimension_is_the_second_class():
    p = random_proba(n_classes=2)
    vector, matrix = draw(p[:, 1]).histograms_[0], draw(p).histograms_[0]
    np.testing.assert_array_equal(vector.heights, matrix.heights)
    assert vector.uncertainty == matrix.uncertainty


def test_models_over_each_other():
    models = {"teacher": random_proba(seed=1), "student": random_proba(seed=2)}
    display = draw(models, bins=7)
    assert len(display.figure_.axes) == 1
    for patch, p in zip(display.patches_, models.values(), strict=True):
        np.testing.assert_allclose(patch.get_data().values, shares(p.max(axis=1), 7))
    expected = [f"{name} (unc {uncertainty_degree(p):.4f})" for name, p in models.items()]
    assert legend_texts(display.axes_[0]) == expected
    colours = [patch.get_edgecolor() for patch in display.patches_]
    assert colours[0] != colours[1]


def test_a_panel_for_each_true_class():
    models, y = {"a": random_proba(seed=1), "b": random_proba(seed=2)}, np.arange(200) ** 2 % 3
    display = draw(models, y, classes=[0, 1, 2])
    assert [ax.get_title() for ax in display.axes_] == ["true class 0", "true class 1"]
    order = [(k, name) for k in (0, 1) for name in "ab"]
    assert [(histogram.label, histogram.name) for histogram in display.histograms_] == order
    for histogram, patch in zip(display.histograms_, display.patches_, strict=True):
        p = models[histogram.name][y == histogram.label]
        np.testing.assert_allclose(patch.get_data().values, shares(p.max(axis=1)))
        assert histogram.uncertainty == uncertainty_degree(p)
        assert histogram.n_rows == len(p)
        assert patch.axes is display.axes_[histogram.label]
        assert histogram.heights.sum() == pytest.approx(1)


def test_edges():
    p = [0.0, 0.1, 0.5, 0.9, 1.0]
    (histogram,) = draw(p, bins=[0, 0.1, 0.9, 1]).histograms_
    assert histogram.heights.tolist() == [0.2, 0.4, 0.4]


def test_rounding_above_one_is_counted():
    (histogram,) = draw([[0.0, 1.0 + 1e-7], [1.0, 0.0]], bins=2).histograms_
    assert histogram.heights.tolist() == [0.5, 0.5]


def test_from_estimator():
    X, y = labelled_samples()
    model = LogisticRegression().fit(X[:300], y[:300])
    two = y[:300] != "cat"
    partial = LogisticRegression().fit(X[:300][two], y[:300][two])
    X, y = X[300:], y[300:]
    models = {"all": model, "partial": partial}
    display = PredictionHistogramDisplay.from_estimator(models, X, y, label="cat")
    assert [ax.get_title() for ax in display.axes_] == [f"true class {name}" for name in NAMES]
    for histogram in display.histograms_:
        p = model.predict_proba(X)[y == histogram.label, 2]
        expected = shares(p if histogram.name == "all" else np.zeros(len(p)))
        np.testing.assert_allclose(histogram.heights, expected)
    single = PredictionHistogramDisplay.from_estimator(model, X)
    assert legend_texts(single.axes_[0])[0].startswith("LogisticRegression (unc 0.")


def test_columns_of_a_frame_are_classes():
    p, y = random_proba(), NAMES[np.arange(200) % 3]
    turned = pd.DataFrame(p, columns=NAMES)[["cat", "ant", "bee"]]
    for given in (turned, {"x": turned}):
        display = draw(given, y, label="bee")
        for k, histogram in enumerate(display.histograms_):
            np.testing.assert_allclose(histogram.heights, shares(p[np.arange(200) % 3 == k, 1]))


def test_plot_again_and_axes_that_are_given():
    display = draw(random_proba(), np.arange(200) % 3)
    assert [ax.get_xlabel() for ax in display.axes_] == ["", "", "largest probability"]
    first = [patch.get_data() for patch in display.patches_]
    axes = plt.subplots(1, 3)[1]
    assert display.plot(ax=axes, color="k") is display
    assert display.axes_.tolist() == axes.tolist()
    assert {ax.get_xlabel() for ax in axes} == {"largest probability"}
    for patch, before in zip(display.patches_, first, strict=True):
        np.testing.assert_array_equal(patch.get_data().values, before.values)
        assert patch.get_edgecolor() == (0, 0, 0, 1)
        assert patch.get_facecolor() == (0, 0, 0, 0.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bins": 0}, "bins=0; pass a whole number"),
        ({"bins": [0, 0.5, 0.4, 1]}, "edges that ascend from 0 to 1"),
        ({"bins": [0.2, 1]}, "edges that ascend from 0 to 1"),
        ({"label": 7}, r"label=7 is none of the classes \[0, 1, 2\]"),
        ({"y_proba": {}}, "there is no model"),
        ({"y_proba": [[0.5, 0.4]]}, "y_proba: row 0 sums to 0.9"),
        ({"y_proba": {"x": random_proba(3), "z": random_proba(4)}}, r"y_proba\['x'\] has 3 rows"),
        ({"y": [0, 1, 2]}, "y has 3 rows and y_proba has 200"),
        ({"y": [0, 1] * 100}, "3 columns of probabilities for the classes"),
        ({"y": [*[0, 1, 2] * 66, 0, np.nan]}, "y: row 199 is nan"),
        ({"classes": [0, 1]}, r"y_proba gives 3 columns .* \[0, 1\]"),
        ({"y": list("abc" * 66 + "ab"), "classes": [0, 1, 2]}, "class labels are strings in"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(**{"y_proba": random_proba()} | arguments)
    assert plt.get_fignums() == []


def test_models_without_probabilities():
    X, y = labelled_samples()
    with pytest.raises(ValueError, match="estimator is a LinearSVC without predict_proba"):
        PredictionHistogramDisplay.from_estimator(LinearSVC().fit(X, y), X)
    with pytest.raises(ValueError, match=r"estimator\['svc'\] is a LinearSVC without"):
        PredictionHistogramDisplay.from_estimator({"svc": LinearSVC().fit(X, y)}, X)


def test_another_number_of_axes():
    with pytest.raises(ValueError, match="ax holds 2 axes; pass 3"):
        draw(random_proba(), np.arange(200) % 3, ax=plt.subplots(2)[1])


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-distill\[plot\]"'):
        draw(random_proba())
