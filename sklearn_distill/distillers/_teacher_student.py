"""What the teacher-student estimators share: who learns what from whom."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_distill._validation import StrOptions, all_or_nothing, check_sample_weight
from sklearn_distill.distillers._columns import Columns, read_columns
from sklearn_distill.distillers._lesson import Lesson
from sklearn_distill.distillers._reproducible import check_reproducible, seeded
from sklearn_distill.distillers._routing import routed, router_of
from sklearn_distill.distillers._student import Told, check_same_kind, teacher_argument
from sklearn_distill.teachers.out_of_fold import as_table, check_teachable, folds


class TeacherStudent(MetaEstimatorMixin, BaseEstimator):
    """A teacher that is fitted inside ``fit``, and a student that hears what it says."""

    teacher_: Any
    student_: Any
    _columns: Columns
    _answers_are: ClassVar[str]  # the student's argument

    # routed without any set_fit_request
    __metadata_request__fit: ClassVar = {"X_unlabeled": True}

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "teacher": "no_validation",
        "student": "no_validation",
        "privileged_features": ["array-like", str, int, callable, None],
        "teacher_features": [StrOptions({"all", "privileged"})],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "memory": "no_validation",
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        teacher: Any,
        student: Any,
        *,
        privileged_features: Any = None,
        teacher_features: str = "all",
        cv: Any = 5,
        memory: Any = None,
        random_state: Any = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.privileged_features = privileged_features
        self.teacher_features = teacher_features
        self.cv = cv
        self.memory = memory
        self.random_state = random_state

    @all_or_nothing
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        X_unlabeled: Any = None,
        **fit_params: Any,
    ) -> Self:
        """Fit the teacher, then the student on what the teacher says.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, the privileged ones among them.
        y : array-like of shape (n_samples,) or None
            Labels. Rows without one (NaN, None, pd.NA) teach the teacher nothing; they get its
            answer. None for all needs ``cv="prefit"``.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows, for teacher and student.
        X_unlabeled : {array-like, sparse matrix, DataFrame} of shape (n_more, n_features) or None
            Further rows, which the teacher alone labels, fitted on all of y. Each weighs what a
            row of X weighs on average.
        **fit_params : dict
            With metadata routing, what teacher, student and splitter request; without it,
            ``teacher__name`` and ``student__name``, and ``groups`` for the splitter.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If a teacher fails, answers NaN or lacks a class (the message names teacher and fold),
            or arguments or parameters are not valid. The estimator is then as it was before.
        TypeError
            If a parameter of fit is unknown, or teacher or student raise one.
        RuntimeError
            If a teacher fails in another way; the message names teacher and fold.
        """
        self._validate_params()
        check_reproducible(self.memory, self.random_state, self.cv)
        self._check_labelled(y)
        argument = teacher_argument(self.student, self._answers_are)
        X, more = self._read_features(X, X_unlabeled)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X.shape[0])
        params = routed(self, sample_weight, fit_params)
        teacher, student = seeded(self.teacher, self.student, self.random_state)
        lesson = self._read_lesson(self._columns.for_teacher(X), y, params.teacher)
        self.teacher_, answers = self._teach(teacher, lesson, params.splitter)
        told = Told(self._columns.for_student(X), self._labels(lesson), answers, params.student)
        if more is not None:
            answers = lesson.ask(self.teacher_, self._columns.for_teacher(more), "on X_unlabeled")
            told = told.extended(self._columns.for_student(more), answers)
        answers = self._named(told.answers, lesson)
        self.student_ = student.fit(told.X, told.y, **{argument: answers}, **told.fit_params)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict by the student alone.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
            All features of fit's X, the privileged of which are not looked at, or the regular
            ones alone.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The student's predictions.
        """
        check_is_fitted(self)
        return np.asarray(self.student_.predict(self._regular(X)))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how metadata go to teacher, student and splitter.

        Returns
        -------
        MetadataRouter
            The routing.
        """
        return router_of(self)

    @abstractmethod
    def _read_lesson(self, X: Any, y: Any, fit_params: dict[str, Any]) -> Lesson:
        """Read the labels, and say how to ask the teacher."""

    @abstractmethod
    def _labels(self, lesson: Lesson) -> NDArray[Any]:
        """Return the labels for the student, with missing ones marked."""

    def _named(self, answers: NDArray[np.float64], lesson: Lesson) -> Any:
        """Return the teacher's answers as the student is given them."""
        return answers

    def _read_features(self, X: Any, X_unlabeled: Any) -> tuple[Any, Any]:
        """Check what came in; set the names and the number of features and who sees which."""
        X = as_table(X)
        validate_data(self, X, skip_check_array=True)
        self._columns = read_columns(X, self.privileged_features, self.teacher_features)
        if X_unlabeled is None:
            return X, None
        more = as_table(X_unlabeled)
        check_same_kind(X, more)
        validate_data(self, more, skip_check_array=True, reset=False)
        return X, more

    def _check_labelled(self, y: Any) -> None:
        if y is None and not self._is_prefit():
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: the "
                "teacher learns from y; without any label, take a fitted one and cv='prefit'"
            )

    def _is_prefit(self) -> bool:
        return isinstance(self.cv, str)

    def _teach(
        self, teacher: Any, lesson: Lesson, split_params: dict[str, Any]
    ) -> tuple[Any, NDArray[np.float64]]:
        """Return the fitted teacher and what it says of the rows."""
        if self._is_prefit():
            return lesson.of_prefit(self.teacher)
        check_teachable(lesson.present)
        if self.cv is None:
            return lesson.in_sample(teacher, self.memory)
        splits = folds(
            self.cv, lesson.X, lesson.y, lesson.present, split_params, is_class=is_classifier(self)
        )
        return lesson.out_of_fold(teacher, splits, self.memory)

    def _regular(self, X: Any) -> Any:
        """Return the student's columns of all columns or of the regular ones."""
        X, columns = as_table(X), self._columns
        width, n_regular = X.shape[1], len(columns.regular)
        if width == n_regular < columns.n_columns:
            return X
        if width != columns.n_columns and len(columns.privileged):
            raise ValueError(
                f"X has {width} features, but {type(self).__name__} is expecting "
                f"{columns.n_columns} features as input, or the {n_regular} regular ones without "
                f"the privileged ones"
            )
        validate_data(self, X, skip_check_array=True, reset=False)
        return columns.for_student(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        both = [get_tags(self.teacher), get_tags(self.student)]
        tags.input_tags.sparse = all(one.input_tags.sparse for one in both)
        tags.input_tags.allow_nan = all(one.input_tags.allow_nan for one in both)
        tags.target_tags.multi_output = all(one.target_tags.multi_output for one in both)
        tags.target_tags.required = not self._is_prefit()
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "student_")
