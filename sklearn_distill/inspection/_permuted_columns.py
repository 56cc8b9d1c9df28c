"""Privileged columns whose rows are permuted, within strata that they had no part in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import Memory
from numpy.typing import NDArray
from scipy import sparse

from sklearn_distill._typing import CheckedX, IntArray
from sklearn_distill._validation.indexing import n_samples
from sklearn_distill.distillers._feature_split import FeatureSplit
from sklearn_distill.inspection._entries import Entry
from sklearn_distill.inspection._entry_fit import (
    ComparisonData,
    FitOptions,
    fit_entry,
    predict_entry,
)
from sklearn_distill.inspection._report_models import Model, ModelNumbers, predict

N_BINS = 5  # of a regressor's predictions


def permute_columns(X: CheckedX, rows: IntArray, features: FeatureSplit) -> CheckedX:
    """Return X with the privileged columns of other rows, all from the same row.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
        All features.
    rows : ndarray of int of shape (n_rows,)
        The row from which each row gets its privileged columns.
    features : FeatureSplit
        Privileged and regular features.

    Returns
    -------
    {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
        A copy of the same kind, with the same names and types of columns.

    Examples
    --------
    >>> import numpy as np
    >>> features = FeatureSplit(2, np.array([1]), teacher_uses_all=True)
    >>> permute_columns(np.array([[1, 2], [3, 4]]), np.array([1, 0]), features)
    array([[1, 4],
           [3, 2]])
    """
    privileged = features.privileged.tolist()
    if hasattr(X, "iloc"):
        permuted = X.copy()
        for j in privileged:
            permuted.isetitem(j, X.iloc[:, j].array[rows])
        return permuted
    if hasattr(X, "with_columns"):  # polars
        return X.with_columns([X[:, j][rows] for j in privileged])
    if sparse.issparse(X):
        order = np.concatenate([features.regular, features.privileged])
        given: Any = X  # csr or csc, whose stubs know no rows
        by_row = given.tocsr()
        parts = [by_row[:, features.regular], by_row[rows][:, features.privileged]]
        return sparse.hstack(parts, format="csr")[:, np.argsort(order)]
    permuted = X.copy()
    permuted[:, privileged] = X[np.ix_(rows, privileged)]
    return permuted


def permute_within(strata: IntArray, rng: np.random.Generator) -> IntArray:
    """Return row numbers in a random order, each in the place of one of its stratum.

    Examples
    --------
    >>> import numpy as np
    >>> permute_within(np.array([0, 1, 0, 1]), np.random.default_rng(0)) % 2
    array([0, 1, 0, 1])
    """
    permuted = np.arange(len(strata))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        permuted[rows] = rng.permutation(rows)
    return permuted


@dataclass(frozen=True, eq=False)
class Strata:
    """Rows among which the privileged columns are exchanged; with a label, without, and others.

    Parameters
    ----------
    rows : ndarray of int of shape (n_rows,)
        The stratum of each row of X; rows without a label have strata of their own.
    unlabeled : ndarray of int of shape (n_unlabelled,) or None
        The stratum of each row of the unlabelled samples.
    """

    rows: IntArray
    unlabeled: IntArray | None

    def permuted(self, data: ComparisonData, rng: np.random.Generator) -> ComparisonData:
        """Return the same labels and regular columns with permuted privileged columns."""
        X = permute_columns(data.X, permute_within(self.rows, rng), data.features)
        if self.unlabeled is None:
            return replace(data, X=X)
        order = permute_within(self.unlabeled, rng)
        return replace(data, X=X, unlabeled=permute_columns(data.unlabeled, order, data.features))


def one_stratum(data: ComparisonData) -> Strata:
    """Return strata within which all rows with a label, or without, are exchanged."""
    unlabeled = None if data.unlabeled is None else np.zeros(n_samples(data.unlabeled), np.intp)
    return Strata(data.present.astype(np.intp), unlabeled)


def predicted_strata(baseline: Entry, data: ComparisonData, options: FitOptions) -> Strata:
    """Return strata by what the regular columns predict, out of fold where there is a label.

    The privileged columns have no part in it: where they are independent of labels and regular
    columns, all orders within a stratum are equally likely.

    Parameters
    ----------
    baseline : Entry
        The student trained on the labels alone.
    data : ComparisonData
        All rows.
    options : FitOptions
        The folds.

    Returns
    -------
    Strata
        By predicted class, or by fifths of a regressor's predictions.
    """
    memory = Memory(None)
    labelled, missing = np.flatnonzero(data.present), np.flatnonzero(~data.present)
    predicted = np.empty(len(data.y), dtype=object if data.is_class else np.float64)
    for a, b in options.splitter.split(labelled[:, None], data.y[labelled]):
        model = fit_entry(baseline, data, labelled[a], options, memory).model
        predicted[labelled[b]] = _most_likely(predict_entry(baseline, model, data, labelled[b]))
    if len(missing) == 0 and data.unlabeled is None:
        return Strata(_codes(predicted), None)
    model = fit_entry(baseline, data, labelled, options, memory).model
    if len(missing):
        predicted[missing] = _most_likely(predict_entry(baseline, model, data, missing))
    codes = 2 * _codes(predicted) + data.present
    if data.unlabeled is None:
        return Strata(codes, None)
    X = data.features.for_student(data.unlabeled)
    return Strata(codes, _codes(_most_likely(predict(model, X, baseline.name, data.is_class))))


def _most_likely(model: Model) -> NDArray[Any]:
    """Return the predicted class of each row, or the predicted number."""
    if isinstance(model, ModelNumbers):
        return model.values[:, 0]
    classes: NDArray[Any] = np.array(model.classes, dtype=object)
    predicted: NDArray[Any] = classes[model.proba.argmax(axis=1)]
    return predicted


def _codes(predicted: NDArray[Any]) -> IntArray:
    """Return the number of the class, or of the fifth of the numbers, of each row."""
    if predicted.dtype == object:
        return np.asarray(np.unique(predicted, return_inverse=True)[1])
    inner = np.quantile(predicted, np.arange(1, N_BINS) / N_BINS)
    return np.asarray(np.searchsorted(inner, predicted))
