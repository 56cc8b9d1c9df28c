"""λ and T as functions of the epoch, against loops in torch."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback
from torch import nn
from torch.nn import functional

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor, GreedyHypergradient

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)).astype(np.float32)
Y = np.arange(40) % 3
LOGITS = (2 * np.eye(3)[Y] + RNG.normal(size=(40, 3))).astype(np.float32)
FULL = {"optimizer": "sgd", "lr": 0.3, "batch_size": 1000, "max_epochs": 6, "random_state": 0}
LAMBDAS, TEMPERATURES = np.linspace(0.9, 0.1, 6), np.linspace(4, 1, 6)


def imitation(epoch):
    return LAMBDAS[epoch - 1]


def temperature(epoch):
    return TEMPERATURES[epoch - 1]


def network(n_outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, n_outputs))


def student(**options):
    moving = {"imitation": imitation, "temperature": temperature}
    return DistilledNeuralClassifier(network(), **FULL | moving | options)


def assert_same(model, module):
    for name, weight in module.state_dict().items():
        np.testing.assert_allclose(model.net_.module_.state_dict()[name], weight, atol=1e-6)


def by_hand(T_of=temperature):
    module, y, t = copy.deepcopy(network()), torch.tensor(Y), torch.tensor(LOGITS)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.3)
    for epoch in range(1, 7):
        z, lam, T = module(torch.tensor(X)), imitation(epoch), T_of(epoch)
        loss = lam * functional.cross_entropy(z / T, (t / T).softmax(1))
        loss = loss + (1 - lam) * functional.cross_entropy(z, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return module


def test_both_move_as_in_a_loop():
    model = student().fit(X, Y, teacher_logits=LOGITS)
    assert_same(model, by_hand())
    np.testing.assert_allclose(model.history_["imitation"], LAMBDAS)
    np.testing.assert_allclose(model.history_["temperature"], TEMPERATURES)
    assert (model.history_["teacher_loss"] > 0).all()
    fixed = student(temperature=2.0).fit(X, Y, teacher_logits=LOGITS)
    assert_same(fixed, by_hand(lambda epoch: 2.0))
    assert_same(clone(model).fit(X, Y, teacher_logits=LOGITS), by_hand())


def test_a_warm_start_and_partial_fit_go_on():
    warm = student(warm_start=True, max_epochs=2)
    for _ in range(3):
        warm.fit(X, Y, teacher_logits=LOGITS)
    assert_same(warm, by_hand())
    parts = student()
    for _ in range(6):
        parts.partial_fit(X, Y, teacher_logits=LOGITS)
    assert_same(parts, by_hand())


class Interrupt(Callback):
    """Stop the training as an error would."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 4:
            raise KeyboardInterrupt


def test_an_interrupted_training_resumes(tmp_path):
    options = {"checkpoint": tmp_path / "training.pt", "batch_size": 9}
    with pytest.raises(KeyboardInterrupt):
        student(callbacks=[Interrupt()], **options).fit(X, Y, teacher_logits=LOGITS)
    resumed = student(**options).fit(X, Y, teacher_logits=LOGITS)
    assert_same(resumed, student(batch_size=9).fit(X, Y, teacher_logits=LOGITS).net_.module_)


def test_constants_with_held_out_rows_embeddings_and_losses_of_the_user():
    def squared(z, t, y, w, temperature):
        return (z / temperature - t / temperature).square().mean(1)

    options = {"embedding_weight": 0.1, "distillation_loss": squared, "lr": 0.05}
    constant = {"imitation": lambda epoch: 0.3, "temperature": lambda epoch: 2.0}
    moving, fixed = (
        student(early_stopping=True, batch_size=9, **options, **values).fit(
            X, Y, teacher_logits=LOGITS, teacher_embedding=X[:, :2]
        )
        for values in (constant, {"imitation": 0.3, "temperature": 2.0})
    )
    assert_same(moving, fixed.net_.module_)


def test_a_regressor_moves_too():
    y, t, module = torch.tensor(X[:, 0]), torch.tensor(X[:, 1]), copy.deepcopy(network(1))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.3)
    for epoch in range(1, 7):
        z, lam = module(torch.tensor(X))[:, 0], imitation(epoch)
        loss = lam * functional.mse_loss(z, t) + (1 - lam) * functional.mse_loss(z, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model = DistilledNeuralRegressor(network(1), imitation=imitation, normalize_y=False, **FULL)
    assert_same(model.fit(X, X[:, 0], teacher_prediction=X[:, 1]), module)


class Rows(torch.utils.data.Dataset):
    """The rows above."""

    def __len__(self):
        return 40

    def __getitem__(self, row):
        return X[row], Y[row], np.full(3, 1 / 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"imitation": lambda epoch: epoch - 1.5}, "imitation gave -0.5 for epoch 1: it must"),
        ({"temperature": lambda epoch: 2 - epoch}, "temperature gave 0 for epoch 2: it must"),
        ({"metaparameter_optimizer": GreedyHypergradient()}, "metaparameter_optimizer with imit"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        student(**options).fit(X, Y, teacher_logits=LOGITS)


def test_a_dataset_needs_numbers():
    with pytest.raises(ValueError, match="imitation is a function of the epoch, which needs X as"):
        student(classes=[0, 1, 2]).fit(Rows())
