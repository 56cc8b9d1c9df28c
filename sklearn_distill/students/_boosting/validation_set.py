"""Validation rows: those that the user passes, or a part of the training rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar

from sklearn_distill._typing import (
    BoolArray,
    CheckedX,
    FloatArray,
    IntArray,
    MatrixLike,
    TargetLike,
)
from sklearn_distill._validation.absent_rows import rows_to_fit
from sklearn_distill._validation.extra_sets import (
    entry_of_single,
    name_validation_set_in_errors,
    warn_if_out_of_range,
)
from sklearn_distill._validation.indexing import as_samples, check_features, take_any_rows
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.splits import hold_out

H_co = TypeVar("H_co", covariant=True)
H = TypeVar("H")


class BoostingTargets(Protocol[H_co]):
    """Labels, a teacher's outputs and weights of rows, which can become validation rows."""

    @property
    def weight(self) -> FloatArray | None:
        """Row weights; None for none."""

    def take(self, rows: IntArray) -> Self:
        """Return the targets of some of the rows."""

    def strata(self, fraction: float) -> tuple[BoolArray, IntArray | None]:
        """Return which rows may be held out, and the classes whose proportions are kept."""

    def held_out(self, X: CheckedX) -> H_co:
        """Return these rows, with the features X, as validation rows."""


T = TypeVar("T", bound=BoostingTargets[Any])


def read_validation_set(
    estimator: Any,
    X: MatrixLike,
    X_val: Any,
    y_val: TargetLike,
    sample_weight_val: Any,
    read_labels: Callable[[Any, int, FloatArray | None], BoostingTargets[H]],
) -> H | None:
    """Check ``X_val``, ``y_val`` and ``sample_weight_val``; None without them.

    Parameters
    ----------
    estimator : estimator
        The student, with the number and names of its features.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features of the training rows.
    X_val, y_val, sample_weight_val : array-like or None
        Arguments of ``fit``.
    read_labels : callable
        ``read_labels(y_val, n_rows, weight)`` checks the labels and returns the targets.

    Returns
    -------
    HeldOut, RegressionRows or None
        The rows of positive weight.

    Raises
    ------
    ValueError
        If one of them is missing or wrong.
    """
    X_val, y_val = entry_of_single("X_val", X_val), entry_of_single("y_val", y_val)
    weight = entry_of_single("sample_weight_val", sample_weight_val)
    if X_val is None and y_val is None:
        if weight is not None:
            raise ValueError("sample_weight_val is given without X_val and y_val: pass them too")
        return None
    if X_val is None or y_val is None:
        raise ValueError("pass both X_val and y_val, or neither")
    with name_validation_set_in_errors():
        samples = as_samples(X_val)
        check_features(estimator, samples)
        n_rows = samples.shape[0]
        s = check_sample_weight(weight, n_rows)
        targets = read_labels(y_val, n_rows, None if weight is None else s)
    warn_if_out_of_range("X_val", as_samples(X), samples)
    samples, targets = drop_absent(samples, targets)
    return targets.held_out(samples)


def drop_absent(X: CheckedX, targets: T) -> tuple[CheckedX, T]:
    """Return features and targets without the rows of weight 0."""
    rows = None if targets.weight is None else rows_to_fit(targets.weight)
    return (X, targets) if rows is None else (take_any_rows(X, rows), targets.take(rows))


def split_off(X: CheckedX, targets: T, fraction: float, seed: Any) -> tuple[CheckedX, T, Any]:
    """Return features and targets of the training rows, and validation rows.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features.
    targets : BoostingTargets
        The targets of the same rows.
    fraction : float
        Share of the rows with a label, if there are any, in the validation set.
    seed : int, RandomState or None
        Seed of the split.

    Returns
    -------
    X, targets : tuple
        Those of the training rows.
    held_out : HeldOut or RegressionRows
        The validation rows.
    """
    may_be_held_out, strata = targets.strata(fraction)
    train, validation = hold_out(may_be_held_out, fraction, strata, seed)
    held_out = targets.take(validation).held_out(take_any_rows(X, validation))
    return take_any_rows(X, train), targets.take(train), held_out
