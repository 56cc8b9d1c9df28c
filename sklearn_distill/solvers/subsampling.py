"""Solve on a subsample of the rows first, then on all rows: the fast method for dense data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.solvers._factor_choice import (
    FULL_HESSIAN_WEIGHTS,
    FactorChoice,
    choose_exact_factor,
    choose_factor,
    choose_factor_of_many_fits,
    full_factor,
)
from sklearn_distill.solvers.continuation import MAX_LBFGS_ITER, continue_from
from sklearn_distill.solvers.factor import KroneckerFactor, Preconditioner
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.scaled_newton import scaled_newton
from sklearn_distill.solvers.solution import Evaluation, Progress, RowwiseObjective, Solution

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
# With the Gram matrix of the subsample, the Hessian at equally probable classes, as many steps over
# all rows are expected. A factor that costs more, with the steps it leaves, is made only later.
STEPS_WITH_GRAM = 36
# A derivative over the subsample differs from that over all rows by at most as many variances.
MOST_VARIANCES = 100
# Where the curvature in a column is more than as many times that of some rows, they lack its rows.
MOST_RARER = 3
# A factor is renewed after as many times the passes that the next one costs: with it, what L-BFGS
# has learnt is lost.
PASSES_BEFORE_RENEWAL = 2.0
# With more weights per row the solution of a subsample is far from that of all rows.
WEIGHTS_PER_ROW = 2


def coarse_to_fine(
    objective: RowwiseObjective,
    start: FloatArray,
    *,
    tol: float,
    distance_tol: float = np.inf,
    max_iter: int,
    precision: float = float(np.finfo(np.float64).eps),
    steps_with_gram: float = STEPS_WITH_GRAM,
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
    steps_with_gram : float
        Number of steps over all rows that are expected without a Hessian. One that costs more
        passes, with the steps it leaves, is made only after as many steps as it costs.
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
    try:
        begun = _begin(objective, _coarse_objective(objective, len(start)), start, max_iter)
        renewal = _RenewalOverAllRows(objective, begun.rows, len(start), steps_with_gram)
        # the factor may be made of other rows: the subsample is not kept beside them
        begun = begun._replace(rows=objective)
        factor = renewal(begun.w) if renewal.pays else begun.factor
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
        begun.w,
        factor,
        tol=tol,
        distance_tol=distance_tol,
        precision=precision,
        max_iter=max_iter,
        renew=renewal if renewal.is_possible else None,
        renew_after=renewal.n_steps,
        n_iter_before=begun.n_iter,
        evaluation=begun.evaluation,
        progress=progress,
    )


class _Begun(NamedTuple):
    """Weights near the minimiser, with the rows and the factor that led there."""

    w: FloatArray
    rows: RowwiseObjective
    factor: Preconditioner
    n_iter: int  # steps over all rows; those over a subsample are cheap and not counted
    evaluation: Evaluation | None


def _begin(
    objective: RowwiseObjective, coarse: RowwiseObjective, start: FloatArray, max_iter: int
) -> _Begun:
    """Minimise roughly over a subsample, or over all rows where it does not represent them."""
    factor = KroneckerFactor(coarse.hessian_at_zero())
    begun = _Begun(start, coarse, factor, 0, None)
    if not start.any():  # any other start is the solution of a similar problem
        solution = lbfgs(
            coarse,
            start,
            factor.solve,
            tol=np.inf,
            distance_tol=COARSE_DISTANCE,
            max_iter=min(MAX_LBFGS_ITER, max_iter),
        )
        begun = _Begun(solution.w, coarse, factor, solution.n_iter, solution.evaluation)
    if coarse is objective:
        return begun
    evaluation = objective.value_and_gradient(begun.w)
    of_coarse = begun.evaluation or coarse.value_and_gradient(begun.w)
    if _is_representative(coarse, evaluation[1] - of_coarse[1]):
        return begun._replace(n_iter=0, evaluation=evaluation)
    return _begin(objective, objective, start, max_iter)


def _is_representative(coarse: RowwiseObjective, difference: FloatArray) -> bool:
    r"""Return whether the gradient of the subsample differs from that of all rows by chance.

    The variance of a derivative over m rows is at most about :math:`H_{jj}/m`. Where it differs by
    far more, a column is rarer in the subsample than in all rows, and the curvature is missing.
    """
    variance = coarse.hessian_diagonal_at_zero() / coarse.n_rows
    squares = difference.reshape(-1, len(variance)) ** 2
    return bool((squares <= MOST_VARIANCES * variance).all())


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


class _RenewalOverAllRows:
    """Factors of the Hessian, the first one of as many rows as pay, later ones of all rows.

    ``pays`` is whether one is to be made before the first step over all rows, and ``n_steps`` the
    number of steps before the next one is made.
    """

    def __init__(
        self,
        objective: RowwiseObjective,
        coarse: RowwiseObjective,
        n_weights: int,
        steps_with_gram: float,
    ) -> None:
        self._objective = objective
        self._choice = choose_factor(objective, n_weights, coarse.n_rows)
        self._rows = coarse if self._choice.n_rows == coarse.n_rows else None
        self._next = choose_exact_factor(objective, n_weights)
        self.is_possible = self._choice.make is not None
        self.pays = self._choice.total <= steps_with_gram
        self.n_steps = MAX_LBFGS_ITER
        if self.is_possible:
            of_cost = PASSES_BEFORE_RENEWAL * self._next.n_passes
            self.n_steps = self._choice.steps_before_renewal(of_cost)

    def __call__(self, w: FloatArray) -> Preconditioner:
        make, n_taken = self._choice.make, self._choice.n_rows
        assert make is not None
        rows = self._rows or _take_spread(self._objective, n_taken)
        self._choice, self._rows = self._next, None
        return make(rows, w)


def factor_of_many_fits(objective: RowwiseObjective, n_weights: int) -> FactorChoice:
    """Return which factor :func:`hessian_factor` makes, and what it costs.

    Parameters
    ----------
    objective : RowwiseObjective
        Convex objective over rows.
    n_weights : int
        Number of weights of all scores.

    Returns
    -------
    FactorChoice
        Kind of the factor, number of rows, its cost in passes and the steps that it leaves.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> digits = SimpleNamespace(n_rows=1437, n_columns=65)
    >>> factor_of_many_fits(digits, n_weights=650).make.__name__
    'block_factor'
    """
    n_rows, d = objective.n_rows, objective.n_columns
    return choose_factor_of_many_fits(n_rows, d, n_weights, min(n_rows, ROWS_PER_COLUMN * d))


def hessian_factor(
    objective: RowwiseObjective, w: FloatArray, *, jointly: bool = False
) -> Preconditioner | None:
    """Return a factor of the Hessian at w, for several solutions close to w.

    It is that of all scores jointly or one block per score, of all rows or of some, whichever is
    expected to cost least with the steps it leaves.

    Parameters
    ----------
    objective : RowwiseObjective
        Convex objective over rows.
    w : ndarray of shape (n_weights,)
        Weights close to the minimisers for which the factor is used.
    jointly : bool, default=False
        Whether it is that of all scores jointly if they have few weights: where blocks have left
        many steps, the scores depend on each other.

    Returns
    -------
    KroneckerFactor, BlockFactor or None
        None with more columns than ``BLOCK_COLUMNS`` or rows, and if the factorisation fails.

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
    choice = factor_of_many_fits(objective, len(w))
    if jointly and len(w) <= FULL_HESSIAN_WEIGHTS:
        choice = choice._replace(make=full_factor)
    if choice.make is None:
        return None
    try:
        return choice.make(_with_all_columns(objective, choice.n_rows), w)
    except np.linalg.LinAlgError:
        return None


def _with_all_columns(objective: RowwiseObjective, n_taken: int) -> RowwiseObjective:
    """Return the objective of about ``n_taken`` rows, or of all if some columns are rarer there."""
    coarse = _take_spread(objective, n_taken)
    if coarse is objective:
        return objective
    return objective if any_column_is_rarer(coarse, objective) else coarse


def any_column_is_rarer(objective: RowwiseObjective, other: RowwiseObjective) -> bool:
    """Return whether a column is so much rarer in some rows than in others that curvature lacks.

    Parameters
    ----------
    objective, other : RowwiseObjective
        The objectives over these rows, and over the others.

    Returns
    -------
    bool
        Whether a diagonal entry of the Hessian at zero is less than a third of the other's.
    """
    curvature = objective.hessian_diagonal_at_zero()
    return bool((other.hessian_diagonal_at_zero() > MOST_RARER * curvature).any())


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
