"""Newton's method with each weight in the scale of its column."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.solvers.factor import DiagonalFactor, KroneckerFactor, Preconditioner
from sklearn_distill.solvers.leading_columns import LeadingColumnsFactor
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.solution import Progress, RowwiseObjective, Solution

# Of so few columns the Gram matrix takes out their correlations, too, such as those of columns with
# a large mean. It costs as much as this number / 5 passes at most.
GRAM_COLUMNS = 250


def scaled_newton(
    objective: RowwiseObjective,
    start: FloatArray,
    *,
    tol: float,
    max_iter: int,
    distance_tol: float = np.inf,
    precision: float = float(np.finfo(np.float64).eps),
    progress: Progress | None = None,
) -> Solution:
    """Minimise by :func:`newton_cg`, preconditioned by the Hessian at zero or by its diagonal.

    Without it the conjugate gradients need as many steps as there are scales of columns, and the
    norm of a gradient says little about the distance to the minimiser. The diagonal costs one pass
    and no matrix; up to ``GRAM_COLUMNS`` columns the Gram matrix is used, if it is a Hessian of a
    convex objective, and of more columns of a sparse X that of those with most curvature.

    Parameters
    ----------
    objective : RowwiseObjective
        Objective over rows, convex or not.
    start : ndarray of shape (n_weights,)
        Initial weights.
    tol, distance_tol, max_iter, precision, progress
        As in :func:`newton_cg`.

    Returns
    -------
    Solution
        That of :func:`newton_cg`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
    >>> from sklearn_distill.targets import SoftTargets, LogPartitionTerm
    >>> targets = SoftTargets(np.eye(2), (LogPartitionTerm(np.ones(2), 1.0),))
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=False)
    >>> objective = SoftTargetObjective(RowSums(design, targets, np.ones(2)), alpha=0.5)
    >>> scaled_newton(objective, np.zeros(1), tol=1e-8, max_iter=20).w.round(4)
    array([0.6748])
    """
    return newton_cg(
        objective,
        start,
        tol=tol,
        max_iter=max_iter,
        distance_tol=distance_tol,
        precondition=_factor_at_zero(objective).solve,
        precision=precision,
        progress=progress,
    )


def _factor_at_zero(objective: RowwiseObjective) -> Preconditioner:
    if objective.n_columns <= GRAM_COLUMNS:
        try:
            return KroneckerFactor(objective.hessian_at_zero())
        except np.linalg.LinAlgError:  # a regulariser may make it indefinite
            pass
    return leading_columns_factor(objective, objective.hessian_diagonal_at_zero())


class _OfColumns(Protocol):
    def hessian_at_zero_of(self, columns: IntArray) -> FloatArray | None: ...


def leading_columns_factor(
    objective: _OfColumns, diagonal: FloatArray, *, by_column: bool = False
) -> Preconditioner:
    """Return the diagonal, and the Gram matrix of the columns with most curvature if it is cheap.

    Parameters
    ----------
    objective : object
        An objective with ``hessian_at_zero_of``.
    diagonal : ndarray of shape (n_columns,)
        The diagonal of its Hessian at zero, in the precision of the vectors to be solved.
    by_column : bool, default=False
        As in :class:`LeadingColumnsFactor`.

    Returns
    -------
    LeadingColumnsFactor or DiagonalFactor
        The latter if the Gram matrix is indefinite or not available.
    """
    n_leading = min(GRAM_COLUMNS, len(diagonal))
    columns = np.sort(np.argpartition(diagonal, -n_leading)[-n_leading:])
    A = objective.hessian_at_zero_of(columns)
    if A is not None:
        try:
            return LeadingColumnsFactor(diagonal, columns, A, by_column=by_column)
        except np.linalg.LinAlgError:  # a regulariser may make it indefinite
            pass
    return DiagonalFactor(diagonal, by_column=by_column)
