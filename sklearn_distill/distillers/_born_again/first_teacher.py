"""An outside teacher, on whose predictions the first generation is trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import TeacherLike
from sklearn_distill._validation.plausible_teacher import check_plausible_teacher
from sklearn_distill._validation.teacher import check_teacher, read_teacher
from sklearn_distill.distillers._born_again.data import Predictions
from sklearn_distill.targets import Labels

NAME = "first_teacher_proba"


def read_first_teacher(
    first_teacher_proba: TeacherLike, classes: NDArray[np.generic], labels: Labels
) -> NDArray[np.float64] | None:
    """Return the teacher's probabilities, (n_rows, n_classes), NaN where it has no prediction.

    Parameters
    ----------
    first_teacher_proba : array-like, DataFrame or None
        The argument of fit; several teachers are averaged.
    classes : ndarray of shape (n_classes,)
        Class labels, ascending.
    labels : Labels
        Labels of the rows, which show whether rows and columns are in order.

    Returns
    -------
    ndarray or None
        None without a teacher.
    """
    if first_teacher_proba is None:
        return None
    try:
        output = read_teacher(first_teacher_proba, None, len(labels.codes))
        assert output is not None
        teachers = check_teacher(output, classes)
    except ValueError as error:
        message = str(error)
        named = message.replace("teacher_proba", NAME)
        raise ValueError(named if named != message else f"{NAME}: {message}") from error
    check_plausible_teacher(classes, labels, teachers, is_proba=True, name=NAME)
    proba = teachers.soften(1.0).T
    return np.where(teachers.teacher_mask[:, None], proba, np.nan)


def as_predictions(targets: NDArray[np.float64] | None) -> Predictions | None:
    """Return the teacher's predictions as those of a generation; the code −1 where it has none."""
    if targets is None:
        return None
    missing = np.isnan(targets[:, 0])
    return Predictions(np.where(missing, -1, targets.argmax(axis=1)), targets)
