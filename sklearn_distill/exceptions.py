"""Warnings of this package, so that they can be filtered by class."""

__all__ = ["TeacherMissingWarning"]


class TeacherMissingWarning(UserWarning):
    """Warning that a student was fitted without a teacher although ``imitation`` is not 0.

    Without a teacher's predictions labels get the full weight, whatever ``imitation`` is. Pass the
    predictions, or say ``imitation=0`` where a baseline is meant.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_distill import DistilledLogisticRegression, TeacherMissingWarning
    >>> X, y = [[-1.0], [0.0], [1.0], [2.0]], [0, 1, 0, 1]
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", TeacherMissingWarning)
    ...     student = DistilledLogisticRegression().fit(X, y)
    >>> print(caught[0].message)
    no teacher_proba or teacher_logits: fitted on the labels alone; pass imitation=0 to say so
    >>> baseline = DistilledLogisticRegression(imitation=0).fit(X, y)  # does not warn
    """
