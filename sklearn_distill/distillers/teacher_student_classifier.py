"""A classifier that is taught by another classifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._validation.fitting import available_if
from sklearn_distill._validation.labels import check_classes, check_labels, mark_missing
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._student_data import last_step
from sklearn_distill.distillers._teacher_fit import TeacherData
from sklearn_distill.distillers._teacher_student import TeacherStudent
from sklearn_distill.teachers._cross_fit import PredictAligned


def _student_has(method: str) -> Callable[[Any], bool]:
    return lambda self: hasattr(getattr(self, "student_", self.student), method)


class TeacherStudentClassifier(ClassifierMixin, TeacherStudent):
    """A student that learns from labels and from what a teacher says of rows it never saw.

    ``fit`` clones the teacher, fits a clone on each fold's training rows, asks it about the fold's
    test rows, and gives the student these out-of-fold probabilities q with the labels. A teacher
    asked about its own training rows would repeat their labels; asked before a cross-validation,
    it would have seen the labels of the validation rows. ``predict`` needs neither the teacher nor
    the privileged columns.

    Parameters
    ----------
    teacher : classifier
        Any scikit-learn classifier with ``predict_proba``, or with ``decision_function``, which is
        then read as logits.
    student : classifier
        A classifier whose ``fit`` takes ``teacher_proba``, or a Pipeline whose last step is one.
        If it has ``classes``, these are the classes of all.
    privileged_features : array-like, str, int, callable or None, default=None
        Columns that the student never sees: names, positions, a mask, or what a callable such as
        make_column_selector returns for X.
    teacher_features : {"all", "privileged"}, default="all"
        Which columns the teacher sees.
    cv : int, splitter, iterable of (train, test), "prefit" or None, default=5
        The folds. In rows that no test fold covers the teacher is silent; rows in several get the
        mean. "prefit" takes the teacher as it is, fitted on other rows (where this estimator is
        cloned, as in a search, wrap the teacher into FrozenEstimator). None lets one teacher answer
        for the rows that it was fitted on.
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
    student_ : classifier
        The fitted student, which predicts from the regular columns. It can be pickled by itself.
    teacher_ : classifier
        The teacher, fitted on all labelled rows. Predictions do not need it: ``del model.teacher_``
        makes the model smaller.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    augmentation_gain_ : float or None
        What the made rows gained: mean cross-entropy (nats) of a student taught without them minus
        that of one taught with them, on rows new to student and teacher; see Notes. Below 0 they
        hurt, and a UserWarning says so from two standard errors on. None without ``augmentation``,
        and where it cannot be told: for a student without ``predict_proba``; for ``cv=None``, which
        has no test rows; for two folds, without both of which nothing is left to teach a teacher;
        for folds whose training rows lack a class; for a fitted teacher where y has fewer than
        five rows of a class.
    augmentation_gain_se_ : float or None
        Its standard error.
    n_features_in_ : int
        Number of columns of fit's X.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X has string names.

    See Also
    --------
    sklearn_distill.teachers.out_of_fold_proba : The answers that the student is given.

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
    Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network"; Lopez-Paz et al.
    2016, "Unifying distillation and privileged information", section 3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(20)
    >>> model = TeacherStudentClassifier(
    ...     forest, DistilledLogisticRegression(), privileged_features=[2, 3], random_state=0
    ... ).fit(X, y)
    >>> model.predict(X[:2, :2])
    array([0, 0])
    """

    _answers_are: ClassVar[str] = "teacher_proba"
    _loss_is: ClassVar[str] = "cross-entropy"

    @property
    def classes_(self) -> NDArray[Any]:
        """Class labels."""
        check_is_fitted(self)
        return np.asarray(self.student_.classes_)

    @available_if(_student_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the student's probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
            All features of fit's X or the regular ones.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``.
        """
        check_is_fitted(self)
        return np.asarray(self.student_.predict_proba(self._regular(X)))

    @available_if(_student_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the student's log-probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
            All features of fit's X or the regular ones.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of ``classes_``.
        """
        check_is_fitted(self)
        return np.asarray(self.student_.predict_log_proba(self._regular(X)))

    @available_if(_student_has("decision_function"))
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the student's scores.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
            All features of fit's X or the regular ones.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Scores as the student gives them.
        """
        check_is_fitted(self)
        return np.asarray(self.student_.decision_function(self._regular(X)))

    def _read_lesson(self, X: Any, y: Any, fit_params: dict[str, Any]) -> TeacherData:
        if np.asarray(y).dtype.kind == "f":  # NaN is a missing label, inf is none
            assert_all_finite(y, allow_nan=True, input_name="y")
        classes, labels = check_labels(y, X.shape[0], self._known_classes(y), None)
        required = classes[np.unique(labels.codes[labels.present])]
        ask = PredictAligned(classes, required)
        return TeacherData(X, classes[labels.codes], labels.present, fit_params, ask, self._columns)

    def _known_classes(self, y: Any) -> NDArray[Any] | None:
        """Return the student's classes, or, without any label, those of a fitted teacher."""
        known = check_classes(getattr(last_step(self.student), "classes", None))
        if known is not None or not self._is_prefit():
            return known
        unlabelled = y is None or bool(np.all(pd.isna(y)))
        return getattr(self.teacher, "classes_", None) if unlabelled else None

    def _labels(self, lesson: TeacherData) -> NDArray[Any]:
        return mark_missing(lesson.y, lesson.present)

    def _can_be_judged(self, lesson: TeacherData, splits: Splits) -> bool:
        n_classes = len(np.unique(lesson.y[lesson.present]))
        shown = [len(np.unique(lesson.y[train])) for train, _ in splits]
        return hasattr(self.student, "predict_proba") and set(shown) == {n_classes}

    def _losses(self, student: Any, X: Any, y: NDArray[Any]) -> NDArray[np.float64]:
        # with the floor of scikit-learn's log_loss
        proba = np.maximum(student.predict_proba(X), np.finfo(np.float64).eps)
        codes = np.searchsorted(student.classes_, y.astype(student.classes_.dtype))
        return -np.log(proba[np.arange(len(y)), codes])

    def _named(self, answers: NDArray[np.float64], lesson: TeacherData) -> Any:
        if lesson.present.any():
            return answers
        # without a label, only names say what the columns are
        return pd.DataFrame(answers, columns=lesson.ask.classes.tolist())  # type: ignore[attr-defined]
