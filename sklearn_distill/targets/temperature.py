"""Soften a teacher's logits by a temperature."""

import numpy as np

from sklearn_distill._typing import FloatArray


def soften(logits: FloatArray, temperature: float) -> FloatArray:
    r"""Return the softened probabilities :math:`q = \mathrm{softmax}(v/T)`.

    Parameters
    ----------
    logits : ndarray of shape (n_classes, n_rows)
        Teacher logits v, class-major; ``-inf`` is a probability of exactly zero. Every column
        needs one finite entry.
    temperature : float
        T > 0. Above 1 it flattens the probabilities, below 1 it sharpens them.

    Returns
    -------
    ndarray of shape (n_classes, n_rows)
        Probabilities; each column sums to 1.

    References
    ----------
    Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network", eq. (1).

    Examples
    --------
    >>> import numpy as np
    >>> soften(np.log([[0.9], [0.1]]), temperature=2.0).round(3)
    array([[0.75],
           [0.25]])
    """
    # Subtract the maximum before the division: v/T itself overflows for a large v and a tiny T.
    q: FloatArray = logits - logits.max(axis=0)
    q /= temperature
    np.exp(q, out=q)
    q /= q.sum(axis=0)
    return q


def soften_derivative(logits: FloatArray, temperature: float) -> FloatArray:
    r"""Return :math:`\partial q/\partial T = -J(q)\,v/T^2` with :math:`J(q)x = q∘x - q(q·x)`.

    Parameters
    ----------
    logits : ndarray of shape (n_classes, n_rows)
        Teacher logits v, class-major; ``-inf`` contributes nothing (q_k v_k := 0 where q_k = 0).
    temperature : float
        Temperature T > 0 at which the derivative is taken.

    Returns
    -------
    ndarray of shape (n_classes, n_rows)
        Derivatives; each column sums to 0.

    Examples
    --------
    >>> import numpy as np
    >>> soften_derivative(np.array([[0.0], [1.0]]), temperature=1.0).round(3)
    array([[ 0.197],
           [-0.197]])
    """
    q = soften(logits, temperature)
    # J(q) ignores a shift of v: with max v = 0 large logits do not cancel. Where q = 0, v may be
    # -inf, and 0 · (-inf) would be NaN.
    shifted = np.where(q > 0, logits - logits.max(axis=0), 0.0)
    qv = q * shifted
    derivative: FloatArray = (q * qv.sum(axis=0) - qv) / temperature**2
    return derivative
