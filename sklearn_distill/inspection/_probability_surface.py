"""A class's probability for one row, over λ and T."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from sklearn_distill._typing import FloatArray


def probability_surface(
    student: Any,
    X: Any,
    y: Any,
    *,
    row: ArrayLike,
    label: Any,
    imitation: ArrayLike,
    temperature: ArrayLike,
    fit_params: dict[str, Any] | None = None,
) -> FloatArray:
    """Fit a student at each point of a grid and ask it about one row.

    Parameters
    ----------
    student : estimator
        Cloned for each fit.
    X, y : array-like
        Training rows and labels.
    row : array-like of shape (n_features,)
        The row.
    label : int, str or other
        The class.
    imitation : array-like of shape (n_imitation,)
        λ.
    temperature : array-like of shape (n_temperature,)
        T.
    fit_params : dict, default=None
        The teacher's answers and the like.

    Returns
    -------
    ndarray of shape (n_imitation, n_temperature)
        Probabilities.

    Raises
    ------
    ValueError
        If no student knows the class.
    """
    asked = np.asarray(row)[None]

    def probability(lam: float, T: float) -> float:
        fitted = clone(student).set_params(imitation=lam, temperature=T)
        fitted.fit(X, y, **(fit_params or {}))
        known = np.flatnonzero(fitted.classes_ == label)
        if not len(known):
            raise ValueError(f"label={label!r} is none of the classes {fitted.classes_.tolist()}")
        return float(fitted.predict_proba(asked)[0, known[0]])

    temperatures = np.ravel(temperature).tolist()
    return np.array(
        [[probability(lam, T) for T in temperatures] for lam in np.ravel(imitation).tolist()]
    )
