"""Greedy hypergradients equal finite differences of the loss after one step."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from skorch.callbacks import Callback
from torch import nn

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.search.greedy_hypergradient import GreedyHypergradient
from sklearn_distill.search.linear_trajectory import LinearTrajectory
from tests.helpers import central_difference, random_problem

K = 3
RNG = np.random.default_rng(0)
PROBLEM = random_problem(RNG, n=40, K=K)
Y = np.where(PROBLEM["codes"] >= 0, PROBLEM["codes"], np.nan)
FIT_PARAMS = {"sample_weight": PROBLEM["weight"], "teacher_logits": PROBLEM["teacher_logits"]}
X_VAL, Y_VAL = RNG.normal(size=(20, 3)), RNG.integers(K, size=20)


class RecordingSchedule:
    """Search and schedule in one: given values of λ and T by step; records the gradients."""

    validation_batch_size = None

    def __init__(self, values, validation_temperature=1.0, virtual_step="own", gradient="exact"):
        self.gradient = gradient
        self.values = values
        self.validation_temperature = validation_temperature
        self.virtual_step = virtual_step

    def start(self, imitation, temperature):
        self.gradients = []
        self.imitation, self.temperature = self.values[0]
        return self

    def wants_gradient(self):
        return True

    def move(self, gradient):
        self.gradients.append(gradient)
        self.imitation, self.temperature = self.values[
            min(len(self.gradients), len(self.values) - 1)
        ]

    def state(self):
        return {"imitation": self.imitation}

    def __deepcopy__(self, memo):
        return self


def train(values, *, validation_temperature=1.0, virtual_step="own", gradient="exact", **options):
    """Train one step for each (λ, T), on all rows in one mini-batch."""
    return train_with(
        RecordingSchedule(values, validation_temperature, virtual_step, gradient), **options
    )


def train_with(schedule, **options):
    student = DistilledNeuralClassifier(
        **{
            "hidden_layer_sizes": (64,) if options.get("module") else (5,),
            "optimizer": "sgd",
            "lr": 0.3,
            "precision": "float64",
            "batch_size": 64,
            "max_epochs": len(schedule.values),
            "random_state": 0,
            "metaparameter_optimizer": schedule,
        }
        | options
    )
    student.fit(PROBLEM["X"], Y, **FIT_PARAMS, X_val=X_VAL, y_val=Y_VAL)
    return student, schedule.gradients[-1]


def loss_after(values, validation_temperature=1.0, **options):
    student, _ = train(values, validation_temperature=validation_temperature, **options)
    z = student.predict_log_proba(X_VAL) / validation_temperature
    return -log_softmax(z, axis=1)[np.arange(20), Y_VAL].mean()


def finite_differences(values, **options):
    *before, (imitation, temperature) = values
    return (
        central_difference(
            lambda t: loss_after([*before, (t, temperature)], **options), imitation, 1e-4
        ),
        central_difference(
            lambda t: loss_after([*before, (imitation, t)], **options), temperature, 1e-4
        ),
    )


class Twice(nn.Module):
    """A network that is no chain of linear layers: it uses a layer twice, and a product."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.inner = nn.Linear(n_features, n_features)
        self.norm = nn.LayerNorm(n_features)
        self.head = nn.Linear(n_features, n_outputs)

    def forward(self, x):
        return self.head(self.norm(x * torch.tanh(self.inner(torch.tanh(self.inner(x))))))


OPTIMIZERS = {
    "sgd": {},
    "groups": {"optimizer__param_groups": [("*bias", {"lr": 0.05})]},
    "momentum": {"optimizer__momentum": 0.9, "optimizer__dampening": 0.3},
    "nesterov": {"optimizer__momentum": 0.9, "optimizer__nesterov": True},
    "decay": {"optimizer__weight_decay": 0.1},
    "adam": {"optimizer": "adam", "lr": 0.05},
    "adam with decay": {"optimizer": "adam", "lr": 0.05, "optimizer__weight_decay": 0.1},
    "adamw": {"optimizer": "adamw", "lr": 0.05, "optimizer__weight_decay": 0.1},
}


@pytest.mark.parametrize("n_steps", [1, 3])
@pytest.mark.parametrize("options", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("module", [None, Twice])
def test_every_optimiser(module, options, n_steps):
    values = [(0.4, 2.0), (0.7, 1.5), (0.5, 3.0)][:n_steps]
    options = {"module": module, **options}
    _, gradient = train(values, **options)
    np.testing.assert_allclose(
        gradient, finite_differences(values, **options), rtol=1e-4, atol=1e-9
    )


@pytest.mark.parametrize(
    "options",
    [
        {"soften_student": False},
        {"t_squared": True},
        {"regularizer": "grabovoy"},
        {"regularizer": "continuous_categorical"},
        {"regularizer": "continuous_categorical", "t_squared": True},
        {"regularizer": "grabovoy", "soften_student": False},
        {"validation_temperature": 0.3},
        {"class_weight": "balanced"},
        {"class_weight": {0: 0.5, 1: 4.0}, "t_squared": True},
        {"class_weight": {0: 0.5, 1: 4.0}, "regularizer": "continuous_categorical"},
    ],
    ids=str,
)
def test_every_form_of_the_loss(options):
    values = [(0.4, 2.0), (0.7, 1.5)]
    _, gradient = train(values, **options)
    np.testing.assert_allclose(
        gradient, finite_differences(values, **options), rtol=1e-4, atol=1e-9
    )


@pytest.mark.parametrize("virtual_step", ["own", "sgd"])
@pytest.mark.parametrize("name", ["sgd", "nesterov", "adam"])
@pytest.mark.parametrize("form", [{}, {"t_squared": True}, {"regularizer": "grabovoy"}], ids=str)
def test_finite_differences_agree(name, virtual_step, form):
    values = [(0.4, 2.0), (0.7, 1.5)]
    options = {"virtual_step": virtual_step, **OPTIMIZERS[name], **form}
    of_exact, exact = train(values, **options)
    of_differences, approximate = train(values, gradient="finite_difference", **options)
    np.testing.assert_allclose(approximate, exact, rtol=1e-2, atol=1e-6)
    np.testing.assert_allclose(
        of_exact.predict_proba(X_VAL), of_differences.predict_proba(X_VAL), rtol=1e-8
    )


def test_a_clipped_gradient():
    schedule = GreedyHypergradient(lr=1.0, clip=0.01).start(0.5, 1.0)
    schedule.move([5.0, -5.0])
    np.testing.assert_allclose([schedule.imitation, schedule.temperature], [0.49, 1.01])


@pytest.mark.parametrize("virtual_step", ["own", "sgd"])
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_groups_of_weights_and_frozen_ones(name, virtual_step):
    """Finite differences agree if learning rates differ and a layer is frozen."""
    torch.manual_seed(0)
    layers = nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, K)
    network = nn.Sequential(*layers).double()
    layers[2].requires_grad_(False)
    options = {"virtual_step": virtual_step, **OPTIMIZERS[name], **OPTIMIZERS["groups"]}
    values = [(0.4, 2.0), (0.7, 1.5)]
    student, exact = train(values, module=network, **options)
    _, approximate = train(values, module=network, gradient="finite_difference", **options)
    np.testing.assert_allclose(approximate, exact, rtol=1e-2, atol=1e-6)
    ended = [part for part in student.to_torch().modules() if isinstance(part, nn.Linear)]
    assert torch.equal(ended[1].weight, layers[2].weight)
    assert not torch.equal(ended[0].weight, layers[0].weight)


def test_a_linear_model_in_one_layer():
    values = [(0.4, 2.0), (0.7, 1.5)]
    options = {"hidden_layer_sizes": ()}
    _, gradient = train(values, **options)
    np.testing.assert_allclose(gradient, finite_differences(values, **options), rtol=1e-4)


@pytest.mark.parametrize("module", [None, Twice])
def test_the_virtual_step_of_plain_sgd(module):
    """The validation loss is taken after a step of SGD, though Adam trains."""
    values = [(0.4, 2.0), (0.7, 1.5)]
    _, ahead = train(values, module=module, virtual_step="sgd", optimizer="adam", lr=0.05)

    def after(last):
        student, _ = train(values[:1], module=module, optimizer="adam", lr=0.05)
        student.set_params(
            warm_start=True,
            optimizer="sgd",
            metaparameter_optimizer=RecordingSchedule([last]),
            max_epochs=1,
        )
        student.fit(PROBLEM["X"], Y, **FIT_PARAMS, X_val=X_VAL, y_val=Y_VAL)
        return -student.predict_log_proba(X_VAL)[np.arange(20), Y_VAL].mean()

    expected = [
        central_difference(lambda t: after((t, 1.5)), 0.7, 1e-4),
        central_difference(lambda t: after((0.7, t)), 1.5, 1e-4),
    ]
    np.testing.assert_allclose(ahead, expected, rtol=1e-4)


def test_training_with_constant_values_is_that_of_the_plain_student():
    tuned, _ = train([(0.4, 2.0)] * 4)
    plain = DistilledNeuralClassifier(
        hidden_layer_sizes=(5,),
        optimizer="sgd",
        lr=0.3,
        precision="float64",
        batch_size=64,
        max_epochs=4,
        random_state=0,
        imitation=0.4,
        temperature=2.0,
    ).fit(PROBLEM["X"], Y, **FIT_PARAMS)
    np.testing.assert_allclose(tuned.predict_proba(X_VAL), plain.predict_proba(X_VAL), rtol=1e-10)


def test_dropout_draws_one_mask():
    """Both evaluations of a step have the same dropout mask, so finite differences agree."""
    values = [(0.4, 2.0), (0.7, 1.5)]
    for optimizer in ({}, {"optimizer": "adam", "lr": 0.05}):
        options = {"module__dropout": 0.4, **optimizer}
        _, gradient = train(values, **options)
        np.testing.assert_allclose(gradient, finite_differences(values, **options), rtol=1e-4)


def fit_with(search, **options):
    student = DistilledNeuralClassifier(
        **{"hidden_layer_sizes": (5,), "optimizer": "sgd", "lr": 0.3, "random_state": 0}
        | {"batch_size": 10, "max_epochs": 5, "metaparameter_optimizer": search}
        | options
    )
    return student.fit(PROBLEM["X"], Y, **FIT_PARAMS, X_val=X_VAL, y_val=Y_VAL)


def test_the_history_has_the_source_of_each_value():
    student = fit_with(LinearTrajectory(3, 2, lr=0.5))
    history = student.metaparameter_history_
    assert len(history) == 20
    cycle = ["computed"] * 3 + ["predicted"] * 2
    assert history["source"].tolist() == cycle * 4
    for name in ("imitation", "temperature"):
        lines = history[name].to_numpy().reshape(4, 5)
        for values in lines:
            line = np.polyval(np.polyfit(np.arange(3), values[:3], 1), np.arange(3, 5))
            low, high = (0, 1) if name == "imitation" else (0.1, 10)
            np.testing.assert_allclose(values[3:], np.clip(line, low, high))
    assert student.imitation_ == history["imitation"].iloc[-1]


def test_every_eighth_step_updates():
    history = fit_with(GreedyHypergradient(update_every=8)).metaparameter_history_
    assert (
        history["source"].tolist()
        == (["computed"] + ["held"] * 7) * 2 + ["computed"] + ["held"] * 3
    )


@pytest.mark.parametrize(
    "optimizer",
    [
        GreedyHypergradient(lr=1e3),
        LinearTrajectory(2, 5, lr=1e3),
        LinearTrajectory(2, 1000, lr=10.0),
        GreedyHypergradient(lr=1e3, temperature_range=(0.5, 2.0)),
    ],
)
def test_values_stay_in_their_ranges(optimizer):
    history = fit_with(optimizer, max_epochs=20).metaparameter_history_
    low, high = optimizer.temperature_range
    assert history["imitation"].between(0, 1).all()
    assert history["temperature"].between(low, high).all()


def test_only_named_metaparameters_are_tuned():
    history = fit_with(GreedyHypergradient(metaparameters=["imitation"])).metaparameter_history_
    assert (history["temperature"] == 1.0).all()
    assert history["imitation"].nunique() > 10


@pytest.mark.parametrize("module", [None, Twice])
def test_smaller_validation_batches_cover_all_rows(module):
    """With nearly constant weights, the mean of their gradients is the gradient of all rows."""
    options = {"module": module, "lr": 1e-9}
    _, whole = train([(0.4, 2.0)], **options)
    schedule = RecordingSchedule([(0.4, 2.0)] * 5)
    schedule.validation_batch_size = 4
    train_with(schedule, **options)
    by_batch = np.array(schedule.gradients)
    assert len(np.unique(by_batch[:, 0])) == 5
    np.testing.assert_allclose(by_batch.mean(axis=0), whole, rtol=1e-6)


@pytest.mark.parametrize("size", [3, 19])
def test_each_validation_row_counts_as_much(size):
    """Also if the batch size does not divide 20: in 20 batches each row occurs ``size`` times."""
    options = {"lr": 1e-9}
    _, whole = train([(0.4, 2.0)], **options)
    schedule = RecordingSchedule([(0.4, 2.0)] * 20)
    schedule.validation_batch_size = size
    train_with(schedule, **options)
    np.testing.assert_allclose(np.mean(schedule.gradients, axis=0), whole, rtol=1e-6)


class Toggle(Callback):
    """Freeze or unfreeze a layer after each of the given epochs."""

    def __init__(self, layer, *epochs):
        self.layer, self.epochs = layer, epochs

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) in self.epochs:
            for p in net.module_[self.layer].parameters():
                p.requires_grad_(not p.requires_grad)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("layer", [0, 2])
@pytest.mark.parametrize("virtual_step", ["own", "sgd"])
def test_layers_frozen_and_unfrozen_in_training(name, layer, virtual_step):
    """Each step is that of the layers which a callback has left trainable."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, K)).double()
    options = {"module": network, "virtual_step": virtual_step, **OPTIMIZERS[name]}
    for n_steps in (3, 6):  # the layer is frozen after two steps and unfrozen after four
        values = [(0.4, 2.0), (0.7, 1.5)] * (n_steps // 2) + [(0.6, 1.2)] * (n_steps % 2)
        found = []
        for gradient in ("exact", "finite_difference"):
            callbacks = [Toggle(layer, 2, 4)]
            student, last = train(values, gradient=gradient, callbacks=callbacks, **options)
            found.append((student.predict_proba(X_VAL), last))
        np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-8)
        np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-2, atol=1e-6)


class WithUnusedLayer(nn.Module):
    """A network with a layer that its forward pass does not use."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.unused = nn.Linear(2, 2)
        self.head = nn.Linear(n_features, n_outputs)

    def forward(self, x):
        return self.head(x)


@pytest.mark.parametrize("gradient", ["exact", "finite_difference"])
@pytest.mark.parametrize("name", ["decay", "adam with decay"])
def test_an_unused_weight_is_not_changed(name, gradient):
    """As in plain training: it has no gradient, so weight decay does not apply."""
    options = {"module": WithUnusedLayer, **OPTIMIZERS[name]}
    values = [(0.4, 2.0), (0.7, 1.5)]
    short, _ = train(values[:1], gradient=gradient, **options)
    long, found = train(values, gradient=gradient, **options)
    before, after = (dict(student.net_.module_.named_parameters()) for student in (short, long))
    assert torch.equal(before["unused.weight"], after["unused.weight"])
    np.testing.assert_allclose(found, finite_differences(values, **options), rtol=1e-2, atol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")  # meant
def test_the_imitation_of_a_misleading_teacher_falls():
    """λ falls for a teacher that contradicts the validation labels, and rises for its opposite."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = (X[:, 0] > 0).astype(int)
    wrong = np.where(y[:, None] == [0, 1], 0.1, 0.9)
    ends = {}
    for name, teacher in {"wrong": wrong, "right": 1 - wrong}.items():
        student = DistilledNeuralClassifier(
            optimizer="sgd",
            lr=0.5,
            max_epochs=30,
            random_state=0,
            metaparameter_optimizer=GreedyHypergradient(lr=1.0),
        ).fit(X, np.where(rng.random(400) < 0.4, 1 - y, y), teacher_proba=teacher, X_val=X, y_val=y)
        ends[name] = student.imitation_
    assert ends["wrong"] < 0.1 < 0.9 < ends["right"]


@pytest.mark.parametrize(
    ("optimizer", "options", "message"),
    [
        (GreedyHypergradient(lr=-1.0), {}, "lr must be above 0"),
        (GreedyHypergradient(metaparameters=["C"]), {}, "metaparameters="),
        (GreedyHypergradient(temperature_range=(2, 1)), {}, "temperature_range="),
        (GreedyHypergradient(virtual_step="adam"), {}, "virtual_step must be"),
        (GreedyHypergradient(gradient="exactly"), {}, "gradient must be"),
        (GreedyHypergradient(clip=0.0), {}, "clip must be above 0"),
        (GreedyHypergradient(validation_batch_size=0), {}, "validation_batch_size must be"),
        (LinearTrajectory(validation_batch_size=0.5), {}, "validation_batch_size must be"),
        (LinearTrajectory(1, 5), {}, "gradient_steps=1 must be at least 2"),
        (GreedyHypergradient(), {"gradient_clip": 1.0}, "with gradient_clip=1.0"),
        (GreedyHypergradient(), {"optimizer": torch.optim.RMSprop}, "no known derivative"),
        (GreedyHypergradient(), {"checkpoint": "file"}, "checkpoint and metaparameter_optimizer"),
    ],
)
def test_errors(optimizer, options, message):
    with pytest.raises(ValueError, match=message):
        fit_with(optimizer, **options)


def test_a_search_without_a_teacher():
    with pytest.raises(ValueError, match="neither teacher_proba nor teacher_logits is given"):
        DistilledNeuralClassifier(metaparameter_optimizer=GreedyHypergradient()).fit(
            X_VAL, Y_VAL, X_val=X_VAL, y_val=Y_VAL
        )
