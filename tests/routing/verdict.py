"""What becomes of the teacher's rows on their way through a tool to the student."""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Callable

import numpy as np
from sklearn import config_context

from tests.routing.recording import UNKNOWN, Fit, Lesson, recorded, rows_of

RIGHT = "rows sliced right"
ANOTHER_Y = "rows sliced right, **but y is not the teacher's**"
WITHOUT = "**fitted without the teacher**"
MISALIGNED = "**misaligned**"
NO_FIT = "**no fit**"

# whose code raised, by the first part of a module's name
AUTHORS = {
    "sklearn_distill": "ours",
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "optuna_integration": "optuna-integration",
    "optuna": "Optuna",
}
LONGEST = 120


def verdict(run: Callable[[], object], lesson: Lesson, routing: bool) -> str:
    """Return in words what happens to the teacher's rows.

    Parameters
    ----------
    run : callable
        Fits a tool around a recording student.
    lesson : Lesson
        What the tool is given.
    routing : bool
        Whether metadata routing is on.
    """
    with config_context(enable_metadata_routing=routing), recorded() as fits:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of experimental tools, and of so few rows
                run()
        except Exception as error:
            return raised(error)
        return judged(fits, lesson)


def judged(fits: list[Fit], lesson: Lesson) -> str:
    """Return the verdict on fits, the worst first."""
    if not fits:
        return NO_FIT
    taught = [fit for fit in fits if fit.teacher is not None]
    if not all(is_aligned(fit, lesson) for fit in taught):
        return MISALIGNED
    if not taught:
        return WITHOUT
    if len(taught) < len(fits):
        return f"{WITHOUT}: {len(fits) - len(taught)} of {len(fits)} fits"
    return RIGHT if all(has_own_y(fit, lesson) for fit in fits) else ANOTHER_Y


def is_aligned(fit: Fit, lesson: Lesson) -> bool:
    """Whether the teacher's row i is of the same row of the lesson as row i of X."""
    rows = rows_of(fit.X, lesson.X)
    return UNKNOWN not in rows and np.array_equal(rows_of(fit.teacher, lesson.teacher), rows)


def has_own_y(fit: Fit, lesson: Lesson) -> bool:
    """Whether y is that of the lesson's rows."""
    return np.array_equal(fit.y, lesson.y[rows_of(fit.X, lesson.X)])


def raised(error: Exception) -> str:
    """Return whose error it is, its type and the beginning of its message."""
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
