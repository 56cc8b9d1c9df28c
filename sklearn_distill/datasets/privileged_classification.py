"""Generate a binary problem with columns that exist in training only."""

from numbers import Integral, Real
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr
from sklearn.utils import Bunch, check_random_state, check_scalar

from sklearn_distill.datasets._options import check_choice, check_coefficients

Kind: TypeAlias = Literal["clean_labels", "clean_features", "relevant_features"]


def make_privileged_classification(
    n_samples: int = 200,
    n_features: int = 50,
    *,
    kind: Kind = "clean_labels",
    noise: float = 1.0,
    n_relevant: int = 3,
    coef: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    r"""Generate a binary problem with privileged columns, as Lopez-Paz et al. do.

    With :math:`\alpha \sim N(0, I_d)`, :math:`z_i \sim N(0, I_d)`, noise of standard deviation
    σ, and x regular, x* privileged:

    - "clean_labels": :math:`x = z,\; x^* = \langle\alpha, z\rangle,\;
      y = [x^* + \sigma\varepsilon > 0]`. Distillation helps.
    - "clean_features": :math:`x = z + \sigma\varepsilon,\; x^* = z,\;
      y = [\langle\alpha, z\rangle > 0]`. It hardly can: x* has no information about how y depends
      on x.
    - "relevant_features": :math:`x = z,\; x^* = z_J,\;
      y = [\langle\alpha_J, x^*\rangle + \sigma\varepsilon > 0]`, J random and the same for all
      rows, α zero elsewhere. Distillation selects the features.

    The probabilities given the privileged and given the regular columns are, with
    :math:`m = \langle\alpha, z\rangle` and τ = σ (τ = 0 for "clean_features", where
    :math:`\Phi(m/0) = [m > 0]`),

    .. math::
        P(y=1 \mid x^*) = \Phi(m / \tau), \qquad
        P(y=1 \mid x) = \Phi\!\left(\frac{\langle\alpha, x\rangle}
        {\|\alpha\|\,\sigma\sqrt{1 + \sigma^2}}\right)

    the latter for "clean_features"; for the other kinds it equals the former.

    Parameters
    ----------
    n_samples : int, default=200
        Number of rows, at least 1.
    n_features : int, default=50
        Number of regular columns d, at least 1.
    kind : {"clean_labels", "clean_features", "relevant_features"}, default="clean_labels"
        What the privileged columns are.
    noise : float, default=1.0
        Standard deviation σ ≥ 0. The paper has 1, and 0 for "relevant_features".
    n_relevant : int, default=3
        Size of J, 1..n_features; only for "relevant_features".
    coef : array-like of shape (n_features,) or None, default=None
        The α. Drawn if None; else used unchanged, and its length overrides `n_features`, and J is
        where it is not zero. So a test set of the same problem is the same call with
        ``coef=train.coef`` and another `random_state`.
    random_state : int, RandomState or None, default=None
        Seed or generator of the random draws.

    Returns
    -------
    Bunch
        With the entries

        data : ndarray of shape (n_samples, n_features)
            Regular features x.
        privileged : ndarray of shape (n_samples, n_privileged)
            x*; 1, n_features or n_relevant columns.
        target : ndarray of shape (n_samples,)
            y, int64, 0 or 1.
        teacher_proba : ndarray of shape (n_samples, 2)
            True probabilities given x*.
        student_proba : ndarray of shape (n_samples, 2)
            True probabilities given x: the best that a student can do.
        coef : ndarray of shape (n_features,)
            Coefficients α.

    Raises
    ------
    ValueError
        If a number is out of its range, `kind` is unknown, or `coef` is not a finite vector.

    References
    ----------
    Lopez-Paz, Bottou, Schölkopf and Vapnik 2016, "Unifying distillation and privileged
    information", ICLR, arXiv 1511.03643, "Numerical simulations", experiments 1 to 3
    (n_samples=200, n_features=50).

    Examples
    --------
    >>> from sklearn_distill.datasets import make_privileged_classification
    >>> train = make_privileged_classification(kind="relevant_features", random_state=0)
    >>> test = make_privileged_classification(
    ...     1000, kind="relevant_features", coef=train.coef, random_state=1
    ... )
    >>> test.data.shape, test.privileged.shape
    ((1000, 50), (1000, 3))
    """
    check_choice("kind", kind, ("clean_labels", "clean_features", "relevant_features"))
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(noise, "noise", Real, min_val=0)
    rng = check_random_state(random_state)
    alpha = _coefficients(
        coef, n_features, n_relevant if kind == "relevant_features" else None, rng
    )
    tau, sigma = (0.0, noise) if kind == "clean_features" else (noise, 0.0)
    z = rng.standard_normal((n_samples, alpha.size))
    X = z + sigma * rng.standard_normal(z.shape)
    margin = z @ alpha
    y = margin + tau * rng.standard_normal(n_samples) > 0
    privileged = {
        "clean_labels": margin[:, np.newaxis],
        "clean_features": z,
        "relevant_features": z[:, alpha != 0],
    }
    # given x, z is normal with mean x / (1 + sigma²) and variance sigma² / (1 + sigma²)
    spread = np.hypot(tau, np.linalg.norm(alpha) * sigma / np.sqrt(1 + sigma**2))
    return Bunch(
        data=X,
        privileged=privileged[kind],
        target=y.astype(np.int64),
        teacher_proba=_probabilities(margin, tau),
        student_proba=_probabilities(X @ alpha / (1 + sigma**2), spread),
        coef=alpha,
    )


def _coefficients(
    coef: ArrayLike | None, n_features: int, n_relevant: int | None, rng: np.random.RandomState
) -> NDArray[np.float64]:
    """Return the given coefficients, or draw them, all but `n_relevant` of them zero."""
    if coef is not None:
        return check_coefficients(coef)
    check_scalar(n_features, "n_features", Integral, min_val=1)
    alpha = rng.standard_normal(n_features)
    if n_relevant is not None:
        check_scalar(n_relevant, "n_relevant", Integral, min_val=1, max_val=n_features)
        alpha[rng.permutation(n_features)[n_relevant:]] = 0.0
    return alpha


def _probabilities(margin: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """Return P(margin + spread ε ≤ 0) and P(margin + spread ε > 0)."""
    if spread == 0:
        positive = (margin > 0).astype(np.float64)
        return np.column_stack([1 - positive, positive])
    return np.column_stack([ndtr(-margin / spread), ndtr(margin / spread)])
