"""The values of α, λ and ρ that a linear regression compares, and their scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.tensors import to_numpy
from sklearn_distill.solvers.least_squares import CVErrors, CVProblem, Source, Statistics

_ONE_SOURCE = ({Source.LABEL}, {Source.BOTH}, {Source.TEACHER}, {Source.PRECISE_TEACHER})
_SPLIT = {Source.SPLIT_LABEL, Source.SPLIT_TEACHER}


@dataclass(frozen=True)
class LinearGrid:
    """Values of each metaparameter; the settings are all of their combinations.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,) or int
        Strengths of the penalty, or their number as long as the scale of X is not known.
    imitations, ratios : ndarray of shape (n_values,)
        Values of λ and of ρ.
    """

    alphas: FloatArray | int
    imitations: FloatArray
    ratios: FloatArray

    @classmethod
    def of(cls, alphas: Any, imitations: Any, ratios: Any) -> LinearGrid:
        """Read the constructor's parameters: numbers of values, or the values themselves.

        Raises
        ------
        ValueError
            If a value is out of its range.
        """
        if np.ndim(alphas):
            alphas = _values("alphas", alphas, 0.0, np.inf)
        if np.ndim(imitations):
            imitations = _values("imitations", imitations, 0.0, 1.0)
        else:
            imitations = np.linspace(0, 1, imitations)
        if np.ndim(ratios):
            ratios = _values("noise_ratios", ratios, np.finfo(np.float64).tiny, np.inf)
        else:
            ratios = np.logspace(-2, 2, ratios) if ratios > 1 else np.ones(1)
        return cls(alphas, imitations, ratios)

    def restricted_to(self, statistics: Statistics) -> LinearGrid:
        """Return the values that differ in their effect on these rows, with α on their scale."""
        sources = set(statistics.groups)
        # where all rows have the same, any ρ is another λ or another α
        one_source = sources in _ONE_SOURCE or sources == _SPLIT
        has_both = statistics.has_rows_of(Source.BOTH, Source.SPLIT_LABEL)
        return replace(
            self,
            alphas=self._alphas_for(statistics),
            imitations=self.imitations if has_both else self.imitations[:1],
            ratios=np.ones(1) if one_source else self.ratios,
        )

    def _alphas_for(self, statistics: Statistics) -> FloatArray:
        if isinstance(self.alphas, np.ndarray):
            return self.alphas
        # rows that are split, and those that are partly trusted, count once
        weights = dict.fromkeys(Source, 1.0)
        weights |= dict.fromkeys((Source.PARTLY_TRUSTED, Source.PARTLY_LABEL), 2.0)
        weights |= dict.fromkeys((Source.SPLIT_TEACHER, Source.PARTLY_TEACHER), 0.0)
        squares = statistics.features(weights).squares()[: statistics.n_features]
        scale = float(squares.mean()) or 1.0
        return np.append(0.0, scale * np.logspace(-6, 2, self.alphas - 1))

    @property
    def pairs(self) -> FloatArray:
        """All pairs of λ and ρ: (n_pairs, 2)."""
        return np.array(list(product(self.imitations, self.ratios)))

    def problem(self, *, fit_intercept: bool) -> CVProblem:
        """Return the settings in the order of :meth:`params`."""
        return CVProblem(self.pairs, np.asarray(self.alphas), fit_intercept)

    def params(self) -> list[dict[str, float]]:
        """Return all settings; α changes fastest."""
        return [
            {"alpha": alpha, "imitation": imitation, "noise_ratio": ratio}
            for imitation, ratio in self.pairs.tolist()
            for alpha in np.asarray(self.alphas).tolist()
        ]


def cv_scores(errors: CVErrors, scoring: str | None) -> FloatArray:
    """Return the score of each setting in each fold.

    Parameters
    ----------
    errors : CVErrors
        Errors of the settings.
    scoring : {"neg_mean_squared_error", "neg_root_mean_squared_error", "r2"} or None
        Which score, the mean over outputs; None is "neg_mean_squared_error".

    Returns
    -------
    ndarray of shape (n_folds, n_settings)
        Scores; the larger, the better.
    """
    squared = errors.squared
    if scoring == "r2":
        variance = errors.variance[:, None, None]
        # of constant targets it is 1 or 0, as scikit-learn's
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.where(variance > 0, 1 - squared / variance, squared == 0)
    else:
        scores = -np.sqrt(squared) if scoring == "neg_root_mean_squared_error" else -squared
    return np.asarray(scores.mean(axis=-1).reshape(len(squared), -1))


def _values(name: str, values: Any, low: float, high: float) -> FloatArray:
    try:
        array = np.asarray(to_numpy(values), np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a number of values, or numbers: {error}") from error
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} has shape {array.shape}: pass a list of one value or more")
    if not ((array >= low) & (array <= high) & np.isfinite(array)).all():
        limits = {"alphas": "0 or more", "imitations": "in [0, 1]"}.get(name, "above 0")
        raise ValueError(f"{name} must be finite numbers {limits}, got {values!r:.80}")
    return array
