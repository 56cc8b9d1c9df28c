"""Rows that only the teacher speaks for: given without labels, or made from those of X."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_distill._typing import IntArray
from sklearn_distill._validation.indexing import as_table, take_rows
from sklearn_distill.augmentation import munge


@dataclass(frozen=True)
class Augmentation:
    """How to make rows, and how many.

    Parameters
    ----------
    make : callable
        (X, n, random_state=seed) -> n rows like those of X.
    n_rows : int
        Rows to make of all rows of X; of some, as many fewer.
    seed : int
        Seed of each call.
    """

    make: Callable[..., Any]
    n_rows: int
    seed: int

    def rows_of(self, X: Any, share: float) -> Any:
        """Return rows made of X, which is a share of the rows of fit's X."""
        n_rows = max(1, round(share * self.n_rows))
        made = as_table(self.make(X, n_rows, random_state=self.seed))
        check_same_kind(X, made, "what augmentation returned")
        if made.shape[0] != n_rows:
            raise ValueError(
                f"augmentation returned {made.shape[0]} rows, asked for {n_rows}: return as many "
                "as its second argument says"
            )
        return made


def read_augmentation(augmentation: Any, n_augmented: int, seed: int) -> Augmentation | None:
    """Return how to make rows, or None."""
    if augmentation is None and n_augmented == 0:
        return None
    if augmentation is None:
        raise ValueError(
            f"n_augmented={n_augmented} needs an augmentation, which is None: say how to make the "
            "rows, as augmentation='munge'"
        )
    if n_augmented == 0:
        raise ValueError(
            f"augmentation={augmentation!r} needs n_augmented, which is 0: say how many rows to "
            "make, or augmentation=None"
        )
    return Augmentation(munge if augmentation == "munge" else augmentation, n_augmented, seed)


@dataclass(frozen=True)
class ExtraSamples:
    """The rows given without labels, and those made of rows of X.

    Parameters
    ----------
    X : matrix or frame of shape (n_rows, n_features)
        All columns of the rows that new ones are made of.
    unlabeled : matrix, frame or None
        Rows as they were given.
    augmentation : Augmentation or None
        How to make more.
    """

    X: Any
    unlabeled: Any
    augmentation: Augmentation | None

    @property
    def n_given(self) -> int:
        """Number of the rows as they were given, which come first."""
        return 0 if self.unlabeled is None else int(self.unlabeled.shape[0])

    def of(self, rows: IntArray) -> Any:
        """Return the given rows and those made of some rows of X; None if there are neither."""
        if self.augmentation is None:
            return self.unlabeled
        made = self.augmentation.rows_of(take_rows(self.X, rows), len(rows) / self.X.shape[0])
        return made if self.unlabeled is None else stack(self.unlabeled, made)


def check_same_kind(X: Any, more: Any, name: str) -> None:
    """Require as many columns of the same names, and the same container."""
    if X.shape[1] != more.shape[1]:
        raise ValueError(
            f"{name} has {more.shape[1]} columns, X has {X.shape[1]}: give it all of them, "
            "which the teacher needs"
        )
    if type(X) is not type(more) and not (sparse.issparse(X) and sparse.issparse(more)):
        raise ValueError(
            f"{name} is a {type(more).__name__}, X a {type(X).__name__}: give both as the same"
        )
    names, others = list(getattr(X, "columns", [])), list(getattr(more, "columns", []))
    if names != others:
        raise ValueError(
            f"{name} has the columns {others}, X has {names}: the feature names should match "
            "those of X, in its order"
        )


def stack(X: Any, more: Any) -> Any:
    """Return the rows of both, in the container that they have in common."""
    if hasattr(X, "iloc"):
        return pd.concat([X, more], ignore_index=True)
    if hasattr(X, "columns"):
        return X.vstack(more)
    if sparse.issparse(X):
        rows: Any = [X, more]
        return sparse.vstack(rows, format="csr")
    return np.concatenate([X, more])
