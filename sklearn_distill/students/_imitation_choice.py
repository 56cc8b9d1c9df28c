"""Choose λ of a linear regression by its error in left-out rows: ``imitation="auto"``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill._validation.tensors import is_tensor
from sklearn_distill.solvers.least_squares import (
    PrivilegedFit,
    PrivilegedLeastSquares,
    RegressionData,
    held_out_predictions,
    leave_one_out_imitation,
    leave_one_out_predictions,
)

_CV = "PrivilegedLinearRegressionCV"


def check_choosable(problem: PrivilegedLeastSquares, data: RegressionData) -> None:
    """Require what makes the leave-one-out error a quadratic function of the teacher's share.

    Raises
    ------
    ValueError
        If a row lacks a label or a prediction, rows have different weights of the two, there are
        several outputs, X is a tensor, or there is a penalty and ρ is not given as 1.
    """
    used = np.ones(data.X.shape[0], bool) if data.weight is None else data.weight > 0
    lacking = used & ~(data.labelled & data.taught)
    if lacking.any():
        row = int(lacking.argmax())
        what = "no label" if data.taught[row] else "no teacher's prediction"
        raise ValueError(
            f"imitation='auto' needs a label and a prediction in every row, and row {row} has "
            f"{what} ({int(lacking.sum())} such rows): leave them out, pass imitation as a number, "
            f"or use {_CV}"
        )
    if data.teacher_variance is not None or data.trust is not None:
        raise ValueError(
            "imitation='auto' needs predictions of equal weight: pass no teacher_std and no "
            "teacher_weight, or imitation as a number"
        )
    if data.n_outputs > 1:
        raise ValueError(
            f"imitation='auto' chooses one λ, and y has {data.n_outputs} outputs, each with its "
            f"own variances: fit a student for each, or use {_CV}"
        )
    if is_tensor(data.X):
        raise ValueError("imitation='auto' takes no tensor on a device: pass X as an array")
    variances = problem.noise_variance, problem.teacher_noise_variance
    if np.any(problem.alpha) and (None in variances or variances[0] != variances[1]):
        raise ValueError(
            "imitation='auto' with alpha > 0 needs noise_variance and teacher_noise_variance set "
            "to the same number: at another ratio, or an estimated one, the penalty changes with "
            f"λ, and the leave-one-out error is not quadratic. Or use {_CV}"
        )


def read_by_fold(fold_prediction: Any, imitation: Any, data: RegressionData) -> FloatArray | None:
    """Check the argument ``fold_teacher_prediction`` of fit; None if it was not passed.

    Returns
    -------
    ndarray of shape (n_folds, n_rows) or None
        The predictions; NaN for the test rows of each fold.

    Raises
    ------
    ValueError
        If λ is given, the shape is wrong, a value is infinite, or a fold trains or tests on no row.
    """
    if fold_prediction is None:
        return None
    if imitation != "auto":
        raise ValueError(
            f"fold_teacher_prediction with imitation={imitation}: only imitation='auto' has folds "
            "to choose on; leave it out, or use PrivilegedLinearRegressionCV"
        )
    by_fold = np.asarray(fold_prediction, dtype=np.float64)
    n_rows = data.X.shape[0]
    if by_fold.shape == (len(by_fold), n_rows, 1):  # y may be a column
        by_fold = by_fold[:, :, 0]
    if by_fold.ndim != 2 or by_fold.shape[1] != n_rows:
        raise ValueError(
            f"fold_teacher_prediction has the shape {np.shape(fold_prediction)}: pass for each "
            f"fold predictions for the {n_rows} samples of X, NaN for those that the fold tests on"
        )
    if np.isinf(by_fold).any():
        raise ValueError("fold_teacher_prediction has infinite values: pass finite ones, or NaN")
    n_trained = np.count_nonzero(~np.isnan(by_fold), axis=1)
    if not len(by_fold) or n_trained.min() == 0 or n_trained.max() == n_rows:
        raise ValueError(
            "fold_teacher_prediction has a fold without any, or with all predictions: NaN marks "
            "the samples that a fold tests on, and the others are trained on"
        )
    return by_fold


def choose_imitation(
    fit: PrivilegedFit, data: RegressionData, by_fold: FloatArray | None
) -> PrivilegedFit:
    """Return the fit at the λ of smallest error in left-out rows, from the same statistics.

    Rows are left out one by one or, with predictions ``by_fold``, fold by fold. Without a penalty
    only the teacher's share w = λρ/((1−λ) + λρ) matters. Its minimiser w* does not depend on ρ, and
    λ* = w*/(w* + ρ(1−w*)).
    """
    problem = fit.problem
    left_out = _LeftOut.of(problem, data)
    share = left_out.by_row() if by_fold is None else left_out.by_fold(by_fold)
    ratio = float(fit.ratio[0])
    imitation = share / (share + ratio * (1 - share))
    return replace(problem, imitation=imitation).solve(fit.statistics, fit.ratio)


@dataclass(frozen=True)
class _LeftOut:
    """The rows of positive weight, and the penalty, by which the teacher's share is chosen."""

    rows: IntArray
    X: FloatArray
    y: FloatArray
    s: FloatArray
    weight: FloatArray
    alpha: float
    fit_intercept: bool

    @classmethod
    def of(cls, problem: PrivilegedLeastSquares, data: RegressionData) -> _LeftOut:
        weight = np.ones(data.X.shape[0]) if data.weight is None else data.weight
        rows = np.flatnonzero(weight > 0)
        assert data.y is not None
        assert data.teacher is not None
        y, s, alpha = data.y[rows, 0], data.teacher[rows, 0], float(np.max(problem.alpha))
        return cls(rows, _dense(data, rows), y, s, weight[rows], alpha, problem.fit_intercept)

    def by_row(self) -> float:
        u, v = leave_one_out_predictions(
            self.X,
            np.column_stack([self.y, self.s]),
            self.weight,
            self.alpha,
            fit_intercept=self.fit_intercept,
        ).T
        return leave_one_out_imitation(self.y, u, v, self.weight)

    def by_fold(self, by_fold: FloatArray) -> float:
        parts = [self._test(prediction) for prediction in by_fold[:, self.rows]]
        y, u, v, weight = np.concatenate(parts).T
        return leave_one_out_imitation(y, u, v, weight)

    def _test(self, prediction: FloatArray) -> FloatArray:
        """Return y, u, v and weight of the test rows of a fold, as columns."""
        train, test = np.flatnonzero(~np.isnan(prediction)), np.flatnonzero(np.isnan(prediction))
        of_test = held_out_predictions(
            self.X[train],
            np.column_stack([self.y[train], prediction[train]]),
            self.weight[train],
            self.X[test],
            self.alpha,
            fit_intercept=self.fit_intercept,
        )
        return np.column_stack([self.y[test], of_test, self.weight[test]])


def _dense(data: RegressionData, rows: IntArray) -> FloatArray:
    X: Any = data.X[rows]
    return np.asarray(X.toarray() if sparse.issparse(data.X) else X)
