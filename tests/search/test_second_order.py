"""Greedy hypergradients equal those of autograd through the virtual step, to rounding.

The reference is independent of the package: it implements the loss of MATHEMATICS §1, the
optimiser's step and the validation loss in torch, and differentiates the validation loss in
(λ, T) through the other two.
"""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy, log_softmax

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.nets._hypergradient import LinearLayerStrategy, WeightStrategy, choose_strategy

K, N, N_VAL = 3, 24, 9
RNG = np.random.default_rng(0)
Y, Y_VAL = RNG.integers(K, size=N), RNG.integers(K, size=N_VAL)
WEIGHT = RNG.uniform(0.2, 3.0, N)
LOGITS = 2 * RNG.normal(size=(N, K))
LOGITS[::4] = np.nan  # missing predictions
TABLE = RNG.normal(size=(N, 5)), RNG.normal(size=(N_VAL, 5))
IMAGES = RNG.normal(size=(N, 1, 12, 12)), RNG.normal(size=(N_VAL, 1, 12, 12))
STEPS = [(0.4, 2.0), (0.7, 1.5), (0.55, 3.0)]


def chain():
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, K))


def frozen():
    """Return a chain whose first layer is frozen."""
    network = chain()
    network[0].requires_grad_(False)
    return network


def convolution():
    """Return a small LeNet: convolutions, pools, then linear layers."""
    return nn.Sequential(
        *(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.MaxPool2d(2)),
        *(nn.Conv2d(2, 3, 3), nn.Tanh(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, K)),
    )


def network(build):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build().double()


class Recorder:
    """Search and schedule in one: given values of (λ, T) in turn; records the gradients."""

    validation_temperature = 0.7
    validation_batch_size = None
    gradient = "exact"

    def __init__(self, virtual_step="own"):
        self.virtual_step = virtual_step
        self.gradients = []

    def start(self, imitation, temperature):
        self.imitation, self.temperature = STEPS[0]
        return self

    def wants_gradient(self):
        return True

    def move(self, gradient):
        self.gradients.append(gradient)
        self.imitation, self.temperature = STEPS[len(self.gradients) % len(STEPS)]

    def state(self):
        return {"imitation": self.imitation}

    def __deepcopy__(self, memo):
        return self


def computed(build, data, *, weight=None, virtual_step="own", **options):
    """Return the package's hypergradient of each step, all rows in one mini-batch."""
    recorder = Recorder(virtual_step)
    student = DistilledNeuralClassifier(
        network(build),
        precision="float64",
        batch_size=N,
        max_epochs=len(STEPS),
        metaparameter_optimizer=recorder,
        random_state=0,
        **options,
    )
    student.fit(data[0], Y, weight, teacher_logits=LOGITS, X_val=data[1], y_val=Y_VAL)
    return np.array(recorder.gradients)


def training_loss(z, imitation, temperature, weight, soften_student, t_squared):
    """Return the loss of MATHEMATICS §1 for labelled rows, some without a prediction."""
    teacher_mask = torch.as_tensor(~np.isnan(LOGITS).any(axis=1))
    v = torch.as_tensor(np.nan_to_num(LOGITS))
    lam = torch.where(teacher_mask, imitation, 0.0)
    student_temperature = temperature if soften_student else 1.0
    tau = temperature**2 if t_squared else 1.0
    of_teacher = -(torch.softmax(v / temperature, 1) * log_softmax(z / student_temperature, 1)).sum(
        1
    )
    of_labels = cross_entropy(z, torch.as_tensor(Y), reduction="none")
    s = torch.ones(N, dtype=torch.float64) if weight is None else torch.as_tensor(weight)
    return (s / s.mean() * ((1 - lam) * of_labels + lam * tau * of_teacher)).mean()


class SGD:
    """A differentiable step of SGD, with momentum."""

    def __init__(self, lr, momentum=0.0, dampening=0.0, nesterov=False, **_):
        self.lr, self.momentum, self.nesterov = lr, momentum, nesterov
        self.dampening = dampening
        self.velocity = None

    def __call__(self, w, g):
        first = self.velocity is None
        v = g if first else [
            self.momentum * old + (1 - self.dampening) * new
            for old, new in zip(self.velocity, g, strict=True)
        ]  # fmt: skip
        self.velocity = [one.detach() for one in v]
        ahead = [new + self.momentum * old for new, old in zip(g, v, strict=True)]
        return [p - self.lr * d for p, d in zip(w, ahead if self.nesterov else v, strict=True)]


class Adam:
    """A differentiable step of Adam or AdamW, Kingma and Ba's algorithm 1."""

    def __init__(self, lr, weight_decay=0.0, decoupled=False, **_):
        self.lr, self.decay, self.decoupled = lr, weight_decay, decoupled
        self.t, self.m, self.v = 0, None, None

    def __call__(self, w, g):
        self.t += 1
        g = g if self.decoupled else [d + self.decay * p for p, d in zip(w, g, strict=True)]
        zeros = [torch.zeros_like(d) for d in g]
        m = [0.9 * a + 0.1 * d for a, d in zip(self.m or zeros, g, strict=True)]
        v = [0.999 * a + 0.001 * d**2 for a, d in zip(self.v or zeros, g, strict=True)]
        self.m, self.v = [a.detach() for a in m], [a.detach() for a in v]
        scales = 1 - 0.9**self.t, 1 - 0.999**self.t
        shrink = 1 - self.lr * self.decay if self.decoupled else 1.0
        return [
            shrink * p - self.lr * (a / scales[0]) / ((b / scales[1]).sqrt() + 1e-8)
            for p, a, b in zip(w, m, v, strict=True)
        ]


def reference(
    build, data, step, *, weight=None, virtual=None, soften_student=True, t_squared=False
):
    """Return dL_val(w')/d(λ, T) of each step, differentiated through the step."""
    module = network(build)
    moved = {name: p for name, p in module.named_parameters() if p.requires_grad}
    names, w = list(moved), [p.detach().clone().requires_grad_() for p in moved.values()]
    x, x_val = (torch.as_tensor(part) for part in data)
    gradients = []
    for values in STEPS:
        meta = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        z = functional_call(module, dict(zip(names, w, strict=True)), (x,))
        loss = training_loss(z, meta[0], meta[1], weight, soften_student, t_squared)
        g = torch.autograd.grad(loss, w, create_graph=True)
        after = step(w, g)
        ahead = after if virtual is None else copy.copy(virtual)(w, g)
        z_val = functional_call(module, dict(zip(names, ahead, strict=True)), (x_val,))
        outer = cross_entropy(z_val / Recorder.validation_temperature, torch.as_tensor(Y_VAL))
        gradients.append(torch.autograd.grad(outer, meta)[0].numpy())
        w = [p.detach().clone().requires_grad_() for p in after]
    return np.array(gradients)


STEPPERS = {
    "sgd": (SGD, {"optimizer": "sgd", "lr": 0.3}),
    "momentum": (SGD, {"optimizer": "sgd", "lr": 0.3, "optimizer__momentum": 0.9}),
    "dampened": (
        SGD,
        {"optimizer": "sgd", "lr": 0.3, "optimizer__momentum": 0.9, "optimizer__dampening": 0.4},
    ),
    "nesterov": (
        SGD,
        {"optimizer": "sgd", "lr": 0.3, "optimizer__momentum": 0.9, "optimizer__nesterov": True},
    ),
    "adam": (Adam, {"optimizer": "adam", "lr": 0.05}),
    "adam with decay": (Adam, {"optimizer": "adam", "lr": 0.05, "optimizer__weight_decay": 0.1}),
    "adamw": (Adam, {"optimizer": "adamw", "lr": 0.05, "optimizer__weight_decay": 0.1}),
}
PROBLEMS = {
    "mlp": (chain, TABLE),
    "frozen": (frozen, TABLE),
    "convolution": (convolution, IMAGES),
}


def stepper(name):
    kind, options = STEPPERS[name]
    own = {key.removeprefix("optimizer__"): value for key, value in options.items()}
    own["decoupled"] = own.pop("optimizer") == "adamw"
    return kind(**own)


def assert_equal(found, expected):
    """Require a relative difference of at most 1e-6."""
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", STEPPERS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_optimiser(problem, name):
    build, data = PROBLEMS[problem]
    found = computed(build, data, weight=WEIGHT, **STEPPERS[name][1])
    assert_equal(found, reference(build, data, stepper(name), weight=WEIGHT))


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("form", [{"soften_student": False}, {"t_squared": True}], ids=str)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
def test_every_form_of_the_loss(problem, name, form, weight):
    build, data = PROBLEMS[problem]
    found = computed(build, data, weight=weight, **STEPPERS[name][1], **form)
    assert_equal(found, reference(build, data, stepper(name), weight=weight, **form))


@pytest.mark.parametrize("name", ["momentum", "adam"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_papers_virtual_step(problem, name):
    """The validation loss is taken after a step of plain SGD, the weights make the optimiser's."""
    build, data = PROBLEMS[problem]
    options = STEPPERS[name][1]
    found = computed(build, data, virtual_step="sgd", **options)
    virtual = SGD(options["lr"])
    assert_equal(found, reference(build, data, stepper(name), virtual=virtual))


def test_both_backward_strategies_are_chosen():
    """Chains of linear layers have the cheap strategy, other networks the general one."""

    def kind(build, optimizer):
        module = network(build)
        return type(choose_strategy(module, optimizer(module.parameters(), lr=0.1)))

    assert kind(chain, torch.optim.SGD) is kind(chain, torch.optim.Adam) is LinearLayerStrategy
    assert kind(convolution, torch.optim.SGD) is kind(frozen, torch.optim.SGD) is WeightStrategy


def test_the_comparison_can_fail():
    """Another step, a missing weight or a missing T² exceeds the tolerance."""
    found = computed(chain, TABLE, weight=WEIGHT, **STEPPERS["sgd"][1])
    for wrong in (
        reference(chain, TABLE, SGD(0.301), weight=WEIGHT),
        reference(chain, TABLE, SGD(0.3)),
        reference(chain, TABLE, SGD(0.3), weight=WEIGHT, t_squared=True),
    ):
        with pytest.raises(AssertionError):
            assert_equal(found, wrong)
