"""Learning rates by step, and the parts of the loss by epoch."""

import functools

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from skorch.callbacks import Callback
from torch import nn
from torch.optim import lr_scheduler

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor, GreedyHypergradient
from sklearn_distill.students._output_units import OutputUnits

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)).astype(np.float32)
Y = np.arange(40) % 3
LOGITS = 2 * np.eye(3)[Y] + RNG.normal(size=(40, 3))


class Rates(Callback):
    """Keep the learning rate of each step."""

    def on_train_begin(self, net, **kwargs):
        self.rates = []

    def on_grad_computed(self, net, **kwargs):
        self.rates.append(net.optimizer_.param_groups[0]["lr"])


def student(**options):
    torch.manual_seed(0)
    defaults = {"optimizer": "sgd", "lr": 0.1, "batch_size": 10, "max_epochs": 5, "random_state": 0}
    return DistilledNeuralClassifier(nn.Linear(5, 3), **defaults | options)


def rates_of_torch(make, n_steps=20):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler, rates = make(optimizer), []
    for _ in range(n_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


ONE_CYCLE = functools.partial(lr_scheduler.OneCycleLR, max_lr=0.5, total_steps=20)
CYCLIC = functools.partial(lr_scheduler.CyclicLR, base_lr=0.1, max_lr=1, step_size_up=3)
SCHEDULES = {
    "one cycle": (ONE_CYCLE, ONE_CYCLE),
    "cyclic": (CYCLIC, CYCLIC),
    "warm-up": (
        lambda optimizer, n_steps: lr_scheduler.LinearLR(optimizer, 0.1, 1, n_steps // 2),
        lambda optimizer: lr_scheduler.LinearLR(optimizer, 0.1, 1, 10),
    ),
}


@pytest.mark.parametrize(("schedule", "of_torch"), SCHEDULES.values(), ids=SCHEDULES.keys())
def test_schedules_of_steps_are_torchs(schedule, of_torch):
    model = student(lr_schedule=schedule, callbacks=[("rates", Rates())]).fit(
        X, Y, teacher_logits=LOGITS
    )
    expected = rates_of_torch(of_torch)
    np.testing.assert_allclose(dict(model.net_.callbacks_)["rates"].rates, expected)
    np.testing.assert_allclose(model.history_["lr"], expected[3::4])


def test_schedules_of_steps_resume(tmp_path):
    class Interrupt(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 3:
                raise RuntimeError("interrupted")

    file = tmp_path / "training.pt"
    options = {"lr_schedule": SCHEDULES["warm-up"][0]}
    with pytest.raises(RuntimeError):
        student(checkpoint=file, callbacks=[Interrupt()], **options).fit(
            X, Y, teacher_logits=LOGITS
        )
    resumed = student(checkpoint=file, **options).fit(X, Y, teacher_logits=LOGITS)
    whole = student(**options).fit(X, Y, teacher_logits=LOGITS)
    assert resumed.history_["lr"].tolist() == whole.history_["lr"].tolist()
    assert resumed.history_["train_loss"].tolist() == whole.history_["train_loss"].tolist()


LOSSES = [
    {},
    {"temperature": 3.0},
    {"temperature": 3.0, "t_squared": True},
    {"temperature": 3.0, "soften_student": False},
    {"temperature": 3.0, "class_weight": {0: 2.0, 1: 1.0, 2: 0.5}},
    {"imitation": 1.0, "embedding_weight": 0.5},
]


@pytest.mark.parametrize("options", LOSSES, ids=str)
def test_the_losses_of_labels_and_teacher(options):
    """By hand, at the initial weights, at which the only mini-batch of the epoch is evaluated."""
    labelled, taught = np.arange(40) % 4 > 0, np.arange(40) % 5 > 0
    taught |= ~labelled
    y, logits = np.where(labelled, Y, np.nan), np.where(taught[:, None], LOGITS, np.nan)
    s = RNG.uniform(0.5, 2, size=40)
    model = student(max_epochs=1, batch_size=40, **options)
    model.fit(X, y, s, teacher_logits=logits, teacher_embedding=X[:, :2])
    with torch.no_grad():
        z = student().module(torch.tensor(X)).numpy().astype(float)
    T = options.get("temperature", 1.0)
    q, g = softmax(LOGITS / T, 1), log_softmax(z / (T if model.soften_student else 1), 1)
    c = np.array([options.get("class_weight", {0: 1, 1: 1, 2: 1})[k] for k in range(3)])
    s_label = np.where(labelled, s * c[Y], 0)
    label_loss = (s_label * -log_softmax(z, 1)[np.arange(40), Y]).sum() / s_label.sum()
    # without a label, the teacher's prediction is weighted copies of the classes
    weighted = np.where(labelled[:, None], c[Y][:, None] * q, c * q) * s[:, None]
    weighted *= np.where(labelled, model.imitation, 1)[:, None] * taught[:, None]
    mass = weighted.sum(1)
    p = weighted / np.where(mass > 0, mass, 1)[:, None]
    kl = (weighted * (np.log(np.where(p > 0, p, 1)) - g)).sum() / mass.sum()
    history = model.history_.iloc[0]
    np.testing.assert_allclose(history["label_loss"], label_loss, rtol=1e-5)
    np.testing.assert_allclose(history["teacher_loss"], kl, rtol=1e-5)
    assert history["imitation"] == model.imitation
    assert history["temperature"] == T


def test_the_teachers_loss_is_zero_for_its_own_network():
    net = nn.Linear(5, 3)
    with torch.no_grad():
        logits = net(torch.tensor(X)).numpy()
    model = DistilledNeuralClassifier(net, imitation=1.0, temperature=2.0, max_epochs=2)
    model.set_params(classes=[0, 1, 2], batch_size=9).fit(X, teacher_logits=logits)
    history = model.history_
    np.testing.assert_allclose(history["teacher_loss"], 0, atol=1e-6)
    assert "label_loss" not in history


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("live", [False, True], ids=["passed", "live"])
def test_the_losses_of_labels_and_predictions(n_outputs, live):
    """Squared distances at the initial weights, at which the only mini-batch is evaluated.

    They are in units of the variance of the labels, as the network learns them.
    """
    labelled = np.arange(40) % 4 > 0
    taught = ~labelled | (np.arange(40) % 5 > 0) | live
    y, t = X[:, :n_outputs].astype(float), X[:, 1 : 1 + n_outputs] + 0.5 * X[:, :n_outputs]
    y[~labelled], s = np.nan, RNG.uniform(0.5, 2, size=40)
    torch.manual_seed(0)
    module = nn.Linear(5, n_outputs)
    model = DistilledNeuralRegressor(
        module, imitation=0.3, batch_size=40, max_epochs=1, random_state=0
    )
    if live:
        model.set_params(
            teacher=lambda x: x[:, 1 : 1 + n_outputs] + 0.5 * x[:, :n_outputs],
            augmentation=torch.clone,
        )
        model.fit(X, y, s)
    else:
        model.fit(X, y, s, teacher_prediction=np.where(taught[:, None], t, np.nan))
    with torch.no_grad():
        z = module(torch.tensor(X)).numpy()
    units = OutputUnits.of(y, None, s)
    y, t = units.normalize(y), units.normalize(t)
    history = model.history_.iloc[0]
    found = (np.square(z - y).mean(1)[labelled] * s[labelled]).sum() / s[labelled].sum()
    np.testing.assert_allclose(history["label_loss"], found, rtol=1e-5)
    w = s * taught * np.where(labelled, 0.3, 1)
    found = (w * np.square(z - t).mean(1)).sum() / w.sum()
    np.testing.assert_allclose(history["teacher_loss"], found, rtol=1e-5)


def test_what_the_history_lacks():
    numbers = DistilledNeuralRegressor(imitation=0.25, max_epochs=2, random_state=0)
    history = numbers.fit(X, X[:, 0], teacher_prediction=X[:, 1]).history_
    assert history["imitation"].tolist() == [0.25, 0.25]
    assert "temperature" not in history
    moving = student(metaparameter_optimizer=GreedyHypergradient(lr=1.0)).fit(
        X, Y, teacher_logits=LOGITS
    )
    assert moving.history_["temperature"].iloc[-1] == moving.temperature_
    assert moving.history_["imitation"].nunique() == 5
