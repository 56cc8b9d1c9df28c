"""Mixed targets, smoothed labels and losses of the user, against loops in torch."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torch.nn import functional

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor, GreedyHypergradient
from sklearn_distill.students._output_units import OutputUnits

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)).astype(np.float32)
Y = np.arange(40) % 3
LOGITS = (2 * np.eye(3)[Y] + RNG.normal(size=(40, 3))).astype(np.float32)
E = RNG.normal(size=(40, 2)).astype(np.float32)
OTHER = torch.tensor(RNG.permutation(40))
WEIGHT = torch.tensor(RNG.uniform(size=40).astype(np.float32))
SGD = {"optimizer": "sgd", "lr": 0.3, "batch_size": 1000, "max_epochs": 3, "random_state": 0}


def network(n_outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, n_outputs))


def student(module=None, **options):
    return DistilledNeuralClassifier(module or network(), **SGD | options)


def trained_by_hand(loss, module=None, n_steps=3):
    """Return a network after steps on a loss of its scores for all rows."""
    module = copy.deepcopy(module or network())
    optimizer = torch.optim.SGD(module.parameters(), lr=0.3)
    for _ in range(n_steps):
        optimizer.zero_grad()
        loss(module(torch.tensor(X))).backward()
        optimizer.step()
    return module


def assert_same(model, module, atol=1e-6):
    for name, weight in module.state_dict().items():
        found = model.net_.module_.state_dict()[name]
        np.testing.assert_allclose(found, weight, atol=atol, err_msg=name)


def in_order(rows):
    """Return the numbers of rows that a mini-batch has shuffled."""
    return torch.cdist(rows, torch.tensor(X)).argmin(1)


class Mix:
    """A mixture whose partners and weights are those of the rows, whatever their order."""

    def __init__(self, weight=WEIGHT):
        self.weight = weight

    def __call__(self, rows):
        numbers = in_order(rows)
        position = torch.empty(40, dtype=torch.long)
        position[numbers] = torch.arange(40)
        other = position[OTHER[numbers]]
        weight = self.weight[numbers] if self.weight.ndim else self.weight
        w = weight[:, None] if weight.ndim else weight
        return w * rows + (1 - w) * rows[other], other, weight


MIXED = WEIGHT.numpy()[:, None] * X + (1 - WEIGHT.numpy()[:, None]) * X[OTHER]
WEIGHTS = np.concatenate([WEIGHT, 1 - WEIGHT])


def twice(values):
    return np.concatenate([values, values[OTHER]])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 2.0, "t_squared": True},
        {"regularizer": "grabovoy"},
        {"embedding_weight": 0.5},
        {"distillation_loss": lambda z, t, y, w: (z - t).square().mean(1)},
    ],
    ids=lambda options: " ".join(options) or "default",
)
def test_mixed_targets_are_two_weighted_copies(options):
    known = Y.astype(float)
    known[::4] = np.nan
    mixed = student(augmentation=Mix(), **options)
    mixed.fit(X, known, teacher_logits=LOGITS, teacher_embedding=E)
    copies = student(**options)
    twice_x = np.concatenate([MIXED, MIXED])
    copies.fit(
        twice_x, twice(known), WEIGHTS, teacher_logits=twice(LOGITS), teacher_embedding=twice(E)
    )
    assert_same(mixed, copies.net_.module_)
    np.testing.assert_allclose(mixed.history_["train_loss"], copies.history_["train_loss"], 1e-5)
    assert "label_loss" not in mixed.history_, "the rows have no single label"


def test_mixed_numbers_are_two_weighted_copies():
    options = SGD | {"lr": 0.05, "normalize_y": False}
    y, t = X[:, 0] + 1, X[:, 1]
    mixed = DistilledNeuralRegressor(network(1), augmentation=Mix(), **options)
    mixed.fit(X, y, teacher_prediction=t)
    copies = DistilledNeuralRegressor(network(1), **options)
    copies.fit(np.concatenate([MIXED, MIXED]), twice(y), WEIGHTS, teacher_prediction=twice(t))
    assert_same(mixed, copies.net_.module_)


def test_mixup_equals_a_loop_with_mixed_distributions():
    w, q, one_hot = (
        0.3,
        torch.tensor(LOGITS).softmax(1),
        functional.one_hot(torch.tensor(Y), 3).float(),
    )
    target = 0.5 * one_hot + 0.5 * q
    target = w * target + (1 - w) * target[OTHER]
    module = copy.deepcopy(network())
    optimizer = torch.optim.SGD(module.parameters(), lr=0.3)
    mixed = w * torch.tensor(X) + (1 - w) * torch.tensor(X)[OTHER]
    for _ in range(3):
        optimizer.zero_grad()
        functional.cross_entropy(module(mixed), target).backward()
        optimizer.step()
    model = student(augmentation=Mix(torch.tensor(w))).fit(X, Y, teacher_logits=LOGITS)
    assert_same(model, module)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda x: (x, x), "a tuple of 2: it must return features, or"),
        (lambda x: (x, torch.arange(3), 0.5), r"permutation of shape \(3,\).* for 40 rows"),
        (lambda x: (x, torch.arange(40), torch.ones(3)), r"a weight of shape \(3,\)"),
        (lambda x: (x, torch.arange(40), 1.5), r"a weight outside \[0, 1\]"),
    ],
)
def test_errors_of_mixtures(returned, message):
    with pytest.raises(ValueError, match=message):
        student(augmentation=returned).fit(X, Y, teacher_logits=LOGITS)


def test_a_mixture_and_hypergradients_are_refused():
    model = student(augmentation=Mix(), metaparameter_optimizer=GreedyHypergradient())
    with pytest.raises(ValueError, match="a mixture, which metaparameter_optimizer does not"):
        model.fit(X, Y, teacher_logits=LOGITS, X_val=X, y_val=Y)


class Rows(torch.utils.data.Dataset):
    """The rows above."""

    def __len__(self):
        return 40

    def __getitem__(self, row):
        return X[row], Y[row], torch.tensor(LOGITS[row]).softmax(0).numpy()


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_smoothed_labels_are_torchs(temperature):
    T, q = temperature, (torch.tensor(LOGITS) / temperature).softmax(1)

    def loss(z):
        hard = functional.cross_entropy(z, torch.tensor(Y), label_smoothing=0.2)
        return 0.5 * hard + 0.5 * functional.cross_entropy(z / T, q)

    module = trained_by_hand(loss)
    model = student(label_smoothing=0.2, temperature=T).fit(X, Y, teacher_logits=LOGITS)
    assert_same(model, module)
    streamed = student(label_smoothing=0.2, temperature=T, classes=[0, 1, 2]).fit(Rows())
    assert_same(streamed, module)
    plain = student(temperature=T, max_epochs=1).fit(X, Y, teacher_logits=LOGITS).history_
    for name in ("label_loss", "teacher_loss"):
        np.testing.assert_allclose(model.history_[name].iloc[0], plain[name].iloc[0], rtol=1e-5)


# --- losses of the user ---------------------------------------------------------------------------


def decoupled(z, t, y, w, temperature):
    """Zhao et al. 2022: the target class and the others apart, here with weights 1 and 4."""
    target = functional.one_hot(y, z.shape[1]).bool()
    p, q = (z / temperature).softmax(1), (t / temperature).softmax(1)
    binary = [torch.stack([v[target], 1 - v[target]], 1) for v in (p, q)]
    others = [(v / temperature).masked_fill(target, -1e9) for v in (z, t)]
    tckd = functional.kl_div(binary[0].log(), binary[1], reduction="none").sum(1)
    nckd = functional.kl_div(others[0].log_softmax(1), others[1].softmax(1), reduction="none").sum(
        1
    )
    return temperature**2 * (tckd + 4 * nckd)


def standardised(z, t, y, w, temperature):
    """Sun et al. 2024: logits of mean 0 and deviation 1."""
    u, v = ((x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True) for x in (z, t))
    q = (v / temperature).softmax(1)
    return functional.kl_div((u / temperature).log_softmax(1), q, reduction="none").sum(1)


def correlation(z, t, y, w):
    """Huang et al. 2022 (DIST): one minus the correlation of the probabilities of a row."""
    p, q = z.softmax(1), t.softmax(1)
    p, q = (v - v.mean(1, keepdim=True) for v in (p, q))
    return 1 - functional.cosine_similarity(p, q, dim=1)


@pytest.mark.parametrize("function", [decoupled, standardised, correlation])
def test_a_loss_of_the_user_equals_a_loop(function):
    taught = torch.arange(40) % 5 > 0
    y, t, T = torch.tensor(Y), torch.tensor(LOGITS), 2.0
    arguments = {} if function is correlation else {"temperature": T}

    def loss(z):
        teacher = function(z[taught], t[taught], y[taught], None, **arguments)
        share = torch.where(taught, 0.7, 0.0)
        label = (1 - share) * functional.cross_entropy(z, y, reduction="none")
        return (label.sum() + 0.7 * teacher.sum()) / 40

    logits = np.where(taught[:, None], LOGITS, np.nan)
    model = student(distillation_loss=function, imitation=0.7, temperature=T)
    assert_same(model.fit(X, Y, teacher_logits=logits), trained_by_hand(loss))


def test_a_loss_of_the_user_gets_what_it_asks_for():
    seen = {}

    def keep(scores, logits, labels, weights, temperature, imitation):
        seen.update(logits=logits, labels=labels, weights=weights, T=temperature, λ=imitation)
        return scores.square().sum(1)

    y = Y.astype(float)
    y[:10] = np.nan
    s = RNG.uniform(0.5, 2, size=40)
    model = student(distillation_loss=keep, imitation=0.3, temperature=4.0, max_epochs=1)
    model.fit(X, y, s, teacher_logits=LOGITS)
    assert (seen["T"], seen["λ"]) == (4.0, 0.3)
    assert sorted(seen["labels"].tolist()) == sorted(np.where(np.isnan(y), -1, y).astype(int))
    np.testing.assert_allclose(np.sort(seen["weights"]), np.sort(s / s.mean()), rtol=1e-5)
    np.testing.assert_allclose(np.sort(seen["logits"], 0), np.sort(LOGITS, 0), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distillation_loss": lambda z, t, y, w: z.sum()}, r"returned Tensor of shape \(\) for"),
        ({"distillation_loss": correlation, "t_squared": True}, "t_squared=True has no effect on"),
        ({"distillation_loss": correlation, "soften_student": False}, "soften_student=False has"),
    ],
)
def test_errors_of_a_loss_of_the_user(options, message):
    with pytest.raises(ValueError, match=message):
        student(**options).fit(X, Y, teacher_logits=LOGITS)


def absolute(z, t, y, w, imitation):
    """Distances, of less weight where the teacher is farther from the label than the student."""
    worse = (t - y).abs() > (z - y).abs()
    return torch.where(worse, imitation, 1.0).mul((z - t).abs()).mean(1)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_loss_of_the_user_for_numbers_equals_a_loop(n_outputs):
    t = X[:, :n_outputs] + 0.2 * X[:, 2 : 2 + n_outputs]
    y = X[:, :n_outputs].astype(float)
    y[::4] = np.nan
    taught = torch.arange(40) % 5 > 0
    taught[::4] = True
    units = OutputUnits.of(y, None, np.ones(40))  # the network learns standardised labels
    labels, teacher = (torch.tensor(units.normalize(values)).float() for values in (y, t))
    known = ~torch.isnan(labels[:, 0])

    def loss(z):
        share = torch.where(known, torch.where(taught, 0.7, 0.0), 1.0)
        hard = (z - labels.nan_to_num()).square().mean(1) * (1 - share)
        soft = absolute(z[taught], teacher[taught], labels[taught], None, 0.7)
        return (hard.sum() + (share[taught] * soft).sum()) / 40

    module = network(n_outputs)
    expected = trained_by_hand(loss, module)
    prediction = np.where(taught[:, None], t, np.nan)
    if n_outputs == 1:
        y, prediction = y[:, 0], prediction[:, 0]
    model = DistilledNeuralRegressor(module, imitation=0.7, distillation_loss=absolute, **SGD)
    assert_same(model.fit(X, y, teacher_prediction=prediction), expected)
    assert "teacher_loss" not in model.history_
    asked = DistilledNeuralRegressor(
        module,
        imitation=0.7,
        distillation_loss=absolute,
        teacher=lambda x: x[:, :n_outputs] + 0.2 * x[:, 2 : 2 + n_outputs],
        augmentation=torch.clone,
        **SGD,
    ).fit(X, y)
    passed = clone(asked).set_params(teacher=None, augmentation=None)
    assert_same(asked, passed.fit(X, y, teacher_prediction=t).net_.module_)


def test_a_dataset_and_a_loss_of_the_user_are_refused():
    with pytest.raises(ValueError, match="distillation_loss needs X as an array"):
        DistilledNeuralRegressor(distillation_loss=absolute).fit(Rows())
    with pytest.raises(ValueError, match="distillation_loss needs X as an array"):
        student(distillation_loss=correlation, classes=[0, 1, 2]).fit(Rows())
