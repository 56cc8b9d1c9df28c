"""Trust in a teacher, row by row: its share beside a label, and the weight of a row without one."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray


def imitation_shares(
    imitation: float, trust: FloatArray | None
) -> tuple[FloatArray | float, FloatArray | float]:
    r"""Return the share of the prediction beside a label, and its derivative in λ.

    .. math::

        λ_i = \min(1, λ \bar w_i), \qquad
        \frac{\partial λ_i}{\partial λ} = \bar w_i\,1[λ \bar w_i < 1].

    Where :math:`\bar w_i` is at most 1, λ = 1 is the end of the range of λ and not a kink: there
    the derivative is the one from the left.

    Parameters
    ----------
    imitation : float
        λ in [0, 1].
    trust : ndarray of shape (n_rows,) or None
        Mean weights :math:`\bar w_i` of the teachers; None for 1.

    Returns
    -------
    share : ndarray of shape (n_rows,) or float
        The shares; λ without weights.
    derivative : ndarray of shape (n_rows,) or float
        Their derivatives in λ; 1 without weights.

    Examples
    --------
    >>> import numpy as np
    >>> imitation_shares(0.5, np.array([0.5, 1.0, 4.0]))
    (array([0.25, 0.5 , 1.  ]), array([0.5, 1. , 0. ]))
    """
    if trust is None:
        return imitation, 1.0
    share = imitation * trust
    is_linear = (share < 1) | (trust <= 1)
    return np.minimum(share, 1.0), np.where(is_linear, trust, 0.0)


def trusted_weights(
    sample_weight: FloatArray, labelled: BoolArray, trust: FloatArray | None
) -> FloatArray:
    r"""Return the sample weights; of rows without a label times :math:`\min(1, \bar w_i)`.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,)
        Nonnegative weights of the samples.
    labelled : ndarray of bool of shape (n_rows,)
        Rows with a label.
    trust : ndarray of shape (n_rows,) or None
        Mean weights :math:`\bar w_i` of the teachers; None for 1.

    Returns
    -------
    ndarray of shape (n_rows,)
        The weights; `sample_weight` itself if the teachers have none.

    Examples
    --------
    >>> trusted_weights(np.ones(3), np.array([True, False, False]), np.array([0.5, 0.5, 4.0]))
    array([1. , 0.5, 1. ])
    """
    if trust is None:
        return sample_weight
    return np.where(labelled, sample_weight, sample_weight * np.minimum(trust, 1.0))
