"""The bad-input table: each error names its argument and, where there is one, the first bad row."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sklearn_distill import DistilledLogisticRegression

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 2))
Y = np.arange(12) % 3
PROBA = np.full((12, 3), 1 / 3)
LOGITS = RNG.normal(size=(12, 3))


def changed(array, row, values):
    array = array.astype(float).copy()
    array[row] = values
    return array


WRONG_TEACHERS = {
    "short": ({"teacher_proba": PROBA[:-1]}, r"teacher_proba has 11 rows, X has 12"),
    "long": ({"teacher_logits": np.r_[LOGITS, LOGITS]}, r"teacher_logits has 24 rows, X has 12"),
    "both": ({"teacher_proba": PROBA, "teacher_logits": LOGITS}, "not both"),
    "4-d": ({"teacher_proba": PROBA.reshape(12, 1, 1, 3)}, "teacher_proba has shape"),
    "text": ({"teacher_proba": [["a", "b", "c"]] * 12}, "teacher_proba must be an array of num"),
    "complex": (
        {"teacher_proba": PROBA + 0j},
        "teacher_proba must be an array of numbers: got compl",
    ),
    "sparse": (
        {"teacher_logits": sparse.csr_array(PROBA)},
        "teacher_logits is a sparse csr_array.*toarray",
    ),
    "partly NaN": (
        {"teacher_logits": changed(PROBA, 5, [np.nan, 0.5, 0.5])},
        "teacher_logits: row 5 has NaN for some classes",
    ),
    "partly NaN logits": (
        {"teacher_logits": changed(LOGITS, 4, [np.nan, 0.5, 0.5])},
        "teacher_logits: row 4 has NaN for some classes",
    ),
    "negative": (
        {"teacher_proba": changed(PROBA, 7, [-0.2, 0.6, 0.6])},
        "teacher_proba: row 7 has a negative probability",
    ),
    "sum": (
        {"teacher_proba": changed(PROBA, 3, [0.3, 0.3, 0.37])},
        "teacher_proba: row 3 does not sum to 1",
    ),
    "first of two": (
        {"teacher_proba": changed(changed(PROBA, 8, [-0.2, 0.6, 0.6]), 2, [0.5, 0.5, 0.5])},
        "row 2 does not sum",
    ),
    "infinite": (
        {"teacher_proba": changed(PROBA, 1, [np.inf, 0, 0])},
        "teacher_proba: row 1 has an infinite",
    ),
    "+inf logit": (
        {"teacher_logits": changed(LOGITS, 6, [np.inf, 0, 0])},
        r"teacher_logits: row 6 has a logit of \+inf",
    ),
    "all -inf": (
        {"teacher_logits": changed(LOGITS, 6, [-np.inf] * 3)},
        "teacher_logits: row 6 has no finite logit",
    ),
    "columns": ({"teacher_proba": np.full((12, 4), 0.25)}, r"4 columns, but the classes are \[0,"),
    "one of three": ({"teacher_proba": PROBA[:, 0]}, "one-dimensional"),
    "names missing": (
        {"teacher_proba": pd.DataFrame(PROBA, columns=["a", "b", "c"])},
        "none of which is named 0",
    ),
    "names beyond": (
        {"teacher_proba": pd.DataFrame(np.full((12, 4), 0.25), columns=[0, 1, 2, 3])},
        r"beyond the labels of y: \[3\].*classes=",
    ),
    "names twice": (
        {"teacher_proba": pd.DataFrame(PROBA, columns=[0, 1, 1])},
        "columns of the same name",
    ),
    "second teacher": (
        {"teacher_proba": changed(np.stack([PROBA, PROBA], axis=1), (4, 1), [0.9, 0.9, 0.9])},
        "teacher_proba: row 4 does not sum",
    ),
}

WRONG_PARAMETERS = [
    ("imitation", -0.1),
    ("imitation", 1.5),
    ("imitation", "half"),
    ("temperature", 0),
    ("temperature", -1.0),
    ("temperature", np.inf),
    ("C", 0),
    ("C", -1),
    ("regularizer", "l1"),
    ("solver", "sag"),
    ("tol", 0),
    ("max_iter", 1.5),
    ("class_weight", "equal"),
    ("class_weight", {"x": 1.0}),
    ("class_weight", {0: -1.0}),
    ("class_weight", {0: np.nan}),
    ("class_weight", {0: np.inf}),
    ("class_weight", {0: None}),
    ("class_weight", {0: "much"}),
    ("class_weight", {0: 0.0, 1: 0.0, 2: 0.0}),
    ("classes", [2, 1, 0]),
    ("classes", [0, 0, 1, 2]),
    ("classes", [0]),
    ("classes", [0, 1]),
    ("soften_student", "yes"),
]


def assert_untouched(student, before):
    assert set(vars(student)) == before


@pytest.mark.parametrize("case", WRONG_TEACHERS)
def test_wrong_teachers(case):
    arguments, message = WRONG_TEACHERS[case]
    student = DistilledLogisticRegression(imitation=0)
    before = set(vars(student))
    with pytest.raises(ValueError, match=message):
        student.fit(X, Y, **arguments)
    assert_untouched(student, before)


@pytest.mark.parametrize(("name", "value"), WRONG_PARAMETERS)
def test_wrong_parameters(name, value):
    student = DistilledLogisticRegression(**{name: value})
    before = set(vars(student))
    with pytest.raises(ValueError, match=name):
        student.fit(X, Y, teacher_proba=PROBA)
    assert_untouched(student, before)


@pytest.mark.parametrize(("name", "valid", "wrong"), [("max_iter", 1, 1.0), ("C", 1.0, "1.0")])
def test_a_remembered_verdict_is_not_that_on_an_equal_value_of_another_type(name, valid, wrong):
    DistilledLogisticRegression(tol=10.0, **{name: valid}).fit(X, Y, teacher_proba=PROBA)
    with pytest.raises(ValueError, match=f"'{name}' parameter of DistilledLogisticRegression"):
        DistilledLogisticRegression(tol=10.0, **{name: wrong}).fit(X, Y, teacher_proba=PROBA)


def test_t_squared_needs_a_softened_student():
    with pytest.raises(ValueError, match="t_squared=True with soften_student=False"):
        DistilledLogisticRegression(imitation=0, t_squared=True, soften_student=False).fit(X, Y)


def test_sum_within_tolerance_is_renormalised():
    student = DistilledLogisticRegression().fit(X, Y, teacher_proba=PROBA)
    scaled = DistilledLogisticRegression().fit(X, Y, teacher_proba=PROBA * 1.019)
    np.testing.assert_allclose(scaled.coef_, student.coef_, rtol=1e-10)


def test_a_row_without_label_and_teacher():
    y = changed(Y, [3, 9], np.nan)
    with pytest.raises(ValueError, match="row 9 has neither a label in y nor a teacher"):
        DistilledLogisticRegression().fit(X, y, teacher_proba=changed(PROBA, 9, np.nan))


def test_missing_labels_without_a_teacher_are_scikit_learns_error():
    with pytest.raises(ValueError, match="Input y contains NaN"):
        DistilledLogisticRegression(imitation=0).fit(X, changed(Y, 3, np.nan))
    with pytest.raises(ValueError, match="requires y to be passed"):
        DistilledLogisticRegression(imitation=0).fit(X)


def test_no_labels_and_no_names():
    with pytest.raises(ValueError, match=r"pass classes=\[...\]"):
        DistilledLogisticRegression().fit(X, teacher_proba=PROBA)


def test_one_class():
    with pytest.raises(ValueError, match=r"only one class: 0.*classes=\[...\]"):
        DistilledLogisticRegression(imitation=0).fit(X, np.zeros(12, dtype=int))


@pytest.mark.parametrize("third", [None, 2])
@pytest.mark.parametrize("teacher_proba", [None, PROBA])
def test_mixed_labels(third, teacher_proba):
    y = np.array(["a", 1, third] * 4, dtype=object)
    with pytest.raises(TypeError, match="y mixes strings and numbers"):
        DistilledLogisticRegression().fit(X, y, teacher_proba=teacher_proba)


def test_weights_that_are_words():
    with pytest.raises(ValueError, match="sample_weight must be an array of numbers"):
        DistilledLogisticRegression(imitation=0).fit(X, Y, ["much"] * 12)


@pytest.mark.parametrize("dtype", [float, object])
def test_infinite_labels(dtype):
    y = changed(changed(Y, 1, np.nan), 3, np.inf).astype(dtype)
    with pytest.raises(ValueError, match="y contains infinity in row 3"):
        DistilledLogisticRegression().fit(X, y, teacher_proba=PROBA)


def test_labels_of_another_length():
    with pytest.raises(ValueError, match="y has 11 entries, X has 12 rows"):
        DistilledLogisticRegression().fit(X, Y[:-1], teacher_proba=PROBA)


def test_continuous_categorical_needs_mass_for_every_class():
    student = DistilledLogisticRegression(
        classes=[0, 1, 2, 3], regularizer="continuous_categorical"
    )
    never_3 = np.column_stack([PROBA, np.zeros(12)])
    with pytest.raises(ValueError, match=r"nor the teacher's predictions contain \[3\]: drop"):
        student.fit(X, Y, teacher_proba=never_3)
    student.set_params(imitation=0).fit(X, Y)  # the regulariser is not used


@pytest.mark.parametrize("weight", [np.ones(11), -np.ones(12), np.zeros(12), np.ones((12, 2))])
def test_wrong_sample_weight(weight):
    with pytest.raises(ValueError, match=r"(?i)sample.weight"):
        DistilledLogisticRegression().fit(X, Y, weight, teacher_proba=PROBA)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_refit_keeps_the_earlier_fit(monkeypatch, failure):
    student = DistilledLogisticRegression().fit(X, Y, teacher_proba=PROBA)
    before = dict(vars(student))

    def interrupted(*args, **kwargs):
        raise failure

    monkeypatch.setattr(DistilledLogisticRegression, "_solve", interrupted)
    with pytest.raises(failure):
        student.fit(X[:, :1], Y, teacher_proba=PROBA)
    assert vars(student) == before
    assert student.predict(X).shape == (12,)
