"""A teacher whose rows or columns are in another order is noticed, and a right one is not."""

import warnings
from functools import partial

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor
from torch import nn

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    ImplausibleTeacherWarning,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill._validation.plausible_teacher import check_plausible_teacher
from sklearn_distill.students import _chunks
from sklearn_distill.targets import Labels, Teachers

SHUFFLED = "no better than with its rows shuffled"
EXCHANGED = "better with other columns"
LOGITS = "these look like probabilities"
NETWORK = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
STUDENTS = [
    DistilledLogisticRegression(),
    DistilledLogisticRegressionCV("C", cv=2, max_evaluations=1, imitation=0.5),
    SoftTargetClassifier(DecisionTreeRegressor(max_depth=2)),
    DistilledNeuralClassifier(**NETWORK),
]
every_student = pytest.mark.parametrize("student", STUDENTS, ids=lambda one: type(one).__name__)


def draw(proba, rng):
    return (rng.random((len(proba), 1)) > proba.cumsum(axis=1)[:, :-1]).sum(axis=1)


def right_teacher(n, n_classes, seed=0, spread=3.0):
    """Return features, labels and the probabilities that the labels are drawn with."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    proba = softmax(spread / 2 * X @ rng.normal(size=(4, n_classes)), axis=1)
    return X, draw(proba, rng), proba


def rare_class(n, rate, seed):
    """Return labels and true probabilities of a class of which n·rate rows are expected."""
    rng = np.random.default_rng(seed)
    proba = expit(2 * rng.normal(size=n))
    for _ in range(30):
        proba *= rate / proba.mean()
        proba = np.minimum(proba, 0.95)
    proba = np.column_stack([1 - proba, proba])
    return draw(proba, rng), proba


def messages_of(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    ours = [one for one in caught if issubclass(one.category, ImplausibleTeacherWarning)]
    assert all(one.filename == __file__ for one in ours)
    return [str(one.message) for one in ours]


def check(y, proba, *, n_teachers=1, is_proba=True, weight=None):
    n_classes = proba.shape[1]
    with np.errstate(divide="ignore"):
        logits = np.repeat(np.log(proba.T)[None], n_teachers, axis=0)
    labels = Labels(np.asarray(y, dtype=np.intp), n_classes)
    classes = np.arange(n_classes)
    return messages_of(
        lambda: check_plausible_teacher(
            classes, labels, Teachers(logits), is_proba=is_proba, weight=weight
        )
    )


def fit_messages(student, X, y, **teacher):
    return messages_of(lambda: clone(student).fit(X, y, **teacher))


# --- what warns -----------------------------------------------------------------------------------


@every_student
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_student_warns_once(student, n_classes):
    X, y, proba = right_teacher(300, n_classes)
    order = np.random.default_rng(1).permutation(300)
    exchanged = np.roll(proba, 1, axis=1)
    assert not fit_messages(student, X, y, teacher_proba=proba)
    assert not fit_messages(student, X, y, teacher_logits=np.log(proba))
    for teacher, expected in ((proba[order], SHUFFLED), (exchanged, EXCHANGED)):
        for argument, values in (("teacher_proba", teacher), ("teacher_logits", np.log(teacher))):
            (message,) = fit_messages(student, X, y, **{argument: values})
            assert message.startswith(argument)
            assert expected in message
    (message,) = fit_messages(student, X, y, teacher_logits=proba)
    assert LOGITS in message


def test_the_probability_of_the_first_class_of_two():
    X, y, proba = right_teacher(300, 2)
    labels = np.array(["ham", "spam"])[y]
    student = DistilledLogisticRegression()
    assert not fit_messages(student, X, labels, teacher_proba=proba[:, 1])
    (message,) = fit_messages(student, X, labels, teacher_proba=proba[:, 0])
    assert "One dimension is the prediction for 'spam', not for 'ham'" in message
    (message,) = fit_messages(student, X, labels, teacher_logits=proba[:, 1])
    assert LOGITS in message


@pytest.mark.parametrize(("n_classes", "n"), [(3, 300), (10, 1000), (100, 2000)])
def test_two_exchanged_columns_of_many(n_classes, n):
    rng = np.random.default_rng(0)
    proba = softmax(4 * rng.normal(size=(n, n_classes)), axis=1)
    y = draw(proba, rng)
    exchanged = proba.copy()
    exchanged[:, :2] = proba[:, [1, 0]]
    (message,) = check(y, exchanged)
    assert EXCHANGED in message
    assert "1 for 0, 0 for 1" in message
    assert not check(y, proba)


def test_several_teachers_are_judged_by_their_mean():
    _, y, proba = right_teacher(300, 3)
    assert not check(y, proba, n_teachers=2)
    assert check(y, np.roll(proba, 1, axis=1), n_teachers=2)


@pytest.mark.parametrize("rate", [0.1, 0.027])
def test_exchanged_columns_of_a_rare_class(rate):
    y, proba = rare_class(2000, rate, seed=0)
    (message,) = check(y, proba[:, ::-1])
    assert EXCHANGED in message


def test_probabilities_of_zero_as_logits():
    X = np.random.default_rng(0).normal(size=(20, 3))
    hard = np.eye(3)[np.arange(20) % 3]
    (message,) = fit_messages(
        DistilledLogisticRegression(classes=[0, 1, 2]), X, None, teacher_logits=hard
    )
    assert LOGITS in message  # no label is needed


@pytest.mark.parametrize("kind", ["dask", "memory map"])
def test_rows_read_by_chunks(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(_chunks, "MIN_CHUNKED_BYTES", 0)
    X, y, proba = right_teacher(400, 3)
    np.save(tmp_path / "X.npy", X)
    as_chunks, rows = np.asarray, np.load(tmp_path / "X.npy", mmap_mode="r")
    if kind == "dask":
        as_chunks = partial(pytest.importorskip("dask.array").from_array, chunks=100)
        rows = as_chunks(X)
    fit = partial(fit_messages, DistilledLogisticRegression(), rows, as_chunks(y))
    assert not fit(teacher_proba=as_chunks(proba))
    (message,) = fit(teacher_proba=as_chunks(np.roll(proba, 1, axis=1)))
    assert EXCHANGED in message
    (message,) = fit(teacher_logits=as_chunks(proba))
    assert LOGITS in message


# --- what does not --------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.027, 0.005])
@pytest.mark.parametrize("temperature", [1 / 3, 1, 4])
def test_true_probabilities_of_a_rare_class(rate, temperature):
    for seed in range(40):
        y, proba = rare_class(1000, rate, seed)
        assert not check(y, softmax(np.log(proba) / temperature, axis=1))


@pytest.mark.parametrize(("n_classes", "n_seeds"), [(3, 40), (10, 20), (100, 4)])
@pytest.mark.parametrize("spread", [0.05, 0.5, 3])
def test_true_probabilities_of_many_classes(n_classes, n_seeds, spread):
    for seed in range(n_seeds):
        _, y, proba = right_teacher(300, n_classes, seed, spread)
        assert not check(y, proba)


@pytest.mark.parametrize("n_trees", [1, 5])
def test_overconfident_forests(n_trees):
    for seed in range(20):
        X, y, _ = right_teacher(600, 3, seed)
        forest = RandomForestClassifier(n_trees, random_state=seed).fit(X[:300], y[:300])
        assert not check(y[300:], forest.predict_proba(X[300:]))


@pytest.mark.parametrize("rate", [0.5, 0.1])
def test_constant_teachers_claim_nothing(rate):
    y, _ = rare_class(1000, rate, seed=0)
    for p in (rate, 1 - rate, 0.3, 0.0, 1.0):
        assert not check(y, np.tile([1 - p, p], (1000, 1)))


def test_a_teacher_that_prefers_a_class_in_all_rows():
    for seed in range(20):
        _, y, proba = right_teacher(500, 3, seed)
        biased = proba * [1, 5, 0.2]
        assert not check(y, biased / biased.sum(axis=1, keepdims=True))


def test_fewer_than_50_labelled_rows_say_nothing():
    X, y, proba = right_teacher(300, 2)
    student, exchanged = DistilledLogisticRegression(), proba[:, ::-1]
    assert not fit_messages(student, X[:49], y[:49], teacher_proba=exchanged[:49])
    few = np.where(np.arange(300) < 40, y, np.nan)
    assert not fit_messages(student, X, few, teacher_proba=exchanged)
    partly = np.where(np.arange(300)[:, None] < 40, exchanged, np.nan)
    assert not fit_messages(student, X, y, teacher_proba=partly)
    weight = (np.arange(300) < 40).astype(float)
    assert not fit_messages(student, X, y, sample_weight=weight, teacher_proba=exchanged)
    assert not check(y, exchanged, weight=weight)
    assert fit_messages(student, X, y, teacher_proba=exchanged)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_that_are_all_of_one_class(n_classes):
    _, _, proba = right_teacher(100, n_classes)
    assert not check(np.zeros(100), proba)


def test_logits_that_are_no_probabilities():
    X, y, proba = right_teacher(100, 3)
    for logits in (log_softmax(np.log(proba), axis=1), 5 * proba, proba - 1 / 3):
        assert not fit_messages(DistilledLogisticRegression(), X, y, teacher_logits=logits)


def test_estimators_that_ask_the_teacher_themselves():
    """Rows and columns of their predictions are in order, however bad the teacher is."""
    X, y, _ = right_teacher(200, 2)
    noise = np.random.default_rng(0).integers(2, size=200)
    tree = RandomForestClassifier(1, random_state=0)
    student = DistilledLogisticRegression()
    models = [
        TeacherStudentClassifier(tree, student, cv=3),
        TeacherStudentClassifier(FrozenEstimator(clone(tree).fit(X, 1 - y)), student, cv="prefit"),
        BornAgainClassifier(student, n_generations=2),
    ]
    for model in models:
        assert not messages_of(lambda model=model: model.fit(X, noise))


def test_the_cost_is_bounded():
    """The check of many rows takes some of them."""
    n = 400_000
    y, proba = np.arange(n) % 2, np.full((n, 2), 0.5)
    proba[:, 0] = np.where(y == 0, 0.4, 0.6)
    proba[:, 1] = 1 - proba[:, 0]
    (message,) = check(y[:,], np.ascontiguousarray(proba[np.random.default_rng(0).permutation(n)]))
    assert SHUFFLED in message


# --- networks that end in a softmax ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "what"),
    [(nn.Softmax(dim=1), "probabilities"), (nn.LogSoftmax(dim=1), "log-probabilities")],
)
def test_a_module_that_ends_in_a_softmax(last, what):
    X, y, proba = right_teacher(60, 3)
    module = nn.Sequential(nn.Linear(4, 3), last)
    with pytest.warns(UserWarning, match=f"module Sequential returns {what}") as caught:
        DistilledNeuralClassifier(module, max_epochs=1).fit(
            X.astype("float32"), y, teacher_proba=proba
        )
    assert [one.filename for one in caught] == [__file__]


def test_a_module_that_ends_in_a_linear_layer():
    X, y, proba = right_teacher(60, 3)
    for module in (nn.Linear(4, 3), nn.Sequential(nn.Linear(4, 3), nn.ReLU())):
        DistilledNeuralClassifier(module, max_epochs=1).fit(
            X.astype("float32"), y, teacher_proba=proba
        )


def test_a_network_as_teacher_of_true_labels():
    X, y, _ = right_teacher(300, 2)
    teacher = LogisticRegression().fit(X[:150], y[:150])
    proba = teacher.predict_proba(X[150:])
    assert not fit_messages(DistilledLogisticRegression(), X[150:], y[150:], teacher_proba=proba)
