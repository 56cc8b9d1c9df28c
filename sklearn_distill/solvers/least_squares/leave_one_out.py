"""Leave-one-out predictions of least squares, and the weight of a teacher that they choose."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import FloatArray

_MIN_FREEDOM = 1e-9  # of 1 − h: below, a prediction without the row is rounding noise


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
    X, targets = X.astype(np.float64), targets.astype(np.float64)
    root = np.sqrt(weight)[:, None]
    share = weight / weight.sum()
    if fit_intercept:
        X = X - X[0]  # exactly 0 in constant columns
        X = X - share @ X
        mean = share @ targets
    else:
        mean = np.zeros(targets.shape[1])
    U, singular, _ = np.linalg.svd(root * X, full_matrices=False)
    limit = max(X.shape) * np.finfo(np.float64).eps * singular.max(initial=0.0)
    U, singular = U[:, singular > limit], singular[singular > limit]
    kept = singular**2 / (singular**2 + alpha)
    fitted = U @ (kept[:, None] * (U.T @ (root * (targets - mean)))) / root + mean
    h = ((U**2) @ kept + (share if fit_intercept else 0.0))[:, None]
    if (determined := h > 1 - _MIN_FREEDOM).any():
        raise ValueError(
            f"row {int(determined.argmax())} of those with a weight determines its own prediction, "
            "so that leaving it out says nothing: it takes more rows than columns, alpha > 0, or "
            "no column that is not constant in one row only"
        )
    return np.asarray((fitted - h * targets) / (1 - h))


def leave_one_out_imitation(
    y: FloatArray, u: FloatArray, v: FloatArray, weight: FloatArray
) -> float:
    r"""Return the share λ in [0, 1] of the teacher that minimises the leave-one-out error.

    A fit to :math:`(1-λ) y + λ s` predicts :math:`(1-λ) u_i + λ v_i` for row i without it, so that

    .. math::

        λ^* = \frac{Σ_i s_i (y_i - u_i)(v_i - u_i)}{Σ_i s_i (v_i - u_i)^2},

    clipped to [0, 1] where the quadratic error has its minimum outside.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels.
    u, v : ndarray of shape (n_rows,)
        Leave-one-out predictions from the labels and from the teacher's predictions.
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
