"""Check the outputs of a teacher: probabilities or logits of the classes, and embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array

from sklearn_distill._typing import BoolArray, FloatArray, TeacherLike
from sklearn_distill._validation.absent_rows import blank_absent
from sklearn_distill._validation.masks import nan_where_masked
from sklearn_distill._validation.numbers import check_rows_complete, list_values
from sklearn_distill._validation.partial_teacher import (
    SUPPORTED,
    Partial,
    make_partial_teachers,
)
from sklearn_distill.targets import PartialTeachers, Teachers

# How far a row's sum may be from 1: percentages with two decimals, float16 and bfloat16. Metrics,
# which do not renormalise, have a tolerance of their own.
SUM_TOLERANCE = 2e-2 + 1e-6  # and rounding: 1.02 as a sum of decimals is 1.02 only nearly


@dataclass(frozen=True)
class TeacherOutput:
    """The argument ``teacher_proba`` or ``teacher_logits`` as numbers, not yet checked.

    Parameters
    ----------
    name : {"teacher_proba", "teacher_logits"}
        The argument's name.
    values : ndarray of shape (n_rows,), (n_rows, n_columns) or (n_rows, n_teachers, n_columns)
        Probabilities or logits; NaN is missing.
    columns : list or None
        Names of the columns of a DataFrame; None for an array.
    series_name : object, default=None
        Name of a Series of pandas or polars; None for one without a name and for an array.
    """

    name: str
    values: NDArray[np.float64]
    columns: list[Any] | None
    series_name: Any = None

    @property
    def is_proba(self) -> bool:
        """Whether these are probabilities, not logits."""
        return self.name == "teacher_proba"


def read_teacher(
    teacher_proba: TeacherLike, teacher_logits: TeacherLike, n_rows: int
) -> TeacherOutput | None:
    """Read ``teacher_proba`` or ``teacher_logits``, whichever is given.

    Parameters
    ----------
    teacher_proba, teacher_logits : array-like, DataFrame or None
        At most one of them.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    TeacherOutput or None
        None if neither is given.

    Raises
    ------
    ValueError
        If both are given, or one is not numeric or has another length than X.
    """
    if teacher_proba is not None and teacher_logits is not None:
        raise ValueError("give teacher_proba or teacher_logits, not both")
    if teacher_proba is None and teacher_logits is None:
        return None
    name = "teacher_logits" if teacher_proba is None else "teacher_proba"
    output = teacher_logits if teacher_proba is None else teacher_proba
    _check_container(name, output, n_rows)
    values, columns = _to_numpy(name, output)
    if values.ndim not in (1, 2, 3):
        raise ValueError(
            f"{name} has shape {values.shape}: it must be (n_samples,), (n_samples, n_classes) "
            "or (n_samples, n_teachers, n_classes)"
        )
    if len(values) != n_rows:
        raise ValueError(
            f"{name} has {len(values)} rows, X has {n_rows}: give one row for each row of X "
            "(NaN where the teacher's prediction is missing)"
        )
    series_name = _series_name(output) if values.ndim == 1 else None
    return TeacherOutput(name, values, columns, series_name)


def check_teacher(output: TeacherOutput, classes: NDArray[Any]) -> Teachers:
    """Check a teacher's complete outputs against the classes.

    Parameters
    ----------
    output : TeacherOutput
        The outputs, as :func:`read_teacher` returns them.
    classes : ndarray of shape (n_classes,)
        The student's classes in ascending order.

    Returns
    -------
    Teachers
        Logits by teacher, class and row.

    Raises
    ------
    ValueError
        If the columns are not the classes, or a row is neither missing nor a distribution; it
        names the first such row.
    """
    teachers = check_teacher_in_part(output, classes, None)
    assert isinstance(teachers, Teachers)
    return teachers


def check_teacher_in_part(
    output: TeacherOutput, classes: NDArray[Any], partial: Partial | None
) -> Teachers | PartialTeachers:
    """Check a teacher's outputs against the classes, some of which may be unknown in a row.

    Parameters
    ----------
    output : TeacherOutput
        The outputs, as :func:`read_teacher` returns them.
    classes : ndarray of shape (n_classes,)
        The student's classes in ascending order.
    partial : {"rest", "spread"} or None
        What becomes of probabilities that are NaN for some classes; None refuses them.

    Returns
    -------
    Teachers or PartialTeachers
        The predictions.

    Raises
    ------
    ValueError
        As :func:`check_teacher`.
    """
    values = _align_columns(output, classes)
    logits = np.ascontiguousarray(values.transpose(1, 2, 0))
    if logits.base is not None:  # a view of the user's array, which np.log would overwrite
        logits = logits.copy()
    partial = partial if output.is_proba else None
    _check_rows(output, logits, may_be_partial=partial is not None)
    if partial is not None:
        nan = np.isnan(logits)
        if (nan.any(axis=1) & ~nan.all(axis=1)).any():
            return make_partial_teachers(logits, partial)
    if output.is_proba:
        with np.errstate(divide="ignore"):  # log 0 = -inf is a probability of exactly zero
            np.log(logits, out=logits)
    return Teachers(logits)


def _check_container(name: str, output: Any, n_rows: int) -> None:
    if sparse.issparse(output):
        raise ValueError(
            f"{name} is a sparse {type(output).__name__}: pass {name}.toarray() if entries that "
            "are not stored are 0, and an array with NaN rows if they are missing; as unknown "
            f"classes of teacher_proba they are read by {SUPPORTED}"
        )
    teachers = list(output.values()) if isinstance(output, dict) else output
    if not isinstance(teachers, list | tuple) or len(teachers) in (0, n_rows):
        return
    if all(len(np.shape(one)) == 2 and np.shape(one)[0] == n_rows for one in teachers):
        raise ValueError(
            f"{name} is a {type(output).__name__} of {len(teachers)} teachers: pass their mean, "
            "sklearn_distill.teachers.combine_teachers(...), or np.stack([...], axis=1) of shape "
            "(n_samples, n_teachers, n_classes), columns in the order of the classes"
        )


def _to_numpy(name: str, output: Any) -> tuple[NDArray[np.float64], list[Any] | None]:
    columns = list(output.columns) if hasattr(output, "columns") else None
    output = nan_where_masked(output)
    try:
        values = np.asarray(output.to_numpy() if hasattr(output, "to_numpy") else output)
        if values.dtype == object:  # pd.NA and None are missing, as NaN is
            values = np.where(pd.isna(values), np.nan, values)
        elif values.dtype.kind == "c":  # astype would drop the imaginary part with a warning
            raise TypeError(f"got {values.dtype}")
        return values.astype(np.float64, copy=False), columns
    except (TypeError, ValueError) as error:
        is_text = "string" in str(error)
        advice = "; pass the teacher's probabilities or logits, not its labels" if is_text else ""
        raise ValueError(f"{name} must be an array of numbers: {error}{advice}") from error


def _series_name(output: Any) -> Any:
    # arrays of Dask and h5py have a name as well, but not one that their owner chose for the class
    name = getattr(output, "name", None) if hasattr(output, "to_numpy") else None
    return None if isinstance(name, str) and not name else name  # "" is polars' default


def _align_columns(output: TeacherOutput, classes: NDArray[Any]) -> NDArray[np.float64]:
    """Return (n_rows, n_teachers, n_classes) in the order of the classes."""
    values = output.values
    is_one_column = values.ndim > 1 and values.shape[-1] == 1 and output.columns is None
    if values.ndim == 1 or (is_one_column and len(classes) == 2):
        values = _two_columns(output, classes)
        return values[:, None, :] if values.ndim == 2 else values
    if output.columns is not None:
        values = values[:, _order_of_columns(output, classes)]
    if values.shape[-1] != len(classes):
        raise ValueError(
            f"{output.name} has {values.shape[-1]} columns, but the classes are "
            f"{list_values(classes)}: give one column for each class in this order, or a DataFrame "
            "with the labels as column names; for a student with more classes than y contains, "
            "pass classes=[...] to its constructor"
        )
    return values[:, None, :] if values.ndim == 2 else values


def _two_columns(output: TeacherOutput, classes: NDArray[Any]) -> NDArray[np.float64]:
    if len(classes) != 2:
        raise ValueError(
            f"{output.name} is one-dimensional, which stands for the second of two classes, but "
            f"the classes are {list_values(classes)}: give one column for each class, which a "
            "teacher's predict_proba returns and its predict does not"
        )
    given = output.values if output.values.ndim == 1 else output.values[..., 0]
    # logits: softmax of (0, v) is expit(v); a missing prediction must be NaN in both columns
    if output.is_proba:
        _check_unit_interval(output.name, given.reshape(len(given), -1))
        other = np.maximum(1 - given, 0)  # 0 instead of a negative 1 − p within the tolerance
    else:
        other = np.where(np.isnan(given), np.nan, 0.0)
    columns = [other, given] if _is_second_class(output, classes) else [given, other]
    return np.stack(columns, axis=-1)


def _check_unit_interval(name: str, p: NDArray[np.float64]) -> None:
    outside = (p < 0) | (p > 1 + SUM_TOLERANCE)
    if outside.any():
        row = int(np.argmax(outside.any(axis=1)))
        raise ValueError(
            f"{name}: row {row} is {p[row][outside[row]][0]:g}, not between 0 and 1: pass "
            "probabilities of one class, divided by 100 if they are percentages, and counts as "
            "successes / trials; log-odds are passed as teacher_logits"
        )


def _is_second_class(output: TeacherOutput, classes: NDArray[Any]) -> bool:
    """Return whether one dimension stands for the second class: unnamed, or by its name."""
    if output.series_name is None:
        return True
    position = _positions_by_label([output.series_name], classes)
    first, second = classes.tolist()
    if first not in position and second not in position:
        raise ValueError(
            f"{output.name} is one-dimensional and named {output.series_name!r}, which is none of "
            f"the classes {[first, second]}: name it {second!r}, or pass .to_numpy(), if it "
            f"stands for {second!r}; name it {first!r} if it stands for {first!r}"
        )
    return second in position


def _order_of_columns(output: TeacherOutput, classes: NDArray[Any]) -> list[int]:
    """Return the position of each class among the named columns."""
    columns = output.columns or []
    if len(set(columns)) < len(columns):
        raise ValueError(f"{output.name} has columns of the same name: {list_values(columns)}")
    position = _positions_by_label(columns, classes)
    missing = [label for label in classes.tolist() if label not in position]
    if missing:
        raise ValueError(
            f"{output.name} has columns {list_values(columns)}, none of which is named "
            f"{missing[0]!r}: name one column for each class (zeros if the teacher never predicts "
            "it), or pass .to_numpy() if the columns are in the order of the classes"
        )
    if len(columns) > len(classes):
        known = {position[label] for label in classes.tolist()}
        extra = [column for k, column in enumerate(columns) if k not in known]
        raise ValueError(
            f"{output.name} has columns beyond the labels of y: {list_values(extra)}. Pass "
            "classes=[...] to the constructor if the student must predict these classes, else drop "
            "the columns"
        )
    return [position[label] for label in classes.tolist()]


def _positions_by_label(columns: list[Any], classes: NDArray[Any]) -> dict[Any, int]:
    """Match columns and classes by equality, else by str(label) where that is unambiguous."""
    by_label = {column: k for k, column in enumerate(columns)}
    labels = classes.tolist()
    for spell in (str, _without_fraction):
        texts = [spell(label) for label in labels]
        if len(set(texts)) == len(texts):  # else 1 and "1" would share a column
            for label, text in zip(labels, texts, strict=True):
                if label not in by_label and text in by_label:
                    by_label[label] = by_label[text]
    return by_label


def _without_fraction(label: Any) -> str:
    """Spell 1.0 as 1: pandas turns integers into floats where a label is missing."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _check_rows(
    output: TeacherOutput, values: NDArray[np.float64], *, may_be_partial: bool
) -> None:
    """Raise for the first row that is neither missing nor valid.

    ``values`` are class-major, (n_teachers, n_classes, n_rows).
    """
    if _are_distributions(values) if output.is_proba else np.isfinite(values).all():
        return
    faults = _proba_faults(values) if output.is_proba else _logit_faults(values)
    nan = np.isnan(values)
    impossible = "0" if output.is_proba else "-inf"
    partly = (
        "has NaN for some classes only (a missing prediction is NaN in every class, and an "
        f"impossible class has {impossible}{_who_reads_nan(output)})"
    )
    if not may_be_partial:
        faults[partly] = _any_class(nan)
    missing = nan.all(axis=1)
    bad_rows = {fault: (mask & ~missing).any(axis=0) for fault, mask in faults.items()}
    first = {fault: int(np.argmax(bad)) for fault, bad in bad_rows.items() if bad.any()}
    if first:
        fault, row = min(first.items(), key=lambda item: item[1])
        raise ValueError(
            f"{output.name}: row {row} {fault}: {list_values(output.values[row])}{_advice(output)}"
        )


def _are_distributions(values: NDArray[np.float64]) -> bool:
    """Return whether all rows are, quickly; False also if the numbers are not finite."""
    with np.errstate(invalid="ignore"):
        low, distance = values.min(initial=0.0), np.abs(values.sum(axis=1) - 1).max(initial=0.0)
    return bool(low >= 0 and distance <= SUM_TOLERANCE)


def _who_reads_nan(output: TeacherOutput) -> str:
    if output.is_proba:
        return f"; {SUPPORTED} read NaN as an unknown probability"
    return (
        "; unknown classes are known to be so in teacher_proba only, which is np.exp of "
        "log-probabilities"
    )


def _advice(output: TeacherOutput) -> str:
    """Return how to turn votes, counts, percentages or logits into what is asked for."""
    total = output.values.sum(axis=-1)
    far = np.abs(total - 1) > SUM_TOLERANCE
    if not output.is_proba or not np.isfinite(total[far]).any():
        return ""
    negative = (output.values < 0).any(axis=-1)
    if negative.any():  # a row that sums to 1 is a wrong probability rather than logits
        is_logits = (far & negative).any()
        return "; if these are logits, pass them as teacher_logits=" if is_logits else ""
    if np.nanmax(np.abs(total / 100 - 1)) <= SUM_TOLERANCE:
        return "; these are percentages: divide by 100"
    axis = output.values.ndim - 1
    normalised = (
        "P.div(P.sum(axis=1), axis=0)" if output.columns else f"P / P.sum({axis}, keepdims=True)"
    )
    return (
        f"; normalise votes and counts by {normalised} (0 / 0 is NaN, a missing prediction), and "
        "average several teachers' probabilities by sklearn_distill.teachers.combine_teachers"
    )


def _proba_faults(values: NDArray[np.float64]) -> dict[str, BoolArray]:
    """Return, by fault, a mask of shape (n_teachers, n_rows)."""
    with np.errstate(invalid="ignore"):  # inf - inf: reported as infinite
        distance = np.abs(values.sum(axis=1) - 1)
        excess = np.nansum(values, axis=1) - 1  # of the known classes, where some are NaN
    return {
        "has an infinite probability": _any_class(np.isinf(values)),
        "has a negative probability": _any_class(values < 0),
        f"does not sum to 1 within {SUM_TOLERANCE:.2g}": distance > SUM_TOLERANCE,
        "sums to more than 1 in its known classes": np.isnan(distance) & (excess > SUM_TOLERANCE),
    }


def _logit_faults(values: NDArray[np.float64]) -> dict[str, BoolArray]:
    """Return, by fault, a mask of shape (n_teachers, n_rows)."""
    return {  # −inf in some classes is a probability of zero there; in all it is no distribution
        "has a logit of +inf": _any_class(np.isposinf(values)),
        "has no finite logit (a missing prediction is NaN in every class)": np.asarray(
            np.isneginf(values).all(axis=1)
        ),
    }


def _any_class(mask: BoolArray) -> BoolArray:
    return np.asarray(mask.any(axis=1))


def check_embedding(
    embedding: TeacherLike, n_rows: int, weight: float, absent: BoolArray | None = None
) -> FloatArray | None:
    """Check a teacher's embedding.

    Parameters
    ----------
    embedding : array-like of shape (n_rows, n_dimensions) or None
        The teacher's embedding of each row; a row of NaN is missing.
    n_rows : int
        Number of rows of X.
    weight : float
        The estimator's ``embedding_weight``, 0 or more.
    absent : ndarray of bool of shape (n_rows,) or None
        Rows of weight 0, which are not checked; None for none.

    Returns
    -------
    ndarray of shape (n_rows, n_dimensions) or None
        The embedding; None if its weight is 0.

    Raises
    ------
    ValueError
        If it is not a matrix of numbers with a row for each row of X, a row is NaN in part, or
        there is a weight but no embedding.
    """
    if embedding is None:
        if weight > 0:
            raise ValueError(
                f"embedding_weight={weight}, but fit was given no teacher_embedding: pass one, or "
                "set embedding_weight=0"
            )
        return None
    values = check_array(
        nan_where_masked(blank_absent(embedding, absent)),
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        input_name="teacher_embedding",
    )
    if len(values) != n_rows:
        raise ValueError(
            f"teacher_embedding has {len(values)} rows, X has {n_rows}: give one row for each row "
            "of X (NaN where the teacher has none)"
        )
    check_rows_complete("teacher_embedding", values, "an embedding or missing")
    return np.asarray(values) if weight > 0 else None
