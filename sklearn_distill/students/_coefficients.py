"""Conversion between a solver's weights and ``coef_`` and ``intercept_``.

The solver is given only the classes that have target mass, and one logit if there are two. A class
without mass has coefficient 0 and intercept -inf, so its probability is 0.
"""

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray


def coefficients(
    W: FloatArray, active: BoolArray, fit_intercept: bool
) -> tuple[FloatArray, FloatArray]:
    """Return ``coef_`` and ``intercept_`` over all classes.

    Parameters
    ----------
    W : ndarray of shape (n_scores, n_columns)
        The solver's weights; without rows if one class has all the mass.
    active : ndarray of bool of shape (n_classes,)
        Whether each class has target mass.
    fit_intercept : bool
        Whether the last column of W is the intercept.

    Returns
    -------
    coef : ndarray of shape (n_classes, n_features), or (1, n_features) for two classes
        Coefficients; 0 for classes without mass.
    intercept : ndarray of shape (n_classes,) or (1,)
        Intercepts; those of three or more classes sum to 0.

    Examples
    --------
    >>> import numpy as np
    >>> coefficients(np.array([[2.0, 1.0]]), np.array([True, False, True]), fit_intercept=True)
    (array([[-1.], [ 0.], [ 1.]]), array([-0.5, -inf,  0.5]))
    """
    n_features = W.shape[1] - fit_intercept
    if not active.all() or len(active) > 2:
        W = _one_row_per_class(W, int(active.sum()))
    coef, intercept = W[:, :n_features], W[:, n_features:].sum(axis=1)
    if active.all():
        return coef, intercept
    full_coef = np.zeros((len(active), n_features))
    full_intercept = np.full(len(active), -np.inf)
    full_coef[active], full_intercept[active] = coef, intercept
    if len(active) == 2:  # one logit: the class with all the mass is certain
        return full_coef[1:], full_intercept[1:] - full_intercept[:1]
    return full_coef, full_intercept


def _one_row_per_class(W: FloatArray, n_active: int) -> FloatArray:
    """Return one row for each active class, with intercepts that sum to 0."""
    if n_active == 1:
        return np.zeros((1, W.shape[1]))
    if n_active == 2:
        return np.concatenate([-W / 2, W / 2])  # the log-odds are the difference
    # probabilities do not change with a constant added to all scores, which no penalty determines
    centred = W.copy()
    centred[:, -1] -= W[:, -1].mean()
    return centred


def solver_weights(
    coef: FloatArray, intercept: FloatArray, active: BoolArray, fit_intercept: bool
) -> FloatArray | None:
    """Return the flat weights of earlier coefficients, for a warm start.

    Parameters
    ----------
    coef, intercept : ndarray
        As :func:`coefficients` returned them.
    active : ndarray of bool of shape (n_classes,)
        Whether each class has target mass in the new problem.
    fit_intercept : bool
        Whether the solver has an intercept.

    Returns
    -------
    ndarray of shape (n_weights,) or None
        None if an active class had no mass in the earlier fit.
    """
    W = np.column_stack([coef, intercept]) if fit_intercept else np.asarray(coef)
    if len(active) > 2:
        W = W[active]
        if len(W) == 2:  # two active classes have one logit
            W = W[1:] - W[:1]
    # a class without mass in the earlier fit has intercept -inf, from which no solver can start
    return W.ravel().astype(np.float64) if np.isfinite(W).all() else None
