"""Minimise over the columns of a sparse X that have an entry, such as the words that occur."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.objective import SoftTargetObjective
from sklearn_distill.solvers.scaled_newton import scaled_newton
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
    solution = scaled_newton(
        objective.take_columns(used),
        W[:, used].ravel(),
        tol=tol,
        max_iter=max_iter,
        distance_tol=distance_tol,
        precision=precision,
        progress=progress,
    )
    W = np.zeros(objective.shape)
    W[:, used] = solution.w.reshape(len(W), -1)
    return replace(solution, w=W.ravel(), gradient=None)
