"""Invalid input of the neural students: each error names its argument and what to do."""

import functools
import pickle
from collections import UserDict

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torch.utils.data import DataLoader

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor
from tests.helpers import label

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype(np.float32)
Y = np.arange(24) % 3
PROBA = np.full((24, 3), 1 / 3)


def small(**options):
    fixed = {"imitation": 0, "max_epochs": 2, "random_state": 0}
    if options.get("module") is None:
        fixed["hidden_layer_sizes"] = (4,)
    return DistilledNeuralClassifier(**fixed | options)


class TwoOutputs(nn.Linear):
    def forward(self, x):
        return super().forward(x), x


class Squeezing(nn.Linear):
    """Returns no axis of rows if there is a single row."""

    def forward(self, x):
        return super().forward(x)[:, 0].squeeze()


class Stack(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.first, self.then = layers

    def forward(self, x):
        return self.then(self.first(x))


def through_pickle(student):
    return pickle.loads(pickle.dumps(student))


class InPlace(nn.Linear):
    def forward(self, x):
        return super().forward(x.mul_(2))


WRONG_PARAMETERS = {
    "void sizes": (
        {"module": nn.Linear(4, 3), "hidden_layer_sizes": (5,)},
        ValueError,
        r"hidden_layer_sizes=\(5,\) has no effect on module: leave it at \(64,\)",
    ),
    "module is a number": ({"module": 3}, TypeError, "module=3 is not a torch.nn.Module"),
    "module is a name": ({"module": "MLP"}, TypeError, "module='MLP' is not a torch.nn.Module"),
    "module creates none": (
        {"module": lambda: 3},
        TypeError,
        "module=<function .* does not create one",
    ),
    "no weights": ({"module": nn.Flatten()}, ValueError, "module Flatten has no parameters"),
    "frozen weights": (
        {"module": nn.Linear(4, 3).requires_grad_(False)},
        ValueError,
        "module Linear has no parameters to train",
    ),
    "too few scores": (
        {"module": nn.Linear(4, 2)},
        ValueError,
        r"module returns scores of shape \(2, 2\) for 2 rows: it must return \(2, 3\)",
    ),
    "a tuple": ({"module": TwoOutputs(4, 3)}, TypeError, "module returns a tuple"),
    "in place": ({"module": InPlace(4, 3)}, ValueError, "module changes its features in place"),
    "instance and arguments": (
        {"module": nn.Linear(4, 3), "module__bias": False},
        ValueError,
        "module is an instance, so module__bias cannot be set",
    ),
    "no width": ({"hidden_layer_sizes": (0,)}, ValueError, r"hidden_layer_sizes=\(0,\): give"),
    "half a width": ({"hidden_layer_sizes": (1.5,)}, ValueError, "hidden_layer_sizes=.*whole"),
    "nested widths": ({"hidden_layer_sizes": [[3, 4]]}, ValueError, "hidden_layer_sizes="),
    "imitation": ({"imitation": 2}, ValueError, "'imitation' parameter .* Got 2"),
    "optimizer": ({"optimizer": "Adam"}, ValueError, "'optimizer' parameter .* Got 'Adam'"),
    "lr": ({"lr": np.nan}, ValueError, "'lr' parameter .* Got nan"),
    "augmentation": ({"augmentation": 3}, ValueError, "'augmentation' parameter .* Got 3"),
    "augmentation returns None": (
        {"augmentation": lambda features, generator: None},
        ValueError,
        "augmentation gave NoneType",
    ),
    "augmentation loses rows": (
        {"augmentation": lambda features, generator: features[:1]},
        ValueError,
        r"augmentation gave Tensor of shape \(1, 4\) for features of shape \(24, 4\)",
    ),
    "schedule": ({"lr_schedule": "linear"}, ValueError, "'lr_schedule' parameter .* 'linear'"),
    "schedule returns None": (
        {"lr_schedule": lambda optimizer: None},
        TypeError,
        "lr_schedule returned NoneType",
    ),
    "callbacks": ({"callbacks": [3]}, TypeError, "callbacks contains 3"),
    "precision": ({"precision": "half"}, ValueError, "'precision' parameter .* 'half'"),
    "device": ({"device": "gpu"}, ValueError, "device='gpu' is no device"),
    "accelerator": ({"accelerator": "yes"}, ValueError, "'accelerator' parameter .* 'yes'"),
    "loader without Dataset": (
        {"iterator_train__num_workers": 1},
        ValueError,
        "iterator_train__x are arguments of torch's DataLoader",
    ),
    "no folder": (
        {"checkpoint": "/no/such/folder/file"},
        ValueError,
        "checkpoint='/no/such/folder/file' cannot be written",
    ),
    "a folder": ({"checkpoint": "/"}, ValueError, "checkpoint='/' cannot be written"),
    "other rows after an interruption": (
        {"checkpoint": "file", "early_stopping": True, "random_state": None},
        ValueError,
        "checkpoint with early_stopping=True and random_state=None",
    ),
    "closure in float16": (
        {"optimizer": torch.optim.LBFGS, "precision": "float16"},
        ValueError,
        "optimizer=.*LBFGS.* choose another optimizer",
    ),
    "named callbacks": (
        {"module": nn.Linear(4, 3), "callbacks": [("a", 3)]},
        TypeError,
        r"callbacks contains \('a', 3\)",
    ),
    "no embedding": ({"embedding_weight": 1.0}, ValueError, "given no teacher_embedding"),
}


@pytest.mark.parametrize(("options", "kind", "message"), WRONG_PARAMETERS.values(), ids=label)
def test_wrong_parameters(options, kind, message):
    with pytest.raises(kind, match=message):
        small(**options).fit(X, Y)


def test_a_module_must_keep_the_axis_of_a_single_row():
    with pytest.raises(ValueError, match=r"scores of shape \(\) for 1 rows"):
        small(module=Squeezing(4, 1)).fit(X, Y > 0)


def test_an_error_of_the_module_names_the_shape_of_its_input():
    with pytest.raises(RuntimeError) as caught:
        small(module=nn.Linear(5, 3)).fit(X, Y)
    assert caught.value.__notes__ == ["raised by module, given features of shape (2, 4)"]


@pytest.mark.parametrize("name", ["hiden_layer_sizes", "classes_", "_trained", "fit"])
@pytest.mark.parametrize("kind", [DistilledNeuralClassifier, DistilledNeuralRegressor])
def test_an_unknown_parameter_is_refused(kind, name):
    with pytest.raises(TypeError, match=f"{kind.__name__} got an unexpected parameter '{name}'"):
        kind(**{name: 3}).fit(X, Y)
    if name == "hiden_layer_sizes":
        with pytest.raises(ValueError, match="Invalid parameter"):
            kind().set_params(**{name: 3})
        assert clone(kind(**{name: 3})).get_params()[name] == 3, "a clone is refused as well"


def test_an_attribute_set_by_the_user_is_not_a_parameter():
    student = small()
    student.note = "mine"
    assert "note" not in student.get_params()
    student.fit(X, Y)


WRONG_ROWS = {
    "short teacher": ({"teacher_proba": PROBA[1:]}, "teacher_proba has 23 rows, X has 24"),
    "columns": ({"teacher_proba": np.full((24, 4), 0.25)}, r"4 columns, but the classes are"),
    "short weight": (
        {"sample_weight": np.ones(3)},
        r"sample_weight has shape \(3,\); .* the 24",
    ),
    "no weight": ({"sample_weight": np.zeros(24)}, "at least one non-zero"),
    "short embedding": ({"teacher_embedding": X[1:]}, "teacher_embedding has 23 rows"),
    "embedding in part": (
        {"teacher_embedding": np.where(np.arange(4) > 2, np.nan, X)},
        "row 0 of teacher_embedding is NaN in part",
    ),
    "X_val without y_val": ({"X_val": X}, "pass both X_val and y_val, or neither"),
    "narrow X_val": ({"X_val": X[:, :2], "y_val": Y}, "X_val and y_val: X has 2 features"),
    "short y_val": ({"X_val": X, "y_val": Y[1:]}, "X_val and y_val: y has 23 entries"),
    "other labels": ({"X_val": X, "y_val": Y + 5}, "X_val and y_val: y contains labels"),
    "no label": (
        {"X_val": X, "y_val": np.where(Y == 1, np.nan, Y)},
        "row 1 of y_val has no label",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG_ROWS.values(), ids=WRONG_ROWS.keys())
def test_wrong_rows_leave_a_fitted_student_unchanged(given, message):
    student = small().fit(X, Y)
    before = dict(vars(student))
    with pytest.raises(ValueError, match=message):
        student.fit(X, Y, **given)
    assert vars(student) == before


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # numpy's own
@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (X[:0], Y[:0], r"0 sample\(s\)"),
        (X[:, :0], Y, r"0 feature\(s\)"),
        (X, Y * 0, "only one class"),
        (X, None, "requires y"),
        (np.full_like(X, np.inf), Y, "infinity"),
        (np.abs(X).astype(float) * 1e300, Y, r"too large for dtype\('float32'\)"),
    ],
    ids=["no rows", "no features", "one class", "no labels", "infinite", "too large"],
)
def test_wrong_data(features, labels, message):
    with pytest.raises(ValueError, match=message):
        small().fit(features, labels)


LATER = {
    "width": ({}, {"X": X[:, :2]}, "X has 2 features"),
    "classes": ({}, {"y": Y > 0}, "warm_start=True with the classes"),
    "hidden layers": (
        {},
        {"options": {"hidden_layer_sizes": (5,)}},
        r"hidden_layer_sizes is now \[5\], and \[4\] when the network was built",
    ),
    "module": (
        {},
        {"options": {"module": nn.Linear(4, 3)}},
        r"module is now Linear\(in_features=4.*, and None when the network was built",
    ),
    "argument of the module": (
        {"module__dropout": 0.0},
        {"options": {"module__dropout": 0.5}},
        "module__dropout is now 0.5, and 0.0 when the network was built",
    ),
    "argument of a function": (
        {"module": functools.partial(nn.Linear, 4, 3)},
        {"options": {"module": functools.partial(nn.Linear, 4, 3, bias=False)}},
        "module is now partial.*bias': False",
    ),
    "another layer for the embedding": (
        {"embedding_weight": 1.0},
        {"options": {"embedding_layer": "body"}},
        "embedding_layer is now 'body', and None in the training",
    ),
}


@pytest.mark.parametrize(("options", "later", "message"), LATER.values(), ids=LATER.keys())
def test_a_warm_start_needs_data_that_fit_the_network(options, later, message):
    student = small(warm_start=True, **options).fit(X, Y, teacher_embedding=X[:, :2])
    student.set_params(**later.get("options", {}))
    with pytest.raises(ValueError, match=message):
        student.fit(later.get("X", X), later.get("y", Y), teacher_embedding=X[:, :2])


def test_partial_fit_needs_the_same_architecture():
    student = small().fit(X, Y)
    before = student.predict_proba(X)
    student.set_params(hidden_layer_sizes=(5, 5))
    with pytest.raises(ValueError, match=r"hidden_layer_sizes is now \[5, 5\], and \[4\]"):
        student.partial_fit(X, Y)
    np.testing.assert_array_equal(student.predict_proba(X), before)


@pytest.mark.parametrize("copied", [lambda student: student, through_pickle])
def test_the_same_architecture_continues(copied):
    activations = {"module": Stack, "module__layers": [nn.Linear(4, 3), torch.relu]}
    student = copied(small(warm_start=True, **activations).fit(X, Y))
    student.set_params(module__layers=[nn.Linear(4, 3), torch.relu], hidden_layer_sizes=(9,))
    assert len(student.fit(X, Y).history_) == 4, "hidden_layer_sizes belongs to the default network"


def test_outputs_of_a_regressor_cannot_change():
    student = DistilledNeuralRegressor(imitation=0, warm_start=True, max_epochs=1).fit(X, Y)
    with pytest.raises(ValueError, match="has 2 outputs, but the network was trained on 1"):
        student.fit(X, np.column_stack([Y, Y]))


class Items(torch.utils.data.Dataset):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, row):
        return self.items[row]


GOOD = [(X[row], Y[row], PROBA[row]) for row in range(24)]
WRONG_ITEMS = {
    "none": ([], "X is a Dataset without any items"),
    "dict": ([{"x": 1}], "the Dataset yields items of type dict"),
    "other features": (
        [GOOD[0], (X[0, :2], 0, PROBA[0])],
        r"samples of the shapes \[\(2,\), \(",
    ),
    "text": ([("a", 0, PROBA[0])], "x holds values of <U1"),
    "sequences of sequences": ([([[1], [2, 3]], 0, PROBA[0])], "Dataset's item .* pad them"),
    "NaN": ([(X[0] * np.nan, 0, PROBA[0])], "x has values that are NaN"),
    "other label": ([(X[0], 9, PROBA[0])], r"classes=\[0, 1, 2\] does not name: \[9\]"),
    "other number of classes": (
        [GOOD[0], (X[0], 0, PROBA[0, :2])],
        "teacher's predictions of the shapes",
    ),
    "negative weight": ([(X[0], 0, PROBA[0], -1.0)], r"the weights \[-1.0\]"),
    "neither label nor prediction": (
        [(X[0], None, None)],
        "row 0 has neither a label in y nor a teacher",
    ),
}


@pytest.mark.parametrize(("items", "message"), WRONG_ITEMS.values(), ids=WRONG_ITEMS.keys())
def test_wrong_items_of_a_dataset(items, message):
    with pytest.raises(ValueError, match=message):
        small(classes=[0, 1, 2]).fit(Items(items))


RAGGED = [[1, 2, 3, 4], [5, 6]] * 12
OBJECTS = np.empty(24, dtype=object)
OBJECTS[:] = RAGGED
NOT_ONE_ARRAY = {
    "DataLoader": (DataLoader(Items(GOOD)), TypeError, r"is a DataLoader: pass .*loader.dataset"),
    "dict": ({"a": X, "b": X}, TypeError, "is a dict of inputs, .* default network reads a table"),
    "BatchEncoding": (UserDict(ids=X), TypeError, "is a UserDict of inputs, .* pass a module"),
    "several arrays": (
        [X, X[:, :2]],
        TypeError,
        r"holds several inputs, of the shapes \[\(24, 2\)",
    ),
    "ragged lists": (
        RAGGED,
        ValueError,
        r"holds .*different shapes \[\(2,\), \(4,\)\]: pad them .* collate_fn=",
    ),
    "ragged objects": (OBJECTS, ValueError, r"holds .*different shapes \[\(2,\), \(4,\)\]"),
    "ragged tensors": (
        [torch.ones(len(row)) for row in RAGGED],
        ValueError,
        r"holds .*different shapes \[\(2,\), \(4,\)\]",
    ),
    "text": (["a b", "c"] * 12, TypeError, "holds text: .* tokenizer"),
}


@pytest.mark.parametrize(
    ("wrong", "kind", "message"), NOT_ONE_ARRAY.values(), ids=NOT_ONE_ARRAY.keys()
)
def test_what_is_not_one_array_names_the_argument_and_how_to_convert_it(wrong, kind, message):
    fitted = small(classes=[0, 1, 2]).fit(X, Y)
    for teacher in (None, PROBA):
        with pytest.raises(kind, match=f"X {message}"):
            small(classes=[0, 1, 2]).fit(wrong, Y, teacher_proba=teacher)
    for method in (fitted.predict, fitted.partial_fit):
        with pytest.raises(kind, match=f"X {message}"):
            method(wrong)
    with pytest.raises(kind, match=f"X_val {message}"):
        fitted.fit(X, Y, X_val=wrong, y_val=Y)


def test_a_list_of_rows_is_one_array():
    rows = [torch.as_tensor(row) for row in X]
    one, other = small().fit(X, Y), small().fit(rows, Y)
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(list(X)))


def test_only_fit_accepts_a_dataset_of_whole_items():
    student = small(imitation=0.5, classes=[0, 1, 2])
    with pytest.raises(TypeError, match=r"X is a Dataset whose items .* only fit accepts"):
        student.partial_fit(Items(GOOD))


def test_a_dataset_removes_names_and_counts_of_an_earlier_fit():
    frame = pd.DataFrame(X, columns=list("abcd"))
    student = small(imitation=0.5, classes=[0, 1, 2]).fit(frame, Y, teacher_proba=PROBA)
    student.fit(Items(GOOD))
    assert not hasattr(student, "feature_names_in_")
    assert not hasattr(student, "n_taught_rows_")
    student.predict(X)


def test_a_sigmoid_at_the_end_of_a_single_score_is_noticed():
    binary = np.arange(len(X)) % 2
    module = nn.Sequential(nn.Linear(X.shape[1], 1), nn.Sigmoid())
    with pytest.warns(UserWarning, match="returns probabilities of the second class, which"):
        small(module=module).fit(X, binary)
    small(module=nn.Sequential(nn.Sigmoid(), nn.Linear(X.shape[1], 1))).fit(X, binary)
