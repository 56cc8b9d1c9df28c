"""An ensemble of generations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from sklearn_distill.distillers._born_again.lesson import proba_of


class MeanOfGenerations(ClassifierMixin, BaseEstimator):
    r"""Predict by :math:`p(x) = \frac1G \sum_g p_g(x)`, the mean over fitted generations.

    Parameters
    ----------
    generations : list of classifiers
        They are fitted.
    classes : ndarray of shape (n_classes,)
        The classes, whether each generation knows them or not.
    """

    def __init__(self, generations: list[Any], classes: NDArray[Any]) -> None:
        self.generations = generations
        self.classes = classes

    @property
    def classes_(self) -> NDArray[Any]:
        """Class labels."""
        return self.classes

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the mean of the probabilities."""
        each = [proba_of(one, X, self.classes, "in the ensemble") for one in self.generations]
        return np.mean(each, axis=0, dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of the highest mean."""
        return np.asarray(self.classes[self.predict_proba(X).argmax(axis=1)])

    def __sklearn_is_fitted__(self) -> bool:
        return True
