"""Generate labels together with the probabilities they were drawn from."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.utils import Bunch, check_array, check_random_state, check_scalar


def make_teacher_probabilities(
    n_samples: int = 1000,
    n_features: int = 10,
    n_classes: int = 3,
    *,
    coef: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    r"""Generate a classification problem whose true class probabilities are known.

    .. math::
        W_{jk} \sim N(0, 1), \quad X_{ij} \sim N(0, 1), \quad
        S = \mathrm{softmax}(X W), \quad y_i \sim \mathrm{Cat}(S_i).

    S is the perfect teacher: no model predicts y better.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows, at least 1.
    n_features : int, default=10
        Number of columns d, at least 1.
    n_classes : int, default=3
        Number of classes K, at least 2.
    coef : array-like of shape (n_features, n_classes) or None, default=None
        W. Drawn if None; else used unchanged, and its shape overrides `n_features` and
        `n_classes`. So a test set of the same problem is
        ``make_teacher_probabilities(coef=train.coef, random_state=1)``.
    random_state : int, RandomState or None, default=None
        Seed or generator of the random draws.

    Returns
    -------
    Bunch
        With the entries

        data : ndarray of shape (n_samples, n_features)
            Features X.
        target : ndarray of shape (n_samples,)
            Class labels y from 0 to K − 1, int64.
        teacher_proba : ndarray of shape (n_samples, n_classes)
            S; rows sum to 1.
        coef : ndarray of shape (n_features, n_classes)
            Coefficients W.

    Raises
    ------
    ValueError
        If a number is too small or `coef` is not a finite matrix of at least two columns.

    References
    ----------
    Grabovoy and Strijov 2022, "Probabilistic interpretation of the distillation problem", the
    synthetic experiment (n_samples=1000, n_features=10, n_classes=3).

    Examples
    --------
    >>> from sklearn_distill.datasets import make_teacher_probabilities
    >>> train = make_teacher_probabilities(1000, random_state=0)
    >>> test = make_teacher_probabilities(100, coef=train.coef, random_state=1)
    >>> train.teacher_proba[:2].round(2)
    array([[0.21, 0.79, 0.  ],
           [0.  , 0.01, 0.99]])
    >>> test.data.shape
    (100, 10)
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    rng = check_random_state(random_state)
    W = _coefficients(coef, n_features, n_classes, rng)
    X = rng.standard_normal((n_samples, len(W)))
    S = softmax(X @ W, axis=1)
    return Bunch(data=X, target=_draw_classes(S, rng), teacher_proba=S, coef=W)


def _coefficients(
    coef: ArrayLike | None, n_features: int, n_classes: int, rng: np.random.RandomState
) -> NDArray[np.float64]:
    if coef is None:
        check_scalar(n_features, "n_features", Integral, min_val=1)
        check_scalar(n_classes, "n_classes", Integral, min_val=2)
        return rng.standard_normal((n_features, n_classes))
    W: NDArray[np.float64] = check_array(coef, dtype=np.float64, input_name="coef")
    if W.shape[1] < 2:
        raise ValueError(f"coef must have one column a class, two or more; got shape {W.shape}.")
    return W


def _draw_classes(S: NDArray[np.float64], rng: np.random.RandomState) -> NDArray[np.int64]:
    """Draw one class a row by inverting the cumulative distribution."""
    # the last threshold would be 1 up to rounding: without it no draw falls off the end
    thresholds = S.cumsum(axis=1)[:, :-1]
    u = rng.random_sample((len(S), 1))
    drawn: NDArray[np.int64] = (u >= thresholds).sum(axis=1, dtype=np.int64)
    return drawn
