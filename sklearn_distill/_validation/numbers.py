"""Arrays that must hold numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array


def check_numbers(
    name: str, values: Any, *, allow_nan: bool = False, ensure_min_samples: int = 1
) -> NDArray[np.float64]:
    """Return numbers, one or a row of them a sample, as float64.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    values : array-like
        The numbers.
    allow_nan : bool, default=False
        Whether some may be NaN.
    ensure_min_samples : int, default=1
        Smallest number of rows.

    Returns
    -------
    ndarray
        The numbers.

    Raises
    ------
    ValueError
        If they are none, are infinite, or NaN where that means nothing; the message has the name.

    Examples
    --------
    >>> check_numbers("y", [1, 2])
    array([1., 2.])
    >>> check_numbers("y", ["one"])
    Traceback (most recent call last):
    ValueError: y must be an array of numbers: could not convert string to float: ...
    """
    try:
        checked = check_array(
            values,
            ensure_2d=False,
            ensure_min_samples=ensure_min_samples,
            dtype=np.float64,
            ensure_all_finite="allow-nan" if allow_nan else True,
            input_name=name,
        )
    except (TypeError, ValueError) as error:
        if name in str(error):
            raise
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    return np.asarray(checked, dtype=np.float64)
