"""Generate a linear regression with better measurements that exist in training only."""

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch, check_random_state, check_scalar

from sklearn_distill.datasets._options import check_coefficients


def make_privileged_regression(
    n_samples: int = 100,
    n_features: int = 10,
    *,
    noise: float = 1.0,
    privileged_noise: float = 0.1,
    n_privileged: int = 1,
    coef: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    r"""Generate a linear regression with privileged, less noisy measurements of the target.

    .. math::
        w \sim N(0, I_d), \quad X_{ij} \sim N(0, 1), \quad
        y_i = \langle w, x_i \rangle + \sigma \varepsilon_i, \quad
        x^*_{ij} = \langle w, x_i \rangle + \sigma_s \varepsilon^*_{ij},
        \quad j = 1 \dots m

    with independent standard normal errors. The mean s of the m privileged columns is the
    teacher's prediction, of error variance :math:`\sigma_s^2 / m`; the best combination weighs
    y and s by their inverse variances.

    Parameters
    ----------
    n_samples : int, default=100
        Number of rows, at least 1.
    n_features : int, default=10
        Number of regular columns d, at least 1.
    noise : float, default=1.0
        Standard deviation σ ≥ 0 of the target's error, in units of y.
    privileged_noise : float, default=0.1
        Standard deviation σ_s ≥ 0 of a privileged measurement's error, in units of y.
    n_privileged : int, default=1
        Number m of privileged columns, at least 1.
    coef : array-like of shape (n_features,) or None, default=None
        The w. Drawn if None; else used unchanged, and its length overrides `n_features`. So a test
        set of the same problem is the same call with ``coef=train.coef`` and another
        `random_state`.
    random_state : int, RandomState or None, default=None
        Seed or generator of the random draws.

    Returns
    -------
    Bunch
        With the entries

        data : ndarray of shape (n_samples, n_features)
            Regular features X.
        privileged : ndarray of shape (n_samples, n_privileged)
            Privileged features x*.
        target : ndarray of shape (n_samples,)
            Targets y.
        expected_target : ndarray of shape (n_samples,)
            Xw, the mean of y given x.
        coef : ndarray of shape (n_features,)
            Coefficients w.

    Raises
    ------
    ValueError
        If a number is out of its range or `coef` is not a finite vector.

    References
    ----------
    Grabovoy and Strijov 2022, "Probabilistic interpretation of the distillation problem",
    Theorem 2 (the model; σ and σ_s are the standard deviations of its two likelihoods).
    Lopez-Paz, Bottou, Schölkopf and Vapnik 2016, "Unifying distillation and privileged
    information", ICLR, arXiv 1511.03643.

    Examples
    --------
    >>> from sklearn_distill.datasets import make_privileged_regression
    >>> train = make_privileged_regression(20, noise=2.0, random_state=0)
    >>> test = make_privileged_regression(500, coef=train.coef, random_state=1)
    >>> train.data.shape, train.privileged.shape, test.data.shape
    ((20, 10), (20, 1), (500, 10))
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_privileged, "n_privileged", Integral, min_val=1)
    check_scalar(noise, "noise", Real, min_val=0)
    check_scalar(privileged_noise, "privileged_noise", Real, min_val=0)
    rng = check_random_state(random_state)
    w = _coefficients(coef, n_features, rng)
    X = rng.standard_normal((n_samples, w.size))
    expected = X @ w
    return Bunch(
        data=X,
        privileged=_measure(expected, privileged_noise, n_privileged, rng),
        target=_measure(expected, noise, 1, rng)[:, 0],
        expected_target=expected,
        coef=w,
    )


def _coefficients(
    coef: ArrayLike | None, n_features: int, rng: np.random.RandomState
) -> NDArray[np.float64]:
    if coef is None:
        check_scalar(n_features, "n_features", Integral, min_val=1)
        return rng.standard_normal(n_features)
    return check_coefficients(coef)


def _measure(
    expected: NDArray[np.float64], noise: float, times: int, rng: np.random.RandomState
) -> NDArray[np.float64]:
    return expected[:, np.newaxis] + noise * rng.standard_normal((expected.size, times))
