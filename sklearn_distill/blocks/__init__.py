"""Data in blocks of rows: who holds a block computes with it, results are added up."""

from sklearn_distill.blocks.blocks import Blocks, add
from sklearn_distill.blocks.local import LocalBlocks

__all__ = ["Blocks", "LocalBlocks", "add"]
