"""One cross-validation fold: fit on its training samples, validation loss and hypergradient."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray, RowIndexer
from sklearn_distill.losses import ChunkedDesign, RowSpace, SoftTargetObjective
from sklearn_distill.losses.design import Design
from sklearn_distill.search._cv_warm_start import (
    PENALTY_SHARE,
    PastFits,
    WarmStart,
    WarmStartSolver,
    compatible_warm_start,
)
from sklearn_distill.search._fold_scorer import FoldScorer
from sklearn_distill.search._validation_loss import ValidationLoss
from sklearn_distill.solvers import (
    Preconditioner,
    Solution,
    any_column_is_rarer,
    conjugate_gradients,
    hessian_factor,
)
from sklearn_distill.students._problem import LossParams, Problem, TrainingTargets, make_problem

# largest correction of a loss for an unconverged fit, in nats; it needs no more than that
LARGEST_CORRECTION = 1e-4
# Of a smaller share in the targets, rounding leaves no gradient in the intercept of a class. What a
# fit would find for it is too large a probability: the class counts as one that cannot occur.
SMALLEST_SHARE = 3e-11
# the derivatives of the targets are in memory for so many rows at a time
BLOCK_ROWS = 2**15


@dataclass(frozen=True)
class FoldResult:
    """Validation loss of one fold at one setting of the metaparameters.

    Parameters
    ----------
    loss : float
        Weighted mean over the validation rows, corrected for an unconverged fit where its error is
        known to first order; minus the score where there is a scorer.
    row_losses : ndarray of shape (n_validation_rows,) or None
        Loss of each validation row; None where no settings are compared by them.
    sample_weight : ndarray of shape (n_validation_rows,)
        Weights of the validation rows.
    gradient : ndarray of shape (n_names,) or None
        Derivatives of the loss in the metaparameters; None where they were not computed.
    converged : bool
        Whether the fit reached its tolerance.
    passes : float
        Cost in passes over the training rows: two products of X with as many vectors as there
        are scores.
    seconds : float
        Wall time of fit, loss and gradient.
    solution : Solution or None
        The fit, without what later fits need; None where it is not kept. Its weights are in the
        coordinates of ``row_space``, if there is one.
    active : ndarray of bool of shape (n_classes,)
        The classes that have weights in it.
    n_columns : int
        Number of weights of a class.
    row_space : RowSpace or None
        Coordinates in place of X.
    """

    loss: float
    row_losses: FloatArray | None
    sample_weight: FloatArray
    gradient: FloatArray | None
    converged: bool
    passes: float
    seconds: float
    solution: Solution | None
    active: BoolArray
    n_columns: int
    row_space: RowSpace | None

    def without_cost(self) -> FoldResult:
        """Return a copy without cost, for an evaluation that reuses this result."""
        return replace(self, passes=0.0, seconds=0.0)


class CVFold:
    r"""A fold, and the warm start that its last fit left.

    With F the training objective, W its minimiser and V the validation loss, the derivative in a
    metaparameter θ is

    .. math:: \frac{dV}{dθ} = -a·\frac{\partial\nabla F}{\partialθ}, \qquad \nabla^2F\,a = \nabla V.

    Parameters
    ----------
    targets : TrainingTargets
        Labels, teachers' logits and weights of the rows.
    is_training : ndarray of bool of shape (n_rows,) or None
        Which rows train; the others have weight 0. None for all.
    design : CountedDesign or ChunkedDesign
        The products with the training X.
    validation : ValidationLoss
        The loss on the validation rows.
    solver : WarmStartSolver
        Solver of the fits and their tolerances.
    scorer : FoldScorer or None
        Replaces the validation loss by minus its score, which has no gradient.
    keep_solutions : bool
        Whether the results keep the solutions of the fits.
    row_space : RowSpace or None
        The coordinates of the design and of the validation loss; None for X itself. The scorer
        gets the weights for X.

    References
    ----------
    Larsen et al. 1996, "Design and regularization of neural networks: the optimal use of a
    validation set"; Bengio 2000, "Gradient-based optimization of hyperparameters".
    """

    def __init__(
        self,
        targets: TrainingTargets,
        is_training: BoolArray | None,
        design: CountedDesign | ChunkedDesign,
        validation: ValidationLoss,
        solver: WarmStartSolver,
        scorer: FoldScorer | None = None,
        *,
        keep_solutions: bool = False,
        row_space: RowSpace | None = None,
    ) -> None:
        self.row_space = row_space
        self._scorer = scorer
        self._keep_solutions = keep_solutions
        self._all_targets = targets
        self._is_training = is_training
        self._design = design
        self._validation = validation
        self._solver = solver
        self.warm_start: WarmStart | None = None
        self._past = PastFits()
        self._n_training_rows = int(np.count_nonzero(self._targets.sample_weight))

    @property
    def _targets(self) -> TrainingTargets:
        """The targets of the training rows, which differ from those of other folds in weights."""
        if self._is_training is None:
            return self._all_targets
        return self._all_targets.only(self._is_training)

    @property
    def n_validation_rows(self) -> int:
        """Number of validation rows."""
        return len(self._validation.sample_weight)

    @property
    def n_rows(self) -> int:
        """Number of rows of the design."""
        return self._design.n_rows

    def shares_design(self, other: CVFold) -> bool:
        """Return whether another fold has the same rows, with other weights."""
        return self is not other and self._design is other._design

    def cancel(self) -> None:
        """Let a fit in another thread end with an error at its next product with X."""
        self._design.cancel()

    def start_from(self, other: CVFold) -> None:
        """Take the warm start of another fold: most of the training rows are the same."""
        if other.warm_start is not None:
            # the adjoint depends on the validation rows, which differ
            self.warm_start = replace(other.warm_start, adjoint=None)

    def start_near(self, setting: FloatArray) -> None:
        """Let the next fit start from the past fit to the nearest setting."""
        if self.warm_start is None:
            return
        near = self._past.nearest(setting, self.warm_start.active)
        if near is not None:
            self.warm_start = replace(self.warm_start, w=near.w, adjoint=near.adjoint)

    def keep_fit(self, setting: FloatArray) -> None:
        """Keep the last fit, which was one to this setting, for later fits near it."""
        if self.warm_start is not None:
            self._past.keep(setting, self.warm_start)

    def take_factor(self, other: CVFold, loss_params: LossParams) -> bool:
        """Take the preconditioner of another fold, if both fitted the same classes with one.

        A class may have no target mass in the training rows of a fold, whose weights and factors
        then have another size, and a column may be rarer in those of the other fold.
        """
        own, others = self.warm_start, other.warm_start
        if own is None or others is None or own.factor is None or others.factor is None:
            return False
        if not np.array_equal(own.active, others.active):
            return False
        if not self.has_columns_of(other, loss_params):
            return False
        self.warm_start = replace(own, factor=others.factor, staleness=0.0)
        return True

    def has_columns_of(self, other: CVFold, loss_params: LossParams) -> bool:
        """Return whether no column is far rarer in the training rows of another fold."""
        own, others = (fold.problem(loss_params).objective for fold in (self, other))
        return not any_column_is_rarer(others, own)

    def renew_factor(self, loss_params: LossParams) -> None:
        """Replace the preconditioner of the next fits by one made at the last solution."""
        problem = self.problem(loss_params)
        warm_start = compatible_warm_start(self.warm_start, problem)
        if warm_start is None or warm_start.factor is None or problem.is_trivial:
            return
        factor = hessian_factor(problem.objective, warm_start.w) or warm_start.factor
        self.warm_start = replace(warm_start, factor=factor, staleness=0.0)

    def problem(self, loss_params: LossParams) -> Problem:
        """Return the problem of the training rows."""
        return make_problem(self._targets, self._design, loss_params, smallest_share=SMALLEST_SHARE)

    def fit(
        self,
        problem: Problem,
        warm_start: WarmStart | None,
        penalty_share: float = PENALTY_SHARE,
    ) -> Solution:
        """Return the solution of the problem, and keep the warm start that it leaves."""
        solution, self.warm_start = self._solver.fit(problem, warm_start, penalty_share)
        return solution

    def has_factor_for(self, problem: Problem) -> bool:
        """Return whether the next fit is one by L-BFGS with a factor that is known."""
        return self._solver.continues(problem, self.warm_start)

    def tol_for(self, problem: Problem, penalty_share: float = PENALTY_SHARE) -> float:
        """Return the largest max|∇F| of a fit, as far as the penalty bounds it by its share."""
        return self._solver.tol_for(problem, penalty_share)

    def rare_tols(self, problem: Problem) -> FloatArray:
        """Return the largest derivatives in the intercepts of the scores."""
        return self._solver.rare_tols(problem)

    @property
    def max_iter(self) -> int:
        """Largest number of iterations of a fit."""
        return self._solver.max_iter

    def accept(self, solution: Solution, objective: SoftTargetObjective) -> Solution:
        """Keep the warm start that a fit in lockstep leaves, and return the fit."""
        assert self.warm_start is not None
        self.warm_start = self.warm_start.after(solution, objective)
        return solution

    def validate(self, w: FloatArray, active: BoolArray) -> tuple[float, FloatArray]:
        """Return the validation loss and its gradient at weights w of the active classes."""
        return self._validation.value_and_gradient(w, active)

    @property
    def multiplications(self) -> float:
        """Number of multiplications with the training X so far."""
        return self._design.multiplications

    @property
    def factor(self) -> Preconditioner | None:
        """The preconditioner of the next fit."""
        return None if self.warm_start is None else self.warm_start.factor

    @property
    def staleness(self) -> float:
        """Share of a new factor's cost that a fresh factor would have saved in the last fits."""
        return 0.0 if self.warm_start is None else self.warm_start.staleness

    def evaluate(
        self,
        loss_params: LossParams,
        names: tuple[str, ...] | None,
        fitted: Solution | None = None,
        penalty_share: float = PENALTY_SHARE,
    ) -> FoldResult:
        """Return the validation loss with its derivatives in ``names``, if not None.

        It is that of a new fit, unless there is one.
        """
        start, n_before = time.perf_counter(), self.multiplications
        problem = self.problem(loss_params)
        solution = fitted or self.fit(problem, self.warm_start, penalty_share)
        loss, loss_gradient = self.validate(solution.w, problem.active)
        gradient = None
        if names is not None:
            gradient = self._hypergradient(problem, loss_params, loss_gradient, names)
            loss = _less(loss, self._excess(solution))
        return self._result(
            problem,
            solution,
            loss,
            self._validation.row_losses(solution.w, problem.active),
            gradient,
            self.multiplications - n_before,
            time.perf_counter() - start,
        )

    def result(
        self,
        problem: Problem,
        solution: Solution,
        *,
        known: tuple[float, float] | None,
        n_multiplications: float,
        seconds: float,
    ) -> FoldResult:
        """Return the result of a fit that took so many multiplications and seconds.

        ``known`` are the loss and its change in the next step of the solver, if they are known.
        """
        if known is None:
            loss, _ = self.validate(solution.w, problem.active)
        else:
            loss, change = known
            loss = _less(loss, -change)
        return self._result(problem, solution, loss, None, None, n_multiplications, seconds)

    def _result(
        self,
        problem: Problem,
        solution: Solution,
        loss: float,
        row_losses: FloatArray | None,
        gradient: FloatArray | None,
        n_multiplications: float,
        seconds: float,
    ) -> FoldResult:
        if self._scorer is not None:
            loss = -self._scorer.score(self._original_weights(solution.w), problem.active)
        return FoldResult(
            loss=loss,
            # kept for each evaluation: a difference needs no more digits
            row_losses=None if row_losses is None else row_losses.astype(np.float32),
            sample_weight=self._validation.sample_weight,
            gradient=gradient,
            converged=solution.converged,
            passes=self.passes(n_multiplications, problem.active),
            seconds=seconds,
            solution=self._kept(solution),
            active=problem.active,
            n_columns=self._design.n_columns,
            row_space=self.row_space,
        )

    def _kept(self, solution: Solution) -> Solution | None:
        if not self._keep_solutions:
            return None
        return replace(solution, factor=None, gradient=None)

    def _original_weights(self, w: FloatArray) -> FloatArray:
        return w if self.row_space is None else self.row_space.lift_flat(w)

    def _hypergradient(
        self,
        problem: Problem,
        loss_params: LossParams,
        loss_gradient: FloatArray,
        names: tuple[str, ...],
    ) -> FloatArray:
        assert self.warm_start is not None
        if not loss_gradient.any():  # V is constant: a single class, or no label with mass
            return np.zeros(len(names))
        objective, w = problem.objective, self.warm_start.w
        a = self._solve_adjoint(objective, loss_gradient)
        # λ and T move the targets, C the penalty only; the adjoint serves all of them
        of_targets = [name for name in names if name != "C"]
        moved = self._tangents_along(problem, loss_params, a, of_targets)
        derivatives = dict(zip(of_targets, -moved, strict=True))
        # the penalty's gradient is proportional to 1/C, which turns the sign
        derivatives["C"] = float(a @ objective.penalty_gradient(w)) / loss_params.C
        return np.array([derivatives[name] for name in names])

    def _tangents_along(
        self, problem: Problem, loss_params: LossParams, a: FloatArray, names: list[str]
    ) -> FloatArray:
        """Return a·∂∇F/∂θ for λ and T, with the tangents of a block of rows in memory."""
        assert self.warm_start is not None
        objective, targets = problem.objective, self._targets
        total = np.zeros(len(names))
        for rows in self._row_blocks() if names else ():
            mixture = targets.mixture(loss_params, rows)
            tangents = {
                "imitation": mixture.imitation_tangent,
                "temperature": mixture.temperature_tangent,
            }
            along = [tangents[name]().keep_classes(problem.active) for name in names]
            of_rows = objective if rows is None else objective.take(rows)
            share = of_rows.sums.weight_sum / objective.sums.weight_sum
            if share:  # rows without weight do not count
                total += share * of_rows.tangents_along(self.warm_start.w, a, along)
        return total

    def _row_blocks(self) -> Iterator[slice | None]:
        """Yield the rows in blocks, or None for all rows of few, or of which slices are copies."""
        n_rows = self._design.n_rows
        has_views = not isinstance(self._design, ChunkedDesign) and self._design.shares_passes
        if has_views and n_rows > BLOCK_ROWS:
            for start in range(0, n_rows, BLOCK_ROWS):
                yield slice(start, min(start + BLOCK_ROWS, n_rows))
        else:
            yield None

    def _solve_adjoint(
        self, objective: SoftTargetObjective, loss_gradient: FloatArray
    ) -> FloatArray:
        """Solve ∇²F a = ∇V, from the last adjoint and with the fit's factor."""
        warm_start = self.warm_start
        assert warm_start is not None
        a, _ = conjugate_gradients(
            objective.hessian_operator(warm_start.w),
            loss_gradient,
            start=warm_start.adjoint,
            precondition=None if warm_start.factor is None else warm_start.factor.solve,
            rtol=self._solver.adjoint_tol,
        )
        self.warm_start = replace(warm_start, adjoint=a)
        return a

    def _excess(self, solution: Solution) -> float:
        """Return a·∇F, by which V exceeds that of the converged fit, to first order.

        The Newton step to the minimiser is −(∇²F)⁻¹∇F, along which V changes by −a·∇F.
        """
        assert self.warm_start is not None
        if solution.gradient is None or self.warm_start.adjoint is None:
            return 0.0
        return float(self.warm_start.adjoint @ solution.gradient)

    def passes(self, n_multiplications: float, active: BoolArray) -> float:
        """Return multiplications with X in passes over the training rows for some classes."""
        n_classes = int(active.sum())
        n_scores = 1 if n_classes <= 2 else n_classes
        # a pass multiplies by X twice: for the scores and for the gradient
        return n_multiplications / (2 * n_scores * self._n_training_rows * self._design.n_columns)


def _less(loss: float, excess: float) -> float:
    """Return a loss less its excess over that of the converged fit, if this can be trusted.

    It cannot if it is larger than ``LARGEST_CORRECTION``: where the Hessian is nearly singular, it
    may be anything.
    """
    return max(0.0, loss - excess) if abs(excess) <= LARGEST_CORRECTION else loss


class SearchInterruptedError(RuntimeError):
    """Raised in the threads of a search that was interrupted, to end them."""


@dataclass
class _Work:
    """What a design and its restrictions share."""

    multiplications: float = 0.0
    cancelled: bool = False


class CountedDesign:
    """A design that counts the multiplications with X; restrictions of it share the count.

    Parameters
    ----------
    design : Design
        The design that computes the products.
    work : _Work or None
        The count so far, which is changed in place; None starts a new one.
    """

    def __init__(self, design: Design, work: _Work | None = None) -> None:
        self._design = design
        self._work = _Work() if work is None else work
        self.n_rows = design.n_rows
        self.n_columns = design.n_columns
        self.fit_intercept = design.fit_intercept
        self.dtype = design.dtype
        self.shares_passes = design.shares_passes

    @property
    def multiplications(self) -> float:
        """Number of multiplications of an entry of X by a number, as if X were dense."""
        return self._work.multiplications

    def cancel(self) -> None:
        """Let each later product raise SearchInterruptedError, in whatever thread."""
        self._work.cancelled = True

    def tiles(self, n_scores: int = 0) -> Iterator[slice]:
        """Yield the tiles of rows, for products with so many scores."""
        return self._design.tiles(n_scores)

    def scores(self, W: FloatArray, rows: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ of the given rows."""
        self._count(len(W), rows)
        return self._design.scores(W, rows)

    def pull_back(self, R: FloatArray, rows: slice) -> FloatArray:
        """Return R [X 1] of the given rows."""
        self._count(len(R), rows)
        return self._design.pull_back(R, rows)

    def gram(self, weight: FloatArray, rows: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] of the given rows."""
        self._count(self.n_columns, rows)
        return self._design.gram(weight, rows)

    def gram_diagonal(self, weight: FloatArray, rows: slice) -> FloatArray:
        """Return the diagonal of the Gram matrix of the given rows."""
        self._count(1, rows)
        return self._design.gram_diagonal(weight, rows)

    def take(self, rows: RowIndexer) -> CountedDesign:
        """Return the design restricted to the given rows, with the same counter."""
        return CountedDesign(self._design.take(rows), self._work)

    def take_columns(self, columns: IntArray) -> CountedDesign | None:
        """Return the design of some columns of a sparse X, with the same counter."""
        taken = self._design.take_columns(columns)
        return None if taken is None else CountedDesign(taken, self._work)

    def in_double(self) -> CountedDesign:
        """Return the design with products in float64, with the same counter."""
        return CountedDesign(self._design.in_double(), self._work)

    def _count(self, n_vectors: int, rows: slice) -> None:
        if self._work.cancelled:
            raise SearchInterruptedError
        self._work.multiplications += n_vectors * (rows.stop - rows.start) * self.n_columns
