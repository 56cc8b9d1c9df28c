"""Type aliases: what users pass, and the arrays of the mathematical subpackages."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike as ArrayLike
from numpy.typing import NDArray
from scipy import sparse

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]
BoolArray: TypeAlias = NDArray[np.bool_]
RowIndexer: TypeAlias = slice | NDArray[np.integer[Any]]

# What users pass. Frames of pandas and polars, lists, memory maps, Dask arrays and torch tensors
# all convert to arrays, as ArrayLike asks; sparse matrices do not.
MatrixLike: TypeAlias = ArrayLike | sparse.spmatrix | sparse.sparray  # X, (n_samples, n_features)
TargetLike: TypeAlias = ArrayLike | Sequence[Any] | None  # y; a list may hold None, a missing label
TeacherLike: TypeAlias = ArrayLike | None  # probabilities, logits, predictions or embeddings

# X after its check: an ndarray, a CSR or CSC matrix, a frame, a torch tensor or a Dask array. Only
# its shape, indexing by rows and products are used, which no common base class declares.
CheckedX: TypeAlias = Any
