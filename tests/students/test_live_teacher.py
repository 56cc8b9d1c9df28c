"""A live teacher predicts what the student sees: as if its predictions had been passed."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from skorch.callbacks import Callback
from torch import nn
from torch.nn import functional

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    GreedyHypergradient,
    TeacherStudentClassifier,
)
from sklearn_distill.exceptions import ImplausibleTeacherWarning
from sklearn_distill.inspection import student_size
from sklearn_distill.inspection._deployed import deployed_pickle

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5)).astype(np.float32)
Y = X[:, :3].argmax(1)
SOME_Y = np.where(np.arange(60) % 4 == 0, np.nan, Y)
NUMBERS = X[:, 0] + 0.1 * X[:, 1]
E = RNG.normal(size=(60, 2)).astype(np.float32)
X_VAL, Y_VAL = X[:20] + 0.1, Y[:20]
SGD = {"optimizer": "sgd", "lr": 0.3, "batch_size": 1000, "max_epochs": 3, "random_state": 0}


def network(n_outputs=3, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, n_outputs))


def class_teacher():
    """Return a module whose logits are those of the rule of the labels, roughly."""
    module = nn.Linear(5, 3)
    with torch.no_grad():
        module.weight.copy_(3 * torch.eye(3, 5))
        module.bias.copy_(torch.tensor([0.1, 0.0, -0.1]))
    return module


TEACHER = class_teacher()


def changed(rows):
    """Change each row by itself, so that its place in a mini-batch does not matter."""
    return 1.5 * rows + 0.3 * rows.roll(1, 1)


CHANGED = changed(torch.tensor(X)).numpy()


def logits(rows, teacher=TEACHER):
    with torch.no_grad():
        return teacher(torch.as_tensor(rows)).numpy()


def student(**options):
    return DistilledNeuralClassifier(**{"module": network()} | SGD | options)


def regressor(**options):
    return DistilledNeuralRegressor(**{"module": network(1)} | SGD | {"lr": 0.05} | options)


def assert_same(model, other, atol=1e-6):
    expected = other if isinstance(other, nn.Module) else other.net_.module_
    for name, weight in expected.state_dict().items():
        found = model.net_.module_.state_dict()[name]
        np.testing.assert_allclose(found, weight, atol=atol, err_msg=name)


# --- equal to predictions that are passed ---------------------------------------------------------


def square(z, t, y, w):
    return (z - t).square().mean(1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 2.0},
        {"temperature": 2.0, "t_squared": True, "label_smoothing": 0.1},
        {"temperature": 2.0, "soften_student": False, "class_weight": {0: 3.0, 1: 0.5}},
        {"class_weight": "balanced", "regularizer": "grabovoy"},
        {"imitation": 1.0},
        {"distillation_loss": square, "label_smoothing": 0.1},
        {"embedding_weight": 0.5, "temperature": 3.0},
        {"imitation": lambda epoch: 0.5**epoch, "temperature": lambda epoch: 1.0 + epoch},
        {"precision": "float64"},
        {"warm_start": True},
    ],
    ids=lambda options: " ".join(options) or "default",
)
def test_augmented_rows_have_predictions_of_their_own(options):
    s = RNG.uniform(0.5, 2, size=60)
    s[:2] = 0
    module = network().double() if "precision" in options else network()
    # the mean of the class weights is by the predictions for the rows as they are
    augment, rows = (torch.clone, X) if "class_weight" in options else (changed, CHANGED)
    live = student(module=module, augmentation=augment, teacher=TEACHER, **options)
    passed = student(module=module, **options)
    embedding = E if "embedding_weight" in options else None
    for _ in range(2 if "warm_start" in options else 1):
        live.fit(X, SOME_Y, s, teacher_embedding=embedding)
        passed.fit(rows, SOME_Y, s, teacher_logits=logits(rows), teacher_embedding=embedding)
    assert_same(live, passed)
    found, history = (m.history_.drop(columns="dur").astype(float) for m in (live, passed))
    assert list(found) == list(history)
    np.testing.assert_allclose(found, history, rtol=1e-4, atol=1e-6)
    assert live.n_taught_rows_ == 58


def test_equals_a_loop_in_torch():
    x, y, T = torch.tensor(CHANGED), torch.tensor(Y), 3.0
    module = copy.deepcopy(network())
    optimizer = torch.optim.SGD(module.parameters(), lr=0.3)
    for _ in range(3):
        optimizer.zero_grad()
        z = module(x)
        q = (torch.tensor(logits(CHANGED)) / T).softmax(1)
        loss = 0.3 * functional.cross_entropy(z, y) + 0.7 * functional.cross_entropy(z / T, q)
        loss.backward()
        optimizer.step()
    model = student(augmentation=changed, teacher=TEACHER, imitation=0.7, temperature=T)
    assert_same(model.fit(X, Y), module)


@pytest.mark.parametrize("options", [{}, {"embedding_weight": 0.5}], ids=["plain", "embedding"])
def test_the_teacher_is_asked_about_mixed_rows(options):
    """A mixed row has two labels and one prediction, that of the mixture."""
    other, w = np.roll(np.arange(60), 1), 0.3

    def mix(rows):
        order = torch.cdist(rows, torch.tensor(X)).argmin(1)
        position = torch.empty(60, dtype=torch.long)
        position[order] = torch.arange(60)
        partner = position[torch.tensor(other)[order]]
        return w * rows + (1 - w) * rows[partner], partner, w

    mixed = w * X + (1 - w) * X[other]
    twice = np.concatenate([mixed, mixed])
    weights = np.repeat([w, 1 - w], 60)
    live = student(augmentation=mix, teacher=TEACHER, temperature=2.0, **options)
    copies = student(temperature=2.0, **options)
    embedding = E if options else None
    live.fit(X, SOME_Y, teacher_embedding=embedding)
    copies.fit(
        twice,
        np.concatenate([SOME_Y, SOME_Y[other]]),
        weights,
        teacher_logits=logits(twice),
        teacher_embedding=None if embedding is None else np.concatenate([E, E[other]]),
    )
    assert_same(live, copies)


@pytest.mark.parametrize("gradient", ["exact", "finite_difference"])
def test_hypergradients_with_a_live_teacher(gradient):
    options = {
        "metaparameter_optimizer": GreedyHypergradient(lr=0.3, gradient=gradient),
        "temperature": 2.0,
        "precision": "float64",
        "module": network().double(),
        "max_epochs": 6,
    }
    held_out = {"X_val": X_VAL, "y_val": Y_VAL}
    live = student(augmentation=changed, teacher=TEACHER, **options).fit(X, SOME_Y, **held_out)
    passed = student(**options).fit(CHANGED, SOME_Y, teacher_logits=logits(CHANGED), **held_out)
    assert_same(live, passed)
    names = ["imitation", "temperature"]
    moved = passed.metaparameter_history_[names]
    np.testing.assert_allclose(live.metaparameter_history_[names], moved, atol=1e-6)
    assert abs(live.imitation_ - 0.5) > 1e-3


def test_validation_without_labels_is_by_the_rows_as_they_are():
    options = {"early_stopping": True, "max_epochs": 1, "lr": 1e-9, "classes": [0, 1, 2]}
    live = student(augmentation=changed, teacher=TEACHER, **options).fit(X)
    passed = student(augmentation=changed, **options).fit(X, teacher_logits=logits(X))
    found, expected = (model.history_["valid_loss"] for model in (live, passed))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


class Counting(nn.Module):
    """The teacher above, which counts its rows."""

    def __init__(self):
        super().__init__()
        self.teacher = class_teacher()
        self.n_rows = 0

    def forward(self, rows):
        self.n_rows += len(rows)
        return self.teacher(rows)


@pytest.mark.parametrize(
    ("options", "n_passes"),
    [
        ({}, 1),
        ({"augmentation": changed}, 1 + 3),
        ({"augmentation": changed, "imitation": 0}, 1),  # its predictions would not count
    ],
    ids=["cached", "augmented", "labels alone"],
)
def test_how_often_the_teacher_is_asked(options, n_passes):
    teacher = Counting()
    model = student(teacher=teacher, **options).fit(X, Y)
    assert teacher.n_rows == 60 * n_passes
    if not options:
        assert_same(model, student().fit(X, Y, teacher_logits=logits(X)), 0)


@pytest.mark.parametrize("n_features", [1, 2], ids=["without a label", "weight 0"])
def test_partial_fit_asks_too(n_features):
    s = np.ones(60) if n_features == 1 else np.r_[0, np.ones(59)]
    live = student(augmentation=changed, teacher=TEACHER)
    passed = student()
    for _ in range(2):
        live.partial_fit(X, SOME_Y, [0, 1, 2], s)
        passed.partial_fit(CHANGED, SOME_Y, [0, 1, 2], s, teacher_logits=logits(CHANGED))
    assert_same(live, passed)


# --- the kinds of teachers ------------------------------------------------------------------------


def probabilities(rows):
    return TEACHER(rows).softmax(1)


@pytest.mark.parametrize(
    "teacher",
    [
        TEACHER,
        nn.Sequential(TEACHER, nn.Softmax(1)),
        nn.Sequential(TEACHER, nn.LogSoftmax(1)),
        probabilities,
        lambda rows: probabilities(rows).numpy(),
        lambda rows: TEACHER(rows).double(),
        copy.deepcopy(TEACHER).double(),
    ],
    ids=["module", "softmax", "log-softmax", "function", "array", "double", "double module"],
)
def test_logits_and_probabilities(teacher):
    model = student(teacher=teacher, augmentation=changed, temperature=2.0).fit(X, Y)
    passed = student(temperature=2.0).fit(CHANGED, Y, teacher_logits=logits(CHANGED))
    assert_same(model, passed, 1e-5)


def test_half_precision_is_that_of_the_student():
    """The teacher computes under the student's autocast, the loss in single precision."""
    seen = []

    class Linear(nn.Linear):
        def forward(self, rows):
            seen.append(super().forward(rows).dtype)
            return super().forward(rows)

    teacher = Linear(5, 3)
    teacher.load_state_dict(TEACHER.state_dict())
    options = {"augmentation": changed, "precision": "bfloat16"}
    half = student(teacher=teacher, **options).fit(X, Y)
    assert set(seen) == {torch.bfloat16}
    single = student(teacher=TEACHER, augmentation=changed).fit(X, Y)
    assert_same(half, single, 1e-2)


NAMES = np.array(["z", "a", "m"])


@pytest.mark.parametrize("teacher", [LogisticRegression(), SVC()], ids=["proba", "decisions"])
@pytest.mark.parametrize("named", [False, True], ids=["array", "frame"])
def test_columns_of_an_estimator_are_those_of_its_classes(teacher, named):
    y = NAMES[Y]
    rows = pd.DataFrame(X, columns=list("abcde")) if named else X
    fitted = FrozenEstimator(clone(teacher).fit(rows, y))
    model = student(teacher=fitted, augmentation=changed, temperature=2.0).fit(rows, y)
    changed_rows = pd.DataFrame(CHANGED, columns=list("abcde")) if named else CHANGED
    if isinstance(teacher, SVC):
        given = {"teacher_logits": fitted.decision_function(changed_rows)}
    else:
        given = {"teacher_proba": fitted.predict_proba(changed_rows)}
    assert_same(model, student(temperature=2.0).fit(changed_rows, y, **given), 1e-5)


class Unsorted(LogisticRegression):
    """A classifier whose classes are in an order of its own."""

    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = self.classes_[::-1]
        return self

    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1]


def test_unsorted_classes_are_sorted():
    found = [
        student(teacher=FrozenEstimator(kind().fit(X, Y)), augmentation=changed).fit(X, Y)
        for kind in (LogisticRegression, Unsorted)
    ]
    assert_same(*found)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_two_classes(n_outputs):
    y = (X[:, 0] > 0).astype(int)
    teacher = nn.Sequential(nn.Linear(5, n_outputs))
    with torch.no_grad():
        teacher[0].weight.copy_(torch.tensor([[-1.0], [1.0]])[-n_outputs:] * torch.eye(5)[:1])
        teacher[0].bias.zero_()
    live = student(module=network(1), teacher=teacher, augmentation=changed, temperature=2.0)
    passed = student(module=network(1), temperature=2.0)
    assert_same(live.fit(X, y), passed.fit(CHANGED, y, teacher_logits=logits(CHANGED, teacher)))


def test_the_decision_function_of_two_classes():
    y = (X[:, 0] > 0).astype(int)
    teacher = SVC().fit(X, y)
    live = student(module=network(1), teacher=FrozenEstimator(teacher), augmentation=changed)
    passed = student(module=network(1))
    passed.fit(CHANGED, y, teacher_logits=teacher.decision_function(CHANGED))
    assert_same(live.fit(X, y), passed, 1e-5)


def test_the_state_of_the_teacher_does_not_change():
    torch.manual_seed(0)
    teacher = nn.Sequential(
        class_teacher(), nn.BatchNorm1d(3), nn.Sequential(nn.Dropout(0.5)), nn.Linear(3, 3)
    )
    with torch.no_grad():
        teacher[3].weight.copy_(torch.eye(3))
    teacher[2].eval()  # the parts have modes of their own
    teacher[0].requires_grad_(requires_grad=False)
    before = copy.deepcopy(teacher)
    model = student(teacher=teacher, augmentation=changed).fit(X, Y)
    assert [part.training for part in teacher.modules()] == [
        part.training for part in before.modules()
    ]
    for name, value in before.state_dict().items():
        assert torch.equal(teacher.state_dict()[name], value), name
    for (name, p), (_, q) in zip(
        teacher.named_parameters(), before.named_parameters(), strict=True
    ):
        assert p.requires_grad == q.requires_grad, name
        assert p.grad is None, name
    assert model.teacher is teacher
    passed = student().fit(CHANGED, Y, teacher_logits=logits(CHANGED, before.eval()))
    assert_same(model, passed)  # in evaluation mode: no dropout, no statistics of the mini-batch


def test_torchs_generator_is_not_affected():
    def draw(rows):
        torch.rand(1)
        return TEACHER(rows)

    model = student(teacher=draw, augmentation=changed)
    torch.manual_seed(7)
    state = torch.get_rng_state()
    model.fit(X, Y)
    assert torch.equal(torch.get_rng_state(), state)


# --- Datasets -------------------------------------------------------------------------------------


class Rows(torch.utils.data.Dataset):
    """The rows above, of two to four elements."""

    def __init__(self, n_elements=2, y=Y):
        self.n_elements = n_elements
        self.y = y

    def __len__(self):
        return 60

    def __getitem__(self, row):
        label = None if np.isnan(self.y[row]) else self.y[row]
        return (CHANGED[row], label, None, 1.0)[: self.n_elements]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 2.0, "label_smoothing": 0.1, "imitation": 0.9},
        {"iterator_train__num_workers": 1},
    ],
    ids=lambda options: " ".join(options) or "default",
)
@pytest.mark.parametrize("n_elements", [2, 4])
def test_a_dataset(options, n_elements):
    live = student(teacher=TEACHER, classes=[0, 1, 2], **options).fit(Rows(n_elements, SOME_Y))
    given = {k: v for k, v in options.items() if not k.startswith("iterator")}
    passed = student(**given).fit(CHANGED, SOME_Y, teacher_logits=logits(CHANGED))
    assert_same(live, passed)


def test_a_dataset_is_augmented_before_the_teacher_is_asked():
    live = student(teacher=TEACHER, classes=[0, 1, 2], augmentation=changed).fit(Rows())
    twice = changed(torch.tensor(CHANGED)).numpy()
    assert_same(live, student().fit(twice, Y, teacher_logits=logits(twice)))


class WithPrediction(Rows):
    def __getitem__(self, row):
        return CHANGED[row], Y[row], np.full(3, 1 / 3)


def test_a_prediction_in_a_dataset_is_refused():
    model = student(teacher=TEACHER, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="yields a teacher's prediction, and the student has the"):
        model.fit(WithPrediction())


@pytest.mark.parametrize("data", [(X, Y), (Rows(),)], ids=["arrays", "Dataset"])
def test_columns_in_another_order_are_noticed(data):
    def shifted(rows):
        return TEACHER(rows)[:, [1, 2, 0]]

    model = student(teacher=shifted, classes=[0, 1, 2], augmentation=changed)
    with pytest.warns(
        ImplausibleTeacherWarning, match="^teacher agrees .* better with other columns"
    ):
        model.fit(*data)


# --- regression -----------------------------------------------------------------------------------


def number_teacher(n_outputs=1):
    module = nn.Linear(5, n_outputs)
    with torch.no_grad():
        module.weight.copy_(torch.eye(2, 5)[:n_outputs])
        module.bias.fill_(0.2)
    return module


@pytest.mark.parametrize(
    "options",
    [{}, {"imitation": lambda epoch: 0.5**epoch}, {"embedding_weight": 0.1}, {"imitation": 1.0}],
    ids=lambda options: " ".join(options) or "default",
)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_regressor(options, n_outputs):
    y = X[:, 0].astype(float) if n_outputs == 1 else X[:, :2].astype(float)
    y[::4] = np.nan
    s = RNG.uniform(0.5, 2, size=60)
    s[0] = 0
    teacher, module = number_teacher(n_outputs), network(n_outputs)
    live = regressor(module=module, augmentation=changed, teacher=teacher, **options)
    passed = regressor(module=module, **options)
    embedding = E if "embedding_weight" in options else None
    live.fit(X, y, s, teacher_embedding=embedding)
    prediction = logits(CHANGED, teacher)
    prediction = prediction[:, 0] if n_outputs == 1 else prediction
    passed.fit(CHANGED, y, s, teacher_prediction=prediction, teacher_embedding=embedding)
    assert_same(live, passed)
    assert live.predict(X).shape == y.shape


def test_a_regressor_equals_a_loop_in_torch():
    x, y = torch.tensor(CHANGED), torch.tensor(NUMBERS)
    t = torch.tensor(logits(CHANGED, number_teacher()))[:, 0]
    module = copy.deepcopy(network(1))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    for _ in range(3):
        optimizer.zero_grad()
        z = module(x)[:, 0]
        (0.3 * functional.mse_loss(z, y) + 0.7 * functional.mse_loss(z, t)).backward()
        optimizer.step()
    options = {"augmentation": changed, "imitation": 0.7, "normalize_y": False}
    model = regressor(teacher=number_teacher(), **options)
    assert_same(model.fit(X, NUMBERS), module)


def test_an_estimator_teaches_a_regressor_and_is_cached():
    teacher = FrozenEstimator(RandomForestRegressor(5, random_state=0).fit(X, NUMBERS))
    live = regressor(teacher=teacher).fit(X, NUMBERS)
    passed = regressor().fit(X, NUMBERS, teacher_prediction=teacher.predict(X))
    assert_same(live, passed, 0)
    unlabelled = regressor(teacher=teacher, augmentation=changed).fit(X)
    assert unlabelled.predict(X).shape == (60,)


class NumberRows(Rows):
    def __getitem__(self, row):
        return (CHANGED[row], NUMBERS[row], None, 1.0)[: self.n_elements]


def test_a_regressor_on_a_dataset():
    live = regressor(teacher=number_teacher()).fit(NumberRows())
    prediction = logits(CHANGED, number_teacher())[:, 0]
    passed = regressor(normalize_y=False)
    assert_same(live, passed.fit(CHANGED, NUMBERS, teacher_prediction=prediction))


def test_mixed_numbers():
    other = np.roll(np.arange(60), 1)

    def mix(rows):
        order = torch.cdist(rows, torch.tensor(X)).argmin(1)
        position = torch.empty(60, dtype=torch.long)
        position[order] = torch.arange(60)
        partner = position[torch.tensor(other)[order]]
        return 0.5 * rows + 0.5 * rows[partner], partner, 0.5

    mixed = np.float32(0.5) * X + np.float32(0.5) * X[other]
    options = {"normalize_y": False}  # whose scale would be that of mixed labels
    live = regressor(augmentation=mix, teacher=number_teacher(), **options).fit(X, NUMBERS)
    prediction = logits(mixed, number_teacher())[:, 0]
    y = 0.5 * NUMBERS + 0.5 * NUMBERS[other]  # the mixture of two squares has the mean's gradient
    assert_same(live, regressor(**options).fit(mixed, y, teacher_prediction=prediction))


# --- as a parameter -------------------------------------------------------------------------------


def forest(**options):
    return FrozenEstimator(RandomForestClassifier(5, random_state=0, **options).fit(X, Y))


@pytest.mark.parametrize(
    "teacher", [TEACHER, probabilities, forest()], ids=["module", "function", "estimator"]
)
def test_it_is_cloned_searched_and_pickled(teacher):
    model = student(teacher=teacher, augmentation=changed, max_epochs=2)
    fitted = clone(model).fit(X, Y)
    assert_same(clone(fitted).fit(X, Y), fitted, 0)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert_same(loaded.fit(X, Y), fitted, 0)
    assert np.isfinite(cross_val_score(model, X, Y, cv=2)).all()
    search = GridSearchCV(model, {"temperature": [1.0, 4.0]}, cv=2, error_score="raise")
    assert search.fit(X, Y).best_estimator_.teacher is not None


def test_a_fitted_net_keeps_no_teacher():
    fitted = student(teacher=Counting(), augmentation=changed).fit(X, Y)
    assert fitted.net_.teacher is None
    fitted.set_params(teacher=None)
    assert b"Counting" not in pickle.dumps(fitted)


class Interrupt(Callback):
    def on_epoch_begin(self, net, *args, **kwargs):
        if len(net.history) == 3:
            raise KeyboardInterrupt


def test_a_checkpoint_recognises_its_teacher(tmp_path):
    options = {"checkpoint": tmp_path / "file.pt", "augmentation": changed, "max_epochs": 5}
    whole = student(teacher=class_teacher(), augmentation=changed, max_epochs=5).fit(X, Y)
    with pytest.raises(KeyboardInterrupt):
        student(teacher=class_teacher(), callbacks=[Interrupt()], **options).fit(X, Y)
    other = class_teacher()
    with torch.no_grad():
        other.bias[0] += 1e-3
    with pytest.raises(ValueError, match=r"other data or parameters \(teacher\)"):
        student(teacher=other, **options).fit(X, Y)
    # its mode does not matter, as it predicts in evaluation mode
    resumed = student(teacher=class_teacher().eval(), **options).fit(X, Y)
    assert_same(resumed, whole, 0)


def test_an_accelerator():
    accelerate = pytest.importorskip("accelerate")
    options = {"teacher": TEACHER, "augmentation": changed, "temperature": 2.0}
    live = student(accelerator=accelerate.Accelerator(cpu=True), **options).fit(X, SOME_Y)
    assert_same(live, student(**options).fit(X, SOME_Y))


def test_what_is_deployed_has_no_teacher():
    fitted = student(teacher=Counting()).fit(X, Y)
    alone = student().fit(X, Y, teacher_logits=logits(X))
    for model in (fitted, make_pipeline("passthrough", fitted)):
        assert b"Counting" not in deployed_pickle(model)
    assert abs(student_size(fitted) - student_size(alone)) < 1000
    assert fitted.teacher is not None


def test_a_student_with_a_live_teacher_is_a_teacher():
    """It is cloned as it is, while one without a teacher is fitted with λ = 0."""
    asking = student(teacher=TEACHER, augmentation=changed, imitation=1.0)
    model = TeacherStudentClassifier(asking, DistilledLogisticRegression(), cv=2).fit(X, Y)
    assert model.teacher_.imitation == 1.0


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("teacher", "error", "message"),
    [
        (RandomForestClassifier(), TypeError, r"clone would unfit .* pass sklearn.frozen.Frozen"),
        ("forest", TypeError, "teacher='forest' cannot predict: pass a torch module, a function"),
        (nn.Linear, TypeError, "cannot predict: pass a torch module"),
        (FrozenEstimator(RandomForestClassifier()), NotFittedError, "is not fitted yet"),
        (FrozenEstimator(LinearRegression().fit(X, Y)), TypeError, "neither predict_proba nor"),
        (nn.Linear(5, 4), ValueError, r"has 4 columns, but the classes are \[0, 1, 2\]"),
        (lambda rows: TEACHER(rows)[:7], ValueError, r"of shape \(7, 3\) for 60 rows: it must"),
        (lambda rows: TEACHER(rows)[:, :, None], ValueError, r"it returned shape \(60, 3, 1\)"),
        (lambda rows: TEACHER(rows) * np.nan, ValueError, "returned NaN for row 0 of a mini-batch"),
        (lambda rows: pd.DataFrame(rows), TypeError, "a DataFrame: it must return a tensor"),
        (lambda rows: (TEACHER(rows), rows), TypeError, r"a tuple: .* teacher=lambda x: network"),
        (lambda rows: TEACHER(rows.mul_(2)), ValueError, "teacher changes its features in place"),
        (lambda rows: rows[:, 0].sigmoid(), ValueError, r"returned one number in \[0, 1\] for"),
    ],
    ids=range(13),
)
def test_errors(teacher, error, message):
    with pytest.raises(error, match=message):
        student(teacher=teacher, augmentation=changed).fit(X.copy(), Y)


def test_an_error_of_the_predictions_names_the_parameter():
    with pytest.raises(ValueError, match="has 4 columns") as caught:
        student(teacher=nn.Linear(5, 4)).fit(X, Y)
    assert caught.value.__notes__ == ["raised for the predictions of the parameter teacher"]


def test_predictions_that_change_shape_later_are_refused():
    def other_shape(rows):
        return TEACHER(rows) if rows.abs().max() < 5 else TEACHER(rows)[:, :2]

    model = student(teacher=other_shape, augmentation=lambda rows: rows * 100)
    with pytest.raises(ValueError, match=r"returned logits of shape \(60, 2\): it must return"):
        model.fit(X, Y)


@pytest.mark.parametrize("name", ["teacher_proba", "teacher_logits"])
def test_two_teachers_are_refused(name):
    given = {name: np.full((60, 3), 1 / 3)}
    with pytest.raises(ValueError, match=f"{name} and the parameter teacher, which predicts"):
        student(teacher=TEACHER).fit(X, Y, **given)
    with pytest.raises(ValueError, match="teacher_prediction and the parameter teacher"):
        regressor(teacher=TEACHER).fit(X, NUMBERS, teacher_prediction=NUMBERS)
    with pytest.raises(ValueError, match=r"teacher_(proba|logits) and the parameter teacher"):
        TeacherStudentClassifier(LogisticRegression(), student(teacher=TEACHER), cv=2).fit(X, Y)
