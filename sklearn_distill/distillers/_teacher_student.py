"""What the teacher-student estimators share: who learns what from whom."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_distill._validation.fitting import Interval, StrOptions, all_or_nothing
from sklearn_distill._validation.indexing import as_table
from sklearn_distill._validation.labels import check_some_label
from sklearn_distill._validation.random_state import check_reproducible, seeded
from sklearn_distill._validation.routing import make_router, route_fit_params
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.splits import Splits, labelled_splits
from sklearn_distill.distillers._augmentation_gain import (
    Comparison,
    Gain,
    NestedFold,
    NestedPredictions,
    default_splits,
    has_fold_pairs,
    nested_folds,
)
from sklearn_distill.distillers._extra_samples import (
    ExtraSamples,
    check_same_kind,
    read_augmentation,
)
from sklearn_distill.distillers._feature_split import FeatureSplit, split_features
from sklearn_distill.distillers._student_data import StudentData, required_teacher_param
from sklearn_distill.distillers._teacher_fit import TeacherData


class TeacherStudent(MetaEstimatorMixin, BaseEstimator):
    """A teacher that is fitted inside ``fit``, and a student that hears what it says."""

    teacher_: Any
    student_: Any
    augmentation_gain_: float | None
    augmentation_gain_se_: float | None
    _columns: FeatureSplit
    _answers_are: ClassVar[str]  # the student's argument
    _loss_is: ClassVar[str]

    # routed without any set_fit_request
    __metadata_request__fit: ClassVar = {"X_unlabeled": True}

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "teacher": "no_validation",
        "student": "no_validation",
        "privileged_features": ["array-like", str, int, callable, None],
        "teacher_features": [StrOptions({"all", "privileged"})],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "augmentation": [StrOptions({"munge"}), callable, None],
        "n_augmented": [Interval(Integral, 0, None, closed="left")],
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
        augmentation: Any = None,
        n_augmented: int = 0,
        memory: Any = None,
        random_state: Any = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.privileged_features = privileged_features
        self.teacher_features = teacher_features
        self.cv = cv
        self.augmentation = augmentation
        self.n_augmented = n_augmented
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
        argument = required_teacher_param(self.student, self._answers_are)
        X, more = self._read_features(X, X_unlabeled)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X.shape[0])
        params = route_fit_params(self, sample_weight, fit_params)
        teacher, student, seed = seeded(self.teacher, self.student, self.random_state)
        further = ExtraSamples(
            X, more, read_augmentation(self.augmentation, self.n_augmented, seed)
        )
        lesson = self._read_lesson(self._columns.for_teacher(X), y, params.teacher)
        splits = self._splits(lesson, params.splitter)
        plans = self._plans(lesson, splits, further, seed)
        self.teacher_, answers, rehearsals = self._teach(teacher, lesson, splits, plans)
        told = StudentData(
            self._columns.for_student(X), self._labels(lesson), answers, params.student
        )
        teach = partial(self._taught, student, argument, lesson)
        comparison = Comparison(told, self._columns, further.n_given, teach, self._losses)
        self._set_gain(comparison.gain(rehearsals))
        self.student_ = teach(self._with_further(told, lesson, further))
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
        return make_router(self)

    @abstractmethod
    def _read_lesson(self, X: Any, y: Any, fit_params: dict[str, Any]) -> TeacherData:
        """Read the labels, and say how to ask the teacher."""

    @abstractmethod
    def _labels(self, lesson: TeacherData) -> NDArray[Any]:
        """Return the labels for the student, with missing ones marked."""

    @abstractmethod
    def _losses(self, student: Any, X: Any, y: NDArray[Any]) -> NDArray[np.float64]:
        """Return a fitted student's loss for each row."""

    def _can_be_judged(self, lesson: TeacherData, splits: Splits) -> bool:
        """Tell whether the student can be taught in each fold and gives what the losses need."""
        return True

    def _named(self, answers: NDArray[np.float64], lesson: TeacherData) -> Any:
        """Return the teacher's answers as the student is given them."""
        return answers

    def _read_features(self, X: Any, X_unlabeled: Any) -> tuple[Any, Any]:
        """Check what came in; set the names and the number of features and who sees which."""
        X = as_table(X)
        validate_data(self, X, skip_check_array=True)
        self._columns = split_features(X, self.privileged_features, self.teacher_features)
        if X_unlabeled is None:
            return X, None
        more = as_table(X_unlabeled)
        check_same_kind(X, more, "X_unlabeled")
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

    def _splits(self, lesson: TeacherData, split_params: dict[str, Any]) -> Splits:
        """Return the folds of ``cv``, none where it says none."""
        if self._is_prefit():
            return []
        check_some_label(lesson.present, "the teacher must be fitted on some")
        if self.cv is None:
            return []
        return labelled_splits(
            self.cv, lesson.X, lesson.y, lesson.present, split_params, is_class=is_classifier(self)
        )

    def _plans(
        self, lesson: TeacherData, splits: Splits, further: ExtraSamples, seed: int
    ) -> list[NestedFold]:
        """Plan how to tell whether made rows help; return nothing where it cannot be told."""
        if further.augmentation is None:
            return []
        if self._is_prefit():
            splits = default_splits(lesson.y, lesson.present, seed, is_class=is_classifier(self))
        elif not has_fold_pairs(splits):
            return []
        if not self._can_be_judged(lesson, splits):
            return []
        return nested_folds(splits, lesson.present, further)

    def _teach(
        self, teacher: Any, lesson: TeacherData, splits: Splits, plans: list[NestedFold]
    ) -> tuple[Any, NDArray[np.float64], list[NestedPredictions]]:
        """Return the fitted teacher, and what it says of the rows and in rehearsals."""
        if self._is_prefit():
            return lesson.of_prefit(self.teacher, plans)
        if self.cv is None:
            return *lesson.in_sample(teacher, self.memory), []
        return lesson.out_of_fold(teacher, splits, self.memory, plans)

    def _with_further(
        self, told: StudentData, lesson: TeacherData, further: ExtraSamples
    ) -> StudentData:
        """Add the rows that the teacher alone speaks for."""
        rows = further.of(np.arange(further.X.shape[0]))
        if rows is None:
            return told
        answers = lesson.ask_further(self.teacher_, rows)
        return told.extended(self._columns.for_student(rows), answers)

    def _taught(self, student: Any, argument: str, lesson: TeacherData, told: StudentData) -> Any:
        """Return a clone of the student, fitted on what it is told."""
        answers = self._named(told.answers, lesson)
        return clone(student).fit(told.X, told.y, **{argument: answers}, **told.fit_params)

    def _set_gain(self, gain: Gain | None) -> None:
        """Keep what the made rows gained, and warn where they hurt."""
        self.augmentation_gain_ = None if gain is None else gain.mean
        self.augmentation_gain_se_ = None if gain is None else gain.standard_error
        if gain is not None and gain.hurts:
            warnings.warn(
                f"the rows made by augmentation={self.augmentation!r} hurt: on rows new to student "
                f"and teacher the student's {self._loss_is} is larger with them, by "
                f"{-gain.mean:.3g} with a standard error of {gain.standard_error:.2g}; leave them "
                "out, or make fewer or others",
                UserWarning,
                stacklevel=4,
            )

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
