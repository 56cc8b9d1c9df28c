"""What stands before and after the encoders: principal axes, and the mean of codes."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill._typing import FloatArray


def principal_axes(rows: FloatArray, n_principal: int, seed: int) -> Pipeline:
    """Learn to standardise a representation and to turn it onto its principal axes.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, width)
        The representation; rows of NaN are left out.
    n_principal : int
        Axes to keep, as far as there are so many.
    seed : int
        Of the randomised solver that scikit-learn takes for wide representations.

    Returns
    -------
    Pipeline
        StandardScaler and PCA, fitted.
    """
    known = rows[~np.isnan(rows[:, 0])]
    pca = PCA(min(n_principal, *known.shape), random_state=seed)
    return make_pipeline(StandardScaler(), pca).fit(known)


def mean_code(codes: FloatArray) -> FloatArray:
    """Return the mean of the codes that are there, of length 1 again.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_teachers, n_components)
        Codes, NaN where a teacher has none.

    Returns
    -------
    ndarray of shape (n_rows, n_components)
        Codes; NaN where no teacher has one.

    Examples
    --------
    >>> mean_code(np.array([[[1.0, 0.0], [0.0, 1.0]], [[np.nan, np.nan], [0.0, 1.0]]])).round(3)
    array([[0.707, 0.707],
           [0.   , 1.   ]])
    """
    known = ~np.isnan(codes[:, :, 0])
    total = np.where(known[:, :, None], codes, 0.0).sum(axis=1)
    length = np.sqrt((total**2).sum(axis=1, keepdims=True) + 1e-12)
    heard = known.any(axis=1, keepdims=True)
    return np.where(heard, total / length, np.nan)
