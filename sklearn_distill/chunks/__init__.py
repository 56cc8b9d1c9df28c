"""Data in chunks of rows: computed chunk by chunk, where the chunks are, and then combined."""

from sklearn_distill.chunks.chunks import Chunks, Reducible, add
from sklearn_distill.chunks.local import LocalChunks

__all__ = [
    "Chunks",
    "LocalChunks",
    "Reducible",
    "add",
]
