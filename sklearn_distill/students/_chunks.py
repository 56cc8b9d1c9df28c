"""X and what belongs to its rows, cut into blocks: Dask arrays, and large memory maps."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import IntArray
from sklearn_distill.chunks import Chunks, LocalChunks

if TYPE_CHECKING:
    from sklearn_distill.chunks._dask import DaskChunks

# a memory map of so many bytes is read block by block; a smaller one is an array like others
LARGE = 2**28
# a block of a memory map; what is made of its rows is in memory at the same time
CHUNK_BYTES = 2**26

X_CHECKS: dict[str, Any] = {"accept_sparse": ["csr", "csc"], "dtype": [np.float64, np.float32]}


@dataclass(frozen=True)
class FitArgs:
    """What comes with the rows of a block.

    Parameters
    ----------
    start : int
        Number of the block's first row.
    n_rows : int
        Number of its rows.
    given : dict
        The rows' part of each argument of ``fit``, by name.
    """

    start: int
    n_rows: int
    given: Mapping[str, Any]

    @contextmanager
    def located(self) -> Iterator[None]:
        """Say in an error of these rows where they lie."""
        try:
            yield
        except ValueError as error:
            if self.start == 0:
                raise
            raise ValueError(f"{error} (rows counted from row {self.start} of X)") from error


@dataclass(frozen=True)
class ChunkedData:
    """Rows in blocks.

    Parameters
    ----------
    features : Blocks of ndarray or sparse matrix
        X, unchecked.
    answers : Blocks of Answers
        The rest.
    n_rows : ndarray of int of shape (n_blocks,)
        Rows of each block.
    n_features : int
        Number of features.
    """

    features: Chunks
    answers: Chunks
    n_rows: IntArray
    n_features: int


def is_dask(X: Any) -> bool:
    """Tell whether X is a Dask array, without importing Dask."""
    module = type(X).__module__
    if module.startswith("dask") and not module.startswith("dask.array"):
        raise TypeError(
            f"X is a {type(X).__name__} of Dask: pass an array with known lengths, "
            "X.to_dask_array(lengths=True)"
        )
    return module.startswith("dask.array")


def is_chunked(X: Any) -> bool:
    """Tell whether X is to be read block by block."""
    return is_dask(X) or (isinstance(X, np.memmap) and X.nbytes >= LARGE)


def chunk_data(X: Any, **given: Any) -> ChunkedData:
    """Cut X and what is given with it into blocks.

    Parameters
    ----------
    X : dask array or memmap of shape (n_rows, n_features)
        Features.
    **given : array-like, DataFrame, number or None
        What else ``fit`` got, by the argument's name.

    Returns
    -------
    Table
        Nothing of it is read yet.

    Raises
    ------
    ValueError
        If X has not two dimensions or no known length, or lengths differ.
    """
    _check_shape(X)
    given = {name: _as_rows(name, value, X) for name, value in given.items()}
    sizes = _sizes(X)
    starts = np.cumsum(sizes) - sizes
    features = _features(X, starts, sizes)
    parts = {name: _parts(value, starts, sizes) for name, value in given.items()}
    answers = [
        (int(start), int(size), {name: part[i] for name, part in parts.items()})
        for i, (start, size) in enumerate(zip(starts, sizes, strict=True))
    ]
    return ChunkedData(features, _of_answers(features, answers), sizes, X.shape[1])


def checked_features(X: Any) -> Any:
    """Return a block of X in float32 or float64; an error names X."""
    return check_array(X, input_name="X", **X_CHECKS)


def as_features(X: Any) -> Any:
    """Return a block that was checked before in float32 or float64."""
    return X if X.dtype in X_CHECKS["dtype"] else X.astype(np.float64)


def float_dtype(X: Any) -> np.dtype[Any]:
    """Return the precision in which X is read: its own, or float64."""
    return X.dtype if X.dtype in X_CHECKS["dtype"] else np.dtype(np.float64)


def _check_shape(X: Any) -> None:
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got X with shape {X.shape}: give rows and columns")
    if np.isnan(X.shape[0]):
        raise ValueError("X has blocks of unknown length: call X.compute_chunk_sizes() first")
    if not X.shape[0]:
        raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while 1 is required")


def _as_rows(name: str, value: Any, X: Any) -> Any:
    """Return what has rows as something that can be sliced; a number and None as they are."""
    if value is None or np.isscalar(value):
        return value
    value = value if hasattr(value, "shape") else np.asarray(value)
    if value.shape[:1] != X.shape[:1]:
        raise ValueError(
            f"{name} has shape {value.shape}, X has {X.shape[0]} rows: give one entry for each row"
        )
    if is_dask(value) and not is_dask(X):
        raise TypeError(f"{name} is a Dask array and X a {type(X).__name__}: give both alike")
    return value


def _sizes(X: Any) -> IntArray:
    if is_dask(X):
        return np.array([size for size in X.chunks[0] if size])
    step = max(1, CHUNK_BYTES // max(1, X.shape[1] * X.itemsize))
    starts = np.arange(0, X.shape[0], step)
    return np.diff(np.append(starts, X.shape[0]))


def _features(X: Any, starts: IntArray, sizes: IntArray) -> LocalChunks | DaskChunks:
    if not is_dask(X):
        return LocalChunks([partial(X.__getitem__, slice(*ends)) for ends in _ends(starts, sizes)])
    from sklearn_distill.chunks._dask import DaskChunks

    return DaskChunks(_parts(X, starts, sizes))


def _of_answers(features: LocalChunks | DaskChunks, answers: list[tuple[Any, ...]]) -> Chunks:
    """Return the answers where the features are."""
    if isinstance(features, LocalChunks):
        return features.beside([FitArgs(*parts) for parts in answers])
    from dask import delayed

    call = delayed(FitArgs, pure=False)
    return type(features)([call(*parts) for parts in answers])


def _parts(value: Any, starts: IntArray, sizes: IntArray) -> list[Any]:
    """Return the part of each block; of Dask's arrays delayed, of others a view."""
    if value is None or np.isscalar(value):
        return [value] * len(sizes)
    if is_dask(value):
        chunks = (tuple(int(size) for size in sizes), *([-1] * (value.ndim - 1)))
        return list(value.rechunk(chunks).to_delayed().ravel())
    rows = value.iloc if hasattr(value, "iloc") else value
    return [rows[slice(*ends)] for ends in _ends(starts, sizes)]


def _ends(starts: IntArray, sizes: IntArray) -> list[tuple[int, int]]:
    return [(int(s), int(s + n)) for s, n in zip(starts, sizes, strict=True)]


def map_chunks(predict: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method answer a Dask array by one, block by block and when it is computed.

    Parameters
    ----------
    predict : callable
        A method of a fitted estimator; for one array it returns one, or a tuple of them.

    Returns
    -------
    callable
        The method.
    """

    @functools.wraps(predict)
    def mapped(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_dask(X):
            return predict(self, X, *args, **kwargs)
        check_is_fitted(self)
        answer = partial(_answer, predict, self, args, kwargs)
        example = answer(np.zeros((1, X.shape[1]), X.dtype))
        if isinstance(example, tuple):
            parts = enumerate(example)
            return tuple(_map(X, partial(answer, place=i), part) for i, part in parts)
        return _map(X, answer, example)

    return mapped


def _answer(
    predict: Callable[..., Any],
    estimator: Any,
    args: Any,
    kwargs: Any,
    X: Any,
    place: int | None = None,
) -> Any:
    answer = predict(estimator, X, *args, **kwargs)
    return answer if place is None else answer[place]


def _map(X: Any, answer: Callable[..., Any], example: Any) -> Any:
    X = X.rechunk({1: -1})
    if example.ndim == 1:
        return X.map_blocks(answer, dtype=example.dtype, drop_axis=1, meta=example[:0])
    chunks = (X.chunks[0], example.shape[1:])
    return X.map_blocks(answer, dtype=example.dtype, chunks=chunks, meta=example[:0])
