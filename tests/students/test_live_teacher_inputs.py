"""A live teacher of networks on several inputs, token ids, sparse rows and with trust in rows."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from skorch.helper import SliceDataset
from torch import nn
from torch.utils.data import TensorDataset

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = X[:, :3].argmax(1)
SOME_Y = np.where(np.arange(60) % 4 == 0, np.nan, Y)
NUMBERS = 1000 + 30 * X[:, 0].astype(float)
IDS = RNG.integers(0, 5, size=(60, 4))
IDS_Y = IDS[:, 0] % 3
SGD = {"optimizer": "sgd", "lr": 0.1, "batch_size": 1000, "max_epochs": 3, "random_state": 0}


class Logits(nn.Linear):
    """The rule of the labels, roughly."""

    def __init__(self):
        super().__init__(4, 3)
        with torch.no_grad():
            self.weight.copy_(3 * torch.eye(3, 4))
            self.bias.zero_()


class Joined(nn.Module):
    """A layer on two inputs by name."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, left, right):
        return self.layer(torch.cat([left, right], 1))


class Tokens(nn.Module):
    """Scores of the first token, from an embedding of its ids."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.table = nn.Embedding(5, 3)

    def forward(self, ids):
        return self.table(ids)[:, 0]


class TokenTeacher(Tokens):
    def __init__(self):
        super().__init__(0)
        with torch.no_grad():
            self.table.weight.copy_(2 * torch.eye(3)[torch.arange(5) % 3])


def network(n_outputs=3):
    torch.manual_seed(0)
    return nn.Linear(4, n_outputs)


def student(module, **options):
    return DistilledNeuralClassifier(module, **SGD | options)


def regressor(**options):
    return DistilledNeuralRegressor(network(1), **SGD | options)


def logits(teacher, *inputs, **named):
    with torch.no_grad():
        return teacher(*inputs, **named).numpy()


def assert_same(model, other, atol=1e-6):
    other = other.net_.module_.state_dict()
    for name, weight in model.net_.module_.state_dict().items():
        np.testing.assert_allclose(weight, other[name], atol=atol, err_msg=name)


def by_name(rows):
    return {"left": rows[:, :1], "right": rows[:, 1:]}


def doubled(x):
    """Augment a tensor, or each of several."""
    return {k: 2 * v for k, v in x.items()} if isinstance(x, dict) else 2 * x


AUGMENTATIONS = pytest.mark.parametrize(
    ("augmentation", "factor"), [(None, 1), (doubled, 2)], ids=["cached", "augmented"]
)


@AUGMENTATIONS
@pytest.mark.parametrize("kind", ["module", "function"])
def test_inputs_by_name(augmentation, factor, kind):
    module = Joined(Logits())
    teacher = module if kind == "module" else lambda x: module(x["left"], x["right"])
    live = student(Joined(network()), teacher=teacher, augmentation=augmentation)
    passed = student(Joined(network()))
    rows = factor * X
    passed.fit(by_name(rows), Y, teacher_logits=logits(Logits(), torch.tensor(rows)))
    assert_same(live.fit(by_name(X), Y), passed)


def test_an_estimator_reads_no_inputs_by_name():
    teacher = FrozenEstimator(LogisticRegression().fit(X, Y))
    with pytest.raises(TypeError, match=r"X has the inputs \['left', 'right'\]: pass a function"):
        student(Joined(network()), teacher=teacher).fit(by_name(X), Y)


@AUGMENTATIONS
@pytest.mark.parametrize(
    "rows",
    [sparse.csr_array(X), SliceDataset(TensorDataset(torch.tensor(X)))],
    ids=["sparse", "items"],
)
def test_sparse_rows_and_samples(rows, augmentation, factor):
    live = student(network(), teacher=Logits(), augmentation=augmentation).fit(rows, Y)
    given = logits(Logits(), torch.tensor(factor * X))
    assert_same(live, student(network()).fit(factor * X, Y, teacher_logits=given))


def test_samples_that_are_collated():
    def collate(samples):
        left, right = zip(*samples, strict=True)
        return {"left": np.stack(left), "right": np.stack(right)}

    samples = list(zip(X[:, :1], X[:, 1:], strict=True))
    options = {"collate_fn": collate, "module": Joined(network())}
    live = student(teacher=Joined(Logits()), augmentation=doubled, **options).fit(samples, Y)
    passed = student(Joined(network())).fit(
        by_name(2 * X), Y, teacher_logits=logits(Logits(), torch.tensor(2 * X))
    )
    assert_same(live, passed)


def roll(ids):
    return ids.roll(1, 1)


@pytest.mark.parametrize("augmentation", [None, roll], ids=["cached", "augmented"])
def test_token_ids(augmentation):
    live = student(Tokens(1), teacher=TokenTeacher(), augmentation=augmentation)
    y = IDS_Y if augmentation is None else IDS[:, -1] % 3
    seen = IDS if augmentation is None else np.roll(IDS, 1, 1)
    passed = student(Tokens(1)).fit(
        seen, y, teacher_logits=logits(TokenTeacher(), torch.tensor(seen))
    )
    assert_same(live.fit(IDS, y), passed)


class Pairs(torch.utils.data.Dataset):
    """Token ids and labels."""

    def __len__(self):
        return 60

    def __getitem__(self, row):
        return IDS[row], IDS_Y[row]


def test_labels_of_a_dataset_are_not_ignored():
    """Weights beside a Dataset do not make its items features alone."""
    model = student(Tokens(1), teacher=TokenTeacher(), classes=[0, 1, 2])
    with pytest.raises(ValueError, match="contain all data: leave out sample_weight"):
        model.fit(Pairs(), sample_weight=np.ones(60))
    with pytest.raises(ValueError, match="leave out teacher_weight"):
        model.fit(Pairs(), teacher_weight=np.ones(60))


def test_token_ids_of_a_dataset():
    live = student(Tokens(1), teacher=TokenTeacher(), classes=[0, 1, 2]).fit(Pairs())
    given = logits(TokenTeacher(), torch.tensor(IDS))
    assert_same(live, student(Tokens(1)).fit(IDS, IDS_Y, teacher_logits=given))


@pytest.mark.parametrize("augmentation", [None, doubled], ids=["cached", "augmented"])
def test_integers_that_layers_read_as_floats(augmentation):
    """Counts: student and teacher are linear."""
    counts = RNG.integers(0, 9, size=(60, 4))
    y = counts[:, :3].argmax(1)
    live = student(network(), teacher=Logits(), augmentation=augmentation, lr=0.01)
    seen = counts if augmentation is None else 2 * counts
    given = logits(Logits(), torch.tensor(seen).float())
    passed = student(network(), lr=0.01).fit(seen, y, teacher_logits=given)
    assert_same(live.fit(counts, y), passed)


# --- trust in rows --------------------------------------------------------------------------------

TRUST = RNG.choice([0.0, 0.5, 1.0, 3.0], size=60)


@AUGMENTATIONS
@pytest.mark.parametrize(
    "options",
    [{}, {"temperature": 2.0, "label_smoothing": 0.1}, {"distillation_loss": True}],
    ids=["default", "temperature", "function"],
)
def test_trust_in_a_classifiers_teacher(augmentation, factor, options):
    if "distillation_loss" in options:
        options = {"distillation_loss": lambda z, t, y, w: (z - t).square().mean(1)}
    live = student(network(), teacher=Logits(), augmentation=augmentation, **options)
    live.fit(X, SOME_Y, teacher_weight=TRUST)
    passed = student(network(), **options)
    given = logits(Logits(), torch.tensor(factor * X))
    passed.fit(factor * X, SOME_Y, teacher_logits=given, teacher_weight=TRUST)
    assert_same(live, passed)


@AUGMENTATIONS
def test_trust_in_a_regressors_teacher(augmentation, factor):
    def teacher(rows):
        return 1000 + 20 * rows[:, 0]

    y = np.where(np.arange(60) % 4 == 0, np.nan, NUMBERS)
    live = regressor(teacher=teacher, augmentation=augmentation)
    live.fit(X, y, teacher_weight=TRUST)
    passed = regressor()
    passed.fit(factor * X, y, teacher_prediction=teacher(factor * X), teacher_weight=TRUST)
    assert_same(live, passed)
    np.testing.assert_allclose(live.predict(X), passed.predict(X), rtol=1e-5)


# --- units and classes ----------------------------------------------------------------------------


class NumberPairs(torch.utils.data.Dataset):
    def __len__(self):
        return 60

    def __getitem__(self, row):
        return X[row], NUMBERS[row]


def test_a_dataset_continues_in_the_units_of_the_first_fit():
    def teacher(rows):
        return 1000 + 20 * rows[:, 0]

    found = []
    for live in (True, False):
        model = regressor(warm_start=True).fit(X, NUMBERS, teacher_prediction=teacher(X))
        if live:
            model.set_params(teacher=teacher).fit(NumberPairs())
        else:
            model.fit(X, NUMBERS, teacher_prediction=teacher(X))
        found.append(model)
    assert_same(*found)


def test_a_live_teacher_of_numbers_without_labels():
    model = regressor(teacher=lambda rows: 5e4 + 3e4 * rows[:, 0], augmentation=torch.clone)
    model.set_params(lr=0.3, max_epochs=60).fit(X)
    np.testing.assert_allclose(model.predict(X), 5e4 + 3e4 * X[:, 0], atol=300)


@pytest.mark.parametrize("augmentation", [None, doubled], ids=["cached", "augmented"])
def test_an_estimator_that_lacks_a_class(augmentation):
    teacher = FrozenEstimator(DummyClassifier(strategy="prior").fit(X, Y % 2))
    model = student(network(), teacher=teacher, augmentation=augmentation)
    with pytest.raises(ValueError, match="classes"):
        model.fit(X, Y)


def test_several_labels_are_refused():
    y = np.column_stack([Y == 0, Y == 1]).astype(int)
    model = student(network(2), teacher=Logits())
    with pytest.raises(ValueError, match="parameter teacher with y of several labels"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="parameter teacher with y of several labels"):
        model.partial_fit(X, y)
