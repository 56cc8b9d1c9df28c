"""The operations on chunks of rows that local and Dask chunks have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Reducible(Protocol):
    """Chunks of which only a total is asked."""

    def map_reduce(
        self,
        function: Callable[..., Any],
        *args: Any,
        combine: Callable[[Any, Any], Any] | None = None,
    ) -> Any:
        """Return ``function(value, *args)`` of all chunks, combined in order; None adds them."""


class Chunks(Reducible, Protocol):
    """One value for each of consecutive chunks of rows: an array, or a result computed from it.

    The implementations only map and reduce. The computations are functions of the caller, and so
    the same for local files and for a cluster.
    """

    n_chunks: int

    def map(self, function: Callable[..., Any], *others: Chunks) -> Chunks:
        """Return ``function(value, *other_values)`` of each chunk, evaluated lazily."""

    def with_values(self, values: Sequence[Any]) -> Chunks:
        """Return chunks with the given values, one for each chunk of these."""

    def persist(self) -> Chunks:
        """Return chunks whose values are computed once, as far as memory allows."""

    def map_to_list(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Return ``function(value, *args)`` of each chunk, in their order."""


def add(left: Any, right: Any) -> Any:
    """Return the sum of numbers or arrays, or the elementwise sums of tuples of them.

    Parameters
    ----------
    left, right : number, ndarray or tuple of them
        Summands with the same structure.

    Returns
    -------
    number, ndarray or tuple
        The sum, with the structure of the summands.

    Examples
    --------
    >>> add((1.0, 2), (3.0, 4))
    (4.0, 6)
    """
    if isinstance(left, tuple):
        return tuple(add(a, b) for a, b in zip(left, right, strict=True))
    return left + right
