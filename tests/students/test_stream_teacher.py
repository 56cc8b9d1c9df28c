"""The teacher in the items of a Dataset is judged as one in arrays, without another pass."""

import warnings

import numpy as np
import pytest
import torch
from scipy.special import softmax

from sklearn_distill import (
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    ImplausibleTeacherWarning,
    TeacherMissingWarning,
)
from sklearn_distill.students import _stream_teacher

N = 240
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3)).astype(np.float32)
PROBA = softmax(4 * X, axis=1)
LABELS = np.array(["a", "b", "c"])[(RNG.random((N, 1)) > PROBA.cumsum(axis=1)[:, :-1]).sum(axis=1)]
MEAN = X[:, 0] - X[:, 1]
NUMBERS = MEAN + 0.5 * RNG.normal(size=N)
ORDER = RNG.permutation(N)


class Items(torch.utils.data.Dataset):
    """Items (x, y, teacher[, weight]) that count how often they are read."""

    def __init__(self, *columns):
        self.columns = columns
        self.n_read = 0

    def __len__(self):
        return N

    def __getitem__(self, i):
        self.n_read += 1
        return (X[i], *(column[i] for column in self.columns))


class InOrder(torch.utils.data.IterableDataset):
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return (self.items[i] for i in range(N))


def classifier(**params):
    return DistilledNeuralClassifier(
        hidden_layer_sizes=(4,),
        classes=["a", "b", "c"],
        **{"max_epochs": 2, "batch_size": 64, "random_state": 0} | params,
    )


def regressor(**params):
    return DistilledNeuralRegressor(
        hidden_layer_sizes=(4,),
        **{"max_epochs": 2, "normalize_y": False, "random_state": 0} | params,
    )


def messages_of(student, dataset):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        student.fit(dataset)
    assert all(one.filename == __file__ for one in caught)
    return [(one.category, str(one.message)) for one in caught]


CASES = {
    "classes": (classifier, LABELS, PROBA, "teacher_proba agrees with the labels no better than"),
    "numbers": (regressor, NUMBERS, MEAN, "teacher_prediction is correlated with the labels no"),
}
each_kind = pytest.mark.parametrize(
    ("make", "y", "teacher", "shuffled"), CASES.values(), ids=CASES.keys()
)


@each_kind
@pytest.mark.parametrize("kind", [lambda items: items, InOrder])
def test_shuffled_rows_give_one_warning(make, y, teacher, shuffled, kind):
    assert not messages_of(make(), kind(Items(y, teacher)))
    ((category, message),) = messages_of(make(), kind(Items(y, teacher[ORDER])))
    assert category is ImplausibleTeacherWarning
    assert message.startswith(shuffled)


def test_exchanged_columns_give_one_warning():
    ((category, message),) = messages_of(classifier(), Items(LABELS, PROBA[:, ::-1]))
    assert category is ImplausibleTeacherWarning
    assert "better with other columns" in message


@each_kind
def test_workers_that_read_the_items(make, y, teacher, shuffled):
    ((_, message),) = messages_of(
        make(max_epochs=1, iterator_train__num_workers=1), Items(y, teacher[ORDER])
    )
    assert message.startswith(shuffled)


@each_kind
def test_there_is_no_second_pass(make, y, teacher, shuffled):
    items = Items(y, teacher[ORDER])
    messages_of(make(), items)
    assert items.n_read <= 2 * N + 3  # and first items, of which the shapes are read


@each_kind
def test_long_epochs_are_judged_before_their_end(make, y, teacher, shuffled, monkeypatch):
    monkeypatch.setattr(_stream_teacher, "N_JUDGED", 200)
    items = Items(y, teacher[ORDER])
    student = make(max_epochs=1, batch_size=40)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ImplausibleTeacherWarning)
        with pytest.raises(ImplausibleTeacherWarning):
            student.fit(items)
    assert items.n_read < N


@each_kind
def test_rows_without_label_or_prediction_or_weight_do_not_count(make, y, teacher, shuffled):
    wrong = teacher[ORDER]
    some = np.arange(N) < 49
    labels = [label if keep else None for label, keep in zip(y, some, strict=True)]
    assert not messages_of(make(), Items(labels, wrong))
    predictions = [one if keep else None for one, keep in zip(wrong, some, strict=True)]
    assert not messages_of(make(), Items(y, predictions))
    assert not messages_of(make(), Items(y, wrong, some.astype(float)))


@each_kind
def test_a_teacher_that_is_missing_in_all_items(make, y, teacher, shuffled):
    nothing = [None] * N
    ((category, message),) = messages_of(make(), Items(y, nothing))
    assert category is TeacherMissingWarning
    assert "the teacher in the Dataset's items is missing (NaN) in every row" in message
    assert not messages_of(make(imitation=0), Items(y, nothing))
    student = make(imitation=1)
    with pytest.raises(ValueError, match="but imitation=1"):
        student.fit(Items(y, nothing))
    assert not hasattr(student, "_trained")


@each_kind
def test_the_training_is_that_of_arrays(make, y, teacher, shuffled):
    """The columns that are observed change no weight, and a fitted net keeps no data."""
    dataset = make(batch_size=N).fit(Items(y, teacher))
    name = "teacher_proba" if y is LABELS else "teacher_prediction"
    arrays = make(batch_size=N).fit(X, y, **{name: teacher})
    np.testing.assert_allclose(
        dataset.history_["train_loss"], arrays.history_["train_loss"], rtol=1e-5
    )
    assert dataset.net_.observer is None


def test_several_outputs():
    Y, right = np.column_stack([NUMBERS, -NUMBERS]), np.column_stack([MEAN, -MEAN])
    assert not messages_of(regressor(), Items(Y, right))
    ((category, _),) = messages_of(regressor(), Items(Y, right[ORDER]))
    assert category is ImplausibleTeacherWarning
