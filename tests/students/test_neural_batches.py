"""Mini-batches of a Dataset: every row, in the user's order, by the user's function."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import BatchSampler, Dataset, IterableDataset, SequentialSampler

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(41, 5)).astype(np.float32)
Y = np.arange(41) % 2
P = np.full((41, 2), 0.5)


class Rows(Dataset):
    """The rows above."""

    def __len__(self):
        return len(X)

    def __getitem__(self, row):
        return X[row], Y[row], P[row]


def items():
    return list(zip(X, Y, P, strict=True))


class Stream(IterableDataset):
    """Items of an iterator, which ends with the first pass."""

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        yield from self.items


def seen(data, norm=False, **options):
    """Return the numbers of the rows in each mini-batch of training."""
    batches = []

    def keep(features):
        batches.append([int(np.abs(X - row).sum(1).argmin()) for row in features.numpy()])
        return features

    module = nn.Sequential(nn.BatchNorm1d(5) if norm else nn.Identity(), nn.Linear(5, 2))
    defaults = {"max_epochs": 1, "batch_size": 10, "random_state": 0, "classes": [0, 1]}
    DistilledNeuralClassifier(module, augmentation=keep, **defaults | options).fit(data)
    return batches


@pytest.mark.parametrize(
    "data", [Rows(), Stream(list(zip(X, Y, P, strict=True)))], ids=["rows", "stream"]
)
def test_a_lone_last_row_is_joined_for_batch_normalisation(data):
    assert list(map(len, seen(data, norm=True))) == [10, 10, 10, 11]
    assert list(map(len, seen(data))) == [10, 10, 10, 10, 1]


def test_data_that_can_be_read_once_lose_no_row(tmp_path):
    once = seen(Stream(iter(items())))
    assert np.concatenate(once).tolist() == list(range(41))
    # a checkpoint reads items to recognise the data
    once = seen(Stream(iter(items())), checkpoint=tmp_path / "training.pt")
    assert np.concatenate(once).tolist() == list(range(41))
    with pytest.raises(ValueError, match="no mini-batch in epoch 2: a Dataset must begin anew"):
        seen(Stream(iter(items())), max_epochs=2)
    numbers = Stream(zip(X, X[:, 0], X[:, 1], strict=True))
    DistilledNeuralRegressor(max_epochs=1, random_state=0).fit(numbers)


def test_samplers_give_the_order():
    backwards = seen(Rows(), iterator_train__sampler=range(40, -1, -1))
    assert np.concatenate(backwards).tolist() == list(range(41))[::-1]
    batches = BatchSampler(SequentialSampler(range(41)), 7, drop_last=True)
    assert list(map(len, seen(Rows(), iterator_train__batch_sampler=batches))) == [7] * 5
    assert seen(Rows(), iterator_train__shuffle=False)[0] == list(range(10))


class Ragged(Dataset):
    """Sequences of different lengths, whose mean is the label."""

    def __len__(self):
        return len(X)

    def __getitem__(self, row):
        return np.full(1 + row % 4, Y[row], dtype=np.float32), Y[row], None


def pad(items):
    x = nn.utils.rnn.pad_sequence([torch.tensor(x) for x, *_ in items], batch_first=True)
    return x, torch.tensor([y for _, y, _ in items]), None


class Mean(nn.Module):
    """A linear function of the mean of a sequence of any length."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(1, 2)

    def forward(self, x):
        return self.head(x.mean(1, keepdim=True))


@pytest.mark.parametrize("n_workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_function_of_the_user_makes_the_mini_batches(n_workers):
    student = DistilledNeuralClassifier(
        Mean(),
        imitation=0,
        classes=[0, 1],
        lr=0.1,
        max_epochs=20,
        iterator_train__collate_fn=pad,
        iterator_train__num_workers=n_workers,
        random_state=0,
    ).fit(Ragged())
    assert student.predict([[0.0], [1.0]]).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("collate", "message"),
    [
        (lambda items: pad(items)[0], "collate_fn returned a Tensor: it must return the"),
        (lambda items: (X[:2], Y[:3], None), r"collate_fn returned \[2, 3, 1\] rows for 1 items"),
    ],
)
def test_errors_of_the_function_of_the_user(collate, message):
    student = DistilledNeuralClassifier(classes=[0, 1], iterator_train__collate_fn=collate)
    with pytest.raises(ValueError, match=message):
        student.fit(Ragged())
