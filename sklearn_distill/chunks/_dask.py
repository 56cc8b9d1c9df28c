"""Chunks of rows in Dask: on threads of this machine, or on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial, reduce
from itertools import islice
from typing import Any
from uuid import uuid4

import dask.config
from dask.base import compute, persist
from dask.delayed import delayed
from dask.utils import funcname

from sklearn_distill.chunks.chunks import Chunks, add

# this many results are combined on a worker, so that few of them travel to this machine
FAN_IN = 8
# Dask warns where a graph of more bytes holds data, and says to scatter them. Values that are given
# to the chunks stay in the graph: scattered, they would be lost with a worker.
WARN_OF_NO_GRAPH = {"distributed.admin.large-graph-warning-threshold": 2**62}


class _Chunk:
    """A function of some Delayed objects, that is to be called in one task.

    With a task for each function that is mapped, a worker would take up the next chunks before it
    has finished the first, and hold several at a time.
    """

    def __init__(self, function: Callable[..., Any], leaves: Sequence[Any], name: str) -> None:
        self.function = function
        self.leaves = leaves
        self.name = name

    @classmethod
    def of(cls, function: Callable[..., Any], inputs: Sequence[_Chunk]) -> _Chunk:
        """Return the call of a function with what others evaluate to."""
        parts = [(chunk.function, len(chunk.leaves)) for chunk in inputs]
        leaves = [leaf for chunk in inputs for leaf in chunk.leaves]
        return cls(partial(_call, function, parts), leaves, funcname(function))

    def delayed(self) -> Any:
        """Return the call as a task with a random key: a hash would read all arrays."""
        # by the name of the function, Dask estimates the duration of a task
        key = f"{self.name}-{uuid4().hex}"
        return delayed(self.function, pure=False)(*self.leaves, dask_key_name=key)


class DaskChunks:
    """Chunks as Delayed objects: functions run on the worker that holds the chunk.

    All functions that are mapped to a chunk run in one task. If a worker is lost, Dask recomputes
    its values. Results are always combined in the same order, so that rounding does not depend on
    the worker that computed them.

    Parameters
    ----------
    values : sequence of Delayed, or of calls that are to be one
        One for each chunk.
    sends_values : bool, default=False
        Whether they hold values that were given to the chunks, and are sent in each pass.

    Examples
    --------
    >>> from dask import delayed
    >>> chunks = DaskChunks([delayed([1, 2]), delayed([3])])
    >>> chunks.map(len).map_reduce(float)
    3.0
    """

    def __init__(self, values: Sequence[Any], *, sends_values: bool = False) -> None:
        self._chunks = [_as_chunk(value) for value in values]
        self.n_chunks = len(self._chunks)
        self._sends_values = sends_values

    def map(self, function: Callable[..., Any], *others: Chunks) -> DaskChunks:
        """Return ``function(value, *other_values)`` of each chunk, evaluated lazily."""
        mapped = [self, *(_as_dask(other) for other in others)]
        zipped = zip(*(chunks._chunks for chunks in mapped), strict=True)
        sends_values = any(chunks._sends_values for chunks in mapped)
        calls = [_Chunk.of(function, inputs) for inputs in zipped]
        return DaskChunks(calls, sends_values=sends_values)

    def with_values(self, values: Sequence[Any]) -> DaskChunks:
        """Return chunks with the given values."""
        return DaskChunks([delayed(value, pure=False) for value in values], sends_values=True)

    def persist(self) -> DaskChunks:
        """Return chunks whose values are computed once and stay on their workers."""
        with self._warnings():
            return DaskChunks(persist(*(chunk.delayed() for chunk in self._chunks)))

    def map_reduce(
        self,
        function: Callable[..., Any],
        *args: Any,
        combine: Callable[[Any, Any], Any] | None = None,
    ) -> Any:
        """Return ``function(value, *args)`` of all chunks, combined in order; None adds them."""
        results = self._calls(function, args)
        merge = delayed(_reduce, pure=False)
        # a tree of fixed shape, so that the order of the sum does not depend on the workers
        while len(results) > 1:
            groups = [results[i : i + FAN_IN] for i in range(0, len(results), FAN_IN)]
            results = [merge(combine or add, group) for group in groups]
        with self._warnings():
            return results[0].compute()

    def map_to_list(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Return ``function(value, *args)`` of each chunk, in their order."""
        with self._warnings():
            return list(compute(*self._calls(function, args)))

    def _warnings(self) -> AbstractContextManager[Any]:
        """Let Dask warn of large graphs, unless it is of values that were given to the chunks."""
        return dask.config.set(WARN_OF_NO_GRAPH) if self._sends_values else nullcontext()

    def _calls(self, function: Callable[..., Any], args: tuple[Any, ...]) -> list[Any]:
        # the arguments are in the graph once, not once for each chunk
        shared = [_as_chunk(delayed(arg, pure=False)) for arg in args]
        return [_Chunk.of(function, [chunk, *shared]).delayed() for chunk in self._chunks]


def _as_chunk(value: Any) -> _Chunk:
    return value if isinstance(value, _Chunk) else _Chunk(_identity, [value], "value")


def _identity(value: Any) -> Any:
    return value


def _call(
    function: Callable[..., Any], parts: Sequence[tuple[Callable[..., Any], int]], *leaves: Any
) -> Any:
    """Call a function with the value of each part, which takes so many of the leaves."""
    rest = iter(leaves)
    return function(*(part(*islice(rest, n)) for part, n in parts))


def _reduce(combine: Callable[[Any, Any], Any], results: Sequence[Any]) -> Any:
    return reduce(combine, results)


def _as_dask(chunks: Chunks) -> DaskChunks:
    if not isinstance(chunks, DaskChunks):
        raise TypeError(
            f"cannot combine DaskChunks with {type(chunks).__name__}: pass chunks of one class"
        )
    return chunks
