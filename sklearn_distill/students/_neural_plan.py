"""What "auto" stands for: passes, mini-batches and learning rate of a neural student's training.

The cost and the quality of a training depend on its number of steps. A fixed number of passes over
the rows makes too few steps on a small table.
"""

from __future__ import annotations

import math
from copy import copy
from typing import Any, TypeVar

from sklearn_distill.students._neural_params import NeuralParams

# chosen by ``python -m benchmarks.neural_defaults``
STEPS_PER_ROW, MIN_STEPS, MAX_STEPS = 0.5, 250, 2000
MIN_EPOCHS = 20
BATCH_SIZE, MIN_BATCH_SIZE, MIN_BATCHES = 128, 16, 8
LR, LR_OF_PLAN = 1e-3, 5e-3
MIN_ROWS_TO_HOLD_OUT = 2000

Student = TypeVar("Student", bound=NeuralParams)


def with_numbers(
    student: Student, n_rows: int | None, *, can_validate: bool = False, one_pass: bool = False
) -> Student:
    """Return a shallow copy of a student in which nothing is "auto".

    Parameters
    ----------
    student : NeuralStudent
        The student.
    n_rows : int or None
        Number of rows of the training; None if it is not known.
    can_validate : bool, default=False
        Whether validation rows were passed or can be held out.
    one_pass : bool, default=False
        Whether the training is the single pass of ``partial_fit``.

    Returns
    -------
    NeuralStudent
        The copy, whose other attributes are those of the student.
    """
    numbers = {
        "max_epochs": MIN_EPOCHS,
        "batch_size": BATCH_SIZE,
        "lr": LR,
        "lr_schedule": None,
        "early_stopping": False,
    }
    # hypergradients count steps too, and need a learning rate that does not end at 0
    is_planned = student.max_epochs == "auto" and student.metaparameter_optimizer is None
    if is_planned and n_rows is not None and not one_pass:
        numbers |= _plan(student, n_rows, can_validate)
    settled = copy(student)
    for name, value in numbers.items():
        if isinstance(getattr(student, name), str) and getattr(student, name) == "auto":
            setattr(settled, name, value)
    return settled


def _plan(student: NeuralParams, n_rows: int, can_validate: bool) -> dict[str, Any]:
    """Return the numbers of a training with a fixed number of steps."""
    size: Any = student.batch_size
    if size == "auto":
        size = min(BATCH_SIZE, max(MIN_BATCH_SIZE, n_rows // MIN_BATCHES))
    is_fast = student.module is None and student.optimizer in ("adam", "adamw")
    n_steps = min(max(MIN_STEPS, STEPS_PER_ROW * n_rows), MAX_STEPS)
    return {
        "max_epochs": max(MIN_EPOCHS, math.ceil(n_steps / math.ceil(n_rows / size))),
        "batch_size": size,
        "lr": LR_OF_PLAN if is_fast else LR,
        "lr_schedule": "cosine",
        "early_stopping": can_validate,
    }
