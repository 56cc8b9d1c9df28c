"""The objective of linear students with its derivatives, and the loss that boosting minimises."""

from sklearn_distill.losses.chunk_sums import ChunkSums
from sklearn_distill.losses.chunked_design import ChunkedDesign, DesignChunkSums, make_sums
from sklearn_distill.losses.column_objective import ColumnObjective
from sklearn_distill.losses.design import DenseDesign, Design, SparseDesign, as_design
from sklearn_distill.losses.lockstep import LockstepObjective
from sklearn_distill.losses.log_partition import OneLogitLogPartition, SoftmaxLogPartition
from sklearn_distill.losses.objective import SoftTargetObjective
from sklearn_distill.losses.probabilities import log_probabilities, probabilities
from sklearn_distill.losses.row_space import RowSpace
from sklearn_distill.losses.row_sums import RowSums
from sklearn_distill.losses.score_derivatives import ScoreLoss
from sklearn_distill.losses.small_objective import SmallObjective
from sklearn_distill.losses.tensor_design import TensorDesign

__all__ = [
    "ChunkSums",
    "ChunkedDesign",
    "ColumnObjective",
    "DenseDesign",
    "Design",
    "DesignChunkSums",
    "LockstepObjective",
    "OneLogitLogPartition",
    "RowSpace",
    "RowSums",
    "ScoreLoss",
    "SmallObjective",
    "SoftTargetObjective",
    "SoftmaxLogPartition",
    "SparseDesign",
    "TensorDesign",
    "as_design",
    "log_probabilities",
    "make_sums",
    "probabilities",
]
