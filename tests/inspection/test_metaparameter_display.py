"""The plot over λ and T agrees with the results of a search, or with given values."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection, QuadMesh
from scipy.stats import loguniform, uniform
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.inspection import MetaparameterDisplay
from sklearn_distill.metrics import get_scorer
from sklearn_distill.search import DistilledLogisticRegressionCV

DATA = make_teacher_probabilities(n_samples=60, random_state=0)
TRAIN = {"X": DATA.data, "y": DATA.target}
TEACHER = {"teacher_proba": DATA.teacher_proba}
GRID = {"imitation": [0.0, 0.5, 1.0], "temperature": [0.5, 1.0, 4.0, 8.0]}
STUDENT = DistilledLogisticRegression(C=1.0)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def by_grid():
    return GridSearchCV(STUDENT, GRID, scoring="neg_log_loss", cv=3).fit(**TRAIN, **TEACHER)


@pytest.fixture(scope="module")
def by_descent():
    search = DistilledLogisticRegressionCV(("imitation", "temperature"), cv=3)
    return search.fit(**TRAIN, **TEACHER)


def losses(search):
    """Return the losses in the order of the grid: λ, then T."""
    return -search.cv_results_["mean_test_score"].reshape(3, 4)


def corners(mesh):
    """Return the edges of the cells along T and along λ."""
    corners = mesh.get_coordinates()
    return corners[0, :, 0], corners[:, 0, 1]


def test_cells_are_the_grid(by_grid):
    display = MetaparameterDisplay.from_estimator(by_grid)
    assert isinstance(display.surface_, QuadMesh)
    np.testing.assert_array_equal(display.surface_.get_array(), losses(by_grid))
    T, lam = corners(display.surface_)
    np.testing.assert_allclose(T, [0.5, 0.5**0.5, 2.0, 32**0.5, 8.0])
    np.testing.assert_allclose(lam, [0, 0.25, 0.75, 1])
    assert (display.ax_.get_xscale(), display.ax_.get_yscale()) == ("log", "linear")
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("temperature T", "imitation λ")
    assert display.colorbar_.ax.get_ylabel() == "cross-validated log loss"
    assert display.path_line_ is display.path_points_ is None


def test_the_star_is_the_optimum(by_grid):
    display = MetaparameterDisplay.from_estimator(by_grid)
    best = [by_grid.best_params_["temperature"], by_grid.best_params_["imitation"]]
    np.testing.assert_array_equal(display.best_point_.get_offsets(), [best])
    row, column = np.unravel_index(losses(by_grid).argmin(), (3, 4))
    assert best == [GRID["temperature"][column], GRID["imitation"][row]]


def test_the_order_of_the_grid_does_not_matter(by_grid):
    turned = {name: values[::-1] for name, values in GRID.items()}
    search = GridSearchCV(STUDENT, turned, scoring="neg_log_loss", cv=3).fit(**TRAIN, **TEACHER)
    drawn = MetaparameterDisplay.from_estimator(search).surface_.get_array()
    np.testing.assert_allclose(drawn, losses(by_grid))


def test_the_best_over_another_parameter_counts():
    grid = GRID | {"C": [1.0, 1000.0]}
    search = GridSearchCV(STUDENT, grid, scoring="neg_log_loss", cv=3).fit(**TRAIN, **TEACHER)
    values = -search.cv_results_["mean_test_score"].reshape(2, 3, 4)  # C, λ, T
    assert (values.argmin(axis=0) == 0).any()
    assert (values.argmin(axis=0) == 1).any()
    drawn = MetaparameterDisplay.from_estimator(search).surface_.get_array()
    np.testing.assert_array_equal(drawn, values.min(axis=0))


def test_a_score_keeps_its_sign():
    search = GridSearchCV(STUDENT, GRID, scoring="accuracy", cv=3).fit(**TRAIN, **TEACHER)
    display = MetaparameterDisplay.from_estimator(search)
    np.testing.assert_array_equal(display.surface_.get_array(), -losses(search))
    assert display.colorbar_.ax.get_ylabel() == "cross-validated accuracy"


def test_a_scorer_of_the_package_is_known_by_its_name(by_grid):
    scoring = get_scorer("neg_log_loss")
    search = GridSearchCV(STUDENT, GRID, scoring=scoring, cv=3).fit(**TRAIN, **TEACHER)
    display = MetaparameterDisplay.from_estimator(search)
    np.testing.assert_allclose(display.surface_.get_array(), losses(by_grid))
    assert display.colorbar_.ax.get_ylabel() == "cross-validated log loss"


def test_the_search_of_the_package_by_another_score():
    search = DistilledLogisticRegressionCV(
        ("imitation", "temperature"), method="grid", grid=GRID, scoring="accuracy", cv=3
    ).fit(**TRAIN, **TEACHER)
    display = MetaparameterDisplay.from_estimator(search)
    scores = search.scores_.mean(axis=0)[:, :, 0]
    np.testing.assert_allclose(display.surface_.get_array(), scores)
    assert display.colorbar_.ax.get_ylabel() == "cross-validated accuracy"


def test_of_several_metrics_the_one_of_refit():
    scoring = ["accuracy", "neg_log_loss"]
    search = GridSearchCV(STUDENT, GRID, scoring=scoring, refit="neg_log_loss", cv=3)
    search.fit(**TRAIN, **TEACHER)
    drawn = MetaparameterDisplay.from_estimator(search).surface_.get_array()
    expected = -search.cv_results_["mean_test_neg_log_loss"].reshape(3, 4)
    np.testing.assert_array_equal(drawn, expected)


def test_a_pipeline(by_grid):
    step = "distilledlogisticregression__"
    search = GridSearchCV(
        make_pipeline(StandardScaler(with_mean=False, with_std=False), STUDENT),
        {step + name: values for name, values in GRID.items()},
        scoring="neg_log_loss",
        cv=3,
    ).fit(**TRAIN, **{step + "teacher_proba": DATA.teacher_proba})
    drawn = MetaparameterDisplay.from_estimator(search).surface_.get_array()
    np.testing.assert_allclose(drawn, losses(by_grid))


def test_random_settings_are_points():
    space = {"imitation": uniform(), "temperature": loguniform(0.1, 10)}
    search = RandomizedSearchCV(
        STUDENT, space, n_iter=6, scoring="neg_log_loss", cv=3, random_state=0
    ).fit(**TRAIN, **TEACHER)
    display = MetaparameterDisplay.from_estimator(search)
    assert isinstance(display.surface_, PathCollection)
    T, lam = display.surface_.get_offsets().T
    order = np.argsort(search.cv_results_["param_imitation"])
    for values, name in ((lam, "imitation"), (T, "temperature")):
        np.testing.assert_array_equal(values, search.cv_results_[f"param_{name}"][order])
    np.testing.assert_array_equal(
        display.surface_.get_array(), -search.cv_results_["mean_test_score"][order]
    )


def test_the_path_of_a_descent(by_descent):
    display = MetaparameterDisplay.from_estimator(by_descent)
    path = by_descent.path_
    descends = path["stage"] == "descent"
    expected = path[["temperature", "imitation"]].to_numpy()
    np.testing.assert_array_equal(display.path_line_.get_xydata(), expected[descends])
    np.testing.assert_array_equal(display.path_points_.get_offsets(), expected[~descends])
    best = [[by_descent.temperature_, by_descent.imitation_]]
    np.testing.assert_array_equal(display.best_point_.get_offsets(), best)
    assert len(display.surface_.get_offsets()) == len(by_descent.cv_results_["params"])


def test_a_path_over_the_surface_of_another_search(by_descent, by_grid):
    display = MetaparameterDisplay.from_estimator(by_descent, surface=by_grid)
    np.testing.assert_array_equal(display.surface_.get_array(), losses(by_grid))
    best = [[by_descent.temperature_, by_descent.imitation_]]
    np.testing.assert_array_equal(display.best_point_.get_offsets(), best)
    assert len(display.path_line_.get_xdata()) == (by_descent.path_["stage"] == "descent").sum()


def test_the_grid_of_the_package_is_that_of_scikit_learn(by_grid):
    search = DistilledLogisticRegressionCV(
        ("imitation", "temperature"), method="grid", grid=GRID, cv=3, tol=1e-7
    ).fit(**TRAIN, **TEACHER)
    display = MetaparameterDisplay.from_estimator(search)
    np.testing.assert_allclose(display.surface_.get_array(), losses(by_grid), atol=1e-4)
    assert display.path_line_ is display.path_points_ is None


def test_given_values():
    values = np.arange(6.0).reshape(2, 3)
    display = MetaparameterDisplay.from_values(
        [0, 1], [1, 10, 100], values, best=(0.5, 20), path=[(0, 1), (0.5, 20)], value_name="mine"
    )
    np.testing.assert_array_equal(display.surface_.get_array(), values)
    np.testing.assert_array_equal(display.path_line_.get_xydata(), [(1, 0), (20, 0.5)])
    np.testing.assert_array_equal(display.best_point_.get_offsets(), [(20, 0.5)])
    assert display.path_points_ is None
    assert display.colorbar_.ax.get_ylabel() == "mine"
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["descent", "best"]


def test_values_alone_have_no_legend():
    display = MetaparameterDisplay.from_values([0, 1], [1, 10], np.eye(2))
    assert display.best_point_ is display.path_line_ is display.ax_.get_legend() is None


def test_missing_values_are_left_blank():
    values = [[1.0, np.nan], [3.0, 4.0]]
    drawn = MetaparameterDisplay.from_values([0, 1], [1, 10], values).surface_.get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(drawn), [[False, True], [False, False]])


@pytest.mark.parametrize(
    ("imitation", "temperature"),
    [([0, 0, 1], [1, 2, 1]), ([0, 0, 0, 0], [1, 2, 3, 4]), ([0, 1, 0, 1], [1, 2, 1, 2])],
    ids=["a corner is missing", "one λ", "repeated"],
)
def test_settings_that_form_no_grid_are_points(imitation, temperature):
    values = np.arange(len(imitation))
    display = MetaparameterDisplay.from_values(imitation, temperature, values)
    assert isinstance(display.surface_, PathCollection)
    np.testing.assert_array_equal(display.surface_.get_array(), values)


def test_a_probability():
    row, axes = DATA.data[0], {"imitation": [0.0, 0.9], "temperature": [1.0, 2.0, 5.0]}
    display = MetaparameterDisplay.from_probability(
        STUDENT, **TRAIN, row=row, label=2, fit_params=TEACHER, **axes
    )
    for i, lam in enumerate(axes["imitation"]):
        for j, T in enumerate(axes["temperature"]):
            student = clone(STUDENT).set_params(imitation=lam, temperature=T)
            expected = student.fit(**TRAIN, **TEACHER).predict_proba(row[None])[0, 2]
            assert display.surface_.get_array()[i, j] == expected
    assert np.ptp(display.surface_.get_array()[1]) > 0.01
    assert display.colorbar_.ax.get_ylabel() == "probability of 2"


def test_plotting_is_deterministic(by_descent, by_grid):
    def pixels():
        figure = MetaparameterDisplay.from_estimator(by_descent, surface=by_grid).figure_
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba())

    np.testing.assert_array_equal(pixels(), pixels())


def test_given_axes_are_used(by_grid):
    figure, (left, right) = plt.subplots(1, 2)
    display = MetaparameterDisplay.from_estimator(by_grid, ax=left, cmap="magma")
    assert (display.ax_, display.figure_) == (left, figure)
    assert display.surface_.get_cmap().name == "magma"
    assert display.plot(ax=right, colorbar=False) is display
    assert (display.ax_, display.colorbar_) == (right, None)
    assert len(figure.axes) == 3


def test_searches_that_did_not_vary_both():
    for name in GRID:
        search = DistilledLogisticRegressionCV(name, cv=3).fit(**TRAIN, **TEACHER)
        (missing,) = set(GRID) - {name}
        with pytest.raises(ValueError, match=rf"search tried \['{name}'\], 0 of them '{missing}'"):
            MetaparameterDisplay.from_estimator(search)


def test_a_surface_that_did_not_vary_both(by_descent):
    grid = {"imitation": [0.0, 1.0]}
    surface = GridSearchCV(STUDENT, grid, cv=3).fit(**TRAIN, **TEACHER)
    with pytest.raises(ValueError, match=r"surface tried \['imitation'\]"):
        MetaparameterDisplay.from_estimator(by_descent, surface=surface)


def test_searches_that_are_not_fitted(by_grid):
    for search in (GridSearchCV(STUDENT, GRID), STUDENT):
        with pytest.raises(ValueError, match=f"search is a {type(search).__name__} without cv_"):
            MetaparameterDisplay.from_estimator(search)
    with pytest.raises(ValueError, match="surface is a DistilledLogisticRegression without cv_"):
        MetaparameterDisplay.from_estimator(by_grid, surface=STUDENT)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": np.eye(3)}, r"values has shape \(3, 3\), with imitation \(2,\)"),
        ({"values": [1, 2, 3]}, r"values has shape \(3,\)"),
        ({"temperature": [0, 1]}, "temperature holds 0.0: every T must be above 0"),
        ({"temperature": [1, np.nan]}, "temperature holds nan"),
        ({"imitation": [0, np.inf]}, "imitation must be finite"),
        ({"path": [0, 1]}, r"path has shape \(2,\)"),
        ({"path": [(0, -1)]}, "temperature holds -1.0"),
        ({"path": pd.DataFrame({"imitation": [0]})}, r"path lacks the columns \['temperature'\]"),
    ],
)
def test_arrays_that_do_not_fit(arguments, message):
    given = {"imitation": [0, 1], "temperature": [1, 2], "values": np.eye(2)} | arguments
    with pytest.raises(ValueError, match=message):
        MetaparameterDisplay.from_values(**given)
    assert plt.get_fignums() == []


def test_an_unknown_class():
    with pytest.raises(ValueError, match=r"label=7 is none of the classes \[0, 1, 2\]"):
        MetaparameterDisplay.from_probability(
            STUDENT,
            **TRAIN,
            row=DATA.data[0],
            label=7,
            imitation=[0, 1],
            temperature=[1, 2],
            fit_params=TEACHER,
        )


def test_several_axes():
    with pytest.raises(ValueError, match="ax holds 2 axes; pass 1"):
        MetaparameterDisplay.from_values([0, 1], [1, 2], np.eye(2), ax=plt.subplots(2)[1])


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-distill\[plot\]"'):
        MetaparameterDisplay.from_values([0, 1], [1, 2], np.eye(2))
