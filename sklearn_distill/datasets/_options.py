"""Check the arguments that fetchers and generators share."""

from collections.abc import Collection
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

Subset: TypeAlias = Literal["train", "test", "all"]


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raise a ValueError unless the argument called `name` is one of the choices."""
    if value not in choices:
        allowed = ", ".join(map(repr, choices))
        raise ValueError(f"{name} must be one of {allowed}; got {value!r}.")


def splits_of(subset: str) -> tuple[str, ...]:
    """Return the splits that a subset consists of, in their order.

    Examples
    --------
    >>> splits_of("all")
    ('train', 'test')
    """
    check_choice("subset", subset, ("train", "test", "all"))
    return ("train", "test") if subset == "all" else (subset,)


def check_coefficients(coef: ArrayLike) -> NDArray[np.float64]:
    """Return `coef` as a finite vector, or raise a ValueError that names it.

    Examples
    --------
    >>> check_coefficients([1, 2])
    array([1., 2.])
    """
    w: NDArray[np.float64] = check_array(coef, dtype=np.float64, ensure_2d=False, input_name="coef")
    if w.ndim != 1:
        raise ValueError(f"coef must have shape (n_features,); got shape {w.shape}.")
    return w
