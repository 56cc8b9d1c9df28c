"""Warnings of this package, so that they can be filtered by class."""

__all__ = ["ImplausibleTeacherWarning", "TeacherMissingWarning"]


class ImplausibleTeacherWarning(UserWarning):
    """Warning that a teacher's predictions do not seem to be what was meant.

    Its rows or columns agree with the labels as if they were in another order, a regressor's
    predictions have the opposite sign, or logits look like probabilities.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from sklearn_distill import DistilledLogisticRegression, ImplausibleTeacherWarning
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> y, P = (X[:, 0] > 0).astype(int), np.hstack([1 - X, 1 + X]) / 2
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", ImplausibleTeacherWarning)
    ...     student = DistilledLogisticRegression().fit(X, y, teacher_proba=P[:, ::-1])
    >>> print(str(caught[0].message)[:63])
    teacher_proba agrees with the labels better with other columns:
    """


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
