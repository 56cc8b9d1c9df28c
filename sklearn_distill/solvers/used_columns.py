"""Minimise over the columns of a sparse X that have an entry, such as the words that occur."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.column_objective import ColumnObjective
from sklearn_distill.losses.objective import SoftTargetObjective
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.scaled_newton import (
    GRAM_COLUMNS,
    leading_columns_factor,
    scaled_newton,
)
from sklearn_distill.solvers.solution import Progress, Solution


def newton_on_used_columns(
    objective: SoftTargetObjective,
    start: FloatArray,
    *,
    tol: float,
    distance_tol: float = np.inf,
    max_iter: int,
    precision: float = float(np.finfo(np.float64).eps),
    progress: Progress | None = None,
) -> Solution:
    """Minimise by :func:`scaled_newton` without the columns of X that are zero.

    Their weights are 0 at the minimum, or without a penalty have no effect.

    Parameters
    ----------
    objective : SoftTargetObjective
        Objective over rows of a sparse X in memory.
    start : ndarray of shape (n_weights,)
        Initial weights.
    tol, distance_tol : float
        Stop when max|∇F| and the estimated distance to the minimiser are within these tolerances.
    max_iter : int
        Maximum number of Newton steps.
    precision : float
        Relative rounding error of F.
    progress : callable or None
        Called after each step with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        That of :func:`newton_cg`, with the weights of all columns.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
    >>> from sklearn_distill.targets import SoftTargets, LogPartitionTerm
    >>> targets = SoftTargets(np.eye(2), (LogPartitionTerm(np.ones(2), 1.0),))
    >>> design = as_design(sparse.csr_array([[0.0, -1.0], [0.0, 1.0]]), fit_intercept=False)
    >>> objective = SoftTargetObjective(RowSums(design, targets, np.ones(2)), alpha=0.5)
    >>> newton_on_used_columns(objective, np.zeros(2), tol=1e-8, max_iter=20).w.round(4)
    array([0.    , 0.6748])
    """
    used, W = objective.used_columns, start.reshape(objective.shape)
    if used is None:
        used = np.arange(objective.n_columns)
    by_column = objective.by_column(used) if len(used) > GRAM_COLUMNS else None
    options: dict[str, Any] = {
        "tol": tol,
        "max_iter": max_iter,
        "distance_tol": distance_tol,
        "precision": precision,
        "progress": progress,
    }
    if by_column is None:
        solution = scaled_newton(objective.take_columns(used), W[:, used].ravel(), **options)
        solved = solution.w.reshape(len(W), -1)
    else:
        # zeros that are not written take no memory
        first = W[:, used].T.ravel() if W.any() else np.zeros(len(used) * len(W))
        solution = _newton_by_column(by_column, first, **options)
        solved = solution.w.reshape(by_column.shape).T
    W = np.zeros(objective.shape)
    W[:, used] = solved
    return replace(solution, w=W.ravel(), gradient=None)


def _newton_by_column(objective: ColumnObjective, start: FloatArray, **options: Any) -> Solution:
    diagonal = objective.hessian_diagonal_at_zero().astype(objective.step_dtype)
    factor = leading_columns_factor(objective, diagonal, by_column=True)
    return newton_cg(
        objective, start, precondition=factor.solve, step_dtype=objective.step_dtype, **options
    )
