"""The students, each with the hyperparameter that controls its complexity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_distill._optional import import_skorch
from sklearn_distill.experiment._encoders import one_hot, ordinal_codes
from sklearn_distill.students import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
)

N_TREES = [10, 30]  # a class
TREES = {"max_leaf_nodes": 15, "learning_rate": 0.3, "early_stopping": False}
N_EPOCHS = [20, 60]
CS = [0.1, 1.0, 10.0, 100.0]
ALPHAS = [0.01, 0.1, 1.0, 10.0, 100.0]
LEAF_SIZES = [1, 3, 10, 30]
IMITATION = [0.25, 0.5, 0.75, 1.0]
TEMPERATURE = [0.25, 0.5, 1.0, 2.0, 4.0]
# fewer values of λ and of T for students that take long to fit
FEWER: dict[str, tuple[slice, slice]] = {
    "network": (slice(1, None, 2), slice(2, None, 2)),
    "boosting": (slice(1, None), slice(1, 4)),
}
AUTO = ("linear", "tree", "boosting")
STUDENTS = ("auto", *AUTO, "network")
NAMES = {
    "linear": "a linear student",
    "tree": "a decision tree",
    "boosting": "boosted trees",
    "network": "a neural network",
}


@dataclass(frozen=True)
class Student:
    """An unfitted student and the values of its hyperparameters that the search tries.

    Parameters
    ----------
    name : str
        The words for it in a title.
    estimator : estimator
        With the parameter ``imitation``, or a Pipeline that ends in one.
    grid : dict of str to list
        One parameter, with its values.
    teacher_grid : dict of str to list
        The values of ``imitation``, and of a classifier's ``temperature``.
    """

    name: str
    estimator: Any
    grid: dict[str, list[Any]]
    teacher_grid: dict[str, list[Any]]


def make_students(
    kind: str,
    task: str,
    y: NDArray[Any],
    random_state: int | None = 0,
    features: pd.DataFrame | None = None,
    indicators: bool = True,
) -> tuple[Student, ...]:
    """Return the unfitted students to choose from.

    Parameters
    ----------
    kind : {"auto", "linear", "tree", "boosting", "network"}
        A linear model, a decision tree, boosted trees, a network of one hidden layer, or the first
        three.
    task : {"classification", "regression"}
        What they predict.
    y : ndarray of shape (n_rows,)
        All labels: a training fold may lack a rare class.
    random_state : int or None
        Seed of trees and networks.
    features : DataFrame or None
        Table with the columns that the student uses; None for a matrix of numbers.
    indicators : bool
        Whether linear models and networks are told where numbers are missing.

    Returns
    -------
    tuple of Student
        One student, or with "auto" several.
    """
    if kind == "network":
        import_skorch("--student network")
    kinds = AUTO if kind == "auto" else (kind,)
    return tuple(
        _make_student(kind, task, y, random_state, _encoder(kind, features, indicators))
        for kind in kinds
    )


def _make_student(
    kind: str,
    task: str,
    y: NDArray[Any],
    random_state: int | None,
    encoder: Any,
) -> Student:
    is_class = task == "classification"
    estimator, grid = (
        _classifier(kind, np.unique(y), random_state)
        if is_class
        else _regressor(kind, random_state)
    )
    if encoder is not None:
        estimator = make_pipeline(encoder, estimator)
    of_imitation, of_temperature = FEWER.get(kind, (slice(None), slice(None)))
    teacher_grid: dict[str, list[Any]] = {"imitation": IMITATION[of_imitation]}
    if is_class:
        teacher_grid["temperature"] = TEMPERATURE[of_temperature]
    return Student(NAMES[kind], estimator, grid, teacher_grid)


def _encoder(kind: str, features: pd.DataFrame | None, indicators: bool) -> Any:
    if features is None:
        return None
    if kind in ("linear", "network"):
        return one_hot(features, sparse=kind == "linear", indicators=indicators)
    return ordinal_codes(features)


def _classifier(
    kind: str, classes: NDArray[Any], random_state: int | None
) -> tuple[Any, dict[str, list[Any]]]:
    if kind == "boosting":
        trees = HistGradientBoostingClassifier(**TREES, random_state=random_state)
        return DistilledBoostingClassifier(trees, classes=classes), {"estimator__max_iter": N_TREES}
    if kind == "tree":
        tree = DecisionTreeClassifier(random_state=random_state)
        leaves = {"estimator__min_samples_leaf": LEAF_SIZES}
        return SoftTargetClassifier(tree, classes=classes), leaves
    if kind == "network":
        network = DistilledNeuralClassifier(classes=classes, random_state=random_state)
        return network, {"max_epochs": N_EPOCHS}
    # tol: enough to compare 80 candidates on a few hundred rows
    linear = DistilledLogisticRegression(classes=classes, tol=1e-3, max_iter=1000)
    return linear, {"C": CS}


def _regressor(kind: str, random_state: int | None) -> tuple[Any, dict[str, list[Any]]]:
    if kind == "boosting":
        trees = HistGradientBoostingRegressor(**TREES, random_state=random_state)
        return DistilledBoostingRegressor(trees), {"estimator__max_iter": N_TREES}
    if kind == "tree":
        tree = DecisionTreeRegressor(random_state=random_state)
        return SoftTargetRegressor(tree), {"estimator__min_samples_leaf": LEAF_SIZES}
    if kind == "network":
        return DistilledNeuralRegressor(random_state=random_state), {"max_epochs": N_EPOCHS}
    return PrivilegedLinearRegression(), {"alpha": ALPHAS}
