"""Base class of the teacher-student estimators: fit a teacher, then a student on predictions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._doc_link import DocLink
from sklearn_distill._typing import (
    ArrayLike,
    CheckedX,
    FloatArray,
    MatrixLike,
    TargetLike,
)
from sklearn_distill._validation.absent_rows import PresentRows
from sklearn_distill._validation.extra_sets import entry_of_single, warn_if_out_of_range
from sklearn_distill._validation.fitting import Interval, StrOptions, all_or_nothing
from sklearn_distill._validation.indexing import as_samples, check_features, set_features
from sklearn_distill._validation.labels import check_some_label
from sklearn_distill._validation.plausible_teacher import own_predictions
from sklearn_distill._validation.random_state import check_reproducible, seeded
from sklearn_distill._validation.routing import (
    RoutedParams,
    make_router,
    refuse_predictions,
    route_fit_params,
)
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.splits import Splits, labelled_splits
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.deployment import to_sklearn
from sklearn_distill.distillers._augmentation_gain import (
    COMPARED,
    FitStudent,
    StudentComparison,
    default_splits,
)
from sklearn_distill.distillers._calibration import TemperatureCalibration, calibrated
from sklearn_distill.distillers._extra_samples import (
    ExtraSamples,
    check_same_kind,
    read_augmentation,
)
from sklearn_distill.distillers._feature_split import FeatureSplit, split_features
from sklearn_distill.distillers._fold_plan import FoldPlan
from sklearn_distill.distillers._held_out_rows import NO_ROWS, HeldOutRows, OwnValidation
from sklearn_distill.distillers._nested_choice import (
    WITHOUT_CHOICE,
    ChoiceSettings,
    NestedChoice,
)
from sklearn_distill.distillers._nested_folds import (
    NestedPredictions,
    cross_fitted_predictions,
    teachers_of_folds,
)
from sklearn_distill.distillers._student_data import StudentData, required_teacher_param
from sklearn_distill.distillers._teacher_check import (
    BaselineComparison,
    TeacherCheck,
    predictions_by_fold,
    warn_if_worse,
)
from sklearn_distill.distillers._teacher_fit import TeacherData, TeacherFit
from sklearn_distill.distillers._unlabeled_weight import (
    FitWeighed,
    UnlabeledWeight,
    WeightComparison,
    Weighting,
    first_with_minimum,
)
from sklearn_distill.students._onnx_method import OnnxMethod
from sklearn_distill.teachers._cross_fit import FoldFit

# kinds of X, by scikit-learn's tags, that both teacher and student have to accept
_INPUT_KINDS = (
    "one_d_array",
    "two_d_array",
    "three_d_array",
    "sparse",
    "categorical",
    "string",
    "dict",
    "allow_nan",
)


class TeacherStudent(OnnxMethod, MetaEstimatorMixin, DocLink, BaseEstimator):
    """A meta-estimator that fits a teacher, and a student on labels and out-of-fold predictions."""

    teacher_: Any
    student_: Any
    augmentation_gain_: float | None
    augmentation_gain_se_: float | None
    teacher_check_: TeacherCheck | None
    unlabeled_weight_: float | None
    unlabeled_results_: pd.DataFrame | None
    _teacher_temperature: float | None
    _feature_split: FeatureSplit
    _prediction_param: ClassVar[str]  # the student's fit parameter for the teacher's predictions
    _loss_name: ClassVar[str]

    # routed without any set_fit_request
    __metadata_request__fit: ClassVar = {"X_unlabeled": True}

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "teacher": "no_validation",
        "student": "no_validation",
        "privileged_features": ["array-like", str, Integral, slice, callable, None],
        "teacher_features": [StrOptions({"all", "privileged"})],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "augmentation": [StrOptions({"munge"}), callable, None],
        "n_augmented": [Interval(Integral, 0, None, closed="left")],
        "unlabeled_weight": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"}), None],
        "check_teacher": ["boolean"],
        "memory": "no_validation",
        "keep_teacher": ["boolean"],
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
        unlabeled_weight: float | str | None = None,
        check_teacher: bool = False,
        memory: Any = None,
        keep_teacher: bool = True,
        random_state: Any = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.privileged_features = privileged_features
        self.teacher_features = teacher_features
        self.cv = cv
        self.augmentation = augmentation
        self.n_augmented = n_augmented
        self.unlabeled_weight = unlabeled_weight
        self.check_teacher = check_teacher
        self.memory = memory
        self.keep_teacher = keep_teacher
        self.random_state = random_state

    @all_or_nothing
    def fit(
        self,
        X: MatrixLike,
        y: TargetLike = None,
        sample_weight: ArrayLike | None = None,
        X_unlabeled: MatrixLike | tuple[MatrixLike] | None = None,
        **fit_params: Any,
    ) -> Self:
        """Fit the teacher, then the student on the labels and the teacher's predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            All features, including the privileged ones; or texts, images and any other samples that
            teacher and student take, without privileged features.
        y : array-like of shape (n_samples,) or None
            Labels. The teacher is not fitted on samples whose label is missing (NaN, None, pd.NA);
            it predicts for them. None, for no labels at all, needs ``cv="prefit"``.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights, for teacher and student. Samples of weight 0 are left out.
        X_unlabeled : {array-like, sparse matrix, DataFrame} of shape (n_extra, n_features) or None
            Unlabelled samples, or a tuple of one, ``(U,)``. The student is trained on the
            predictions of the teacher fitted on all of y (in the debiased form on the mean of the
            folds' teachers). The weight of each is the mean weight of the samples of X, unless
            ``unlabeled_weight`` is set. A Pipeline transforms them with
            ``transform_input=["X_unlabeled"]`` only. scikit-learn's tools slice an array of as many
            rows as X; the entry of a tuple is never sliced.
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
            If a teacher fails or predicts NaN (the message names teacher and fold), a fitted one
            lacks a class, a parameter of fit is unknown, a weight of unlabelled samples cannot be
            set or chosen, or arguments or parameters are not valid.
            The estimator is then left unchanged.
        TypeError
            If teacher or student raise one, or the student is passed a teacher's predictions.
        RuntimeError
            If a teacher fails in another way; the message names teacher and fold.

        Warns
        -----
        UserWarning
            If more than half of the values of a numeric column of ``X_unlabeled`` are farther from
            the range of X's column than this range is wide (not for fewer than 20 rows), if
            synthetic samples hurt, if there is nothing that ``unlabeled_weight`` is the weight of,
            if a class is in no training row of a fold, whose teacher
            then predicts probability 0 for it, or if the student chooses its metaparameters on
            labels that its teachers know.
        WorseTeacherWarning
            With ``check_teacher=True``, if the teacher predicts worse than the student does
            without it, by more than two standard errors.
        """
        self._validate_params()  # all checks come before the first fit, which may take long
        check_reproducible(self.memory, self.random_state, self.cv)
        self._check_y_given(y)
        teacher_param = required_teacher_param(self.student, self._prediction_param)
        self._check_settings()
        check_row_order(X, y, sample_weight=sample_weight)
        X_checked, unlabeled = self._check_features(X, X_unlabeled)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X_checked.shape[0])
        rows = PresentRows(X_checked, y, sample_weight, fit_params, self.cv).without_absent()
        params = route_fit_params(self, rows.weight, rows.fit_params)
        refuse_predictions(self, params.student)

        teacher, student, seed = seeded(self.teacher, self.student, self.random_state)
        data = self._read_teacher_data(
            self._feature_split.for_teacher(rows.X), rows.y, params.teacher
        )
        held_out = self._hold_out(student, rows, data, params, unlabeled, seed)
        if held_out.data is not None:
            params = params.take(held_out.others, data.n_rows)
            rows, data = rows.take(held_out.others), data.take(held_out.others)
        augmentation = read_augmentation(self.augmentation, self.n_augmented, seed)
        extra = ExtraSamples(rows.X, unlabeled, augmentation)
        weighting = Weighting.of(
            self.unlabeled_weight, student, cv=self.cv, has_augmentation=augmentation is not None
        )
        if data.labelled.all() and unlabeled is None and augmentation is None:
            weighting = weighting.without_unlabelled()
        choice = NestedChoice.of(student, teacher_param)
        plan = FoldPlan(data, extra, choice, weighting, partial(self._can_compare, data))
        folds = self._folds(rows.cv, data, params.splitter, plan)
        teacher_fit = self._fit_teacher(teacher, data, folds)
        self.teacher_ = teacher_fit.teacher
        student_data = StudentData(
            self._feature_split.for_student(rows.X),
            self._student_labels(data),
            teacher_fit.predictions,
            params.student,
        )
        nested = compared = cross_fitted_predictions(
            teacher_fit, teacher, self.memory, student_data.weight, plan.unlabelled
        )
        if self._is_prefit() and plan.compares:
            splits = default_splits(data, seed, is_class=is_classifier(self))
            compared = plan.of_fitted(teacher_fit, splits)

        calibration = self._calibration(data, student_data.weight)
        self._set_teacher_check(student, student_data, teacher_fit, seed, calibration)
        self._teacher_temperature = None
        if calibration is not None:
            compared = calibration.nested(compared)
            nested = compared if nested else []
            student_data = self._calibrate(calibration, student_data)
        fit_student = partial(self._fit_student, student, teacher_param, data, held_out)
        with own_predictions():
            ranked = self._rank_weights(weighting, compared, student_data, fit_student)
            fit_best = partial(fit_student, unlabeled=ranked[0])
            self._set_augmentation_gain(compared, extra, student_data, fit_best)

            def fit_on_all(unlabeled: UnlabeledWeight) -> Any:
                full_data = self._add_extra_samples(student_data, teacher_fit, extra, unlabeled)
                settings = choice.settings(nested, full_data.predictions)
                return fit_student(full_data, unlabeled, settings)

            weight, self.student_ = first_with_minimum(ranked, fit_on_all)
        self.unlabeled_weight_ = weight.value
        if not self.keep_teacher:
            del self.teacher_
        return self

    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Predict with the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
            All features of fit's X, the privileged of which are ignored, or only the regular ones.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The student's predictions.
        """
        check_is_fitted(self)
        return np.asarray(self.student_.predict(self.student_features(X)))

    def student_features(self, X: MatrixLike) -> CheckedX:
        """Return the features that ``student_`` predicts from, to use it without this estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
            All features of fit's X, or only the regular ones. A frame with further columns, or
            only some of the privileged ones, is searched for the names of the regular ones.

        Returns
        -------
        {array-like, sparse matrix, DataFrame} of shape (n_samples, n_regular_features)
            X without the privileged features.

        Raises
        ------
        ValueError
            If X has other features, or lacks a regular one (the message names it).
        """
        check_is_fitted(self)
        X_checked, split = as_samples(X), self._feature_split
        if len(X_checked.shape) == 1:  # texts, or a single row, which the student refuses
            return X_checked
        names = getattr(self, "feature_names_in_", None)
        if names is not None and split.needs_names(X_checked, names):
            return split.by_name(X_checked, names)
        n_columns, n_regular = X_checked.shape[1], len(split.regular)
        if n_columns == n_regular < split.n_columns:
            # validate_data would refuse them: it compares with all features
            return X_checked
        if n_columns != split.n_columns and len(split.privileged):
            raise ValueError(
                f"X has {n_columns} features, but {type(self).__name__} is expecting "
                f"{split.n_columns} features as input, or the {n_regular} regular ones without "
                f"the privileged ones"
            )
        return split.for_student(check_features(self, X_checked))

    def to_sklearn(self) -> Any:
        """Convert the student to an estimator that no longer depends on this package.

        Returns
        -------
        estimator
            See :func:`~sklearn_distill.deployment.to_sklearn`. It takes the regular features only.

        Raises
        ------
        TypeError
            If scikit-learn has no estimator with the student's predictions.
        """
        check_is_fitted(self)
        return to_sklearn(self.student_)

    @property
    def feature_importances_(self) -> NDArray[Any]:
        """Feature importances of ``student_``, if it has any; see ``coef_``."""
        return self._per_feature("feature_importances_")

    @property
    def coef_(self) -> NDArray[Any]:
        """Coefficients of ``student_``, if it has any.

        Only without privileged features: with them, the student has fewer features than X.
        """
        return self._per_feature("coef_")

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the metadata routing to teacher, student and splitter.

        Returns
        -------
        MetadataRouter
            Maps ``fit`` to the ``fit`` of teacher and student and the ``split`` of the splitter.
        """
        return make_router(self)

    @abstractmethod
    def _read_teacher_data(self, X: CheckedX, y: Any, fit_params: dict[str, Any]) -> TeacherData:
        """Check y; return the training data of the teacher."""

    @abstractmethod
    def _student_labels(self, data: TeacherData) -> NDArray[Any]:
        """Return the labels for the student, with missing ones marked."""

    @abstractmethod
    def _sample_losses(self, student: Any, X: CheckedX, y: NDArray[Any]) -> NDArray[np.float64]:
        """Return the loss of a fitted student for each sample."""

    @abstractmethod
    def _prediction_losses(
        self, data: TeacherData, predictions: FloatArray, y: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return the loss of the teacher's predictions for each sample."""

    def _can_compare(self, data: TeacherData, splits: Splits) -> bool:
        """Return whether students can be fitted in each fold, and predict what the loss needs."""
        return True

    def _calibration(self, data: TeacherData, weight: FloatArray) -> TemperatureCalibration | None:
        """Return how the teacher's predictions are calibrated; None to leave them as they are."""
        return None

    def _format_predictions(self, student_data: StudentData, data: TeacherData) -> Any:
        """Return the teacher's predictions in the form that the student's fit takes."""
        return student_data.predictions

    def _check_y_given(self, y: TargetLike) -> None:
        if y is None and not self._is_prefit():
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: the "
                "teacher is fitted on y. Without any label, pass a fitted teacher and cv='prefit'"
            )

    def _check_settings(self) -> None:
        if self.check_teacher and self.cv is None:
            raise ValueError(
                "check_teacher=True needs predictions for samples that the teacher was not fitted "
                "on, and cv=None makes none: set cv to folds or 'prefit', or check_teacher=False"
            )

    def _check_features(
        self, X: MatrixLike, X_unlabeled: MatrixLike | tuple[MatrixLike] | None
    ) -> tuple[CheckedX, CheckedX | None]:
        """Check both; set number and names of the features, and their split."""
        X_checked = as_samples(X)
        set_features(self, X_checked)
        self._feature_split = split_features(
            X_checked, self.privileged_features, self.teacher_features
        )
        if X_unlabeled is None:
            return X_checked, None
        unlabeled = as_samples(entry_of_single("X_unlabeled", X_unlabeled))
        # before scikit-learn's check, whose message would name X instead of X_unlabeled
        check_same_kind(X_checked, unlabeled, "X_unlabeled")
        check_features(self, unlabeled)
        warn_if_out_of_range("X_unlabeled", X_checked, unlabeled)
        return X_checked, unlabeled

    def _per_feature(self, name: str) -> NDArray[Any]:
        values: NDArray[Any] = getattr(self.student_, name)  # sparse where it was sparsified
        if len(self._feature_split.privileged):
            # feature selectors would take these values for those of the first columns of X
            raise AttributeError(
                f"{name} has no value for the privileged features: read student_.{name}, which "
                "has those of the other features"
            )
        return values

    def _is_prefit(self) -> bool:
        return isinstance(self.cv, str)

    def _hold_out(
        self,
        student: Any,
        rows: PresentRows,
        data: TeacherData,
        params: RoutedParams,
        unlabeled: CheckedX | None,
        seed: int,
    ) -> HeldOutRows:
        """Return the rows that the student validates on: no teacher is to be fitted on them."""
        own = OwnValidation.of(student, params.student)
        if own is None or self._is_prefit():  # a fitted teacher does not know their labels
            return NO_ROWS
        strata = np.unique(data.y, return_inverse=True)[1] if is_classifier(self) else None
        n_extra = self.n_augmented + (0 if unlabeled is None else unlabeled.shape[0])
        groups = params.splitter.get("groups")
        split = own.split(data.labelled, strata, data.n_rows + n_extra, groups, seed)
        if split is None:
            return NO_ROWS
        others, validation = split
        every_row = StudentData(
            self._feature_split.for_student(rows.X),
            self._student_labels(data),
            np.empty(data.n_rows),
            params.student,
        )
        return HeldOutRows(own.param, every_row.take(validation, np.empty(0)), others)

    def _folds(
        self, cv: Any, data: TeacherData, split_params: dict[str, Any], plan: FoldPlan
    ) -> Sequence[FoldFit]:
        """Return the folds of ``cv``; none for "prefit" and None."""
        if self._is_prefit():
            return []
        check_some_label(data.labelled, "the teacher must be fitted on some")
        if self.cv is None:
            plan.choice.warn_if_leaky("cv=None trains the student on in-sample predictions")
            return []
        splits = labelled_splits(
            cv, data.X, data.y, data.labelled, split_params, is_class=is_classifier(self)
        )
        return plan.folds(splits)

    def _fit_teacher(self, teacher: Any, data: TeacherData, folds: Sequence[FoldFit]) -> TeacherFit:
        if self._is_prefit():
            return data.use_fitted(self.teacher)  # not the clone, which is not fitted
        if self.cv is None:
            return data.fit_in_sample(teacher, self.memory)
        return data.fit_out_of_fold(teacher, folds, self.memory)

    def _fit_student(
        self,
        student: Any,
        teacher_param: str,
        data: TeacherData,
        held_out: HeldOutRows,
        student_data: StudentData,
        unlabeled: UnlabeledWeight,
        settings: ChoiceSettings = WITHOUT_CHOICE,
    ) -> Any:
        """Fit a clone of the student: comparisons fit several."""
        student_data = unlabeled.weigh(student, student_data)
        predictions = self._format_predictions(student_data, data)
        student_data = held_out.add_to(replace(student_data, predictions=predictions))
        return (
            clone(student)
            .set_params(**settings.params, **unlabeled.params)
            .fit(
                student_data.X,
                student_data.y,
                **{teacher_param: student_data.predictions},
                **settings.fit_params,
                **student_data.fit_params,
            )
        )

    def _calibrate(
        self, calibration: TemperatureCalibration, student_data: StudentData
    ) -> StudentData:
        """Set the teacher's temperature, and return its predictions at it."""
        all_rows = np.arange(len(student_data.y))
        tau = calibration.temperature(student_data.predictions, all_rows)
        self._teacher_temperature = tau
        return replace(student_data, predictions=calibrated(student_data.predictions, tau))

    def _rank_weights(
        self,
        weighting: Weighting,
        nested: Sequence[NestedPredictions],
        student_data: StudentData,
        fit_student: FitWeighed,
    ) -> list[UnlabeledWeight]:
        """Return the given weight of unlabelled samples, or all compared ones, the best first."""
        self.unlabeled_results_ = None
        if not weighting.is_auto:
            return weighting.compared
        comparison = WeightComparison(
            student_data, self._feature_split, fit_student, self._sample_losses
        )
        self.unlabeled_results_ = comparison.table(nested, weighting.compared)
        best_first = np.argsort(self.unlabeled_results_["loss"], kind="stable")
        return [weighting.compared[k] for k in best_first]

    def _add_extra_samples(
        self,
        student_data: StudentData,
        teacher_fit: TeacherFit,
        extra: ExtraSamples,
        unlabeled: UnlabeledWeight,
    ) -> StudentData:
        """Add unlabelled and synthetic samples, with the predictions of the teacher of all rows.

        In the debiased form, the predictions are the mean of the folds' teachers, as are those for
        rows of X without a label.
        """
        data = teacher_fit.data
        samples = extra.for_rows(np.arange(data.n_rows))
        if unlabeled.is_debiased and teacher_fit.folds:
            by_teacher = teachers_of_folds(teacher_fit, student_data.weight)
            mean = by_teacher.map(lambda q: calibrated(q, self._teacher_temperature)).mean()
            missing = ~data.labelled
            predictions = student_data.predictions.copy()
            predictions[missing], of_samples = np.split(mean, [missing.sum()])
            student_data = replace(student_data, predictions=predictions)
        elif samples is not None:
            of_samples = calibrated(
                data.predict_extra(teacher_fit.teacher, samples), self._teacher_temperature
            )
        if samples is None:
            return student_data
        return student_data.extended(self._feature_split.for_student(samples), of_samples)

    def _set_augmentation_gain(
        self,
        nested: Sequence[NestedPredictions],
        extra: ExtraSamples,
        student_data: StudentData,
        fit_student: FitStudent,
    ) -> None:
        """Set the gain of synthetic samples, and warn if they increase the loss."""
        comparison = StudentComparison(
            student_data, self._feature_split, extra.n_unlabeled, fit_student, self._sample_losses
        )
        compared = [predictions for predictions in nested if COMPARED in predictions.fold.samples]
        gain = None if extra.augmentation is None else comparison.gain(compared)
        self.augmentation_gain_ = None if gain is None else gain.mean
        self.augmentation_gain_se_ = None if gain is None else gain.standard_error
        if gain is not None and gain.hurts:
            warn_user(
                f"the synthetic samples of augmentation={self.augmentation!r} hurt: on samples "
                f"that neither student nor teacher was fitted on, the student's {self._loss_name} "
                f"is larger with them by {-gain.mean:.3g}, with a standard error of "
                f"{gain.standard_error:.2g}; leave them out, generate fewer, or use another "
                "augmentation",
            )

    def _set_teacher_check(
        self,
        student: Any,
        student_data: StudentData,
        teacher_fit: TeacherFit,
        seed: int,
        calibration: TemperatureCalibration | None,
    ) -> None:
        """Compare the teacher with the baseline, and warn if it is worse."""
        self.teacher_check_ = None
        if not self.check_teacher:
            return
        data, predictions = teacher_fit.data, teacher_fit.predictions
        if self._is_prefit():  # the teacher was fitted on no row: any folds will do
            splits = default_splits(data, seed, is_class=is_classifier(self))
            by_fold = [predictions[test] for _, test in splits]
        else:
            splits = [(fold.train, fold.test) for fold in teacher_fit.folds]
            by_fold = predictions_by_fold(teacher_fit)
        if calibration is not None:
            by_fold = calibration.of_tests(predictions, splits, by_fold)
        if self._can_compare(data, splits):
            losses = partial(self._prediction_losses, data)
            comparison = BaselineComparison(student, student_data, self._sample_losses, losses)
            self.teacher_check_ = comparison.check(splits, by_fold)
            warn_if_worse(self.teacher_check_, self.teacher, self._loss_name)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        both = [get_tags(self.teacher), get_tags(self.student)]
        for name in _INPUT_KINDS:
            accepted = all(getattr(nested.input_tags, name) for nested in both)
            setattr(tags.input_tags, name, accepted)
        tags.input_tags.positive_only = any(nested.input_tags.positive_only for nested in both)
        tags.target_tags.multi_output = all(nested.target_tags.multi_output for nested in both)
        tags.target_tags.required = not self._is_prefit()  # a fitted teacher labels all samples
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "student_")
