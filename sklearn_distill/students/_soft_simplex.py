"""The nearest probabilities to numbers that need not be any."""

import numpy as np

from sklearn_distill._typing import FloatArray


def project_on_simplex(v: FloatArray) -> FloatArray:
    r"""Project each row onto the probability simplex.

    .. math:: \mathrm{argmin}_{p ≥ 0,\ \sum_k p_k = 1} \|p - v\|^2 = \max(v - θ, 0),

    with :math:`θ = (\sum_{j≤ρ} μ_j - 1)/ρ`, μ the entries of v in descending order and ρ the
    largest j with :math:`μ_j - (\sum_{r≤j} μ_r - 1)/j > 0`. It keeps the order of the entries, and
    the largest alone stays the largest alone.

    Parameters
    ----------
    v : ndarray of shape (n_rows, n_classes)
        Finite numbers.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Probabilities.

    References
    ----------
    Duchi, Shalev-Shwartz, Singer and Chandra 2008, "Efficient projections onto the l1-ball for
    learning in high dimensions", Figure 1 and Lemma 2 (ICML).

    Examples
    --------
    >>> import numpy as np
    >>> project_on_simplex(np.array([[0.75, 0.5, -1.0]]))
    array([[0.625, 0.375, 0.   ]])
    """
    v = v - v.max(axis=1, keepdims=True)  # the answer is the same, the sums lose no digits
    mu = -np.sort(-v, axis=1)
    j = np.arange(1, v.shape[1] + 1)
    theta = (mu.cumsum(axis=1) - 1) / j
    rho = (mu > theta).sum(axis=1)  # true for the first ρ entries and for no later one
    p: FloatArray = np.maximum(v - theta[np.arange(len(v)), rho - 1, None], 0)
    return p
