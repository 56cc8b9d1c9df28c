"""Solve on a subsample of the rows first, then on all rows: the fast method for dense data."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.solvers.class_means import ClassMeansFactor
from sklearn_distill.solvers.continuation import MAX_LBFGS_ITER, continue_from
from sklearn_distill.solvers.factor import BlockFactor, KroneckerFactor, Preconditioner
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.scaled_newton import scaled_newton
from sklearn_distill.solvers.solution import Progress, RowwiseObjective, Solution

# The subsample has this share of the rows, but enough rows per column for its Gram matrix to be a
# good preconditioner.
COARSE_SHARE = 1 / 16
ROWS_PER_COLUMN = 10
# The share is limited to this many entries of X, since rows on disk or on a cluster are loaded into
# memory.
COARSE_ENTRIES = 2**24
# With fewer entries of X a pass over a subsample costs as much as one over all rows.
MIN_ENTRIES = 2**18
# The minimiser of the subsample is only close to that of all rows: a better solution is wasted. At
# this distance to it (in the Hessian's norm) the Hessian is close to that at the minimiser.
COARSE_DISTANCE = 0.05
# The joint Hessian of all scores is computed for at most this many weights, one block per score for
# at most this many weights per score.
FULL_HESSIAN_WEIGHTS = 1500
BLOCK_COLUMNS = 2000
# Either costs as much as one pass over the same rows for each so many weights, or weights per score
# (measured; a matrix product is several times as fast per operation as a pass).
FULL_WEIGHTS_PER_PASS = 16
BLOCK_COLUMNS_PER_PASS = 5
# The moments of the classes cost a pass, a Gram matrix, and eigenvectors of its size (measured).
GRAM_COLUMNS_PER_PASS = 10
EIGENVECTORS = 5
# The joint Hessian is made where it costs no more passes than this, or hardly more than the blocks.
FEW_PASSES = 4
# The joint Hessian saves about this many passes over all rows, compared with the blocks, and these
# compared with the moments of the classes.
FULL_SAVES = 5
BLOCKS_SAVE = 8
# With more weights per row the solution of a subsample is far from that of all rows.
WEIGHTS_PER_ROW = 2
# The Hessian is computed on as many rows per column, if that costs at most as many passes.
HESSIAN_ROWS_PER_COLUMN = 100
HESSIAN_PASSES = 10
# A factor that costs more passes over all rows is computed only after as many steps without it.
MAX_FACTOR_PASSES = 20
# A factor is renewed after as many steps as it costs passes, but not before it had this many.
MIN_STEPS = 10
# With the moments of the classes what L-BFGS has learnt is lost: they have to be worth more.
MIN_STEPS_OF_MOMENTS = 20
STEPS_PER_PASS_OF_MOMENTS = 2
# With this many rows per weight the Hessian is close to that of all rows.
ROWS_PER_WEIGHT = 10


def coarse_to_fine(
    objective: RowwiseObjective,
    start: FloatArray,
    *,
    tol: float,
    distance_tol: float = np.inf,
    max_iter: int,
    precision: float = float(np.finfo(np.float64).eps),
    max_factor_passes: float = MAX_FACTOR_PASSES,
    progress: Progress | None = None,
) -> Solution:
    """Minimise on a subsample first, then on all rows, preconditioned by the subsample's Hessian.

    The preconditioner of the subsample is its Gram matrix, which is the Hessian at equally probable
    classes. Near the minimiser it is replaced by the Hessian there – of all scores jointly, one
    block per score, or with many scores blocks that share their spread, whichever is expected to
    cost less in total – and the Hessian is renewed after as many steps as it costs.

    If the preconditioner is not reliable – no factor, no descent in a line search, or no
    convergence after several renewals – Newton's method continues from the last iterate, and the
    ``solver`` of the solution is "newton-cg".

    Parameters
    ----------
    objective : RowwiseObjective
        Convex objective over rows.
    start : ndarray of shape (n_weights,)
        Initial weights; zeros, or the solution of a similar problem.
    tol, distance_tol : float
        Stop when max|∇F| and the estimated distance to the minimiser are within these tolerances;
        see :func:`lbfgs`.
    max_iter : int
        Maximum number of iterations over all rows.
    precision : float
        Relative rounding error of F.
    max_factor_passes : float
        A Hessian that costs more passes over all rows is computed only after as many steps.
    progress : callable or None
        Called after each iteration with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        ``solver`` is "lbfgs", or "newton-cg" as described above.

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
    coarse = _coarse_objective(objective, len(start))
    renewal = _Renewal(objective, coarse, len(start), max_factor_passes)
    n_iter, evaluation = 0, None
    try:
        factor: Preconditioner = KroneckerFactor(coarse.hessian_at_zero())
        if not start.any():  # any other start is the solution of a similar problem
            solution = lbfgs(
                coarse,
                start,
                factor.solve,
                tol=np.inf,
                distance_tol=COARSE_DISTANCE,
                max_iter=min(MAX_LBFGS_ITER, max_iter),
            )
            start = solution.w
            if coarse is objective:  # steps over the subsample are cheap and not counted
                n_iter, evaluation = solution.n_iter, solution.evaluation
        if renewal.pays:
            factor = renewal(start)
    except np.linalg.LinAlgError:
        return scaled_newton(
            objective,
            start,
            tol=tol,
            distance_tol=distance_tol,
            precision=precision,
            max_iter=max_iter,
            progress=progress,
        )
    return continue_from(
        objective,
        start,
        factor,
        tol=tol,
        distance_tol=distance_tol,
        precision=precision,
        max_iter=max_iter,
        renew=renewal if np.isfinite(renewal.n_passes) else None,
        renew_after=renewal.n_steps,
        n_iter_before=n_iter,
        evaluation=evaluation,
        progress=progress,
    )


def _coarse_objective(objective: RowwiseObjective, n_weights: int) -> RowwiseObjective:
    """Return the objective of the subsample, or of all rows if a subsample saves little."""
    n_rows = objective.n_rows
    n_coarse = coarse_rows(n_rows, objective.n_columns)
    if n_coarse >= n_rows or n_weights > WEIGHTS_PER_ROW * n_coarse:
        return objective
    return objective.take(spread_rows(n_rows, n_coarse))


def coarse_rows(n_rows: int, n_columns: int) -> int:
    """Return the number of rows of the subsample; all rows if a subsample saves little.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of X.

    Returns
    -------
    int
        At most `n_rows`.

    Examples
    --------
    >>> coarse_rows(100_000, 100), coarse_rows(6_000, 1_500)
    (6250, 6000)
    """
    share = min(int(COARSE_SHARE * n_rows), COARSE_ENTRIES // n_columns)
    n_coarse = max(share, ROWS_PER_COLUMN * n_columns)
    saves = n_rows * n_columns >= MIN_ENTRIES and n_rows >= 4 * n_coarse
    return n_coarse if saves else n_rows


class _Renewal:
    """Factors of the Hessian of a subsample: of all scores, of each, or of their moments.

    ``n_passes`` is the cost of a factor in passes over all rows; infinite for too many weights.
    ``pays`` is whether it is to be made before the first step over all rows.
    """

    def __init__(
        self,
        objective: RowwiseObjective,
        coarse: RowwiseObjective,
        n_weights: int,
        max_passes: float,
    ) -> None:
        n_rows = objective.n_rows
        best = np.inf
        for cost, fixed, more_steps, make in _factors(objective, n_weights):
            n_taken = _hessian_rows(objective, coarse, cost)
            n_passes = cost * n_taken / n_rows + fixed
            if n_passes + more_steps < best or best == np.inf:
                best = n_passes + more_steps
                self.n_passes, self._factor, n_chosen = n_passes, make, n_taken
                self.pays = best <= max_passes + FULL_SAVES
        self.rows = coarse if n_chosen == coarse.n_rows else _take_spread(objective, n_chosen)

    @property
    def n_steps(self) -> int:
        """Number of steps with one factor."""
        if not np.isfinite(self.n_passes):
            return MAX_LBFGS_ITER
        if self._factor is _moments_factor:
            return max(MIN_STEPS_OF_MOMENTS, int(STEPS_PER_PASS_OF_MOMENTS * self.n_passes))
        return max(MIN_STEPS, int(self.n_passes))

    def __call__(self, w: FloatArray) -> Preconditioner:
        return self._factor(self.rows, w)


def _hessian_rows(objective: RowwiseObjective, coarse: RowwiseObjective, cost: float) -> int:
    """Return the number of rows for a factor that costs so many passes over them."""
    n_rows = objective.n_rows
    # the more rows, the nearer the Hessian to that of all rows
    wanted = int(min(HESSIAN_ROWS_PER_COLUMN * objective.n_columns, n_rows * HESSIAN_PASSES / cost))
    if wanted <= coarse.n_rows:
        return coarse.n_rows
    return wanted if 2 * wanted <= n_rows else n_rows


def _factors(
    objective: RowwiseObjective, n_weights: int
) -> Iterator[tuple[float, float, float, Callable[[RowwiseObjective, FloatArray], Preconditioner]]]:
    """Yield for each kind of factor its cost, and how many more steps it leaves than the best.

    The cost is in passes over the rows of which it is made, and in passes over all rows.
    """
    d, n_rows = objective.n_columns, objective.n_rows
    n_scores = n_weights // d
    # with fewer rows than columns the blocks would be larger than everything else
    has_blocks = d <= min(BLOCK_COLUMNS, n_rows)
    blocks, full = d / BLOCK_COLUMNS_PER_PASS, n_weights / FULL_WEIGHTS_PER_PASS
    yield blocks if has_blocks else np.inf, 0.0, FULL_SAVES, _block_factor
    # on too few rows it would not be close to that of all rows
    is_cheap = full * HESSIAN_ROWS_PER_COLUMN * d <= FEW_PASSES * n_rows
    is_best = not has_blocks or full <= blocks + FULL_SAVES or is_cheap
    if n_weights <= FULL_HESSIAN_WEIGHTS and is_best:
        yield full, 0.0, 0.0, _full_factor
    if n_scores > 1 and has_blocks:
        of_moments = 1 + d / n_scores / GRAM_COLUMNS_PER_PASS
        of_basis = EIGENVECTORS * d**2 / (n_rows * n_scores)
        yield of_moments, of_basis, FULL_SAVES + BLOCKS_SAVE, _moments_factor


def _full_factor(objective: RowwiseObjective, w: FloatArray) -> Preconditioner:
    return KroneckerFactor(objective.nonsingular_hessian(w))


def _block_factor(objective: RowwiseObjective, w: FloatArray) -> Preconditioner:
    return BlockFactor(objective.hessian_blocks(w))


def _moments_factor(objective: RowwiseObjective, w: FloatArray) -> Preconditioner:
    moments = objective.class_moments(w)
    try:
        return ClassMeansFactor(
            moments.curvature,
            moments.means,
            moments.spread,
            moments.alpha,
            fit_intercept=moments.fit_intercept,
        )
    except np.linalg.LinAlgError:  # differences of large means lose more digits than blocks do
        return _block_factor(objective, w)


def hessian_factor(objective: RowwiseObjective, w: FloatArray) -> Preconditioner | None:
    """Return a factor of the Hessian at w, for many solutions close to w.

    Up to ``FULL_HESSIAN_WEIGHTS`` weights it factorises the full Hessian of all scores, computed on
    a subsample of ``ROWS_PER_WEIGHT`` rows per weight; beyond that, one block per score.

    Parameters
    ----------
    objective : RowwiseObjective
        Convex objective over rows.
    w : ndarray of shape (n_weights,)
        Weights close to the minimisers for which the factor is used.

    Returns
    -------
    KroneckerFactor, BlockFactor or None
        None for more than ``BLOCK_COLUMNS`` weights per score, and if the factorisation fails.

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
        if len(w) <= FULL_HESSIAN_WEIGHTS:
            coarse = _take_spread(objective, ROWS_PER_WEIGHT * len(w))
            return KroneckerFactor(coarse.nonsingular_hessian(w))
        if objective.n_columns <= BLOCK_COLUMNS:
            coarse = _take_spread(objective, ROWS_PER_WEIGHT * objective.n_columns)
            return BlockFactor(coarse.hessian_blocks(w))
    except np.linalg.LinAlgError:
        return None
    return None


def _take_spread(objective: RowwiseObjective, n_taken: int) -> RowwiseObjective:
    """Return the objective of about ``n_taken`` rows, or of all if a subsample saves little."""
    if 2 * n_taken > objective.n_rows:
        return objective
    return objective.take(spread_rows(objective.n_rows, n_taken))


def spread_rows(n_rows: int, n_taken: int) -> IntArray:
    r"""Return about ``n_taken`` row numbers, spread evenly but not periodically.

    They are :math:`⌊n\,\mathrm{frac}(iφ)⌋` with the golden ratio φ. In sorted data, and in data
    that repeat a pattern of classes, the subsample has the proportions of all rows, without a seed.

    Parameters
    ----------
    n_rows : int
        Number of rows to choose from.
    n_taken : int
        Number of rows to choose; rows that are hit twice are returned once.

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
