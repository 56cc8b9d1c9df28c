"""Check whether a tool keeps the rows of X, y and the teacher's predictions aligned."""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Callable

import numpy as np
from sklearn import config_context

from tests.routing.recording import UNKNOWN, Fit, RoutingData, recorded, rows_of

RIGHT = "rows aligned"
ANOTHER_Y = "rows aligned, **but y is not the teacher's target**"
WITHOUT = "**fitted without the teacher**"
MISALIGNED = "**misaligned**"
NO_FIT = "**no fit**"

# the package that raises an error, by the first part of a module's name
AUTHORS = {
    "sklearn_distill": "sklearn-distill",
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "optuna_integration": "optuna-integration",
    "optuna": "Optuna",
}
LONGEST = 120


def verdict(run: Callable[[], object], data: RoutingData, routing: bool) -> str:
    """Return what happens to the teacher's rows, as a phrase.

    Parameters
    ----------
    run : callable
        Fits a tool around a recording student.
    data : RoutingData
        The data that the tool is fitted on.
    routing : bool
        Whether metadata routing is on.
    """
    with config_context(enable_metadata_routing=routing), recorded() as fits:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about experimental tools and few rows
                run()
        except Exception as error:
            return describe_error(error)
        return verdict_on(fits, data)


def verdict_on(fits: list[Fit], data: RoutingData) -> str:
    """Return the verdict on the recorded fits; the worst case takes precedence."""
    if not fits:
        return NO_FIT
    taught = [fit for fit in fits if fit.teacher is not None]
    if not all(is_aligned(fit, data) for fit in taught):
        return MISALIGNED
    if not taught:
        return WITHOUT
    if len(taught) < len(fits):
        return f"{WITHOUT}: {len(fits) - len(taught)} of {len(fits)} fits"
    return RIGHT if all(has_own_y(fit, data) for fit in fits) else ANOTHER_Y


def is_aligned(fit: Fit, data: RoutingData) -> bool:
    """Whether row i of the predictions and row i of X come from the same row of the data."""
    rows = rows_of(fit.X, data.X)
    return UNKNOWN not in rows and np.array_equal(rows_of(fit.teacher, data.teacher), rows)


def has_own_y(fit: Fit, data: RoutingData) -> bool:
    """Whether y is the target of these rows in the data."""
    return np.array_equal(fit.y, data.y[rows_of(fit.X, data.X)])


def describe_error(error: Exception) -> str:
    """Return the type of the error, the package that raises it and the start of the message."""
    modules = [
        str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    packages = [module.partition(".")[0] for module in modules]
    author = next((AUTHORS[name] for name in reversed(packages) if name in AUTHORS), "Python")
    return f"{type(error).__name__} ({author}): {_beginning(str(error))}"


def _beginning(message: str) -> str:
    message = re.sub(r"\s+", " ", message).strip()
    if len(message) <= LONGEST:
        return message
    return message[:LONGEST].rpartition(" ")[0].rstrip(",.:;") + " …"
