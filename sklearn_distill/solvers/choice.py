"""Which minimiser is expected to take the least time: ``solver="auto"``."""

from __future__ import annotations

from collections.abc import Callable

from sklearn_distill.losses.objective import SoftTargetObjective
from sklearn_distill.solvers._costs import factor_cost, pass_cost
from sklearn_distill.solvers.late_factor import lbfgs_with_late_factor
from sklearn_distill.solvers.newton_cholesky import newton_cholesky, newton_pays
from sklearn_distill.solvers.row_space import minimise_in_row_space
from sklearn_distill.solvers.scaled_newton import GRAM_COLUMNS, scaled_newton
from sklearn_distill.solvers.solution import Solution
from sklearn_distill.solvers.subsampling import coarse_rows, coarse_to_fine
from sklearn_distill.solvers.used_columns import newton_on_used_columns

Minimiser = Callable[..., Solution]

MAX_GRAM_BYTES = 2**30
# A factor is made before the first step if it costs no more passes than this: it saves as many.
# With several scores there are more steps, and the blocks of a Hessian, made later, save some.
FACTOR_PASSES = 4
FACTOR_PASSES_OF_SCORES = 15
# The Gram matrix of the rows pays from so many columns per row (measured), and from as many times
# more as there are times more rows than these: its cost per pass over X grows with the rows.
MIN_WIDE_COLUMNS = 100
COLUMNS_PER_ROW = 1.5
ROWS_AT_COLUMNS_PER_ROW = 1000


def choose_minimiser(objective: SoftTargetObjective, *, dense: bool) -> Minimiser:
    """Return the minimiser that is expected to take the least time.

    Parameters
    ----------
    objective : SoftTargetObjective
        The objective to minimise.
    dense : bool
        Whether X is dense.

    Returns
    -------
    callable
        ``minimise_in_row_space`` for dense X with more columns than rows, ``newton_cholesky`` for
        small data, ``scaled_newton`` for objectives that are not convex, and where a Gram matrix
        would cost too much (or ``newton_on_used_columns`` of a sparse X), ``coarse_to_fine`` where
        it costs little, and else, for dense X in memory, ``lbfgs_with_late_factor``.
    """
    n_rows, n_columns = objective.n_rows, objective.n_columns
    if objective.has_row_space and row_space_pays(n_rows, n_columns):
        return minimise_in_row_space
    if objective.fits_in_cache and newton_pays(n_rows, *objective.shape):
        return newton_cholesky
    if not objective.is_convex:
        return scaled_newton
    if n_columns <= GRAM_COLUMNS and not objective.has_row_space:
        return coarse_to_fine
    if objective.has_row_space:
        early = factor_pays_first(n_rows, *objective.shape, objective.sums.dtype.itemsize)
        return coarse_to_fine if early else lbfgs_with_late_factor
    if objective.used_columns is not None:
        return newton_on_used_columns
    return coarse_to_fine if dense and gram_pays(n_rows, n_columns) else scaled_newton


def factor_pays_first(n_rows: int, n_scores: int, n_columns: int, itemsize: int = 8) -> bool:
    """Return whether a factor of the subsample costs little compared with the passes it saves.

    Parameters
    ----------
    n_rows, n_scores, n_columns : int
        Number of rows, of scores, and of weights of one score.
    itemsize : int
        Bytes of an entry of X.

    Returns
    -------
    bool
        True for many rows per column, few columns or many scores.

    Examples
    --------
    >>> factor_pays_first(60_000, 10, 785), factor_pays_first(6_000, 1, 1_501)
    (True, False)
    """
    n_coarse = min(n_rows, coarse_rows(n_rows, n_columns))
    n_passes = FACTOR_PASSES if n_scores == 1 else FACTOR_PASSES_OF_SCORES
    cost_of_passes = n_passes * pass_cost(n_rows, n_columns, n_scores, itemsize)
    return factor_cost(n_coarse, n_columns, itemsize) <= cost_of_passes


def gram_pays(n_rows: int, n_columns: int) -> bool:
    """Return whether a Gram matrix of the columns, and its factor, save more than they cost.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of X, in chunks; the matrix has n_columns² entries.

    Returns
    -------
    bool
        True for at least two rows per column: the matrix is then at most half as large as X, and
        at most ``MAX_GRAM_BYTES``.

    Examples
    --------
    >>> gram_pays(60_000, 784), gram_pays(500, 20_000)
    (True, False)
    """
    return 2 * n_columns <= n_rows and 8 * n_columns**2 <= MAX_GRAM_BYTES


def row_space_pays(n_rows: int, n_columns: int) -> bool:
    """Return whether coordinates of the row space save more than their Gram matrix costs.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of X; the matrix has n_rows² entries.

    Returns
    -------
    bool
        True for more than ``MIN_WIDE_COLUMNS`` columns, and ``COLUMNS_PER_ROW`` or more of them
        per row.

    Examples
    --------
    >>> row_space_pays(500, 20_000), row_space_pays(500, 600), row_space_pays(4_000, 8_000)
    (True, False, False)
    """
    wanted = COLUMNS_PER_ROW * n_rows * max(1.0, n_rows / ROWS_AT_COLUMNS_PER_ROW)
    return n_columns > max(MIN_WIDE_COLUMNS, wanted) and 8 * n_rows**2 <= MAX_GRAM_BYTES
