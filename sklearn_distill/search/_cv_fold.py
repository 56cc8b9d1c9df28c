"""One fold: fit to its training rows, judge on its validation rows, differentiate."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_distill._typing import FloatArray, RowIndexer
from sklearn_distill.losses import SoftTargetObjective
from sklearn_distill.losses.design import Design
from sklearn_distill.search._cv_warm_start import WarmStart, WarmStartSolver
from sklearn_distill.search._validation_loss import ValidationLoss
from sklearn_distill.solvers import Preconditioner, Solution, conjugate_gradients, hessian_factor
from sklearn_distill.students._problem import LossParams, Problem, TrainingTargets, make_problem


@dataclass(frozen=True)
class FoldResult:
    """What a fold says of one setting.

    Parameters
    ----------
    loss : float
        Validation loss.
    rows : ndarray of shape (n_validation_rows,)
        Loss of each row.
    weight : ndarray of shape (n_validation_rows,)
        Weights of the rows.
    gradient : ndarray of shape (n_names,) or None
        Its derivatives in the metaparameters, where asked for.
    converged : bool
        Whether the fit reached its tolerance.
    passes : float
        Cost in passes over the training rows: two products of X with as many vectors as there
        are scores.
    seconds : float
        Time taken.
    """

    loss: float
    rows: FloatArray
    weight: FloatArray
    gradient: FloatArray | None
    converged: bool
    passes: float
    seconds: float

    def paid(self) -> FoldResult:
        """Return the same, known before and so at no cost."""
        return replace(self, passes=0.0, seconds=0.0)


class CVFold:
    r"""Training and validation rows, and where the last fit ended.

    With F the training objective, W its minimiser and V the validation loss, the derivative in a
    metaparameter θ is

    .. math:: \frac{dV}{dθ} = -a·\frac{\partial\nabla F}{\partialθ}, \qquad \nabla^2F\,a = \nabla V.

    Parameters
    ----------
    lesson : TrainingTargets
        Labels, teachers and weights of the training rows.
    design : CountedDesign
        The training X.
    validation : ValidationLoss
        The loss on the validation rows.
    refits : WarmStartSolver
        The solver.

    References
    ----------
    Larsen et al. 1996, "Design and regularization of neural networks: the optimal use of a
    validation set"; Bengio 2000, "Gradient-based optimization of hyperparameters".
    """

    def __init__(
        self,
        lesson: TrainingTargets,
        design: CountedDesign,
        validation: ValidationLoss,
        refits: WarmStartSolver,
    ) -> None:
        self._lesson = lesson
        self._design = design
        self._validation = validation
        self._refits = refits
        self.trail: WarmStart | None = None

    @property
    def n_validation_rows(self) -> int:
        """Number of validation rows."""
        return len(self._validation.weight)

    def follow(self, lead: CVFold) -> None:
        """Begin where another fold is: its rows are nearly the same."""
        if lead.trail is not None:
            self.trail = replace(lead.trail, adjoint=None)

    def use(self, factor: Preconditioner) -> None:
        """Take another factor."""
        if self.trail is not None and self.trail.factor is not None:
            self.trail = replace(self.trail, factor=factor)

    @property
    def staleness(self) -> float:
        """How much the last fit would have gained by a new factor, as a share of its price."""
        return 0.0 if self.trail is None else self.trail.staleness

    def new_factor(self, setting: LossParams) -> Preconditioner | None:
        """Return a factor made where the last fit ended, if there is a better one."""
        if self.trail is None or self.trail.factor is None:
            return None
        problem = make_problem(self._lesson, self._design, setting)
        return hessian_factor(problem.objective, self.trail.w)

    def judge(self, setting: LossParams, names: tuple[str, ...] | None) -> FoldResult:
        """Fit at a setting and judge; differentiate in ``names`` if there are any."""
        began, spent = time.perf_counter(), self._design.multiplications
        problem = make_problem(self._lesson, self._design, setting)
        solution, self.trail = self._refits.fit(problem, self.trail)
        loss, slope = self._validation.value_and_gradient(solution.w, problem.active)
        gradient = None
        if names is not None:
            gradient = self._hypergradient(problem, setting, slope, names)
            loss -= self._unfinished(solution)
        passes = (self._design.multiplications - spent) / (2 * self._one_product(problem))
        rows = self._validation.rows(solution.w, problem.active)
        seconds = time.perf_counter() - began
        weight = self._validation.weight
        return FoldResult(loss, rows, weight, gradient, solution.converged, passes, seconds)

    def _hypergradient(
        self, problem: Problem, setting: LossParams, slope: FloatArray, names: tuple[str, ...]
    ) -> FloatArray:
        assert self.trail is not None
        if not slope.any():
            return np.zeros(len(names))
        objective, w = problem.objective, self.trail.w
        a = self._adjoint(objective, slope)
        mixture = self._lesson.mixture(setting)
        of_targets = {
            "imitation": mixture.imitation_tangent,
            "temperature": mixture.temperature_tangent,
        }
        asked = [name for name in names if name in of_targets]
        tangents = [of_targets[name]().keep_classes(problem.active) for name in asked]
        derivatives = dict(zip(asked, -objective.tangents_along(w, a, tangents), strict=True))
        derivatives["C"] = float(a @ objective.penalty_gradient(w)) / setting.C
        return np.array([derivatives[name] for name in names])

    def _adjoint(self, objective: SoftTargetObjective, slope: FloatArray) -> FloatArray:
        """Solve ∇²F a = ∇V, from the last adjoint and with the fit's factor."""
        trail = self.trail
        assert trail is not None
        a, _ = conjugate_gradients(
            objective.hessian_operator(trail.w),
            slope,
            start=trail.adjoint,
            precondition=None if trail.factor is None else trail.factor.solve,
            rtol=self._refits.adjoint_tol,
        )
        self.trail = replace(trail, adjoint=a)
        return a

    def _unfinished(self, solution: Solution) -> float:
        """Return a·∇F, by which V would fall if the fit were carried to its end."""
        assert self.trail is not None
        if solution.gradient is None or self.trail.adjoint is None:
            return 0.0
        return float(self.trail.adjoint @ solution.gradient)

    def _one_product(self, problem: Problem) -> float:
        n_scores = 1 if problem.is_trivial else problem.objective.sums.n_scores
        return n_scores * self._design.n_rows * self._design.n_columns


class CountedDesign:
    """A design that counts the multiplications with X, and all parts of which count together.

    Parameters
    ----------
    design : Design
        What does the work.
    counter : list of float
        One entry, to which the multiplications are added.
    """

    def __init__(self, design: Design, counter: list[float] | None = None) -> None:
        self._design = design
        self._counter = [0.0] if counter is None else counter
        self.n_rows = design.n_rows
        self.n_columns = design.n_columns
        self.fit_intercept = design.fit_intercept
        self.dtype: Any = design.dtype

    @property
    def multiplications(self) -> float:
        """How often an entry of X was multiplied by a number, over the number of rows × columns."""
        return self._counter[0]

    def tiles(self) -> Iterator[slice]:
        """Yield the tiles of rows."""
        return self._design.tiles()

    def scores(self, W: FloatArray, rows: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ on the rows."""
        self._count(len(W), rows)
        return self._design.scores(W, rows)

    def pull_back(self, R: FloatArray, rows: slice) -> FloatArray:
        """Return R [X 1] on the rows."""
        self._count(len(R), rows)
        return self._design.pull_back(R, rows)

    def gram(self, weight: FloatArray, rows: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] on the rows."""
        self._count(self.n_columns, rows)
        return self._design.gram(weight, rows)

    def take(self, rows: RowIndexer) -> CountedDesign:
        """Return the design of the given rows, which counts here too."""
        return CountedDesign(self._design.take(rows), self._counter)

    def _count(self, times: int, rows: slice) -> None:
        self._counter[0] += times * (rows.stop - rows.start) * self.n_columns
