"""A regressor that is taught by another regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d

from sklearn_distill._validation.labels import check_regression_labels
from sklearn_distill.distillers._teacher_fit import TeacherData
from sklearn_distill.distillers._teacher_student import TeacherStudent
from sklearn_distill.teachers._cross_fit import predict_finite


class TeacherStudentRegressor(RegressorMixin, TeacherStudent):
    """A student that learns from targets and from a teacher's predictions for rows it never saw.

    ``fit`` clones the teacher, fits a clone on each fold's training rows, asks it about the fold's
    test rows, and gives the student these out-of-fold predictions s with the targets. ``predict``
    needs neither the teacher nor the privileged columns.

    Parameters
    ----------
    teacher : regressor
        Any scikit-learn regressor.
    student : regressor
        A regressor whose ``fit`` takes ``teacher_prediction``, or a Pipeline whose last step is
        one.
    privileged_features : array-like, str, int, callable or None, default=None
        Columns that the student never sees: names, positions, a mask, or what a callable such as
        make_column_selector returns for X.
    teacher_features : {"all", "privileged"}, default="all"
        Which columns the teacher sees.
    cv : int, splitter, iterable of (train, test), "prefit" or None, default=5
        The folds; an int does not shuffle. In rows that no test fold covers the teacher is silent;
        rows in several get the mean. "prefit" takes the teacher as it is, fitted on other rows
        (where this estimator is cloned, as in a search, wrap the teacher into FrozenEstimator).
        None lets one teacher answer for the rows that it was fitted on.
    augmentation : {"munge"}, callable or None, default=None
        Makes rows, which have no label: the teacher, fitted on all labelled rows, speaks for them
        alone. "munge" is :func:`~sklearn_distill.augmentation.munge`; a callable is called as
        ``augmentation(X, n, random_state=seed)`` with all columns of rows of X and returns n rows
        like them, in the same container with the same columns, so that
        ``functools.partial(munge, s=3.0)`` is one. A made row weighs what a row of X weighs on
        average. Needs ``n_augmented``.
    n_augmented : int, default=0
        Number of rows to make.
    memory : str, path-like, joblib.Memory or None, default=None
        Where to keep fitted teachers, so that a search over the student's parameters fits each
        teacher once. Needs an integer ``random_state`` and a deterministic ``cv``.
        joblib unpickles what lies there: take a folder that nobody else can write to.
    random_state : int, RandomState or None, default=None
        Seeds the made rows, and the teacher and the student where their own ``random_state`` is
        None.

    Attributes
    ----------
    student_ : regressor
        The fitted student, which predicts from the regular columns. It can be pickled by itself.
    teacher_ : regressor
        The teacher, fitted on all labelled rows. Predictions do not need it: ``del model.teacher_``
        makes the model smaller.
    augmentation_gain_ : float or None
        What the made rows gained: mean squared error of a student taught without them minus
        that of one taught with them, on rows new to student and teacher; see Notes. Below 0 they
        hurt, and a UserWarning says so from two standard errors on. None without ``augmentation``,
        and where it cannot be told: for ``cv=None``, which has no test rows; for two folds, without
        both of which nothing is left to teach a teacher; for a fitted teacher where y has fewer
        than five rows.
    augmentation_gain_se_ : float or None
        Its standard error.
    n_features_in_ : int
        Number of columns of fit's X.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X has string names.

    See Also
    --------
    sklearn_distill.teachers.out_of_fold_prediction : The answers that the student is given.

    Notes
    -----
    Whether made rows help is told fold by fold. Two students are taught as ``fit`` teaches, but
    without the fold's test rows, one of them with rows made from the rest (as many as the rest
    is of X); both are tested on the labels of the test rows. All that they hear is from teachers
    who never saw a test row's label: of made rows from the fold's own teacher, of each training
    row from one fitted without that row's fold, too. Those take K (K - 1) / 2 more fits of the
    teacher for K folds (``memory`` keeps them) and 2 K of the student. The out-of-fold answers
    themselves, whose teachers saw the test rows, would favour the student without made rows.
    The gain is the mean over the rows of the paired differences, weighted by ``sample_weight``,
    and its standard error that of these differences, given the students. With ``cv="prefit"`` the
    teacher must be new to all rows, which makes any folds honest: five random ones are taken.

    References
    ----------
    Lopez-Paz et al. 2016, "Unifying distillation and privileged information", section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn_distill import PrivilegedLinearRegression
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> y = X @ [1.0, 2.0, 3.0] + np.random.default_rng(1).normal(size=50)
    >>> model = TeacherStudentRegressor(
    ...     LinearRegression(), PrivilegedLinearRegression(), privileged_features=[2]
    ... ).fit(X, y)
    >>> model.predict([[1.0, 1.0]]).round(1), model.student_.n_features_in_
    (array([4.3]), 2)
    """

    _answers_are: ClassVar[str] = "teacher_prediction"
    _loss_is: ClassVar[str] = "squared error"

    def _read_lesson(self, X: Any, y: Any, fit_params: dict[str, Any]) -> TeacherData:
        if y is None and self._is_prefit():
            y = np.full_like(self.teacher.predict(X), np.nan, dtype=np.float64)
        y, present = check_regression_labels(y, X.shape[0])
        if y.ndim == 2 and not self.__sklearn_tags__().target_tags.multi_output:
            y = column_or_1d(y, warn=True)
        return TeacherData(X, y, present, fit_params, predict_finite, self._columns)

    def _labels(self, lesson: TeacherData) -> NDArray[Any]:
        return lesson.y

    def _losses(self, student: Any, X: Any, y: NDArray[Any]) -> NDArray[np.float64]:
        squares = np.square(np.asarray(student.predict(X)).reshape(y.shape) - y)
        return squares.reshape(len(y), -1).mean(axis=1)
