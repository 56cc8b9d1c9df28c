"""Solve on some rows, then on all: the fast way for dense data."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.solvers.continuation import PATIENCE, continue_from
from sklearn_distill.solvers.factor import BlockFactor, KroneckerFactor, Preconditioner
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.solution import Progress, RowwiseObjective, Solution

# the coarse problem has this share of the rows, but enough rows for its Gram matrix to be a good
# preconditioner
COARSE_SHARE = 1 / 16
ROWS_A_COLUMN = 10
# and no more entries of X than this: rows that lie on disk or elsewhere are brought here
COARSE_ENTRIES = 2**24
# below this many entries of X a pass over a part costs as much as one over the whole
SMALL = 2**18
# the coarse minimiser is only near the fine one: solving it better is wasted
COARSE_TOL = 1e-3
# The Hessian of all scores together is built for at most so many weights, and where it costs no
# more than the passes it saves: it takes half as many passes over the subsample as there are
# weights, and this many over all rows may be spent on it.
JOINT_WEIGHTS = 1500
JOINT_PASSES = 20
# the Hessian of so many rows a weight is near that of all rows
ROWS_A_WEIGHT = 10
# one factor a score is made for at most so many weights of a score: d² numbers each
BLOCK_COLUMNS = 2000


def coarse_to_fine(
    objective: RowwiseObjective,
    start: FloatArray,
    *,
    tol: float,
    max_iter: int,
    progress: Progress | None = None,
) -> Solution:
    """Minimise on a subsample first, then on all rows, preconditioned by the subsample's Hessian.

    The subsample is solved with its Gram matrix as preconditioner, which is the Hessian at equally
    probable classes. Where the weights are few, the Hessian at the subsample's solution takes over.

    Where the preconditioner cannot be trusted – no factor, a line without descent, or no
    convergence after ``PATIENCE`` steps – Newton's method takes over from the point reached, and
    the solution says so.

    Parameters
    ----------
    objective : RowwiseObjective
        Convex.
    start : ndarray of shape (n_weights,)
        Where to begin.
    tol : float
        Stop when max|∇F| ≤ tol.
    max_iter : int
        Largest number of steps over all rows.
    progress : callable or None
        Called after each step with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        ``solver`` is "lbfgs", or "newton-cg" where that took over.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
    >>> from sklearn_distill.targets import SoftTargets, LogPartitionTerm
    >>> terms = (LogPartitionTerm(np.ones(2), 1.0),)
    >>> targets = SoftTargets(np.array([[1.0, 0.0], [0.0, 1.0]]), terms)
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=False)
    >>> objective = SoftTargetObjective(RowSums(design, targets, np.ones(2)), alpha=0.5)
    >>> coarse_to_fine(objective, np.zeros(1), tol=1e-8, max_iter=20).w.round(4)
    array([0.6748])
    """
    coarse = _subsample(objective)
    n_before = 0
    try:
        factor = KroneckerFactor(coarse.hessian_at_zero())
        if not start.any():  # any other start is that of a near problem
            near = lbfgs(
                coarse,
                start,
                factor.solve,
                tol=max(COARSE_TOL, tol),
                max_iter=min(PATIENCE, max_iter),
            )
            start = near.w
            n_before = near.n_iter if coarse is objective else 0
        if _joint_pays(len(start), coarse.n_rows / objective.n_rows):
            factor = KroneckerFactor(coarse.nonsingular_hessian(start))
    except np.linalg.LinAlgError:
        return newton_cg(objective, start, tol=tol, max_iter=max_iter, progress=progress)
    return continue_from(
        objective,
        start,
        factor,
        tol=tol,
        max_iter=max_iter,
        n_before=n_before,
        progress=progress,
    )


def _subsample(objective: RowwiseObjective) -> RowwiseObjective:
    """Return the coarse problem; the objective itself where a part would save little."""
    n_rows = objective.n_rows
    share = min(int(COARSE_SHARE * n_rows), COARSE_ENTRIES // objective.n_columns)
    n_coarse = max(share, ROWS_A_COLUMN * objective.n_columns)
    if n_rows * objective.n_columns < SMALL or n_rows < 4 * n_coarse:
        return objective
    return objective.take(spread_rows(n_rows, n_coarse))


def _joint_pays(n_weights: int, coarse_share: float) -> bool:
    return n_weights <= JOINT_WEIGHTS and n_weights / 2 * coarse_share <= JOINT_PASSES


def hessian_factor(objective: RowwiseObjective, w: FloatArray) -> Preconditioner | None:
    """Return a factor of the Hessian at w, for many solves near w.

    Up to ``JOINT_WEIGHTS`` weights it is that of all scores together, made on ``ROWS_A_WEIGHT``
    rows for each weight, which is near enough to all rows; beyond that, of a block for each score.

    Parameters
    ----------
    objective : RowwiseObjective
        Convex.
    w : ndarray of shape (n_weights,)
        A point near the minimisers to come.

    Returns
    -------
    Factor, BlockFactor or None
        None for more than ``BLOCK_COLUMNS`` weights of a score, and where there is no factor.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
    >>> from sklearn_distill.targets import SoftTargets, LogPartitionTerm
    >>> targets = SoftTargets(np.eye(2), (LogPartitionTerm(np.ones(2), 1.0),))
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=False)
    >>> objective = SoftTargetObjective(RowSums(design, targets, np.ones(2)), alpha=0.75)
    >>> hessian_factor(objective, np.zeros(1)).solve(np.ones(1)).round(3)
    array([1.])
    """
    try:
        if len(w) <= JOINT_WEIGHTS:
            coarse = _rows_for(objective, ROWS_A_WEIGHT * len(w))
            return KroneckerFactor(coarse.nonsingular_hessian(w))
        if objective.n_columns <= BLOCK_COLUMNS:
            coarse = _rows_for(objective, ROWS_A_WEIGHT * objective.n_columns)
            return BlockFactor(coarse.hessian_blocks(w))
    except np.linalg.LinAlgError:
        return None
    return None


def _rows_for(objective: RowwiseObjective, n_taken: int) -> RowwiseObjective:
    """Return the objective of so many rows, or of all if a part would save little."""
    if 2 * n_taken > objective.n_rows:
        return objective
    return objective.take(spread_rows(objective.n_rows, n_taken))


def spread_rows(n_rows: int, n_taken: int) -> IntArray:
    r"""Return about ``n_taken`` row numbers, evenly spread but without a period.

    They are :math:`⌊n\,\mathrm{frac}(iφ)⌋` with the golden ratio φ: data that is sorted or that
    repeats a pattern of classes is met in its true proportions, and no seed is needed.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    n_taken : int
        Number of rows wanted.

    Returns
    -------
    ndarray of int
        Ascending row numbers without repetition.

    Examples
    --------
    >>> spread_rows(100, 5)
    array([ 0, 23, 47, 61, 85])
    """
    golden = (np.sqrt(5) - 1) / 2
    taken = np.zeros(n_rows, dtype=bool)
    taken[np.floor(n_rows * ((np.arange(n_taken) * golden) % 1.0)).astype(np.intp)] = True
    return np.flatnonzero(taken)
