"""X_unlabeled, X_val and y_val: through pipelines and tools, and in another range than X."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill._validation.extra_sets import entry_of_single, warn_if_out_of_range

X, Y = make_classification(3000, 10, n_informative=8, n_classes=3, class_sep=1.5, random_state=0)
X = X * np.logspace(-2, 2, 10)  # columns of very different scales
X_TRAIN, Y_TRAIN, X_MORE, Y_MORE, X_TEST, Y_TEST = (
    X[:150], Y[:150], X[150:2000], Y[150:2000], X[2000:], Y[2000:]
)  # fmt: skip
SCALER = StandardScaler().fit(X_TRAIN)


def teacher_student(teacher):
    student = DistilledLogisticRegression(imitation=1.0)
    return TeacherStudentClassifier(teacher, student, random_state=0)


def neural():
    return DistilledNeuralClassifier(
        max_epochs=20, lr=0.01, imitation=0, early_stopping=True, random_state=0
    )


def born_again():
    return BornAgainClassifier(DistilledLogisticRegression(), n_generations=3, random_state=0)


CASES = {
    "forest": (
        teacher_student(RandomForestClassifier(100, random_state=0)),
        {"X_unlabeled": X_MORE},
    ),
    "neighbours": (teacher_student(KNeighborsClassifier()), {"X_unlabeled": X_MORE}),
    "network": (neural(), {"X_val": X_MORE, "y_val": Y_MORE}),
    "generations": (born_again(), {"X_val": X_MORE, "y_val": Y_MORE}),
    "network in one": (
        TeacherStudentClassifier(LogisticRegression(), neural(), random_state=0),
        {"X_val": X_MORE, "y_val": Y_MORE},
    ),
}


def as_single(params):
    return {name: (value,) for name, value in params.items()}


def scaled(params):
    return {
        name: SCALER.transform(value) if name.startswith("X") else value
        for name, value in params.items()
    }


@pytest.mark.parametrize("form", [dict, as_single], ids=["array", "tuple of one"])
@pytest.mark.parametrize(("model", "params"), CASES.values(), ids=CASES)
def test_transform_input_equals_scaling_by_hand(model, params, form):
    with config_context(enable_metadata_routing=True):
        names = [name for name in params if name.startswith("X")]
        pipeline = Pipeline([("scale", StandardScaler()), ("model", model)], transform_input=names)
        pipeline.fit(X_TRAIN, Y_TRAIN, **form(params))
        by_hand = pipeline[-1].__class__(**pipeline[-1].get_params(deep=False))
        by_hand.fit(SCALER.transform(X_TRAIN), Y_TRAIN, **scaled(params))
    np.testing.assert_allclose(
        pipeline.predict_proba(X_TEST), by_hand.predict_proba(SCALER.transform(X_TEST))
    )


def test_what_passes_a_scaler_by_costs_accuracy_and_is_announced():
    right = teacher_student(RandomForestClassifier(100, random_state=0))
    right.fit(SCALER.transform(X_TRAIN), Y_TRAIN, X_unlabeled=SCALER.transform(X_MORE))
    assert right.score(SCALER.transform(X_TEST), Y_TEST) > 0.82
    wrong = make_pipeline(
        StandardScaler(), teacher_student(RandomForestClassifier(100, random_state=0))
    )
    with pytest.warns(UserWarning, match=r"X_unlabeled lies far outside .*3 of 10 columns \(7, 8"):
        wrong.fit(X_TRAIN, Y_TRAIN, teacherstudentclassifier__X_unlabeled=X_MORE)
    assert wrong.score(X_TEST, Y_TEST) < 0.75


@pytest.mark.parametrize("model", [neural(), born_again()], ids=["network", "generations"])
def test_a_validation_set_that_passes_a_scaler_by_is_announced(model):
    pipeline = Pipeline([("scale", StandardScaler()), ("model", model)])
    with pytest.warns(UserWarning, match=r"transform_input=\['X_val'\]") as caught:
        pipeline.fit(X_TRAIN, Y_TRAIN, model__X_val=X_MORE, model__y_val=Y_MORE)
    assert len(caught) == 1


class Recording(TeacherStudentClassifier):
    n_unlabeled: list[int] = []  # noqa: RUF012 - one list for all clones

    def fit(self, X, y=None, sample_weight=None, X_unlabeled=None, **fit_params):
        self.n_unlabeled.append(len(entry_of_single("X_unlabeled", X_unlabeled)))
        return super().fit(X, y, sample_weight, X_unlabeled, **fit_params)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("n_rows", [150, 800])
def test_cross_validate_does_not_slice_a_tuple_of_one(routing, n_rows):
    Recording.n_unlabeled.clear()
    student = make_pipeline(StandardScaler(), DistilledLogisticRegression())
    teacher = make_pipeline(StandardScaler(), LogisticRegression())
    model = Recording(teacher, student, random_state=0)
    params = {"X_unlabeled": (X_MORE[:n_rows],)}
    with config_context(enable_metadata_routing=routing):
        cross_validate(model, X_TRAIN, Y_TRAIN, cv=3, params=params, error_score="raise")
    assert Recording.n_unlabeled == [n_rows] * 3


def test_a_validation_set_of_the_student_is_not_sliced_with_its_rows():
    student = DistilledNeuralClassifier(max_epochs=2, imitation=0, random_state=0)
    model = BornAgainClassifier(student, n_generations=2, imitation=None, cv=2, random_state=0)
    X_scaled = SCALER.transform(X_TRAIN)
    frame = pd.DataFrame(X_scaled)
    model.fit(frame, Y_TRAIN, student__X_val=(frame,), student__y_val=(Y_TRAIN,))
    assert "valid_loss" in model.estimator_.history_


def test_regression_takes_tuples_of_one():
    y = X_TRAIN[:, 5] + np.random.default_rng(0).normal(size=150)
    model = TeacherStudentRegressor(LinearRegression(), PrivilegedLinearRegression())
    X_scaled, more = SCALER.transform(X_TRAIN), SCALER.transform(X_MORE)
    whole = model.fit(X_scaled, y, X_unlabeled=more).predict(X_TEST)
    single = model.fit(X_scaled, y, X_unlabeled=(more,)).predict(X_TEST)
    np.testing.assert_array_equal(single, whole)


def test_a_network_for_regression_takes_tuples_of_one():
    X_scaled, y = SCALER.transform(X_TRAIN), X_TRAIN[:, 5]
    histories = []
    for X_val, y_val in [(X_scaled, y), ((X_scaled,), (y,))]:
        network = DistilledNeuralRegressor(max_epochs=3, imitation=0, random_state=0)
        network.fit(X_scaled, y, X_val=X_val, y_val=y_val)
        histories.append(network.history_["valid_loss"])
    np.testing.assert_array_equal(*histories)


@pytest.mark.parametrize("sets", [(X_MORE, X_TEST), (X_MORE, Y_MORE)])
def test_several_sets_are_refused(sets):
    with pytest.raises(ValueError, match=r"X_unlabeled is a tuple of 2 sets .* stack their rows"):
        teacher_student(LogisticRegression()).fit(X_TRAIN, Y_TRAIN, X_unlabeled=sets)


@pytest.mark.parametrize("value", [None, [1, 2], ("a",), (0,), ((1, 2), (3, 4)), ([1], [2])])
def test_other_values_stay_as_they_are(value):
    assert entry_of_single("y_val", value) is value


KINDS = {
    "array": np.asarray,
    "float32": lambda rows: np.asarray(rows, dtype=np.float32),
    "sparse": sparse.csr_array,
    "sparse columns": sparse.csc_matrix,
    "pandas": pd.DataFrame,
    "polars": lambda rows: pl.DataFrame(rows, schema=[f"f{i}" for i in range(rows.shape[1])]),
    "images": lambda rows: rows.reshape(len(rows), 1, 2, -1),
}


def far_columns(one, other):
    """Return the message of the warning, None without one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_if_out_of_range("X_val", one, other)
    return str(caught[0].message) if caught else None


@pytest.mark.parametrize("as_kind", KINDS.values(), ids=KINDS)
class TestRange:
    rows = np.random.default_rng(0).normal(size=(60, 4))

    def test_samples_of_one_distribution_do_not_warn(self, as_kind):
        assert far_columns(as_kind(self.rows[:30]), as_kind(self.rows[30:])) is None

    def test_one_shifted_column_is_enough(self, as_kind):
        shifted = self.rows + np.array([0, 0, 100, 0])
        message = far_columns(as_kind(self.rows), as_kind(shifted))
        assert "in 1 of 4 columns" in message
        shown = {"pandas": "(2)", "polars": "('f2')", "images": "((0, 1, 0))"}
        name = next(name for name, kind in KINDS.items() if kind is as_kind)
        assert shown.get(name, "(2)") in message

    def test_other_scale(self, as_kind):
        assert "4 of 4 columns" in far_columns(as_kind(self.rows), as_kind(100 * self.rows))

    def test_narrower_samples_and_constant_columns_do_not_warn(self, as_kind):
        constant = self.rows * np.array([0, 1, 1, 1])
        assert far_columns(as_kind(constant), as_kind(self.rows / 100)) is None

    def test_few_rows_do_not_warn(self, as_kind):
        assert far_columns(as_kind(self.rows), as_kind(self.rows[:19] + 100)) is None


def test_the_threshold_is_half_of_the_values_beyond_the_width():
    inside = np.linspace(0, 1, 40)[:, None]
    beyond = np.where(np.arange(40)[:, None] < 21, 2.01, 0.5)
    assert far_columns(inside, beyond) is not None
    assert far_columns(inside, np.where(np.arange(40)[:, None] < 20, 2.01, 0.5)) is None
    assert far_columns(inside, np.full((40, 1), 1.99)) is None


def test_missing_and_infinite_values_and_text_are_left_alone():
    rows = np.random.default_rng(0).normal(size=(40, 3))
    rows[0] = np.nan
    rows[:, 1] = np.nan
    rows[1, 2] = np.inf
    assert far_columns(rows, rows) is None
    assert "1 of 3" in far_columns(rows, np.where(np.isnan(rows), rows, rows + 1000))
    frame = pd.DataFrame({"name": ["a", "b"] * 20, "day": pd.date_range("2020", periods=40)})
    assert far_columns(frame, frame) is None
    assert far_columns(rows.astype(object), rows.astype(object)) is None


def test_small_integers_do_not_wrap():
    pixels = np.random.default_rng(0).integers(0, 256, size=(40, 3), dtype=np.uint8)
    assert far_columns(pixels, pixels) is None
    assert "3 of 3" in far_columns(pixels / 255, pixels)
