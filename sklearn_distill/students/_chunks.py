"""X and the other arguments of ``fit`` in chunks of rows: Dask arrays, and large memory maps."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import CheckedX, IntArray, MatrixLike
from sklearn_distill._validation.masks import refuse_mask
from sklearn_distill.chunks import Chunks, LocalChunks
from sklearn_distill.losses import ChunkedDesign

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from sklearn_distill.chunks._dask import DaskChunks

P = ParamSpec("P")
R = TypeVar("R")

# a memory map of this many bytes is read in chunks; a smaller one is treated as any other array
MIN_CHUNKED_BYTES = 2**28
# bytes of a chunk of a memory map; arrays of the same order, derived from it, come on top
CHUNK_BYTES = 2**26

X_CHECKS: dict[str, Any] = {"accept_sparse": ["csr", "csc"], "dtype": [np.float64, np.float32]}


@dataclass(frozen=True)
class FitArgs:
    """The other arguments of ``fit``, for the rows of one chunk of X.

    Parameters
    ----------
    start : int
        Row number of the chunk's first row in X.
    n_rows : int
        Number of rows of the chunk.
    y, sample_weight, teacher_proba, teacher_logits, teacher_prediction : array-like, number or None
        Rows of the argument with this name. A number stands for all rows.
    teacher_std, teacher_weight : array-like or None
        Rows of the argument with this name.
    """

    start: int
    n_rows: int
    y: Any = None
    sample_weight: Any = None
    teacher_proba: Any = None
    teacher_logits: Any = None
    teacher_prediction: Any = None
    teacher_std: Any = None
    teacher_weight: Any = None

    @contextmanager
    def locate_errors(self) -> Iterator[None]:
        """Add to the message of an error where the chunk's rows begin in X."""
        try:
            yield
        except ValueError as error:
            if self.start == 0:
                raise
            raise ValueError(f"{error} (rows counted from row {self.start} of X)") from error


@dataclass(frozen=True)
class ChunkedData:
    """The arguments of ``fit`` in chunks of rows.

    Parameters
    ----------
    features : Chunks of ndarray or sparse matrix
        The rows of X, not yet validated.
    fit_args : Chunks of FitArgs
        The same rows of the other arguments.
    chunk_sizes : ndarray of int of shape (n_chunks,)
        Number of rows of each chunk.
    n_features : int
        Number of columns of X.
    dtype : dtype
        Precision in which X is read, float32 or float64.
    """

    features: Chunks
    fit_args: Chunks
    chunk_sizes: IntArray
    n_features: int
    dtype: np.dtype[Any]


def is_dask(X: object) -> bool:
    """Return whether X is a Dask array, without importing Dask."""
    module = type(X).__module__
    if module.startswith("dask") and not module.startswith("dask.array"):
        raise TypeError(
            f"X is a {type(X).__name__} of Dask: pass an array with known lengths, "
            "X.to_dask_array(lengths=True)"
        )
    return module.startswith("dask.array")


def is_chunked(X: object) -> bool:
    """Return whether X is read chunk by chunk."""
    return is_dask(X) or (isinstance(X, np.memmap) and X.nbytes >= MIN_CHUNKED_BYTES)


def chunk_data(
    X: CheckedX,
    y: Any,
    sample_weight: Any,
    *,
    teacher_proba: Any = None,
    teacher_logits: Any = None,
    teacher_prediction: Any = None,
    teacher_std: Any = None,
    teacher_weight: Any = None,
) -> ChunkedData:
    """Split the arguments of ``fit`` into chunks of rows.

    Parameters
    ----------
    X : dask array or memmap of shape (n_rows, n_features)
        Features; the rows of a dask array are split as its chunks are.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), or None
        Labels; None if all are missing.
    sample_weight : array-like of shape (n_rows,), number or None
        Sample weights; a number is the weight of each row.
    teacher_proba, teacher_logits, teacher_prediction : array-like or DataFrame of n_rows, or None
        The teacher's predictions, in the form that the argument's name states.
    teacher_std : array-like of shape (n_rows,) or None
        Standard deviations of the teacher's predictions.
    teacher_weight : array-like of shape (n_rows,) or (n_rows, n_teachers), or None
        Weights of the teacher's predictions.

    Returns
    -------
    ChunkedData
        Lazy chunks; no data is read yet.

    Raises
    ------
    ValueError
        If X is not two-dimensional, its length is not known, or lengths differ.
    """
    _check_shape(X)
    fit_args = {
        "y": y,
        "sample_weight": sample_weight,
        "teacher_proba": teacher_proba,
        "teacher_logits": teacher_logits,
        "teacher_prediction": teacher_prediction,
        "teacher_std": teacher_std,
        "teacher_weight": teacher_weight,
    }
    sizes = _chunk_sizes(X)
    starts = np.cumsum(sizes) - sizes
    split = {
        name: _split_rows(_check_rows(name, value, X), starts, sizes)
        for name, value in fit_args.items()
    }
    features = _chunk_features(X, starts, sizes)
    chunks = [
        (int(start), int(size), *(parts[i] for parts in split.values()))
        for i, (start, size) in enumerate(zip(starts, sizes, strict=True))
    ]
    chunked_args = _chunk_fit_args(features, chunks)
    return ChunkedData(features, chunked_args, sizes, X.shape[1], float_dtype(X))


def chunked_design(X: CheckedX, fit_intercept: bool) -> ChunkedDesign:
    """Check each chunk of X, and return the design of the chunks.

    Parameters
    ----------
    X : dask array or memmap of shape (n_rows, n_features)
        Features, which are read once.
    fit_intercept : bool
        Whether a column of ones is appended to the features.

    Returns
    -------
    ChunkedDesign
        The design, whose passes read X chunk by chunk.

    Raises
    ------
    ValueError
        If X has entries that are not finite or cannot be read as numbers.
    """
    data = chunk_data(X, None, None)
    data.features.map(_check_chunk, data.fit_args).map_to_list(int)
    return ChunkedDesign(
        data.features.map(as_float), data.chunk_sizes, data.n_features, fit_intercept, data.dtype
    )


def _check_chunk(X: CheckedX, args: FitArgs) -> int:
    with args.locate_errors():
        return int(check_features(X).shape[0])


def to_memory(value: Any) -> Any:
    """Return the values of a Dask array, and anything else as it is."""
    return value.compute() if value is not None and is_dask(value) else value


def check_features(X: CheckedX) -> CheckedX:
    """Return a validated chunk of X in float32 or float64; an error names X."""
    refuse_mask("X", X)
    return check_array(X, input_name="X", **X_CHECKS)


def as_float(X: CheckedX) -> CheckedX:
    """Return a chunk that was validated in an earlier pass, in float32 or float64."""
    return X if X.dtype in X_CHECKS["dtype"] else X.astype(np.float64)


def float_dtype(X: CheckedX) -> np.dtype[Any]:
    """Return the dtype in which X is read: its own float32 or float64, else float64."""
    return X.dtype if X.dtype in X_CHECKS["dtype"] else np.dtype(np.float64)


def _check_shape(X: CheckedX) -> None:
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got X with shape {X.shape}: pass rows and columns")
    if np.isnan(X.shape[0]):
        raise ValueError("X has chunks of unknown length: call X.compute_chunk_sizes() first")
    if not X.shape[0]:
        raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while 1 is required")


def _check_rows(name: str, value: Any, X: CheckedX) -> Any:
    """Return an argument that can be sliced by row; a number and None as they are."""
    if value is None or np.isscalar(value):
        return value
    value = value if hasattr(value, "shape") else np.asarray(value)
    if bool(sparse.issparse(value)):  # scipy's type guard would narrow the type
        value = value.tocsr()  # other formats have no rows
    if is_dask(value) and np.isnan(value.shape[0]):
        raise ValueError(f"{name} has chunks of unknown length: call compute_chunk_sizes() first")
    if value.shape[:1] != X.shape[:1]:
        raise ValueError(
            f"{name} has shape {value.shape}, X has {X.shape[0]} rows: pass one entry for each row"
        )
    if is_dask(value) and not is_dask(X):
        raise TypeError(
            f"{name} is a Dask array and X a {type(X).__name__}: pass both as Dask arrays, or "
            "neither"
        )
    return value


def _chunk_sizes(X: CheckedX) -> IntArray:
    if is_dask(X):
        return np.array([size for size in X.chunks[0] if size])  # check_array rejects empty chunks
    # at least one row, even if a row is larger than a chunk
    step = max(1, CHUNK_BYTES // max(1, X.shape[1] * X.itemsize))
    starts = np.arange(0, X.shape[0], step)
    return np.diff(np.append(starts, X.shape[0]))


def _chunk_features(X: CheckedX, starts: IntArray, sizes: IntArray) -> LocalChunks | DaskChunks:
    if not is_dask(X):
        bounds = _bounds(starts, sizes)
        return LocalChunks([partial(X.__getitem__, slice(*ends)) for ends in bounds])
    from sklearn_distill.chunks._dask import DaskChunks

    return DaskChunks(_split_rows(X, starts, sizes))


def _chunk_fit_args(
    features: LocalChunks | DaskChunks, chunks: list[tuple[int, int, *tuple[Any, ...]]]
) -> Chunks:
    """Return the other arguments as chunks of the same class as the features."""
    # map() pairs only chunks of one class
    if isinstance(features, LocalChunks):
        return features.with_values([FitArgs(*args) for args in chunks])
    from dask.delayed import delayed

    call = delayed(FitArgs, pure=False)
    return type(features)([call(*args) for args in chunks])


def _split_rows(value: Any, starts: IntArray, sizes: IntArray) -> list[Any]:
    """Return the rows of each chunk: delayed for a Dask array, else a view."""
    if value is None or np.isscalar(value):
        return [value] * len(sizes)
    if is_dask(value):
        # chunk boundaries of X, with all columns of a row in one chunk
        chunks = (tuple(int(size) for size in sizes), *([-1] * (value.ndim - 1)))
        return list(value.rechunk(chunks).to_delayed().ravel())
    rows = value.iloc if hasattr(value, "iloc") else value
    return [rows[slice(*ends)] for ends in _bounds(starts, sizes)]


def _bounds(starts: IntArray, sizes: IntArray) -> list[tuple[int, int]]:
    return [(int(s), int(s + n)) for s, n in zip(starts, sizes, strict=True)]


def map_chunks(predict: Callable[P, R]) -> Callable[P, R]:
    """Let a prediction method map a Dask array lazily, chunk by chunk.

    Parameters
    ----------
    predict : callable
        A method of a fitted estimator that returns an array, or a tuple of arrays, for an array.

    Returns
    -------
    callable
        The method, which returns a Dask array, or a tuple of them, for a Dask array.
    """
    method: Callable[..., R] = predict

    @functools.wraps(predict)
    def mapped(self: BaseEstimator, X: MatrixLike, *args: Any, **kwargs: Any) -> R:
        if not is_dask(X):
            return method(self, X, *args, **kwargs)
        check_is_fitted(self)
        predict_chunk = partial(_predict_chunk, method, self, args, kwargs)
        return cast("R", _map_lazily(X, predict_chunk))

    return cast("Callable[P, R]", mapped)


def _predict_chunk(
    predict: Callable[..., Any],
    estimator: BaseEstimator,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    X: CheckedX,
    output: int | None = None,
) -> Any:
    """Return the prediction for a chunk; of a tuple of arrays, the one with number ``output``."""
    if not X.shape[0]:  # a filter may leave no row of a chunk, which scikit-learn's check refuses
        row = np.zeros((1, X.shape[1]), X.dtype)
        return _predict_chunk(predict, estimator, args, kwargs, row, output)[:0]
    predictions = predict(estimator, X, *args, **kwargs)
    return predictions if output is None else predictions[output]


def _map_lazily(X: CheckedX, predict_chunk: Callable[..., Any]) -> Any:
    # Dask needs dtype and shape of the predictions before it computes any: predict one row
    example = predict_chunk(np.zeros((1, X.shape[1]), X.dtype))
    X = X.rechunk({1: -1})  # a chunk needs all features of its rows
    if not isinstance(example, tuple):
        return _map_blocks(X, predict_chunk, example)
    return tuple(
        _map_blocks(X, partial(predict_chunk, output=i), array) for i, array in enumerate(example)
    )


def _map_blocks(X: CheckedX, predict_chunk: Callable[..., Any], example: Any) -> Any:
    if example.ndim == 1:
        return X.map_blocks(predict_chunk, dtype=example.dtype, drop_axis=1, meta=example[:0])
    chunks = (X.chunks[0], example.shape[1:])
    return X.map_blocks(predict_chunk, dtype=example.dtype, chunks=chunks, meta=example[:0])
