"""The metrics of a report: names of this package and of scikit-learn's scorers, and scorers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.inspection import _class_scores, _number_scores
from sklearn_distill.inspection._score import Prediction, Score
from sklearn_distill.inspection._several_labels import complete_rows
from sklearn_distill.inspection._test_set import TestSet

Scoring: TypeAlias = str | Iterable[str] | Mapping[str, Any] | None
N_BLOCKS = 50  # of the jackknife of a metric whose formula is not known


@dataclass(frozen=True)
class Metric:
    """A metric of the report.

    Parameters
    ----------
    name : str
        Of scikit-learn's scorer, without "neg_".
    score : callable
        ``score(prediction, test)`` returns a :class:`Score`.
    direction : {1, -1, 0}
        1 if higher is better, -1 if lower is better, 0 if neither.
    """

    name: str
    score: Callable[[Prediction, TestSet], Score]
    direction: int


# the first decides
CLASSES: dict[str, tuple[Callable[..., Score], int]] = {
    "log_loss": (_class_scores.log_loss, -1),
    "brier_score": (_class_scores.brier_score, -1),
    "accuracy": (_class_scores.accuracy, 1),
    "balanced_accuracy": (_class_scores.balanced_accuracy, 1),
    "roc_auc": (_class_scores.roc_auc, 1),
    "calibration_error": (_class_scores.calibration_error, -1),
}
NUMBERS: dict[str, tuple[Callable[..., Score], int]] = {
    "root_mean_squared_error": (_number_scores.root_mean_squared_error, -1),
    "mean_absolute_error": (_number_scores.mean_absolute_error, -1),
    "r2": (_number_scores.r2, 1),
}
_ON_REQUEST: dict[bool, dict[str, tuple[Callable[..., Score], int]]] = {
    True: {
        "roc_auc_ovr": (_class_scores.roc_auc, 1),
        "uncertainty_degree": (_class_scores.uncertainty_degree, 0),
        "max_min_gap": (_class_scores.max_min_gap, 0),
    },
    False: {"mean_squared_error": (_number_scores.mean_squared_error, -1)},
}


# of several labels: over all entries, or scorers of scikit-learn over rows of known labels
LABELS: dict[str, tuple[Callable[..., Score], int]] = {
    "log_loss": (_class_scores.log_loss, -1),
    "brier_score": (_class_scores.brier_score, -1),
    "label_accuracy": (_class_scores.accuracy, 1),
    "calibration_error": (_class_scores.calibration_error, -1),
}
_LABEL_DEFAULTS = ["log_loss", "brier_score", "label_accuracy", "accuracy", "f1_macro", "f1_micro"]


def read_scoring(
    scoring: Scoring, is_class: bool, n_bins: int, *, has_labels: bool = False
) -> list[Metric]:
    """Return the metrics of a report.

    Parameters
    ----------
    scoring : str, list of str, dict of str to str or scorer, or None
        As in :func:`sklearn.model_selection.cross_validate`, or names of this package.
    is_class : bool
        Whether the models are classifiers.
    n_bins : int
        Number of bins of the calibration error.
    has_labels : bool, default=False
        Whether they are classifiers of several labels.

    Returns
    -------
    list of Metric
        The first decides.

    Raises
    ------
    ValueError
        If a name is unknown, or the first metric has no better direction.
    """
    default = LABELS if has_labels else CLASSES if is_class else NUMBERS
    if scoring is None:
        scoring = _LABEL_DEFAULTS if has_labels else list(default)
    named = {scoring: scoring} if isinstance(scoring, str) else scoring
    items = named.items() if isinstance(named, Mapping) else [(name, name) for name in named]
    known = default if has_labels else default | _ON_REQUEST[is_class]
    metrics = [_metric(str(name), scorer, known, n_bins) for name, scorer in items]
    if not metrics or not metrics[0].direction:
        raise ValueError(
            f"scoring={scoring!r}: the first metric decides whether distillation helps; pass one "
            "of which higher or lower values are better, such as 'log_loss'."
        )
    return metrics


def _metric(
    name: str, scorer: Any, known: dict[str, tuple[Callable[..., Score], int]], n_bins: int
) -> Metric:
    plain = name.removeprefix("neg_")
    direction = -1 if name.startswith("neg_") else 1
    if not isinstance(scorer, str):
        return Metric(plain, partial(_by_blocks, scorer, direction), direction)
    formula, better = known.get(scorer.removeprefix("neg_"), (None, 0))
    if formula is None:
        return _metric(name if name != scorer else scorer, _scorer(scorer, known), known, n_bins)
    if formula is _class_scores.calibration_error:
        formula = partial(formula, n_bins=n_bins)
    return Metric(plain, formula, better)


def _scorer(name: str, known: dict[str, Any]) -> Any:
    try:
        return get_scorer(name)
    except ValueError as error:
        raise ValueError(
            f"scoring has {name!r}; pass one of {sorted(known)}, the name of a scorer of "
            "scikit-learn (sklearn.metrics.get_scorer_names()), or a scorer."
        ) from error


def _by_blocks(scorer: Any, direction: int, model: Prediction, test: TestSet) -> Score:
    """Return the score of any scorer; each block of units is left out once."""
    estimator = _stored(model, test)

    def value(entries: IntArray) -> float:
        if test.n_labels:
            rows, y, s = complete_rows(test, entries)
        else:
            rows, y, s = test.rows[entries], _true_values(test, entries), test.s[entries]
        # a scorer without weights is fine where all are equal
        weights = {} if (s == s[0]).all() else {"sample_weight": s}
        return direction * float(scorer(estimator, rows[:, None], y, **weights))

    everything = np.arange(len(test.rows))
    n = min(N_BLOCKS, test.n_units)
    block = test.unit % n
    whole = value(everything)
    without = np.array([value(everything[block != j]) for j in range(n)])
    return Score(whole, (n - 1) * (whole - without))


def _true_values(test: TestSet, entries: IntArray) -> Any:
    y = test.y[entries]
    if test.classes is not None:
        return np.asarray(test.classes)[y]
    return y[:, 0] if y.shape[1] == 1 else y


class _StoredClasses(ClassifierMixin, BaseEstimator):
    """A classifier that looks its predictions up by the number of the row."""

    def __init__(self, p: FloatArray, classes: Any) -> None:
        self.p = p
        self.classes_ = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, rows: IntArray) -> FloatArray:
        return self.p[rows[:, 0]]

    def predict(self, rows: IntArray) -> Any:
        return self.classes_[self.p[rows[:, 0]].argmax(axis=1)]


class _StoredNumbers(RegressorMixin, BaseEstimator):
    """A regressor that looks its predictions up by the number of the row."""

    def __init__(self, values: FloatArray) -> None:
        self.values = values

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, rows: IntArray) -> FloatArray:
        f = self.values[rows[:, 0]]
        return f[:, 0] if f.shape[1] == 1 else f


class _StoredLabels(ClassifierMixin, BaseEstimator):
    """A classifier of several labels that looks its predictions up by the number of the row."""

    def __init__(self, p: FloatArray) -> None:
        self.p = p
        self.classes_ = [np.array([0, 1])] * p.shape[1]

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, rows: IntArray) -> FloatArray:
        return self.p[rows[:, 0]]

    def predict(self, rows: IntArray) -> Any:
        return (self.predict_proba(rows) > 0.5).astype(np.int64)


def _stored(model: Prediction, test: TestSet) -> Any:
    if test.n_labels:
        return _StoredLabels(model.values[:, 1].reshape(-1, test.n_labels))
    if test.classes is None:
        return _StoredNumbers(model.values)
    return _StoredClasses(model.values, np.asarray(test.classes))
