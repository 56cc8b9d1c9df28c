"""From labels, predictions and weights to what a boosting library's regressor is to fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_distill._typing import CheckedX, FloatArray, IntArray, MatrixLike, TargetLike
from sklearn_distill._validation.indexing import take_any_rows
from sklearn_distill._validation.splits import hold_out
from sklearn_distill._validation.targets import check_regression_outputs
from sklearn_distill.students._boosting.library import NumberRows
from sklearn_distill.students._boosting.validation_set import read_validation_set
from sklearn_distill.targets import RegressionMixture


def training_rows(
    X: CheckedX, mixture: RegressionMixture, weight: FloatArray | None, *, squared_error: bool
) -> NumberRows:
    """Return the rows whose loss is that of the labels and of the predictions.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features.
    mixture : RegressionMixture
        Labels and predictions of one output.
    weight : ndarray of shape (n_rows,) or None
        Sample weights; None for none.
    squared_error : bool
        Whether the loss is the squared error, of which a row needs one target, the mean. For
        another loss, a row with both targets is there twice.

    Returns
    -------
    NumberRows
        Rows, targets and weights.
    """
    if squared_error:
        target, share = mixture.mean()
        return NumberRows(X, target[:, 0], _product(weight, share))
    rows, target, share = mixture.copies()
    if len(rows) == len(mixture.labels) and (np.diff(rows) > 0).all():
        return NumberRows(X, target[:, 0], _product(weight, share))
    copied = None if weight is None else weight[rows]
    return NumberRows(take_any_rows(X, rows), target[:, 0], _product(copied, share))


def held_out_rows(
    mixture: RegressionMixture, fraction: float, seed: Any
) -> tuple[IntArray, IntArray]:
    """Split the rows into training and validation rows, which have a label if any row has one.

    Parameters
    ----------
    mixture : RegressionMixture
        Labels and predictions.
    fraction : float
        Share of the (labelled) rows in the validation set.
    seed : int, RandomState or None
        Seed of the split.

    Returns
    -------
    train, validation : ndarray of int
        Row numbers in ascending order.
    """
    labelled = mixture.labelled
    return hold_out(labelled if labelled.any() else ~labelled, fraction, None, seed)


def hold_out_of_training(
    X: CheckedX, mixture: RegressionMixture, weight: FloatArray | None, rows: IntArray
) -> NumberRows:
    """Return validation rows that were taken out of the training rows.

    Their targets are the labels or, if no row has one, the predictions.
    """
    targets = RegressionMixture.of(mixture.labels, mixture.predictions, 0.0, mixture.precision)
    s = None if weight is None else weight[rows]
    return training_rows(take_any_rows(X, rows), targets.take(rows), s, squared_error=True)


def read_held_out(
    estimator: Any, X: MatrixLike, X_val: Any, y_val: TargetLike, sample_weight_val: Any
) -> NumberRows | None:
    """Check ``X_val``, ``y_val`` and ``sample_weight_val``; None without them.

    Parameters
    ----------
    estimator : estimator
        The student, with the number and names of its features.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features of the training rows.
    X_val, y_val, sample_weight_val : array-like or None
        Arguments of ``fit``.

    Returns
    -------
    NumberRows or None
        The rows of positive weight.

    Raises
    ------
    ValueError
        If one of them is missing or wrong.
    """
    held_out = read_validation_set(estimator, X, X_val, y_val, sample_weight_val, _read_labels)
    if held_out is None:
        return None
    samples, labels, weight, rows = held_out
    s = None if sample_weight_val is None else weight
    if rows is not None:
        labels, s = labels[rows], weight[rows]
    return NumberRows(samples, labels, s)


def _read_labels(y_val: Any, n_rows: int) -> FloatArray:
    labels, _ = check_regression_outputs("y_val", y_val, n_rows)
    if labels is None or np.isnan(labels).any() or labels.shape[1] != 1:
        raise ValueError("y_val must give a number for each row: the validation loss needs it")
    return np.asarray(labels[:, 0])


def _product(weight: FloatArray | None, share: FloatArray | None) -> FloatArray | None:
    if weight is None or share is None:
        return share if weight is None else weight
    return weight * share
