"""Principal axes of a representation before its encoder, and the mean of several codes."""

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill._typing import FloatArray


def principal_axes(representation: FloatArray, n_principal: int, seed: int) -> Pipeline:
    """Fit the standardisation of a representation and its projection onto principal axes.

    Parameters
    ----------
    representation : ndarray of shape (n_rows, width)
        A model's representation; rows of NaN are left out.
    n_principal : int
        Number of axes to keep; fewer where the representation has fewer rows or columns.
    seed : int
        Seed of the randomised solver that scikit-learn uses for wide representations.

    Returns
    -------
    Pipeline
        StandardScaler and PCA, fitted.
    """
    from sklearn.decomposition import PCA  # slow to import

    available = representation[~np.isnan(representation[:, 0])]
    pca = PCA(min(n_principal, *available.shape), random_state=seed)
    return make_pipeline(StandardScaler(), pca).fit(available)


def mean_code(codes: FloatArray) -> FloatArray:
    """Return the mean of the available codes of each row, rescaled to length 1.

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
    available = ~np.isnan(codes[:, :, 0])
    # the sum: its length is divided out, so the number of codes does not matter
    total = np.where(available[:, :, None], codes, 0.0).sum(axis=1)
    # opposite codes sum to 0, which has no direction: 1e-12 makes that 0 instead of 0/0
    length = np.sqrt((total**2).sum(axis=1, keepdims=True) + 1e-12)
    return np.where(available.any(axis=1, keepdims=True), total / length, np.nan)
