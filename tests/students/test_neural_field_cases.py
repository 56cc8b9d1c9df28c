"""What users of other distillation libraries asked for, with the right values.

The other cases have tests beside what they are about: losses of the user and mixup in
test_neural_losses.py; Datasets, samplers and lone last rows in test_neural_batches.py; scores and
callbacks in test_neural_scoring.py; frozen layers, parameter groups and hidden layers in
test_neural_names.py; schedules in test_neural_history.py and test_neural_schedules.py; accumulation
in tests/nets/test_distributed.py; several objectives in tests/search/test_objective_by_epoch.py.
"""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn import functional

from sklearn_distill import (
    BornAgainClassifier,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    GreedyHypergradient,
    TeacherStudentClassifier,
)
from sklearn_distill.augmentation import RandomShift
from sklearn_distill.exceptions import ImplausibleTeacherWarning
from sklearn_distill.teachers import combine_teachers

DIGITS, TARGET = load_digits(return_X_y=True)
X_TEACHER, REST, Y_TEACHER, Y_REST = train_test_split(
    np.float32(DIGITS / 16), TARGET, train_size=900, random_state=0
)
X, X_TEST, Y, Y_TEST = train_test_split(REST, Y_REST, train_size=400, random_state=0)
TEACHER = SVC(gamma=0.03).fit(X_TEACHER, Y_TEACHER)
LOGITS = TEACHER.decision_function(X)
IMAGES, TEST_IMAGES = (rows.reshape(-1, 1, 8, 8) for rows in (X, X_TEST))
WHOLE = {"optimizer": "sgd", "batch_size": 10**6, "random_state": 0}


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))


def by_hand(loss, module=None, n_steps=5, lr=0.1, X=X):
    """Return a network after steps on a loss of its scores for all rows."""
    module = copy.deepcopy(module or mlp())
    optimizer = torch.optim.SGD(module.parameters(), lr=lr)
    for _ in range(n_steps):
        optimizer.zero_grad()
        loss(module(torch.tensor(X))).backward()
        optimizer.step()
    return module


def difference(model, other):
    """Return the largest difference of weights."""
    other = other if isinstance(other, nn.Module) else other.net_.module_
    pairs = zip(model.net_.module_.parameters(), other.parameters(), strict=True)
    return max(float((p - q).detach().abs().max()) for p, q in pairs)


@pytest.mark.parametrize(
    ("imitation", "T", "t_squared"),
    [(0.7, 4.0, True), (0.95, 6.0, True), (0.5, 2.0, False), (1.0, 1.0, True)],
)
def test_the_scale_of_the_divergence(imitation, T, t_squared):
    """(1 - α) CE + α T² KL, batchmean."""
    q = (torch.tensor(LOGITS).float() / T).softmax(1)

    def loss(z):
        divergence = functional.kl_div((z / T).log_softmax(1), q, reduction="batchmean")
        hard = functional.cross_entropy(z, torch.tensor(Y))
        return (1 - imitation) * hard + imitation * (T**2 if t_squared else 1) * divergence

    model = DistilledNeuralClassifier(
        mlp(),
        imitation=imitation,
        temperature=T,
        t_squared=t_squared,
        max_epochs=5,
        lr=0.1,
        **WHOLE,
    ).fit(X, Y, teacher_logits=LOGITS)
    assert difference(model, by_hand(loss)) < 1e-6


def test_a_teacher_of_the_augmented_images():
    """Against predictions of the images as they are: .88 to .93 and .50 to .68 of the test set."""
    torch.manual_seed(0)
    large = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(large.parameters(), 1e-2)
    x, y = torch.tensor(X_TEACHER), torch.tensor(Y_TEACHER)
    for _ in range(200):
        optimizer.zero_grad()
        functional.cross_entropy(large(x), y).backward()
        optimizer.step()
    options = {"imitation": 1.0, "augmentation": RandomShift(0.25), "lr": 0.01, "random_state": 0}
    asked = DistilledNeuralClassifier(cnn, teacher=large, **options).fit(IMAGES, Y)
    with torch.no_grad():
        cached = large(torch.tensor(X)).numpy()
    passed = DistilledNeuralClassifier(cnn, **options).fit(IMAGES, Y, teacher_logits=cached)
    scores = [model.score(TEST_IMAGES, Y_TEST) for model in (asked, passed)]
    assert scores[0] > 0.85 > 0.72 > scores[1]


@pytest.mark.parametrize(
    ("convert", "atol"),
    [
        (lambda z: {"teacher_logits": z.float()}, 1e-6),
        (lambda z: {"teacher_logits": z.half()}, 1e-3),
        (lambda z: {"teacher_logits": z.bfloat16()}, 1e-2),
        (lambda z: {"teacher_logits": z.clone().requires_grad_()}, 0),
        (lambda z: {"teacher_proba": z.softmax(1).numpy().astype("float16")}, 1e-3),
        (lambda z: {"teacher_proba": z.softmax(1).bfloat16()}, 1e-2),
    ],
    ids=["float32", "float16", "bfloat16", "with gradient", "proba float16", "proba bfloat16"],
)
def test_stored_predictions_of_low_precision(convert, atol):
    options = {"temperature": 2.0, "max_epochs": 2, "random_state": 0}
    exact, stored = (
        DistilledNeuralClassifier(**options).fit(X, Y, **given).predict_proba(X)
        for given in ({"teacher_logits": LOGITS}, convert(torch.tensor(LOGITS)))
    )
    np.testing.assert_allclose(stored, exact, atol=atol)


def test_weights_of_rows_and_classes():
    options = {"temperature": 2.0, "lr": 0.1, "max_epochs": 5} | WHOLE
    given = {"teacher_logits": LOGITS}
    plain, ones, sevens = (
        DistilledNeuralClassifier(mlp(), **options).fit(X, Y, weight, **given)
        for weight in (None, np.ones(400), np.full(400, 7.0))
    )
    assert difference(plain, ones) == 0
    assert difference(plain, sevens) < 1e-6
    by_class = np.linspace(1, 10, 10)
    w = torch.tensor(by_class[Y] / by_class[Y].mean()).float()
    q = (torch.tensor(LOGITS).float() / 2).softmax(1)

    def loss(z):
        hard = functional.cross_entropy(z, torch.tensor(Y), reduction="none")
        return (w * (hard + functional.cross_entropy(z / 2, q, reduction="none")) / 2).mean()

    weighted = DistilledNeuralClassifier(
        mlp(), class_weight=dict(enumerate(by_class)), **options
    ).fit(X, Y, **given)
    assert difference(weighted, by_hand(loss)) < 1e-6


def test_hypergradients_by_hand():
    """One unrolled step of SGD, differentiated by autograd, fifteen times."""
    X_val, y_val = X_TEST[:200], Y_TEST[:200]
    x, z_t, xv = (torch.tensor(a).double() for a in (X, LOGITS, X_val))
    y, yv = torch.tensor(Y), torch.tensor(y_val)
    module = copy.deepcopy(mlp()).double()
    weights = dict(module.named_parameters())
    λ, T = (torch.tensor(v, dtype=torch.double, requires_grad=True) for v in (0.5, 2.0))
    moved = []
    for _ in range(15):
        z = module(x)
        teacher = functional.cross_entropy(z / T, (z_t / T).softmax(1))
        loss = (1 - λ) * functional.cross_entropy(z, y) + λ * teacher
        gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        stepped = {
            name: p - 0.5 * g for (name, p), g in zip(weights.items(), gradients, strict=True)
        }
        scores = torch.func.functional_call(module, stepped, (xv,))
        dλ, dT = torch.autograd.grad(functional.cross_entropy(scores, yv), (λ, T))
        with torch.no_grad():
            for name, p in weights.items():
                p.copy_(stepped[name])
            λ.sub_(0.5 * dλ).clamp_(0, 1)
            T.sub_(0.5 * dT).clamp_(0.1, 10)
        moved.append((λ.item(), T.item()))
    search = GreedyHypergradient(lr=0.5, validation_batch_size=200)
    model = DistilledNeuralClassifier(
        mlp(),
        temperature=2.0,
        lr=0.5,
        max_epochs=15,
        precision="float64",
        metaparameter_optimizer=search,
        **WHOLE,
    ).fit(X, Y, teacher_logits=LOGITS, X_val=X_val, y_val=y_val)
    found = model.metaparameter_history_[["imitation", "temperature"]]
    np.testing.assert_allclose(found[-15:], moved, atol=1e-6)


def test_several_teachers_are_softened_then_averaged():
    second = SVC(gamma=0.003).fit(X_TEACHER[:300], Y_TEACHER[:300]).decision_function(X)
    both, T = np.stack([LOGITS, second], 1), 3.0
    q = torch.tensor(softmax(both / T, -1).mean(1)).float()

    def loss(z):
        hard = functional.cross_entropy(z, torch.tensor(Y))
        return (hard + functional.cross_entropy(z / T, q)) / 2

    options = {"temperature": T, "lr": 0.1, "max_epochs": 5} | WHOLE
    stacked = DistilledNeuralClassifier(mlp(), **options).fit(X, Y, teacher_logits=both)
    assert difference(stacked, by_hand(loss)) < 1e-6
    proba = list(softmax(both, -1).transpose(1, 0, 2))
    for weights in (None, [0.5, 0.5]):
        mean = combine_teachers(proba, weights=weights, temperature=T)
        one = DistilledNeuralClassifier(mlp(), **options).fit(X, Y, teacher_proba=mean)
        assert difference(one, stacked) < 1e-6


# the check of plausible teachers does not weigh the copies
@pytest.mark.filterwarnings("ignore::sklearn_distill.exceptions.ImplausibleTeacherWarning")
def test_a_smoothed_label_is_weighted_copies():
    T, smooth = 3.0, 0.9 * np.eye(10)[Y] + 0.01
    options = {"temperature": T, "lr": 0.1, "max_epochs": 5} | WHOLE
    smoothed = DistilledNeuralClassifier(mlp(), label_smoothing=0.1, **options)
    copies = DistilledNeuralClassifier(mlp(), **options)
    smoothed.fit(X, Y, teacher_logits=LOGITS)
    labels = np.tile(np.arange(10), 400)
    given = {"teacher_logits": np.repeat(LOGITS, 10, 0)}
    copies.fit(np.repeat(X, 10, 0), labels, smooth.ravel(), **given)
    assert difference(smoothed, copies) < 1e-6


def test_classes_by_name():
    """Of names that sort in the reverse order of the digits."""
    names = np.array(list("zyxwvutsrq"))
    y, y_test = names[Y], names[Y_TEST]
    teacher = SVC(gamma=0.03).fit(X_TEACHER, names[Y_TEACHER])
    Z = teacher.decision_function(X)
    options = {"lr": 0.01, "max_epochs": 30, "imitation": 1.0, "random_state": 0}
    model = DistilledNeuralClassifier(**options).fit(X, y, teacher_logits=Z)
    assert model.score(X_TEST, y_test) > 0.88
    frame = pd.DataFrame(Z[:, ::-1], columns=teacher.classes_[::-1])
    by_name = DistilledNeuralClassifier(**options).fit(X, y, teacher_logits=frame)
    np.testing.assert_array_equal(by_name.predict(X_TEST), model.predict(X_TEST))
    with pytest.warns(ImplausibleTeacherWarning, match="better with other columns"):
        DistilledNeuralClassifier(**options).fit(X, y, teacher_logits=Z[:, ::-1])
    few = np.isin(y, list("zyx"))
    with pytest.raises(ValueError, match="has columns beyond the labels of y"):
        DistilledNeuralClassifier(**options).fit(
            X[few], y[few], teacher_logits=pd.DataFrame(Z[few], columns=teacher.classes_)
        )


def skorch_teacher(module, **options):
    return NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.01,
        max_epochs=5,
        verbose=0,
        train_split=None,
        **options,
    )


def test_a_net_of_skorch_teaches_images():
    torch.manual_seed(0)
    student = DistilledNeuralClassifier(cnn, lr=0.01, max_epochs=10, random_state=0)
    model = TeacherStudentClassifier(skorch_teacher(cnn()), student, cv=3).fit(IMAGES, Y)
    assert model.score(TEST_IMAGES, Y_TEST) > 0.75
    generations = BornAgainClassifier(student, n_generations=2, random_state=0).fit(IMAGES, Y)
    assert generations.score(TEST_IMAGES, Y_TEST) > 0.75


class Soft(nn.Module):
    """A network that ends in a softmax, as skorch wants it."""

    def __init__(self):
        super().__init__()
        self.network = mlp()

    def forward(self, x):
        return self.network(x).softmax(1)


def test_a_module_that_ends_in_a_softmax_is_warned_of():
    options = {"lr": 0.01, "max_epochs": 40, "random_state": 0}
    plain = DistilledNeuralClassifier(mlp(), **options).fit(X, Y, teacher_logits=LOGITS)
    with pytest.warns(UserWarning, match="module Soft returns probabilities, which the student's"):
        flat = DistilledNeuralClassifier(Soft(), **options).fit(X, Y, teacher_logits=LOGITS)
    losses = [log_loss(Y_TEST, model.predict_proba(X_TEST)) for model in (plain, flat)]
    assert losses[0] < 0.6 < 1.2 < losses[1]


def test_an_ensemble_of_regressors():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 5)).astype("float32")
    y = np.sin(rows[:, 0]) + 0.3 * rng.normal(size=300)
    t = np.sin(rows[:, 0])
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))

    def loss(z):
        targets = (torch.tensor(v).float() for v in (y, t))
        hard, soft = (functional.mse_loss(z[:, 0], v) for v in targets)
        return 0.7 * hard + 0.3 * soft

    options = {"imitation": 0.3, "lr": 0.05, "max_epochs": 5, "normalize_y": False} | WHOLE
    one = DistilledNeuralRegressor(module, **options).fit(rows, y, teacher_prediction=t)
    assert difference(one, by_hand(loss, module, lr=0.05, X=rows)) < 1e-6
    both = np.stack([t - 0.1, t + 0.1], 1)[:, :, None]
    mean = DistilledNeuralRegressor(module, **options).fit(rows, y, teacher_prediction=both)
    assert difference(one, mean) < 1e-6


def test_lazy_layers():
    def make():
        return nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(10))

    with pytest.raises(ValueError, match="uninitialized") as caught:
        DistilledNeuralClassifier(make(), imitation=0, random_state=0).fit(X, Y)
    assert "pass its class or a function that creates it" in caught.value.__notes__[0]
    model = DistilledNeuralClassifier(make, imitation=0, lr=0.01, random_state=0).fit(X, Y)
    assert model.score(X_TEST, Y_TEST) > 0.8
