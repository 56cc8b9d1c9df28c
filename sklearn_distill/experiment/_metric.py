"""The metric that chooses hyperparameters and decides in the report."""

from __future__ import annotations

from typing import Any

from sklearn_distill.inspection._scoring import CLASSES, NUMBERS, read_scoring
from sklearn_distill.metrics import get_scorer, get_scorer_names

DEFAULT = {True: "log_loss", False: "root_mean_squared_error"}
_OTHER_NAMES = {"calibration_error": "expected_calibration_error"}


def search_scorer(metric: str | None, is_class: bool) -> Any:
    """Return the scorer of a search.

    Parameters
    ----------
    metric : str or None
        Name of a metric, with or without "neg_"; None is log loss, or root mean squared error.
    is_class : bool
        Whether classes are predicted.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``; the larger, the better.

    Raises
    ------
    ValueError
        If there is no such metric.
    """
    plain = plain_name(metric, is_class)
    name = _OTHER_NAMES.get(plain, plain)
    known = get_scorer_names()
    for candidate in (name, f"neg_{name}"):
        if candidate in known and "teacher" not in candidate:
            return get_scorer(candidate)
    raise ValueError(
        f"--metric {metric}: unknown; pass one of {', '.join(CLASSES if is_class else NUMBERS)}, "
        "or the name of a scorer of scikit-learn"
    )


def report_metrics(metric: str | None, is_class: bool) -> list[str]:
    """Return the names of the report's metrics, the one that decides first."""
    plain = plain_name(metric, is_class)
    default = CLASSES if is_class else NUMBERS
    return [plain, *(name for name in default if name != plain)]


def plain_name(metric: str | None, is_class: bool) -> str:
    """Return the name without "neg_"."""
    return (metric or DEFAULT[is_class]).removeprefix("neg_")


def is_loss(metric: str | None, is_class: bool) -> bool:
    """Return whether lower values are better."""
    (read,) = read_scoring(plain_name(metric, is_class), is_class, n_bins=15)
    return read.direction < 0
