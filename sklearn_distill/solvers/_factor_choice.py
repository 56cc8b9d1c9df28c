"""Which factor of the Hessian preconditions L-BFGS, and of how many rows it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers._costs import (
    cholesky_cost,
    copy_cost,
    eigenvectors_cost,
    gram_cost,
    pass_cost,
    solve_cost,
)
from sklearn_distill.solvers.class_means import ClassMeansFactor
from sklearn_distill.solvers.continuation import MAX_LBFGS_ITER
from sklearn_distill.solvers.factor import BlockFactor, KroneckerFactor, Preconditioner
from sklearn_distill.solvers.solution import RowwiseObjective

# The joint Hessian of all scores is computed for at most this many weights, one block per score for
# at most this many weights per score.
FULL_HESSIAN_WEIGHTS = 1500
BLOCK_COLUMNS = 2000
# Rows are copied for a factor up to this many entries of X, since those on disk or on a cluster are
# loaded into memory.
MAX_ENTRIES = 2**24
# Share of the distance to the minimiser that a step leaves, with the Hessian of all rows: of all
# scores jointly, one block per score, moments of the classes; and how many times the spread of the
# spectrum of the Hessian of some rows it leaves more (measured: benchmarks.factors).
RATE_OF_FULL, RATE_OF_BLOCKS, RATE_OF_MOMENTS = 0.2, 0.33, 0.59
RATE_PER_SPREAD = 1.5
SLOWEST_RATE = 0.95
# A factor is renewed after as many times the steps that are expected with it, or after as many as
# the next one costs.
STEPS_BEFORE_RENEWAL = 1.5
# In a sequence of similar problems, a factor is expected to serve as many fits.
N_FITS = 4
# Logarithm of the ratio of the distances before the first step over all rows and after the last.
REDUCTION = 13.0

Make = Callable[[RowwiseObjective, FloatArray], Preconditioner]


class FactorChoice(NamedTuple):
    """A kind of factor, the number of rows of which it is made, and what it is expected to cost.

    Parameters
    ----------
    make : callable or None
        (objective of these rows, w) ↦ the factor of the Hessian at w; None without any factor.
    n_rows : int
        Number of rows.
    n_passes : float
        Cost of the factor in passes over all rows; infinite without any factor.
    n_steps : float
        Number of steps over all rows with it.
    total : float
        Cost of the factor and the steps, in passes.
    """

    make: Make | None
    n_rows: int
    n_passes: float
    n_steps: float
    total: float

    def cost_of(self, n_fits: int) -> float:
        """Return the cost of the factor and of so many fits with it, in passes."""
        return self.n_passes + n_fits * (self.total - self.n_passes)

    def steps_before_renewal(self, n_passes: float) -> int:
        """Return the number of steps with the factor before the next one, of so many passes."""
        return int(min(max(STEPS_BEFORE_RENEWAL * self.n_steps, n_passes), MAX_LBFGS_ITER))


NO_FACTOR = FactorChoice(None, 0, np.inf, np.inf, np.inf)


def choose_factor(objective: RowwiseObjective, n_weights: int, n_coarse: int) -> FactorChoice:
    r"""Return the factor that is expected to cost least in total, with the steps it leaves.

    The Hessian of m of n rows differs from that of all: its spectrum spreads over
    :math:`(1 ± δ)^2` with :math:`δ = \sqrt{d/m - d/n}`, so that a step leaves a share of the
    distance to the minimiser that grows with δ. Many rows cost more, few rows leave more steps.

    Parameters
    ----------
    objective : RowwiseObjective
        The objective over all rows.
    n_weights : int
        Number of weights of all scores.
    n_coarse : int
        Number of rows of a subsample that is in memory.

    Returns
    -------
    FactorChoice
        ``make`` is None for more weights than :data:`FULL_HESSIAN_WEIGHTS`, and more weights per
        score than :data:`BLOCK_COLUMNS` or rows.
    """
    n_rows, d = objective.n_rows, objective.n_columns
    return _least(
        choice
        for n_taken in _numbers_of_rows(n_rows, d, n_coarse)
        for choice in choices_of_rows(n_rows, n_taken, d, n_weights, is_copied=n_taken > n_coarse)
    )


def choose_exact_factor(objective: RowwiseObjective, n_weights: int) -> FactorChoice:
    """Return the factor for where another one left many steps: of all rows, without moments.

    Some rows say little about the Hessian of all where columns are rare, and the moments of the
    classes little where the spread of their features differs.
    """
    n_rows = objective.n_rows
    choices = choices_of_rows(n_rows, n_rows, objective.n_columns, n_weights, is_copied=False)
    return _least(choice for choice in choices if choice.make is not moments_factor)


@lru_cache
def choose_factor_of_many_fits(n_rows: int, d: int, n_weights: int, n_coarse: int) -> FactorChoice:
    """Return the factor that is expected to cost least if it serves :data:`N_FITS` fits.

    Moments of the classes, which leave most steps, are none of them.
    """
    choices = (
        choice
        for n_taken in _numbers_of_rows(n_rows, d, n_coarse)
        for choice in choices_of_rows(n_rows, n_taken, d, n_weights, is_copied=True)
        if choice.make is not moments_factor
    )
    return _least(choices, n_fits=N_FITS)


def _least(choices: Iterable[FactorChoice], n_fits: int = 1) -> FactorChoice:
    return min(choices, key=lambda choice: choice.cost_of(n_fits), default=NO_FACTOR)


def _numbers_of_rows(n_rows: int, d: int, n_coarse: int) -> Iterator[int]:
    """Yield numbers of rows of which a factor may be made."""
    n_taken = float(n_coarse)
    while 2 * n_taken <= n_rows and n_taken * d <= MAX_ENTRIES:
        yield round(n_taken)
        n_taken *= 2**0.5
    yield n_rows


def choices_of_rows(
    n_rows: int, n_taken: int, d: int, n_weights: int, *, is_copied: bool
) -> Iterator[FactorChoice]:
    """Yield the kinds of factors of so many rows."""
    K = n_weights // d
    step, gram = pass_cost(n_rows, d, K), gram_cost(n_taken, d)
    read = pass_cost(n_taken, d, K)
    if is_copied and n_taken < n_rows:
        read += copy_cost(n_taken, d)
    spread = float(np.sqrt(d / n_taken - d / n_rows))

    def choice(make: Make, rate: float, cost: float, solve: float) -> FactorChoice:
        n_steps = REDUCTION / -np.log(min(rate + RATE_PER_SPREAD * spread, SLOWEST_RATE))
        n_passes = (read + cost) / step
        return FactorChoice(
            make, n_taken, n_passes, n_steps, n_passes + n_steps * (1 + solve / step)
        )

    if n_weights <= FULL_HESSIAN_WEIGHTS:
        cost = max(1, K * (K - 1) // 2) * gram + cholesky_cost(n_weights)
        yield choice(full_factor, RATE_OF_FULL, cost, solve_cost(n_weights, 1))
    # with fewer rows than columns the blocks would be larger than everything else
    if d <= min(BLOCK_COLUMNS, n_rows):
        cost = K * (gram + cholesky_cost(d))
        yield choice(block_factor, RATE_OF_BLOCKS, cost, solve_cost(d, K))
        if K > 1:
            cost = gram + eigenvectors_cost(d)
            yield choice(moments_factor, RATE_OF_MOMENTS, cost, solve_cost(d, K))


def full_factor(objective: RowwiseObjective, w: FloatArray) -> Preconditioner:
    """Return a factor of the Hessian of all scores at w."""
    return KroneckerFactor(objective.nonsingular_hessian(w))


def block_factor(objective: RowwiseObjective, w: FloatArray) -> Preconditioner:
    """Return factors of the diagonal blocks of the Hessian at w, one per score."""
    return BlockFactor(objective.hessian_blocks(w))


def moments_factor(objective: RowwiseObjective, w: FloatArray) -> Preconditioner:
    """Return a factor of blocks that share their spread, from moments of the classes at w."""
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
        return block_factor(objective, w)
