"""Whether a column has classes or numbers to predict."""

from __future__ import annotations

import logging

import pandas as pd
from sklearn.utils.multiclass import type_of_target

logger = logging.getLogger(__name__)

TASKS = ("auto", "classification", "regression")
MAX_NUMBERED_CLASSES = 20
MIN_ROWS = 60  # of a regression: a teacher, five folds and a test set
# each class must occur in the teacher's part, in each fold of the search, and in the test set
MIN_ROWS_OF_A_CLASS = 20
MAX_ABSOLUTE_VALUE = 1e150  # the squares of larger numbers are not finite


def find_task(y: pd.Series, target: str, task: str = "auto") -> str:
    """Return the task, and check that the column has enough rows for it.

    Parameters
    ----------
    y : Series
        The column, without missing values.
    target : str
        Its name, for messages.
    task : {"auto", "classification", "regression"}
        "auto" is a regression if the values are numbers of which some are not whole, or more than
        20 are different.

    Returns
    -------
    {"classification", "regression"}
        The task.

    Raises
    ------
    ValueError
        If there are too few rows, too few rows of a class, or values of another kind.
    """
    if task == "auto":
        task = "regression" if _has_many_numbers(y) else "classification"
        logger.info("Task: %s, for the column %s (--task sets it).", task, target)
    if task == "classification":
        _check_classes(y, target)
    else:
        _check_numbers(y, target)
    return task


def _has_many_numbers(y: pd.Series) -> bool:
    if not _is_numeric(y):
        return False
    return bool((y % 1 != 0).any()) or y.nunique() > MAX_NUMBERED_CLASSES


def _is_numeric(y: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(y) and not pd.api.types.is_bool_dtype(y)


def _check_numbers(y: pd.Series, target: str) -> None:
    if not _is_numeric(y):
        example = f", such as {y.iloc[0]!r}" if len(y) else ""
        raise ValueError(f"--target {target}: its values are not numbers{example}")
    if not (y.abs() <= MAX_ABSOLUTE_VALUE).all():
        raise ValueError(
            f"--target {target}: it has a number beyond ±{MAX_ABSOLUTE_VALUE:g}: leave it empty, "
            "or scale the column"
        )
    if len(y) < MIN_ROWS:
        raise ValueError(
            f"--target {target}: a regression needs at least {MIN_ROWS} rows with a number, got "
            f"{len(y)}"
        )
    if y.nunique() < 2:
        raise ValueError(f"--target {target}: all its numbers are {y.iloc[0]:g}")


def _check_classes(y: pd.Series, target: str) -> None:
    if type_of_target(y.to_numpy()) not in ("binary", "multiclass"):
        raise ValueError(
            f"--target {target}: its values are not classes but {type_of_target(y.to_numpy())}: "
            "pass --task regression for numbers"
        )
    counts = y.value_counts()
    if len(counts) < 2:
        raise ValueError(f"--target {target}: there must be two classes, got {len(counts)}")
    rare = counts[counts < MIN_ROWS_OF_A_CLASS]
    if len(rare):
        raise ValueError(
            f"--target {target}: each class needs at least {MIN_ROWS_OF_A_CLASS} rows, but "
            f"{rare.index[0]} has {rare.iloc[0]} ({len(rare)} of {len(counts)} classes are too "
            "rare): merge or drop them, or choose another column"
        )
