"""Warnings of this package, so that they can be filtered by class."""

__all__ = ["ImplausibleTeacherWarning", "TeacherMissingWarning", "WorseTeacherWarning"]


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


class WorseTeacherWarning(UserWarning):
    """Warning that a teacher predicts worse than its student does without it.

    :class:`~sklearn_distill.TeacherStudentClassifier` and
    :class:`~sklearn_distill.TeacherStudentRegressor` issue it with ``check_teacher=True``. Such a
    teacher may still help, as smoothing does; the student with ``imitation=0`` tells.

    Examples
    --------
    >>> import warnings
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_distill import (
    ...     DistilledLogisticRegression, TeacherStudentClassifier, WorseTeacherWarning
    ... )
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> student = make_pipeline(StandardScaler(), DistilledLogisticRegression())
    >>> model = TeacherStudentClassifier(GaussianNB(), student, check_teacher=True)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", WorseTeacherWarning)
    ...     model = model.fit(X, y)
    >>> print(str(caught[0].message)[:67])
    teacher GaussianNB predicts worse than the student does without it:
    >>> check = model.teacher_check_
    >>> print(f"{check.teacher_loss:.2f} against {check.baseline_loss:.2f}")
    0.65 against 0.08
    """
