"""Blocks of rows on this machine, one at a time in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

from sklearn_distill.chunks.chunks import Chunks, add

# kept things may take so much memory; those of further blocks are made anew each time
ROOM = 2**28


class LocalChunks:
    """Blocks that are made one after the other, so that one at a time is in memory.

    Parameters
    ----------
    makers : sequence of callable
        One for each block; it makes the block's thing.

    Examples
    --------
    >>> blocks = LocalChunks([lambda: [1, 2], lambda: [3]])
    >>> blocks.map(len).total(float)
    3.0
    """

    def __init__(self, makers: Sequence[Callable[[], Any]]) -> None:
        self.makers = list(makers)
        self.n_blocks = len(self.makers)

    def map(self, function: Callable[..., Any], *others: Chunks) -> LocalChunks:
        """Return function of each block's thing and the others', made when it is needed."""
        rows = zip(self.makers, *(_local(other).makers for other in others), strict=True)
        return LocalChunks([partial(_call, function, makers) for makers in rows])

    def beside(self, things: Sequence[Any]) -> LocalChunks:
        """Return blocks of the given things."""
        return LocalChunks([partial(_itself, thing) for thing in things])

    def kept(self) -> LocalChunks:
        """Return blocks whose things are made once, the first of them, as many as ``ROOM`` holds.

        A thing says how large it is by ``nbytes``.
        """
        room = _Room(ROOM)
        return LocalChunks([_Kept(make, room) for make in self.makers])

    def total(
        self,
        function: Callable[..., Any],
        *args: Any,
        combine: Callable[[Any, Any], Any] | None = None,
    ) -> Any:
        """Return function of all blocks, combined in their order."""
        return reduce(combine or add, (function(make(), *args) for make in self.makers))

    def each(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Return function of each block, in their order."""
        return [function(make(), *args) for make in self.makers]


class _Room:
    """How many bytes may still be kept."""

    def __init__(self, n_bytes: int) -> None:
        self.left = n_bytes

    def takes(self, n_bytes: int) -> bool:
        if n_bytes > self.left:
            return False
        self.left -= n_bytes
        return True


class _Kept:
    """A maker that keeps what it made if there is room."""

    def __init__(self, make: Callable[[], Any], room: _Room) -> None:
        self.make = make
        self.room = room
        self.thing: Any = None

    def __call__(self) -> Any:
        if self.thing is not None:
            return self.thing
        thing = self.make()
        if self.room.takes(thing.nbytes):
            self.thing = thing
        return thing


def _itself(thing: Any) -> Any:
    return thing


def _call(function: Callable[..., Any], makers: Sequence[Callable[[], Any]]) -> Any:
    return function(*(make() for make in makers))


def _local(blocks: Chunks) -> LocalChunks:
    if not isinstance(blocks, LocalChunks):
        raise TypeError(f"blocks of two engines: {type(blocks).__name__} beside LocalChunks")
    return blocks
