"""Leave-one-out predictions of least squares, and the weight of a teacher that they choose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_distill._typing import FloatArray

_MIN_FREEDOM = 1e-9  # of 1 − h: below, a prediction without the row is rounding noise


class _Centred(NamedTuple):
    """Features and targets without their weighted means, which are 0 without an intercept."""

    X: FloatArray
    targets: FloatArray
    offset: FloatArray
    mean: FloatArray


def _centre(
    X: FloatArray, targets: FloatArray, weight: FloatArray, *, fit_intercept: bool
) -> _Centred:
    X, targets = X.astype(np.float64), targets.astype(np.float64)
    if not fit_intercept:
        return _Centred(X, targets, np.zeros(X.shape[1]), np.zeros(targets.shape[1]))
    share = weight / weight.sum()
    moved = X - X[0]  # exactly 0 in constant columns
    rest = share @ moved
    mean = share @ targets
    return _Centred(moved - rest, targets - mean, X[0] + rest, mean)


def _decompose(X: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the singular value decomposition without values that are 0 but for rounding."""
    U, singular, V = np.linalg.svd(X, full_matrices=False)
    kept = singular > max(X.shape) * np.finfo(np.float64).eps * singular.max(initial=0.0)
    return U[:, kept], singular[kept], V[kept]


def leave_one_out_predictions(
    X: FloatArray, targets: FloatArray, weight: FloatArray, alpha: float, *, fit_intercept: bool
) -> FloatArray:
    r"""Return for each row the prediction of a ridge regression that was fitted without it.

    With the hat matrix H of the weighted regression and its diagonal h,

    .. math::

        u_i = \frac{(H t)_i - h_i t_i}{1 - h_i}.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Features.
    targets : ndarray of shape (n_rows, n_targets)
        Targets t of several regressions.
    weight : ndarray of shape (n_rows,)
        Positive weights; a row is left out as a whole.
    alpha : float
        Strength α ≥ 0 of the penalty.
    fit_intercept : bool
        Whether there is an intercept, which is not penalised.

    Returns
    -------
    ndarray of shape (n_rows, n_targets)
        The predictions u.

    Raises
    ------
    ValueError
        If a row determines its own prediction, h = 1, as with no more rows than columns.

    References
    ----------
    Allen 1974, "The relationship between variable selection and data augmentation and a method for
    prediction".

    Examples
    --------
    >>> X, t = np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0], [4.0]])
    >>> leave_one_out_predictions(X, t, np.ones(3), 0.0, fit_intercept=True).ravel()
    array([2. , 2.5, 5. ])
    """
    centred = _centre(X, targets, weight, fit_intercept=fit_intercept)
    root = np.sqrt(weight)[:, None]
    U, singular, _ = _decompose(root * centred.X)
    kept = singular**2 / (singular**2 + alpha)
    fitted = U @ (kept[:, None] * (U.T @ (root * centred.targets))) / root + centred.mean
    h = ((U**2) @ kept + (weight / weight.sum() if fit_intercept else 0.0))[:, None]
    if (determined := h > 1 - _MIN_FREEDOM).any():
        raise ValueError(
            f"row {int(determined.argmax())} of those with a weight determines its own prediction, "
            "so that leaving it out says nothing: it takes more rows than columns, alpha > 0, or "
            "no column that is not constant in one row only"
        )
    return np.asarray((fitted - h * targets) / (1 - h))


def held_out_predictions(
    X: FloatArray,
    targets: FloatArray,
    weight: FloatArray,
    X_test: FloatArray,
    alpha: float,
    *,
    fit_intercept: bool,
) -> FloatArray:
    """Return what ridge regressions predict for other rows.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Features of the rows that are trained on.
    targets : ndarray of shape (n_rows, n_targets)
        Targets of several regressions.
    weight : ndarray of shape (n_rows,)
        Positive weights.
    X_test : ndarray of shape (n_test, n_features)
        Features of the other rows.
    alpha : float
        Strength α ≥ 0 of the penalty; without it, the coefficients are the smallest of all
        minimisers.
    fit_intercept : bool
        Whether there is an intercept, which is not penalised.

    Returns
    -------
    ndarray of shape (n_test, n_targets)
        The predictions.

    Examples
    --------
    >>> X, t = np.array([[0.0], [1.0]]), np.array([[1.0], [3.0]])
    >>> held_out_predictions(X, t, np.ones(2), np.array([[4.0]]), 0.0, fit_intercept=True)
    array([[9.]])
    """
    centred = _centre(X, targets, weight, fit_intercept=fit_intercept)
    U, singular, V = _decompose(np.sqrt(weight)[:, None] * centred.X)
    scale = singular / (singular**2 + alpha)
    coef = V.T @ (scale[:, None] * (U.T @ (np.sqrt(weight)[:, None] * centred.targets)))
    return np.asarray((X_test.astype(np.float64) - centred.offset) @ coef + centred.mean)


def leave_one_out_imitation(
    y: FloatArray, u: FloatArray, v: FloatArray, weight: FloatArray
) -> float:
    r"""Return the share λ in [0, 1] of the teacher that minimises the error of left-out rows.

    A fit to :math:`(1-λ) y + λ s` predicts :math:`(1-λ) u_i + λ v_i` for row i without it, so that

    .. math::

        λ^* = \frac{Σ_i s_i (y_i - u_i)(v_i - u_i)}{Σ_i s_i (v_i - u_i)^2},

    clipped to [0, 1] where the quadratic error has its minimum outside.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels.
    u, v : ndarray of shape (n_rows,)
        Predictions for each row, of fits without it to the labels and to the teacher's
        predictions.
    weight : ndarray of shape (n_rows,)
        Weights s.

    Returns
    -------
    float
        The share; 0 if u = v, where it has no effect.

    Examples
    --------
    >>> y, u, v = np.array([1.0, 2.0]), np.array([0.0, 0.0]), np.array([2.0, 4.0])
    >>> leave_one_out_imitation(y, u, v, np.ones(2))
    0.5
    """
    difference = v - u
    curvature = float(weight @ difference**2)
    if curvature == 0:
        return 0.0
    return float(np.clip(weight @ ((y - u) * difference) / curvature, 0.0, 1.0))
