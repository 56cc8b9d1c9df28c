"""Minimise in the coordinates of the row space: the fast method for more columns than rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.objective import SoftTargetObjective
from sklearn_distill.losses.row_space import RowSpace
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.newton_cholesky import newton_cholesky, newton_pays
from sklearn_distill.solvers.solution import Progress, Solution
from sklearn_distill.solvers.subsampling import coarse_to_fine

# L is small: a Hessian of many passes over it is cheap beside the Gram matrix of the rows.
STEPS_WITH_GRAM = 400


def minimise_in_row_space(
    objective: SoftTargetObjective,
    start: FloatArray,
    *,
    tol: float,
    distance_tol: float = np.inf,
    max_iter: int,
    precision: float = float(np.finfo(np.float64).eps),
    progress: Progress | None = None,
    method: str = "auto",
    space: RowSpace | None = None,
) -> Solution:
    r"""Minimise with a factor L of the Gram matrix of the rows in place of X.

    Parameters
    ----------
    objective : SoftTargetObjective
        Objective over the rows of a dense X.
    start : ndarray of shape (n_weights,)
        Initial weights, which are projected onto the row space of X.
    tol, distance_tol : float
        Stop when max|∇F| and the estimated distance to the minimiser are within these tolerances.
        The distance does not depend on the coordinates. With :math:`W = V Q^⊤`, where Q has
        orthonormal columns, each entry of the gradient is at most :math:`\sqrt{r}\,\max|\nabla_V|`,
        with the rank r, plus x̄ times the derivative in the intercept.
    max_iter : int
        Maximum number of iterations.
    precision : float
        Relative rounding error of F, for the fallback; that of L is the one of float64.
    progress : callable or None
        Called after each iteration with (n_iter, value, max|∇F|).
    method : {"auto", "newton-cg"}
        Method in the coordinates.
    space : RowSpace or None
        The coordinates, if they are known.

    Returns
    -------
    Solution
        ``solver`` is "row-space", and value and gradient's norm are those of the coordinates. It is
        "newton-cg", on X itself, if the Gram matrix is 0 or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
    >>> from sklearn_distill.targets import SoftTargets, LogPartitionTerm
    >>> terms = (LogPartitionTerm(np.ones(2), 1.0),)
    >>> targets = SoftTargets(np.array([[1.0, 0.0], [0.0, 1.0]]), terms)
    >>> design = as_design(np.array([[-3.0, 0.0, -4.0], [3.0, 0.0, 4.0]]), fit_intercept=True)
    >>> objective = SoftTargetObjective(RowSums(design, targets, np.ones(2)), alpha=0.5)
    >>> w = minimise_in_row_space(objective, objective.zeros(), tol=1e-8, max_iter=20).w
    >>> w.round(4) + 0.0
    array([0.3382, 0.    , 0.4509, 0.    ])
    """
    space = objective.row_space() if space is None else space
    if space is None:
        return newton_cg(
            objective,
            start,
            tol=tol,
            distance_tol=distance_tol,
            max_iter=max_iter,
            precision=precision,
            progress=progress,
        )
    inner = objective.in_row_space(space)
    rank_tol = tol / np.sqrt(inner.n_columns)
    solution = minimiser_of_coordinates(inner, method)(
        inner,
        _project(objective, space, start),
        tol=rank_tol / (1 + _largest_mean(space)),
        distance_tol=distance_tol,
        max_iter=max_iter,
        progress=progress,
    )
    # a large mean may ask for a smaller derivative in the intercept than rounding allows
    rounded = solution.stalled and solution.gradient_norm <= rank_tol
    return replace(
        solution,
        w=space.lift(solution.w.reshape(inner.shape)).ravel(),
        converged=solution.converged or rounded,
        solver="row-space",
        factor=None,
        gradient=None,
    )


def minimiser_of_coordinates(
    objective: SoftTargetObjective, method: str = "auto"
) -> Callable[..., Solution]:
    """Return the minimiser of an objective in coordinates of the row space.

    Parameters
    ----------
    objective : SoftTargetObjective
        Objective over rows of L.
    method : {"auto", "newton-cg"}
        "auto" is ``coarse_to_fine`` with an early Hessian, or ``newton_cg`` if the objective is not
        convex.

    Returns
    -------
    callable
        ``newton_cholesky`` for small data, ``newton_cg`` if it is asked for or the objective is not
        convex, and else ``coarse_to_fine`` with an early Hessian.
    """
    if method == "newton-cg" or not objective.is_convex:
        return newton_cg
    if objective.fits_in_cache and newton_pays(objective.n_rows, *objective.shape):
        return newton_cholesky
    return partial(coarse_to_fine, steps_with_gram=STEPS_WITH_GRAM)


def _project(objective: SoftTargetObjective, space: RowSpace, start: FloatArray) -> FloatArray:
    if not start.any():
        return np.zeros(objective.shape[0] * space.design.n_columns)
    return space.project(start.reshape(objective.shape)).ravel()


def _largest_mean(space: RowSpace) -> float:
    return 0.0 if space.mean is None else float(np.abs(space.mean).max())
