"""Chunks of rows on this machine, one at a time in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

from sklearn_distill.chunks.chunks import Chunks, add

# persisted values may take this much memory; those of the remaining chunks are computed each time
PERSIST_BYTES = 2**28


class LocalChunks:
    """Chunks that are computed one after the other, so that only one is in memory at a time.

    Parameters
    ----------
    factories : sequence of callable
        One for each chunk; called without arguments, it returns the chunk's value.

    Examples
    --------
    >>> chunks = LocalChunks([lambda: [1, 2], lambda: [3]])
    >>> chunks.map(len).map_reduce(float)
    3.0
    """

    def __init__(self, factories: Sequence[Callable[[], Any]]) -> None:
        self.factories = list(factories)
        self.n_chunks = len(self.factories)

    def map(self, function: Callable[..., Any], *others: Chunks) -> LocalChunks:
        """Return ``function(value, *other_values)`` of each chunk, evaluated lazily."""
        zipped = zip(self.factories, *(_as_local(other).factories for other in others), strict=True)
        return LocalChunks([partial(_call, function, factories) for factories in zipped])

    def with_values(self, values: Sequence[Any]) -> LocalChunks:
        """Return chunks with the given values."""
        return LocalChunks([partial(_identity, value) for value in values])

    def persist(self) -> LocalChunks:
        """Return chunks of which the first, up to ``PERSIST_BYTES``, are computed only once.

        The size of a value is its attribute ``nbytes``.
        """
        # a fixed set: each pass reads the chunks in order, so a cache of recent ones never hits
        limit = _MemoryLimit(PERSIST_BYTES)
        return LocalChunks([_Persisted(factory, limit) for factory in self.factories])

    def map_reduce(
        self,
        function: Callable[..., Any],
        *args: Any,
        combine: Callable[[Any, Any], Any] | None = None,
    ) -> Any:
        """Return ``function(value, *args)`` of all chunks, combined in order; None adds them."""
        return reduce(combine or add, (function(factory(), *args) for factory in self.factories))

    def map_to_list(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Return ``function(value, *args)`` of each chunk, in their order."""
        return [function(factory(), *args) for factory in self.factories]


class _MemoryLimit:
    """The memory that the chunks of one ``persist`` share."""

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes_left = n_bytes

    def reserve(self, n_bytes: int) -> bool:
        """Return whether so much memory was left; it is then reserved."""
        if n_bytes > self.n_bytes_left:
            return False
        self.n_bytes_left -= n_bytes
        return True


class _Persisted:
    """A factory that keeps its value if the memory limit allows it."""

    def __init__(self, factory: Callable[[], Any], limit: _MemoryLimit) -> None:
        self.factory = factory
        self.limit = limit
        self.value: Any = None

    def __call__(self) -> Any:
        if self.value is not None:  # no chunk has the value None
            return self.value
        value = self.factory()
        if self.limit.reserve(value.nbytes):
            self.value = value
        return value


def _identity(value: Any) -> Any:
    return value


def _call(function: Callable[..., Any], factories: Sequence[Callable[[], Any]]) -> Any:
    return function(*(factory() for factory in factories))


def _as_local(chunks: Chunks) -> LocalChunks:
    if not isinstance(chunks, LocalChunks):
        raise TypeError(
            f"cannot combine LocalChunks with {type(chunks).__name__}: pass chunks of one class"
        )
    return chunks
