"""Read the options that the fetchers share."""

from collections.abc import Collection
from typing import Literal, TypeAlias

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
