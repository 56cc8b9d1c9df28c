"""Blocks of rows that Dask holds: on threads of this machine, or on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from dask import compute, delayed, persist

from sklearn_distill.chunks.chunks import Chunks, add

# results of so many blocks are combined where they are before they travel on
FAN_IN = 8


class DaskChunks:
    """Blocks as delayed things: what is asked of them is computed where they are.

    Whatever is lost with a worker is made again by Dask from what it was made of. Results are
    always combined in the same order, so that a total does not depend on who computed what.

    Parameters
    ----------
    things : sequence of Delayed
        One for each block.

    Examples
    --------
    >>> from dask import delayed
    >>> blocks = DaskChunks([delayed([1, 2]), delayed([3])])
    >>> blocks.map(len).total(float)
    3.0
    """

    def __init__(self, things: Sequence[Any]) -> None:
        self.things = list(things)
        self.n_blocks = len(self.things)

    def map(self, function: Callable[..., Any], *others: Chunks) -> DaskChunks:
        """Return function of each block's thing and the others', made when it is needed."""
        call = delayed(function, pure=False)
        rows = zip(self.things, *(_dask(other).things for other in others), strict=True)
        return DaskChunks([call(*things) for things in rows])

    def beside(self, things: Sequence[Any]) -> DaskChunks:
        """Return blocks of the given things."""
        return DaskChunks([delayed(thing, pure=False) for thing in things])

    def kept(self) -> DaskChunks:
        """Return blocks whose things are made once and stay where they were made."""
        return DaskChunks(persist(*self.things))

    def total(
        self,
        function: Callable[..., Any],
        *args: Any,
        combine: Callable[[Any, Any], Any] | None = None,
    ) -> Any:
        """Return function of all blocks, combined in their order."""
        parts = self._calls(function, args)
        merge = delayed(_combined, pure=False)
        while len(parts) > 1:
            groups = [parts[i : i + FAN_IN] for i in range(0, len(parts), FAN_IN)]
            parts = [merge(combine or add, group) for group in groups]
        return parts[0].compute()

    def each(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Return function of each block, in their order."""
        return list(compute(*self._calls(function, args)))

    def _calls(self, function: Callable[..., Any], args: tuple[Any, ...]) -> list[Any]:
        call = delayed(function, pure=False)
        shared = [delayed(arg, pure=False) for arg in args]  # once in the graph, not once a block
        return [call(thing, *shared) for thing in self.things]


def _combined(combine: Callable[[Any, Any], Any], parts: Sequence[Any]) -> Any:
    return reduce(combine, parts)


def _dask(blocks: Chunks) -> DaskChunks:
    if not isinstance(blocks, DaskChunks):
        raise TypeError(f"blocks of two engines: {type(blocks).__name__} beside DaskChunks")
    return blocks
