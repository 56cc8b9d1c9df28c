"""Every constructor parameter changes the fitted result, or has a reason why it must not.

A parameter that is accepted and then void is a result that the user did not ask for. CASES has, for
each public estimator, a small fit and another value of each parameter; ``With`` also sets those
that the parameter needs. COST_ONLY has the parameters that change the cost or the output alone.
"""

import inspect
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from skorch.callbacks import Callback

import sklearn_distill as sd
from sklearn_distill.nets.features import FeatureNetwork
from tests.public_api import public_names

RNG = np.random.default_rng(0)
N = 90
X = RNG.normal(size=(N, 4))
SCORES = np.column_stack([X[:, 0], X[:, 1], -X[:, 0]]) + RNG.normal(size=(N, 3))
Y = SCORES.argmax(axis=1)
LOGITS = 2 * (SCORES + RNG.normal(size=(N, 3)))
PROBA = softmax(LOGITS, axis=1)
TOP_1 = np.where(PROBA.max(axis=1, keepdims=True) == PROBA, PROBA, np.nan)
SOME_Y = np.where(np.arange(N) % 3 == 0, np.nan, Y)
NUMBERS = X @ [1.0, -2.0, 0.5, 0.0] + RNG.normal(size=N)
PREDICTIONS = NUMBERS + 0.3 * RNG.normal(size=N)
SOME_NUMBERS = np.where(np.arange(len(NUMBERS)) % 3 == 0, np.nan, NUMBERS)
X_VAL, Y_VAL = RNG.normal(size=(30, 4)), RNG.integers(3, size=30)
SMALL_BOOSTING = HistGradientBoostingClassifier(max_iter=3)
IMAGES = RNG.random((12, 8, 8, 3)).astype(np.float32)
DOMAIN_Y = np.arange(40) % 4
DOMAIN, SOURCE = RNG.random((40, 9)), RNG.random((40, 9))


@dataclass(frozen=True)
class With:
    """Another value of a parameter, and the parameters or the fit that it needs to matter."""

    value: Any
    needed: dict[str, Any] = field(default_factory=dict)
    fit: Any = None


class Zero(Callback):
    """Set all weights to zero at the end of the training."""

    def on_train_end(self, net, **kwargs):
        for weight in net.module_.parameters():
            weight.data.zero_()


class SmallNetwork(FeatureNetwork):
    """Two layers with fixed weights."""

    def __init__(self, seed=0):
        super().__init__()
        self.layers = torch.nn.Sequential()
        generator = torch.Generator().manual_seed(seed)
        for name, n_in in (("first", 3), ("last", 4)):
            convolution = torch.nn.Conv2d(n_in, 4, 3, padding=1)
            self.layers.add_module(name, torch.nn.Sequential(convolution, torch.nn.ReLU()))
        for weight in self.parameters():
            torch.nn.init.normal_(weight, std=0.2, generator=generator)


# --- the fits, each of which returns numbers ------------------------------------------------------


def fit_twice(estimator, y, **given):
    """Fit on half of the rows first, for ``warm_start``."""
    if getattr(estimator, "embedding_weight", 0):
        given["teacher_embedding"] = X[:, :2]
    for n in (45, N):
        estimator.fit(X[:n], y[:n], **{name: values[:n] for name, values in given.items()})
    return estimator


def logits_for(estimator):
    """Return a column for a class that is in ``classes`` alone, too."""
    return LOGITS if estimator.classes is None else np.column_stack([LOGITS, LOGITS[:, 0]])


def linear_teacher(n_outputs):
    """Return a module that predicts as the rules of Y and NUMBERS do, without their noise."""
    rules = [[1.0, 0, 0, 0], [0, 1, 0, 0], [-1, 0, 0, 0]], [[1.0, -2, 0.5, 0]]
    module = torch.nn.Linear(4, n_outputs, bias=False)
    module.weight.data = torch.tensor(rules[0] if n_outputs == 3 else rules[1])
    return module


def classifier(estimator):
    has_teacher = getattr(estimator, "teacher", None) is not None
    given = {} if has_teacher else {"teacher_logits": logits_for(estimator)}
    fit_twice(estimator, SOME_Y, **given)
    return estimator.predict_proba(X_VAL)


def partly_taught(estimator):
    """Fit on the probability of the most probable class alone."""
    estimator.fit(X, SOME_Y, teacher_proba=TOP_1)
    return estimator.predict_proba(X_VAL)


def searched_classifier(estimator):
    estimator.fit(X, SOME_Y, teacher_logits=logits_for(estimator))
    return np.append(estimator.predict_proba(X_VAL), estimator.best_score_)


def number_regressor(estimator):
    has_teacher = getattr(estimator, "teacher", None) is not None
    fit_twice(estimator, NUMBERS, **({} if has_teacher else {"teacher_prediction": PREDICTIONS}))
    return estimator.predict(X_VAL)


def linear_regressor(estimator):
    estimator.fit(X, NUMBERS, teacher_prediction=PREDICTIONS)
    return np.append(estimator.predict(X_VAL), estimator.coef_covariance_)


def searched_regressor(estimator):
    estimator.fit(X, SOME_NUMBERS, teacher_prediction=PREDICTIONS)
    return np.append(estimator.predict(X_VAL), estimator.best_score_)


def several_labels(estimator):
    labels = SCORES[:, :2] > 0
    estimator.fit(X, labels, teacher_logits=LOGITS[:, :2])
    return estimator.predict_proba(X_VAL)


def teacher_and_student(estimator):
    estimator.fit(X, Y if isinstance(estimator, sd.TeacherStudentClassifier) else NUMBERS)
    is_classifier = isinstance(estimator, sd.TeacherStudentClassifier)
    return (estimator.predict_proba if is_classifier else estimator.predict)(X_VAL)


def born_again(estimator):
    estimator.fit(X, Y)
    scores = estimator.generations_["validation_score"] if estimator.early_stopping else []
    return np.append(estimator.predict_proba(X_VAL), scores)


def metaparameter_optimizer(search):
    student = sd.DistilledNeuralClassifier(
        hidden_layer_sizes=(4,),
        max_epochs=3,
        batch_size=30,
        lr=0.05,
        metaparameter_optimizer=search,
        random_state=0,
        precision="float64",
    )
    student.fit(X, SOME_Y, teacher_logits=LOGITS, X_val=X_VAL, y_val=Y_VAL)
    return student.predict_proba(X_VAL)


def flat_mapping(mapping):
    return mapping.fit(IMAGES).transform(IMAGES)


def style_transfer(mapping):
    return mapping.fit(IMAGES[:2]).transform(IMAGES[2:5])


def two_domains(mapping):
    return mapping.fit(DOMAIN, DOMAIN_Y, X_source=SOURCE, y_source=DOMAIN_Y).transform(DOMAIN)


def latent_space(aligner):
    student = {"student": X} if aligner.anchor == "student" else {}
    return aligner.fit([X, X[:, ::-1]], Y, **student).transform([X, X[:, ::-1]])


# --- the parameters -------------------------------------------------------------------------------

LOSS = {
    "imitation": 0.9,
    "temperature": 3.0,
    "soften_student": With(False, {"temperature": 3.0}),
    "t_squared": With(True, {"temperature": 3.0}),
    "regularizer": "continuous_categorical",
    "class_weight": {0: 5.0},
    "partial": With("spread", fit=partly_taught),
}
LINEAR = {"C": 0.01, "fit_intercept": False, "tol": 0.1, "max_iter": With(1, {"tol": 1e-12})}
NEURAL = {
    "hidden_layer_sizes": (3,),
    "imitation": 0.9,
    "embedding_weight": 1.0,
    "embedding_layer": With("body.0", {"embedding_weight": 1.0}),
    "optimizer": "sgd",
    "lr": 0.01,
    "batch_size": 20,
    "collate_fn": lambda samples: 2 * np.stack(samples),
    "max_epochs": 5,
    "early_stopping": True,
    "validation_fraction": With(0.4, {"early_stopping": True}),
    "n_iter_no_change": With(1, {"early_stopping": True, "max_epochs": 30, "lr": 0.3}),
    "tol": With(1.0, {"early_stopping": True, "max_epochs": 30, "n_iter_no_change": 2}),
    "lr_schedule": "cosine",
    "gradient_clip": 1e-3,
    "augmentation": lambda features, generator: 2 * features,
    "callbacks": [Zero()],
    "warm_start": True,
    "precision": "float64",
    "random_state": 1,
}
GRADIENT_SEARCH = {
    "lr": 0.3,
    "metaparameters": ("imitation",),
    "temperature_range": With((0.99, 1.01), {"lr": 10.0}),
    "validation_temperature": 3.0,
    "virtual_step": "sgd",
    "gradient": "finite_difference",
    "clip": 1e-4,
    "validation_batch_size": 10,
}
AUGMENTED = {"augmentation": "munge", "n_augmented": 20}
PAIR = {
    "privileged_features": [3],
    "teacher_features": With("privileged", {"privileged_features": [3]}),
    "cv": 2,
    "augmentation": With(lambda X, n, random_state: X[:n] + 0.1, AUGMENTED),
    "n_augmented": With(60, AUGMENTED),
    "unlabeled_weight": With(5.0, AUGMENTED),
    "random_state": 1,
}
FOREST = RandomForestClassifier(5, max_depth=3)
CASES = {
    sd.DistilledLogisticRegression: (
        sd.DistilledLogisticRegression(),
        classifier,
        LOSS
        | LINEAR
        | {
            "classes": [0, 1, 2, 3],
            "debias": 0.5,
            "warm_start": With(True, {"tol": 0.03}),
        },
    ),
    sd.DistilledLogisticRegressionCV: (
        sd.DistilledLogisticRegressionCV(("imitation",), cv=2, temperature=2.0),
        searched_classifier,
        LOSS
        | LINEAR
        | {
            "metaparameters": ("C",),
            "cv": 3,
            "method": "grid",
            "validation_temperature": 2.0,
            "bounds": {"imitation": (0.0, 0.05)},
            "grid": With({"imitation": [0.9]}, {"method": "grid"}),
            "scoring": With("accuracy", {"method": "grid"}),
            "refit": False,
            "search_tol": With(10.0, {"metaparameters": ("C",)}),
            "max_evaluations": With(1, {"metaparameters": ("C",)}),
            "imitation": With(0.9, {"metaparameters": ("C",)}),
            "classes": [0, 1, 2, 3],
        },
    ),
    sd.DistilledNeuralClassifier: (
        sd.DistilledNeuralClassifier(hidden_layer_sizes=(6,), max_epochs=3, random_state=0),
        classifier,
        LOSS
        | NEURAL
        | {
            "module": With(torch.nn.Linear(4, 3), {"hidden_layer_sizes": (64,)}),
            "classes": [0, 1, 2, 3],
            "metaparameter_optimizer": sd.GreedyHypergradient(),
            "label_smoothing": 0.3,
            "embedding_margin": With(1.0, {"embedding_weight": 1.0}),
            "teacher": linear_teacher(3),
            "distillation_loss": lambda z, t, y, w: (z - t).square().mean(1),
            "scoring": With("accuracy", {"early_stopping": True, "max_epochs": 30}),
        },
    ),
    sd.DistilledNeuralRegressor: (
        sd.DistilledNeuralRegressor(hidden_layer_sizes=(6,), max_epochs=3, random_state=0),
        number_regressor,
        NEURAL
        | {
            "module": With(torch.nn.Linear(4, 1), {"hidden_layer_sizes": (64,)}),
            "normalize_y": False,
            "teacher": linear_teacher(1),
            "distillation_loss": lambda z, t, y, w: (z - t).abs().mean(1),
            "scoring": With("neg_max_error", {"early_stopping": True, "max_epochs": 30, "lr": 0.3}),
        },
    ),
    sd.MultiLabelStudent: (
        sd.MultiLabelStudent(sd.DistilledLogisticRegression()),
        several_labels,
        {"estimator": sd.DistilledLogisticRegression(imitation=0.9)},
    ),
    sd.DistilledBoostingClassifier: (
        sd.DistilledBoostingClassifier(SMALL_BOOSTING),
        classifier,
        {
            "estimator": HistGradientBoostingClassifier(max_iter=5),
            "imitation": 0.9,
            "temperature": 3.0,
            "soften_student": With(False, {"temperature": 3.0}),
            "t_squared": With(True, {"temperature": 3.0}),
            "partial": With("spread", fit=partly_taught),
            "classes": [0, 1, 2, 3],
            "class_weight": "balanced",
            "random_state": With(
                1, {"estimator": HistGradientBoostingClassifier(max_iter=3, max_features=0.5)}
            ),
        },
    ),
    sd.DistilledBoostingRegressor: (
        sd.DistilledBoostingRegressor(HistGradientBoostingRegressor(max_iter=3)),
        number_regressor,
        {
            "estimator": HistGradientBoostingRegressor(max_iter=5),
            "imitation": 0.9,
            "random_state": With(
                1, {"estimator": HistGradientBoostingRegressor(max_iter=3, max_features=0.5)}
            ),
        },
    ),
    sd.SoftTargetClassifier: (
        sd.SoftTargetClassifier(KNeighborsRegressor(5)),
        classifier,
        {"estimator": Ridge(), "imitation": 0.9, "temperature": 3.0, "classes": [0, 1, 2, 3]},
    ),
    sd.SoftTargetRegressor: (
        sd.SoftTargetRegressor(KNeighborsRegressor(5)),
        number_regressor,
        {"estimator": Ridge(), "imitation": 0.9},
    ),
    sd.PrivilegedLinearRegression: (
        sd.PrivilegedLinearRegression(),
        linear_regressor,
        {
            "imitation": 0.9,
            "noise_variance": 7.0,
            "teacher_noise_variance": 7.0,
            "alpha": 10.0,
            "fit_intercept": False,
        },
    ),
    sd.PrivilegedLinearRegressionCV: (
        sd.PrivilegedLinearRegressionCV(),
        searched_regressor,
        {
            "alphas": [10.0],
            "imitations": [0.3],
            "noise_ratios": [50.0],
            "cv": 3,
            "scoring": "r2",
            "fit_intercept": False,
        },
    ),
    sd.TeacherStudentClassifier: (
        sd.TeacherStudentClassifier(FOREST, sd.DistilledLogisticRegression(), random_state=0),
        teacher_and_student,
        PAIR
        | {
            "teacher": LogisticRegression(),
            "student": sd.DistilledLogisticRegression(0.9),
            "calibrate_teacher": "temperature",
        },
    ),
    sd.TeacherStudentRegressor: (
        sd.TeacherStudentRegressor(
            RandomForestRegressor(5, max_depth=3),
            sd.PrivilegedLinearRegression(),
            random_state=0,
        ),
        teacher_and_student,
        PAIR | {"teacher": LinearRegression(), "student": sd.PrivilegedLinearRegression(0.9)},
    ),
    sd.BornAgainClassifier: (
        sd.BornAgainClassifier(
            sd.DistilledNeuralClassifier(hidden_layer_sizes=(4,), max_epochs=5),
            n_generations=2,
            random_state=0,
        ),
        born_again,
        {
            "student": sd.DistilledLogisticRegression(),
            "n_generations": 3,
            "labels": "hard",
            "imitation": 0.3,
            "cv": 2,
            "scoring": With("accuracy", {"early_stopping": True}),
            "early_stopping": True,
            "validation_fraction": With(0.4, {"early_stopping": True}),
            "n_iter_no_change": With(1, {"early_stopping": True, "n_generations": 8}),
            "ensemble": True,
            "random_state": 1,
        },
    ),
    sd.GreedyHypergradient: (
        sd.GreedyHypergradient(),
        metaparameter_optimizer,
        GRADIENT_SEARCH | {"update_every": 3},
    ),
    sd.LinearTrajectory: (
        sd.LinearTrajectory(2, 2),
        metaparameter_optimizer,
        GRADIENT_SEARCH | {"gradient_steps": 3, "predicted_steps": 5},
    ),
    sd.GaussianNoise: (
        sd.GaussianNoise(random_state=0),
        lambda mapping: mapping.fit(X).transform(X),
        {"scale": 1.0, "clip": (-0.5, 0.5), "random_state": 1},
    ),
    sd.RandomConvolution: (
        sd.RandomConvolution(3, random_state=0),
        lambda mapping: mapping.fit(IMAGES[..., 0].reshape(12, 64)).transform(
            IMAGES[..., 0].reshape(12, 64)
        ),
        {"kernel_size": 5, "image_shape": (4, 16), "random_state": 1},
    ),
    sd.StyleTransfer: (
        sd.StyleTransfer(SmallNetwork(), content_layer="last", style_layers=["first"], max_iter=3),
        style_transfer,
        {
            "network": SmallNetwork(seed=1),
            "content_layer": "first",
            "style_layers": ["last"],
            "content_weight": 100.0,
            "style_weight": 0.0,
            "lr": 0.1,
            "max_iter": 6,
        },
    ),
    sd.TwoDecoderVAE: (
        sd.TwoDecoderVAE(
            n_components=2, hidden_size=5, max_epochs=3, lr=0.01, batch_size=20, random_state=0
        ),
        two_domains,
        {
            "n_components": 3,
            "hidden_size": 6,
            "kl_weight": 5.0,
            "pairing": "once",
            "lr": 0.1,
            "lr_schedule": "cosine",
            "batch_size": 10,
            "max_epochs": 6,
            "random_state": 1,
        },
    ),
    sd.LatentAligner: (
        sd.LatentAligner(
            n_components=2, hidden_layer_sizes=(5,), max_epochs=3, lr=0.01, random_state=0
        ),
        latent_space,
        {
            "n_components": 3,
            "n_principal": 2,
            "hidden_layer_sizes": (6,),
            "margin": 0.1,
            "triplet_weight": 0.0,
            "anchor": "each",
            "lr": 0.1,
            "batch_size": 20,
            "max_epochs": 6,
            "random_state": 1,
        },
    ),
}
COST_ONLY = {
    "solver": "another way to the same minimum",
    "n_jobs": "threads",
    "verbose": "output",
    "device": "where it is computed",
    "memory": "a cache of fitted teachers",
    "keep_teacher": "what is kept after the fit",
    "check_teacher": "a comparison, of which the student learns nothing",
    "checkpoint": "a file, from which an interrupted training continues",
    "compile": "the same network, compiled",
    "accelerator": "who computes the mini-batches",
}
# of these estimators alone: elsewhere the parameter changes the result
COST_ONLY_OF = {sd.StyleTransfer: {"batch_size": "images are independent of their batch"}}


def parameters(kind):
    """Name the constructor parameters, without ``**skorch_params``."""
    signature = inspect.signature(kind).parameters.values()
    return [one.name for one in signature if one.kind is not one.VAR_KEYWORD]


def estimators():
    kinds = [thing for thing in public_names().values() if inspect.isclass(thing)]
    return {kind for kind in kinds if issubclass(kind, BaseEstimator)}


def fitted(kind, other_fit=None, **changes):
    base, fit, _ = CASES[kind]
    fit = fit if other_fit is None else other_fit
    with warnings.catch_warnings():
        # a tolerance or a number of iterations that changes the result does not converge
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(fit(clone(base).set_params(**changes)))


def differs(result, other):
    return result.shape != other.shape or not np.array_equal(result, other, equal_nan=True)


def test_every_estimator_has_its_case():
    assert set(CASES) == estimators()


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_every_parameter_has_another_value_or_a_reason(kind):
    without_effect = set(COST_ONLY) | set(COST_ONLY_OF.get(kind, {}))
    changing = set(CASES[kind][2])
    assert changing.isdisjoint(without_effect)
    assert changing | (without_effect & set(parameters(kind))) == set(parameters(kind))


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_the_same_parameters_give_the_same_result(kind):
    """Without this, a difference would be no effect of a parameter."""
    assert not differs(fitted(kind), fitted(kind))


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, (_, _, changes) in CASES.items() for name in changes],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_parameter_changes_the_result(kind, name):
    change = CASES[kind][2][name]
    change = change if isinstance(change, With) else With(change)
    with_default = fitted(kind, change.fit, **change.needed)
    changed = fitted(kind, change.fit, **change.needed | {name: change.value})
    assert differs(changed, with_default)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (sd.DistilledLogisticRegression, {"t_squared": True, "soften_student": False}, "t_squared"),
        (sd.DistilledLogisticRegressionCV, {"grid": {"imitation": [0.5]}}, "set method='grid'"),
        (sd.DistilledLogisticRegressionCV, {"scoring": "accuracy"}, "set method='grid'"),
        (
            sd.DistilledLogisticRegressionCV,
            {"method": "grid", "scoring": "accuracy", "validation_temperature": 2.0},
            "validation_temperature",
        ),
        (sd.DistilledLogisticRegressionCV, {"bounds": {"C": (1, 2)}}, r"bounds has \['C'\]"),
        (sd.TeacherStudentClassifier, {"n_augmented": 20}, "needs an augmentation"),
        (sd.TeacherStudentClassifier, {"augmentation": "munge"}, "needs n_augmented"),
        (sd.TeacherStudentClassifier, {"teacher_features": "privileged"}, "needs privileged"),
        (sd.BornAgainClassifier, {"scoring": "accuracy"}, "needs a validation set"),
    ],
    ids=str,
)
def test_a_parameter_that_needs_another_says_so(kind, changes, message):
    with pytest.raises(ValueError, match=message):
        fitted(kind, **changes)
