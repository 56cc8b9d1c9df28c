"""A chain of generations on the same rows, each trained on predictions of the previous one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._born_again.data import GenerationData, Predictions
from sklearn_distill.teachers._cross_fit import mean_by_row


class GenerationChain:
    """A chain in which a generation predicts for the rows that it was fitted on.

    Parameters
    ----------
    data : GenerationData
        Training data of the generations.
    rows : ndarray of shape (n_chain_rows,)
        The rows of this chain.
    where : str, default=""
        The fold of this chain, for error messages.
    """

    def __init__(self, data: GenerationData, rows: IntArray, where: str = "") -> None:
        self.data = data
        self.rows = rows
        self.where = where
        self.number = 0
        self.latest: Any = None
        self._predictions: Predictions | None = None

    def fit_next(self, student: Any) -> Any:
        """Fit a clone of the student as the next generation, and return it."""
        # before the number changes: the targets come from the latest generation
        targets = self._targets() if self.number else None
        self.number += 1
        if targets is None:
            self.latest = self.data.fit_first(student, self.rows, self.name)
        else:
            self.latest = self.data.fit_on_targets(student, self.rows, targets, self.name)
        self._predictions = None
        return self.latest

    @property
    def predictions(self) -> Predictions:
        """Predictions of the latest generation for the chain's rows, computed at first use."""
        if self._predictions is None:
            self._predictions = self.data.predict(self.latest, self.rows, self.name)
        return self._predictions

    @property
    def name(self) -> str:
        """Generation and fold of the latest fit, for error messages."""
        return f"in generation {self.number}{self.where}"

    def _targets(self) -> FloatArray:
        """Return the targets of the next generation."""
        return self.data.as_targets(self.predictions)


class CrossFittedChain(GenerationChain):
    """A chain whose targets are out-of-fold predictions.

    Each fold has a chain of its own, fitted on the fold's training rows. It predicts for the fold's
    test rows, so that no ancestor of a prediction was fitted on the label of its row, nor on a
    prediction of a model that was.

    Parameters
    ----------
    data : GenerationData
        Training data of the generations.
    rows : ndarray of shape (n_chain_rows,)
        The rows of the main chain.
    splits : list of (train, test)
        The folds, of labelled rows among ``rows``.
    """

    def __init__(self, data: GenerationData, rows: IntArray, splits: Splits) -> None:
        super().__init__(data, rows)
        self.tests = [test for _, test in splits]
        self.unlabelled = rows[~data.labelled[rows]]
        self.fold_chains = [
            GenerationChain(
                data, np.concatenate([train, self.unlabelled]), f", fold {k} of {len(splits)}"
            )
            for k, (train, _) in enumerate(splits, start=1)
        ]
        self._student: Any = None

    def fit_next(self, student: Any) -> Any:
        """Fit a clone of the student as the next generation, and return it."""
        fitted = super().fit_next(student)
        # the fold chains fit this generation in the next call, if there is one: no targets are
        # needed from the last generation
        self._student = student
        return fitted

    def _targets(self) -> FloatArray:
        """Return out-of-fold targets; for rows without a label those of the main chain."""
        targets = mean_by_row(
            self.tests,
            [self._fold_targets(*pair) for pair in zip(self.fold_chains, self.tests, strict=True)],
            self.data.n_rows,
        )
        if len(self.unlabelled):
            predictions = self.data.predict(self.latest, self.unlabelled, self.name)
            targets[self.unlabelled] = self.data.as_targets(predictions)
        return targets[self.rows]

    def _fold_targets(self, chain: GenerationChain, test: IntArray) -> NDArray[np.float64]:
        """Fit the fold's chain up to the latest generation; return targets of the test rows."""
        fitted = chain.fit_next(self._student)
        return self.data.as_targets(self.data.predict(fitted, test, chain.name))
