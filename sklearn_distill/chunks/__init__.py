"""Data in blocks of rows: who holds a block computes with it, results are added up."""

from sklearn_distill.chunks.chunks import Chunks, add
from sklearn_distill.chunks.local import LocalChunks

__all__ = [
    "Chunks",
    "LocalChunks",
    "add",
]
