"""Munge: synthetic samples near the data, without a model of its density."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from sklearn_distill._typing import FloatArray
from sklearn_distill.augmentation._encoded_table import EncodedTable, decode_table, encode_table

_LARGEST = np.finfo(np.float64).max


def munge(
    X: ArrayLike,
    n_samples: int,
    *,
    p: float = 0.5,
    s: float = 1.0,
    categorical_features: Any = None,
    random_state: Any = None,
) -> Any:
    r"""Make synthetic samples between each row and its nearest neighbour.

    For a row e with nearest neighbour e' ≠ e, each feature a is changed with probability p,

    .. math::

        e_a \sim N(e'_a,\ σ_a), \quad σ_a = |e_a - e'_a| / s \quad \text{(continuous)}, \qquad
        e_a ← e'_a \quad \text{(categorical)},

    with σ the standard deviation. The distance is Euclidean over the continuous features, divided
    by their standard deviations, and :math:`\sqrt 2` for each categorical feature that differs,
    as between one-hot columns. Only e is updated (the paper exchanges the categories of e and e',
    too). Each row of X is used as e equally often, up to one time.

    Continuous features may be missing (NaN, null). The distance ignores a feature that is missing
    in either row, and scales the squares of the others up in proportion, as
    :func:`~sklearn.metrics.pairwise.nan_euclidean_distances` does. A feature that is missing in e
    or e' is copied from e, so the new rows have entries missing as often, and in the same
    combinations, as those of X. Of a categorical feature, missing is a category.

    Distances and normal values are computed in float64, in which rows that differ beyond 2**53 only
    are copies of each other. An entry that is not drawn anew is copied
    exactly, also an integer beyond 2**53; drawn ones are rounded there, and kept within the range
    of their type.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_features)
        The data, numeric or categorical, some of it missing; dense.
    n_samples : int
        Number of new rows, at least 1.
    p : float, default=0.5
        Probability in [0, 1] of changing a feature.
    s : float, default=1.0
        Local variance parameter in (0, inf]; larger values stay nearer to e'.
    categorical_features : array-like of bool, int or str, or None, default=None
        Mask, positions or, for a DataFrame, column names. None takes the columns that are not
        numeric: strings, categories, booleans, objects.
    random_state : int, RandomState instance or None, default=None
        Seed or generator of the random choices.

    Returns
    -------
    ndarray or DataFrame of shape (n_samples, n_features)
        New rows without labels, which a teacher can label; in the container of X (numpy, pandas,
        polars) and the types of its columns; integers are rounded.

    Raises
    ------
    TypeError
        If X is sparse.
    ValueError
        If a parameter is out of its range, X has fewer than two different rows, or a continuous
        feature has a value that is infinite or no number.

    References
    ----------
    Buciluǎ, Caruana and Niculescu-Mizil 2006, "Model compression" (KDD), Algorithm 1 (MUNGE).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.augmentation import munge
    >>> X = np.array([[0.0, 1.0], [1.0, 1.0], [9.0, 2.0], [8.0, 2.0]])
    >>> munge(X, 4, p=1.0, s=np.inf, random_state=0)
    array([[8., 2.],
           [9., 2.],
           [0., 1.],
           [1., 1.]])
    """
    _check_parameters(n_samples, p, s)
    table = encode_table(X, categorical_features)
    neighbor = _nearest_different_row(table)
    random = check_random_state(random_state)
    e = _every_row_equally_often(len(neighbor), n_samples, random)
    original, near = table.values[e], table.values[neighbor[e]]
    changed = random.random_sample(original.shape) < p
    with np.errstate(over="ignore"):  # the values are kept within the range of their type
        difference = np.minimum(np.abs(original - near), _LARGEST)
        changed &= ~np.isnan(difference)  # missing in either row
        deviation = np.minimum(np.where(changed, difference, 0.0) / s, _LARGEST)
        values = np.where(changed, random.normal(near, deviation), original)
    source = np.where(changed, neighbor[e][:, None], e[:, None])
    return decode_table(table, values, source, deviation == 0, X)


def _check_parameters(n_samples: int, p: float, s: float) -> None:
    if not isinstance(n_samples, Integral) or n_samples < 1:
        raise ValueError(f"n_samples must be an integer of at least 1, got {n_samples!r}")
    if not 0 <= p <= 1:
        raise ValueError(f"p must be a probability in [0, 1], got {p}")
    if not s > 0:
        raise ValueError(f"s must be greater than 0, got {s}")


def _every_row_equally_often(
    n_rows: int, n_samples: int, random: np.random.RandomState
) -> NDArray[np.intp]:
    rounds = -(-n_samples // n_rows)
    return np.concatenate([random.permutation(n_rows) for _ in range(rounds)])[:n_samples]


def _nearest_different_row(table: EncodedTable) -> NDArray[np.intp]:
    """Return e' for each row; copies of a row get the same one."""
    # NaN differs from itself, so two rows with NaN would never be copies
    missing = np.isnan(table.values)
    comparable = np.column_stack([np.where(missing, 0.0, table.values), missing])
    _, first, which = np.unique(comparable, axis=0, return_index=True, return_inverse=True)
    if len(first) < 2:
        raise ValueError(
            f"X has {len(table.values)} row(s), of which {len(first)} different: munge moves a row "
            "towards its nearest different neighbour and needs two"
        )
    # on distinct rows only, so that the neighbour of a row is never its copy
    metric = "nan_euclidean" if missing.any() else "euclidean"
    from sklearn.neighbors import NearestNeighbors  # slow to import

    search = NearestNeighbors(n_neighbors=1, metric=metric).fit(_coordinates(table)[first])
    nearest = search.kneighbors(return_distance=False)[
        :, 0
    ]  # without X, a row is not its own neighbour
    return np.asarray(first[nearest[which.ravel()]])


def _coordinates(table: EncodedTable) -> FloatArray:
    """Return standardised continuous features and one-hot categorical ones."""
    continuous = table.values[:, ~table.categorical]
    # the squares of numbers beyond 1e154 are not finite, and those below 1e-162 are 0
    largest = np.nanmax(np.abs(continuous), axis=0, initial=0.0)
    continuous = continuous / np.where(largest > 0, largest, 1.0)
    # not nanmean, which warns of a column without any value
    n_present = np.maximum((~np.isnan(continuous)).sum(axis=0), 1)
    continuous = continuous - np.nansum(continuous, axis=0) / n_present
    scale = np.sqrt(np.nansum(continuous**2, axis=0) / n_present)
    scale[scale == 0] = 1.0
    one_hot = [codes[:, None] == np.unique(codes) for codes in table.values.T[table.categorical]]
    return np.column_stack([continuous / scale, *one_hot])
