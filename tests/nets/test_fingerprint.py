"""Fingerprints: equal for equal values in every process, and for no others."""

import functools
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import Dataset, IterableDataset, WeightedRandomSampler

from sklearn_distill.nets._fingerprint import fingerprint

FACTOR = 2


def scaled(features, factor=1):
    return factor * features


def enclosing(factor, inner=None):
    return lambda features: (factor, inner)


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, features):
        return self.factor * features

    def other(self, features):
        return features


def network(seed, width=3):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, width), nn.Dropout(0.5))


def cyclic(value):
    box = [value]
    box.append(box)
    return box


def changed_inside(array):
    array = array.copy()
    array[5000] = 1  # where repr has dots
    return array


class Items(Dataset):
    def __init__(self, y, augment=None):
        self.y = y
        self.augment = augment or float
        self.n_read = 0

    def __len__(self):
        return len(self.y)

    def __getitem__(self, row):
        self.n_read += 1
        return torch.tensor([self.augment(row)]), int(self.y[row]), None


class Iterated(IterableDataset):
    def __init__(self, y):
        self.y = y

    def __iter__(self):
        return ((torch.ones(1), label, None) for label in self.y)


LABELS = np.arange(600) % 2

# pairs of makers of values: what the first makes is one thing, and what the second makes another
DIFFERENT = {
    "numbers": (lambda: 1e-3, lambda: 1e-2),
    "texts": (lambda: ["ab", "c"], lambda: ["a", "bc"]),
    "nested": (lambda: [[1], 2], lambda: [[1, 2]]),
    "dicts": (lambda: {"a": 1, "b": 2}, lambda: {"a": 2, "b": 1}),
    "arrays": (lambda: np.zeros(9999), lambda: changed_inside(np.zeros(9999))),
    "shapes": (lambda: np.zeros((2, 3)), lambda: np.zeros((3, 2))),
    "dtypes": (lambda: np.zeros(2, "f4"), lambda: np.zeros(1, "f8")),
    "objects in arrays": (
        lambda: np.array([None, "a"], object),
        lambda: np.array([None, "b"], object),
    ),
    "tensors": (lambda: torch.zeros(3), lambda: torch.ones(3)),
    "half precision": (
        lambda: torch.zeros(3, dtype=torch.bfloat16),
        lambda: torch.zeros(3, dtype=torch.float16),
    ),
    "weights": (lambda: network(0), lambda: network(1)),
    "layers": (lambda: network(0), lambda: network(0, 4)),
    "lazy layers": (lambda: nn.LazyLinear(3), lambda: nn.LazyLinear(4)),
    "functions": (lambda: scaled, lambda: enclosing),
    "partials": (
        lambda: functools.partial(StepLR, step_size=1, gamma=0.1),
        lambda: functools.partial(StepLR, step_size=1, gamma=0.9),
    ),
    "constants of lambdas": (lambda: lambda o: StepLR(o, 1), lambda: lambda o: StepLR(o, 2)),
    "names in lambdas": (lambda: lambda o: o.real, lambda: lambda o: o.imag),
    "inner functions": (lambda: lambda: lambda: 1, lambda: lambda: lambda: 2),
    "defaults": (lambda: lambda o, k=1: k, lambda: lambda o, k=2: k),
    "keyword defaults": (lambda: lambda o, *, k=1: k, lambda: lambda o, *, k=2: k),
    "enclosed variables": (lambda: enclosing(1), lambda: enclosing(2)),
    "deep inside": (lambda: enclosing(1, enclosing(3)), lambda: enclosing(1, enclosing(4))),
    "objects": (lambda: Scale(1), lambda: Scale(2)),
    "methods": (lambda: Scale(1).other, lambda: Scale(1).__call__),
    "objects of methods": (lambda: Scale(1).other, lambda: Scale(2).other),
    "classes": (lambda: nn.Linear, lambda: nn.Conv1d),
    "builtins": (lambda: min, lambda: max),
    "cycles": (lambda: cyclic(1), lambda: cyclic(2)),
    "labels of a Dataset": (lambda: Items(LABELS), lambda: Items(LABELS[::-1])),
    "lengths of Datasets": (lambda: Items(LABELS), lambda: Items(LABELS[:60])),
    "iterable Datasets": (lambda: Iterated(LABELS), lambda: Iterated(LABELS[::-1])),
    "samplers": (
        lambda: WeightedRandomSampler([1.0, 2.0], 2),
        lambda: WeightedRandomSampler([2.0, 1.0], 2),
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_equal_for_equal_values_only(name):
    one, other = DIFFERENT[name]
    assert fingerprint(one()) == fingerprint(one())
    assert fingerprint(one()) != fingerprint(other())


@pytest.mark.slow
def test_equal_in_another_process_with_another_order_of_sets():
    code = "import tests.nets.test_fingerprint as t; print(t.of_all())"
    environment = {"PYTHONHASHSEED": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert output.stdout.strip() == of_all()


def of_all():
    """Return the fingerprint of one value of each pair and of a function with a set."""
    one = [maker() for maker, _ in DIFFERENT.values()]
    return fingerprint([one, lambda o: o in {"a", "b", "c", "d"}, {"x", "y", "z"}])


def test_a_global_number_counts_and_the_order_of_keywords_does_not(monkeypatch):
    function = lambda o: FACTOR * o  # noqa: E731 - its global is what is tested
    before = fingerprint(function)
    monkeypatch.setitem(globals(), "FACTOR", 3)
    assert fingerprint(function) != before
    partials = functools.partial(scaled, a=1, b=2), functools.partial(scaled, b=2, a=1)
    assert fingerprint(partials[0]) == fingerprint(partials[1])


@pytest.mark.parametrize(
    "generator",
    [torch.Generator(), np.random.default_rng(0), np.random.RandomState(0), random.Random(0)],
    ids=lambda g: type(g).__name__,
)
def test_a_draw_from_a_generator_changes_nothing(generator):
    before = fingerprint([generator])
    if isinstance(generator, torch.Generator):
        torch.rand(1, generator=generator)
    else:
        generator.random()
    assert fingerprint([generator]) == before


@pytest.mark.parametrize(
    "augment",
    [
        lambda row: row + float(torch.rand(1)),
        lambda row: row + np.random.rand(),  # noqa: NPY002 - the global one is what is tested
        lambda row: row + random.random(),
        functools.partial(lambda rng, row: row + rng.random(), np.random.default_rng()),
    ],
    ids=["torch", "numpy", "random", "its own generator"],
)
def test_a_dataset_that_augments_at_random_is_recognised(augment):
    states = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    one = fingerprint(Items(LABELS, augment))
    assert one == fingerprint(Items(LABELS, augment))
    assert one != fingerprint(Items(LABELS[::-1], augment))
    np.testing.assert_array_equal(np.random.get_state()[1], states[0])  # noqa: NPY002
    assert random.getstate() == states[1]


def test_few_items_of_a_dataset_are_read():
    dataset = Items(np.zeros(10**6, int))
    fingerprint(dataset)
    assert dataset.n_read == 64


def test_what_cannot_be_pickled_has_none():
    with pytest.raises(TypeError, match="pickle"):
        fingerprint(enclosing(threading.Lock()))
