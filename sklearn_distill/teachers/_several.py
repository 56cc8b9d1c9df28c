"""Check the predicted probabilities of several teachers on the same rows, and their weights."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import ArrayLike, FloatArray
from sklearn_distill._validation.masks import nan_where_masked
from sklearn_distill._validation.row_order import check_same_order
from sklearn_distill._validation.teacher import check_teacher, read_teacher
from sklearn_distill.targets import soften


def check_several_teachers(
    teacher_proba: ArrayLike | Sequence[ArrayLike], temperature: float = 1.0
) -> tuple[FloatArray, list[Any] | None]:
    """Return the teachers' probabilities, softened, and the names of their columns.

    Parameters
    ----------
    teacher_proba : list of array-like, or array-like of shape (n_rows, n_teachers, n_classes)
        Each of the list is (n_rows, n_classes). A row of NaN is a missing prediction.
    temperature : float, default=1.0
        T > 0, by which the logarithms are divided.

    Returns
    -------
    p : ndarray of shape (n_teachers, n_classes, n_rows)
        Probabilities; NaN where a teacher's prediction is missing.
    columns : list or None
        Names of the classes, where the teachers are DataFrames.

    Raises
    ------
    ValueError
        If the shapes or names differ, or a row is neither missing nor a distribution; it names the
        first such row.
    """
    stacked, columns = _stack(teacher_proba)
    if stacked.ndim != 3 or 0 in stacked.shape or stacked.shape[2] < 2:
        raise ValueError(
            f"teacher_proba has shape {stacked.shape}: give a list of arrays (n_samples, "
            "n_classes), or one of shape (n_samples, n_teachers, n_classes), with at least one "
            "row, one teacher and two classes"
        )
    output = read_teacher(stacked, None, len(stacked))
    assert output is not None
    # the classes play no part here, so the numbers of the columns stand for them
    logits = check_teacher(output, np.arange(stacked.shape[2])).logits
    # softmax of the logarithms divides by the sum, which may differ from 1 within the tolerance
    return np.stack([soften(of_teacher, temperature) for of_teacher in logits]), columns


def _stack(
    teacher_proba: ArrayLike | Sequence[ArrayLike],
) -> tuple[NDArray[Any], list[Any] | None]:
    if not isinstance(teacher_proba, list | tuple):
        return np.asarray(nan_where_masked(teacher_proba)), None
    for m, one in enumerate(teacher_proba):
        check_same_order(f"teacher_proba[{m}]", one, "teacher_proba[0]", teacher_proba[0])
    columns = _common_columns(teacher_proba)
    selected = [one if columns is None else one[columns] for one in teacher_proba]
    arrays = [np.asarray(nan_where_masked(one)) for one in selected]
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) != 1 or len(shapes[0]) != 2:
        raise ValueError(
            f"teacher_proba is a list of arrays of the shapes {shapes}: give each teacher's "
            "probabilities for the same rows as (n_samples, n_classes), NaN where its prediction "
            "is missing"
        )
    return np.stack(arrays, axis=1), columns


def _common_columns(teachers: Sequence[Any]) -> list[Any] | None:
    """Return the column names of the first frame, or None where no teacher is a frame."""
    names = [list(one.columns) if hasattr(one, "columns") else None for one in teachers]
    if not names or all(columns is None for columns in names):
        return None
    first = names[0]
    for m, columns in enumerate(names):
        # in a mixed list the order of an array's columns would be a guess
        if first is None or columns is None or set(columns) != set(first):
            raise ValueError(
                f"teacher_proba[{m}] has columns {columns}, teacher_proba[0] has {first}: give "
                "frames that name the same classes, or arrays without names"
            )
    return first


def check_teacher_weights(weights: ArrayLike | None, n_teachers: int) -> FloatArray:
    """Return one nonnegative weight for each teacher.

    Parameters
    ----------
    weights : array-like of shape (n_teachers,) or None
        Nonnegative weights, on any scale; None is a weight of 1 for each teacher.
    n_teachers : int
        The number of teachers M.

    Returns
    -------
    ndarray of shape (n_teachers,)
        The weights as float64, not normalised.

    Raises
    ------
    ValueError
        If the shape is wrong, or a weight is negative or not finite, or all are zero.
    """
    if weights is None:
        return np.ones(n_teachers)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (n_teachers,):
        raise ValueError(f"weights has shape {w.shape}: give one weight for each of {n_teachers}")
    if not np.isfinite(w).all() or (w < 0).any() or not w.any():
        raise ValueError(f"weights must be finite, 0 or more and not all 0, got {w.tolist()}")
    return w


def check_temperature(temperature: float) -> float:
    """Return a temperature as a float.

    Parameters
    ----------
    temperature : float
        T, positive and finite.

    Returns
    -------
    float
        T.

    Raises
    ------
    ValueError
        If it is not a positive, finite number.
    """
    if not (isinstance(temperature, Real) and 0 < float(temperature) < np.inf):
        raise ValueError(
            f"temperature={temperature!r}: give the temperature of the student, a positive number"
        )
    return float(temperature)
