"""The students of the demo, each with the hyperparameter that controls its complexity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill.students import (
    DistilledBoostingClassifier,
    DistilledLogisticRegression,
    SoftTargetClassifier,
)

N_TREES = [20, 60]  # a class
STUDENTS = ("linear", "tree", "boosting")
_TEXT = make_column_selector(dtype_exclude=np.number)
_NUMBER = make_column_selector(dtype_include=np.number)


@dataclass(frozen=True)
class DemoStudent:
    """An unfitted student and the values of its hyperparameter that the search tries.

    Parameters
    ----------
    name : str
        The words for it in a title.
    estimator : estimator
        With the parameters ``imitation`` and ``temperature``.
    grid : dict of str to list
        One parameter, with its values.
    encoder : transformer
        Turns a table with text and missing values into this student's input.
    """

    name: str
    estimator: Any
    grid: dict[str, list[Any]]
    encoder: Any


def make_student(kind: str, y: NDArray[Any], random_state: int | None = 0) -> DemoStudent:
    """Return an unfitted student.

    Parameters
    ----------
    kind : {"linear", "tree", "boosting"}
        A logistic regression, a decision tree, or boosted trees.
    y : ndarray of shape (n_rows,)
        All labels: a training fold may lack a rare class.
    random_state : int or None
        Seed of the trees.

    Returns
    -------
    DemoStudent
        The student.
    """
    classes = np.unique(y)
    if kind == "boosting":
        trees = HistGradientBoostingClassifier(
            max_leaf_nodes=15, early_stopping=False, random_state=random_state
        )
        student = DistilledBoostingClassifier(trees, classes=classes)
        return DemoStudent(
            "boosted trees", student, {"estimator__max_iter": N_TREES}, ordinal_codes()
        )
    if kind == "tree":
        tree = DecisionTreeRegressor(random_state=random_state)
        leaves = {"regressor__min_samples_leaf": [1, 3, 10, 30]}
        student = SoftTargetClassifier(tree, classes=classes)
        return DemoStudent("a decision tree", student, leaves, ordinal_codes())
    # tol: enough to compare 64 candidates on a few hundred rows
    linear = DistilledLogisticRegression(classes=classes, tol=1e-3, max_iter=1000)
    return DemoStudent("a linear student", linear, {"C": [0.1, 1.0, 10.0, 100.0]}, _one_hot())


def ordinal_codes() -> Any:
    """Return a transformer for trees, to which a missing value is a value."""
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=200,
    )
    return make_column_transformer((codes, _TEXT), remainder="passthrough")


def _one_hot() -> Any:
    return make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), _NUMBER),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30), _TEXT),
    )
