"""What a computation over blocks of rows may ask of whoever holds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Chunks(Protocol):
    """Things that belong to consecutive blocks of rows: arrays, or what was made of them.

    An engine only maps and reduces: what is computed is the caller's, for every engine the same.
    """

    n_blocks: int

    def map(self, function: Callable[..., Any], *others: Chunks) -> Chunks:
        """Return the function of each block's thing and the others', made when it is needed."""

    def beside(self, things: Sequence[Any]) -> Chunks:
        """Return blocks of the given things, one for each block of these."""

    def kept(self) -> Chunks:
        """Return blocks whose things are made once, as far as there is room for them."""

    def total(
        self,
        function: Callable[..., Any],
        *args: Any,
        combine: Callable[[Any, Any], Any] | None = None,
    ) -> Any:
        """Return ``function(thing, *args)`` of all blocks, combined in order; added if None."""

    def each(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Return ``function(thing, *args)`` of each block, in their order."""


def add(one: Any, other: Any) -> Any:
    """Return the sum of numbers or arrays, or of tuples of them place by place.

    Parameters
    ----------
    one, other : number, ndarray or tuple of them
        Both of one structure.

    Returns
    -------
    number, ndarray or tuple
        Of the same structure.

    Examples
    --------
    >>> add((1.0, 2), (3.0, 4))
    (4.0, 6)
    """
    if isinstance(one, tuple):
        return tuple(add(a, b) for a, b in zip(one, other, strict=True))
    return one + other
