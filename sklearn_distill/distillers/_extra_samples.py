"""Samples for which only the teacher has targets: unlabelled ones, and synthetic ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_distill._typing import CheckedX, IntArray
from sklearn_distill._validation.indexing import as_samples, take_rows
from sklearn_distill.augmentation import munge


@dataclass(frozen=True)
class Augmentation:
    """How synthetic samples are generated, and how many.

    Parameters
    ----------
    generate : callable
        ``generate(X, n, random_state=seed)`` returns n samples similar to those of X.
    n_samples : int
        Number of samples to generate from all rows of X; proportionally fewer from some of them.
    seed : int
        Seed of each call.
    """

    generate: Callable[..., Any]
    n_samples: int
    seed: int

    def generate_from(self, X: CheckedX, fraction: float) -> CheckedX:
        """Generate samples from X, which has that fraction of the rows of fit's X."""
        n_samples = max(1, round(fraction * self.n_samples))
        samples = as_samples(self.generate(X, n_samples, random_state=self.seed))
        check_same_kind(X, samples, "what augmentation returned")
        if samples.shape[0] != n_samples:
            raise ValueError(
                f"augmentation returned {samples.shape[0]} rows, but {n_samples} were requested: "
                "return as many rows as its second argument, n"
            )
        return samples


def read_augmentation(augmentation: Any, n_augmented: int, seed: int) -> Augmentation | None:
    """Return how to generate synthetic samples; None for no synthetic samples."""
    if augmentation is None and n_augmented == 0:
        return None
    if augmentation is None:
        raise ValueError(
            f"n_augmented={n_augmented} needs an augmentation, which is None: set "
            "augmentation='munge' or a callable, or n_augmented=0"
        )
    if n_augmented == 0:
        raise ValueError(
            f"augmentation={augmentation!r} needs n_augmented, which is 0: set the number of "
            "synthetic samples, or augmentation=None"
        )
    return Augmentation(munge if augmentation == "munge" else augmentation, n_augmented, seed)


@dataclass(frozen=True)
class ExtraSamples:
    """Unlabelled samples as they were passed, and synthetic samples generated from rows of X.

    Parameters
    ----------
    X : matrix or frame of shape (n_rows, n_features)
        All columns of the rows that synthetic samples are generated from.
    unlabeled : matrix, frame or None
        ``X_unlabeled`` of fit, with all columns; None if it was not passed.
    augmentation : Augmentation or None
        How synthetic samples are generated.
    """

    X: CheckedX
    unlabeled: CheckedX | None
    augmentation: Augmentation | None

    @property
    def n_unlabeled(self) -> int:
        """Number of unlabelled samples, which come before the synthetic ones."""
        return 0 if self.unlabeled is None else int(self.unlabeled.shape[0])

    def for_rows(self, rows: IntArray) -> CheckedX | None:
        """Return unlabelled samples and those generated from some rows; None without either."""
        if self.augmentation is None:
            return self.unlabeled
        # in proportion, so that a fold has as many synthetic samples per row as the whole of X
        fraction = len(rows) / self.X.shape[0]
        synthetic = self.augmentation.generate_from(take_rows(self.X, rows), fraction)
        return synthetic if self.unlabeled is None else stack(self.unlabeled, synthetic)


def check_same_kind(X: CheckedX, samples: CheckedX, name: str) -> None:
    """Require the columns of X, with the same names, in the same container."""
    if X.shape[1:] != samples.shape[1:]:
        raise ValueError(
            f"{name} has {_row_shape(samples)}, X has {_row_shape(X)}: pass all columns, as the "
            "teacher predicts from them"
        )
    if type(X) is not type(samples) and not (sparse.issparse(X) and sparse.issparse(samples)):
        raise ValueError(
            f"{name} is a {type(samples).__name__}, X a {type(X).__name__}: pass both in the same "
            "container"
        )
    expected, names = list(getattr(X, "columns", [])), list(getattr(samples, "columns", []))
    if names != expected:
        raise ValueError(
            f"{name} has the columns {names}, X has {expected}: the feature names should match "
            "those of X, in the same order"
        )


def _row_shape(X: CheckedX) -> str:
    return f"{X.shape[1]} columns" if len(X.shape) == 2 else f"rows of shape {X.shape[1:]}"


def stack(X: CheckedX, samples: CheckedX) -> CheckedX:
    """Return the rows of both, in the container that they have in common."""
    if hasattr(X, "iloc"):
        # rows are taken by position, so the index needs no meaning
        return pd.concat([X, samples], ignore_index=True)
    if hasattr(X, "columns"):  # polars
        return X.vstack(samples)
    if sparse.issparse(X):
        blocks: Any = [X, samples]
        return sparse.vstack(blocks, format="csr")
    return np.concatenate([X, samples])
