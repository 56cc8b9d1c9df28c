"""Choose λ of a linear regression by its leave-one-out error: ``imitation="auto"``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill._validation.tensors import is_tensor
from sklearn_distill.solvers.least_squares import (
    PrivilegedFit,
    PrivilegedLeastSquares,
    RegressionData,
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


def choose_imitation(fit: PrivilegedFit, data: RegressionData) -> PrivilegedFit:
    """Return the fit at the λ of smallest leave-one-out error, from the same statistics.

    Without a penalty only the teacher's share w = λρ/((1−λ) + λρ) matters. Its minimiser w* does
    not depend on ρ, and λ* = w*/(w* + ρ(1−w*)).
    """
    problem = fit.problem
    share = _teacher_share(problem, data)
    ratio = float(fit.ratio[0])
    imitation = share / (share + ratio * (1 - share))
    return replace(problem, imitation=imitation).solve(fit.statistics, fit.ratio)


def _teacher_share(problem: PrivilegedLeastSquares, data: RegressionData) -> float:
    n_rows = data.X.shape[0]
    weight = np.ones(n_rows) if data.weight is None else data.weight
    rows = np.flatnonzero(weight > 0)
    assert data.y is not None
    assert data.teacher is not None
    y, s, weight = data.y[rows], data.teacher[rows], weight[rows]
    loo = leave_one_out_predictions(
        _dense(data, rows),
        np.hstack([y, s]),
        weight,
        float(np.max(problem.alpha)),
        fit_intercept=problem.fit_intercept,
    )
    u, v = loo.T
    return leave_one_out_imitation(y[:, 0], u, v, weight)


def _dense(data: RegressionData, rows: IntArray) -> FloatArray:
    X: Any = data.X[rows]
    return np.asarray(X.toarray() if sparse.issparse(data.X) else X)
