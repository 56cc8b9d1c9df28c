"""The teacher: a kind of model to fit, or a fitted model in a file."""

from __future__ import annotations

import logging
import os
from typing import Any

import joblib
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sklearn_distill._optional import import_skops
from sklearn_distill.experiment._encoders import ordinal_codes
from sklearn_distill.experiment._table import is_file, printable_name

logger = logging.getLogger(__name__)

TEACHERS = {"boosting": "gradient boosting", "forest": "a random forest"}
N_TRIED = 5  # rows that a loaded teacher has to predict
# compiled or private, but nothing more than arrays of numbers: skops does not know them by itself
HARMLESS = frozenset(
    {
        "numpy.dtype",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss._loss.CyHalfMultinomialLoss",
        "sklearn._loss._loss.CyHalfSquaredError",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
    }
)


def make_teacher(
    kind: str, task: str, features: pd.DataFrame, random_state: int | None
) -> tuple[Any, str]:
    """Return an unfitted teacher, and the words for it.

    Parameters
    ----------
    kind : {"boosting", "forest"}
        Gradient boosting, or a random forest.
    task : {"classification", "regression"}
        What it predicts.
    features : DataFrame
        Table with the columns that it uses.
    random_state : int or None
        Seed.

    Returns
    -------
    teacher : Pipeline
        It takes a table with text and missing values.
    name : str
        Such as "gradient boosting".
    """
    is_class = task == "classification"
    if kind == "forest":
        forest = RandomForestClassifier if is_class else RandomForestRegressor
        model = forest(300, min_samples_leaf=3, random_state=random_state)
    else:
        boosting = HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
        model = boosting(early_stopping=True, random_state=random_state)
    return make_pipeline(ordinal_codes(features), model), TEACHERS[kind]


def load_teacher(path: str, trust: bool, y: NDArray[Any], X: pd.DataFrame, task: str) -> Any:
    """Return a fitted teacher from a file, that takes a table with further columns.

    Parameters
    ----------
    path : str
        A file of skops (``.skops``), or with `trust` one of joblib (``.joblib``, ``.pkl``).
    trust : bool
        Whether the file may run any code.
    y : ndarray of shape (n_rows,)
        The target, for its classes.
    X : DataFrame
        All columns of the table but the target.
    task : {"classification", "regression"}
        What it must predict.

    Returns
    -------
    FrozenEstimator
        The teacher, which no fit changes.

    Raises
    ------
    ValueError
        If the file is no model, needs trust, or does not predict rows of this table.
    FileNotFoundError
        If it does not exist.
    ImportError
        If skops is missing.
    """
    if not is_file(path):
        raise FileNotFoundError(
            f"--teacher {path}: there is no such file; pass {', '.join(TEACHERS)} or a file"
        )
    teacher = _by_name(_read(path, trust), X, path)
    _check_predictions(teacher, y, X, task, path)
    return teacher


def describe_file(path: str) -> str:
    """Return the words for a teacher from a file."""
    return f"the model {printable_name(path)}"


def _read(path: str, trust: bool) -> Any:
    skops_file = path.endswith(".skops")
    if not skops_file and not trust:
        raise ValueError(
            f"--teacher {path}: joblib and pickle files run any code that they contain; pass "
            "--trust if you trust this one, or a file of skops (.skops)"
        )
    try:
        return _read_skops(path, trust) if skops_file else joblib.load(path)
    except (ImportError, _UntrustedError):
        raise
    except Exception as error:  # a damaged file raises anything
        raise ValueError(f"--teacher {path}: not a readable model: {error!r}") from error


class _UntrustedError(ValueError):
    """A file has types that skops does not trust."""


def _read_skops(path: str, trust: bool) -> Any:
    skops = import_skops("--teacher")
    found = skops.get_untrusted_types(file=path)
    unknown = sorted(set(found) - HARMLESS)
    if unknown and not trust:
        raise _UntrustedError(
            f"--teacher {path}: it contains {', '.join(unknown[:10])}; pass --trust if you trust "
            "the file"
        )
    return skops.load(path, trusted=found)


def _by_name(teacher: Any, X: pd.DataFrame, path: str) -> Any:
    """Return the teacher behind a step that selects the columns that it was fitted on."""
    names = getattr(teacher, "feature_names_in_", None)
    if names is None:
        return FrozenEstimator(teacher)
    missing = [str(name) for name in names if name not in X.columns]
    if missing:
        raise ValueError(
            f"--teacher {path}: it was fitted on columns that the table lacks: "
            + ", ".join(missing[:20])
        )
    select = make_column_transformer(
        ("passthrough", list(names)), verbose_feature_names_out=False
    ).set_output(transform="pandas")
    pipeline = make_pipeline(select, FrozenEstimator(teacher))
    return FrozenEstimator(pipeline.fit(X[list(names)].head(N_TRIED)))


def _check_predictions(
    teacher: Any, y: NDArray[Any], X: pd.DataFrame, task: str, path: str
) -> None:
    is_class = task == "classification"
    method = "predict_proba" if is_class else "predict"
    if not hasattr(teacher, method) or is_class != hasattr(teacher, "classes_"):
        raise ValueError(f"--teacher {path}: it is no model for {task} with {method}")
    try:
        getattr(teacher, method)(X.head(N_TRIED))
    except Exception as error:  # any estimator may be in the file
        raise ValueError(
            f"--teacher {path}: it does not predict rows of this table: {error}"
        ) from error
    if is_class and sorted(map(str, teacher.classes_)) != sorted({str(label) for label in y}):
        raise ValueError(
            f"--teacher {path}: its classes are {_some(teacher.classes_)}, those of the target "
            f"{_some(sorted(set(y.tolist())))}"
        )


def _some(values: Any) -> str:
    return ", ".join(map(str, list(values)[:10])) + ", …" * (len(values) > 10)


def is_path(teacher: str) -> bool:
    """Return whether the word for a teacher is the path of a file."""
    return os.fspath(teacher) not in TEACHERS
