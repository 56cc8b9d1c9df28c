"""Read what a classifier learns from: labels, and one or several teachers."""

from typing import Any

from numpy.typing import NDArray

from sklearn_distill._validation.labels import check_classes, check_labels
from sklearn_distill._validation.rows import check_every_row_speaks
from sklearn_distill._validation.teacher import check_teacher, read_teacher
from sklearn_distill.targets import Labels, Teachers


def read_lesson(
    y: Any, n_rows: int, classes: Any, teacher_proba: Any, teacher_logits: Any
) -> tuple[NDArray[Any], Labels, Teachers | None]:
    """Check labels and teachers against each other.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or None
        Labels, some or all of them missing.
    n_rows : int
        Number of rows of X.
    classes : array-like or None
        The constructor's classes.
    teacher_proba, teacher_logits : array-like, DataFrame or None
        At most one of them.

    Returns
    -------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    labels : Labels
        Class numbers.
    teachers : Teachers or None
        Logits by teacher, class and row.

    Raises
    ------
    ValueError
        If one of them is wrong, or a row has neither a label nor a teacher's answer.
    """
    output = read_teacher(teacher_proba, teacher_logits, n_rows)
    classes_, labels = check_labels(y, n_rows, check_classes(classes), output)
    teachers = None if output is None else check_teacher(output, classes_)
    check_every_row_speaks(labels, teachers)
    return classes_, labels, teachers
