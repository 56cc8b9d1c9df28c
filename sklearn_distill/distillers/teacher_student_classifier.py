"""A classifier that is trained on the predicted probabilities of another classifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import CheckedX, FloatArray, MatrixLike
from sklearn_distill._validation.fitting import StrOptions, available_if
from sklearn_distill._validation.labels import (
    check_any_label,
    check_classes,
    check_labels,
    check_some_label,
    mark_missing,
)
from sklearn_distill._validation.last_step import last_step
from sklearn_distill._validation.masks import none_where_masked
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._calibration import TemperatureCalibration
from sklearn_distill.distillers._student_data import StudentData
from sklearn_distill.distillers._teacher_fit import TeacherData
from sklearn_distill.distillers._teacher_student import TeacherStudent
from sklearn_distill.teachers._cross_fit import PredictAligned


def _student_has(method: str) -> Callable[[Any], bool]:
    return lambda self: hasattr(getattr(self, "student_", self.student), method)


def _cross_entropies(
    proba: FloatArray, classes: NDArray[Any], y: NDArray[Any]
) -> NDArray[np.float64]:
    # y may be of objects, as labels are where some are missing
    codes = np.searchsorted(classes, y.astype(classes.dtype))
    of_labels = proba[np.arange(len(y)), codes]
    # with the floor of scikit-learn's log_loss
    losses: NDArray[np.float64] = -np.log(np.maximum(of_labels, np.finfo(np.float64).eps))
    return losses


class TeacherStudentClassifier(ClassifierMixin, TeacherStudent):
    """A student trained on labels and on out-of-fold probabilities of a teacher.

    ``fit`` fits a clone of the teacher on the training samples of each fold and predicts
    probabilities for the fold's test samples; the student is trained on these out-of-fold
    probabilities q and the labels. Predictions for the teacher's own training samples would
    reproduce their labels; predictions computed before a cross-validation would come from a teacher
    fitted on the labels of the validation samples. ``predict`` needs neither the teacher nor the
    privileged features.

    Parameters
    ----------
    teacher : classifier
        Any scikit-learn classifier with ``predict_proba``, or with ``decision_function``, whose
        values are then taken as logits. One that fails on the labels as they are, such as
        XGBClassifier on strings or 1, 3, 7, is fitted on 0, …, K−1.
    student : classifier
        A classifier whose ``fit`` takes ``teacher_proba``, or a Pipeline whose last step is one.
        If it has a parameter ``classes`` that is not None, these are the classes of the teacher,
        too.
    privileged_features : array-like, str, int, slice, callable or None, default=None
        Features that the student does not use: names, positions, a mask, a slice (of
        names, it includes its end), or a callable that returns these for X, such as
        make_column_selector.
    teacher_features : {"all", "privileged"}, default="all"
        The features that the teacher is fitted on.
    cv : int, splitter, iterable of (train, test), "prefit" or None, default=5
        The folds. Samples that are in no test fold have no prediction of the teacher; those in
        several get the mean. "prefit" uses the teacher without refitting it; it must be fitted on
        other samples (if this estimator is cloned, as in a search, wrap the teacher in
        FrozenEstimator). None uses in-sample predictions of one teacher.
    augmentation : {"munge"}, callable or None, default=None
        Generates synthetic samples, which have no label: the student is trained on the predictions
        of the teacher fitted on all labelled samples. "munge" is
        :func:`~sklearn_distill.augmentation.munge`; a callable is called as
        ``augmentation(X, n, random_state=seed)`` with all columns of samples of X and returns n
        similar samples in the same container with the same columns, for example
        ``functools.partial(munge, s=3.0)``. The weight of a synthetic sample is the mean weight of
        the samples of X. Needs ``n_augmented``.
    n_augmented : int, default=0
        Number of synthetic samples.
    unlabeled_weight : float, "auto" or None, default=None
        Total weight, relative to that of the labelled samples, of those without a label: samples of
        X whose label is missing, those of ``X_unlabeled`` and synthetic ones. 0 leaves them out,
        and None leaves each its own weight. Where a penalty is added to a sum over samples, a
        larger weight is a weaker penalty, too. "auto" takes, of 0, 0.1, 0.3, 1, 3 and 10, the
        weight of the smallest loss in a nested cross-validation; see Notes. With a student that has
        a parameter ``debias``, such as :class:`~sklearn_distill.DistilledLogisticRegression`, and
        can be fitted in this form, ρ = 0.25, 0.5, 0.75 and 1 of the debiased form are compared,
        too, unless there are synthetic samples. A ρ that is set in the student takes the place of
        this parameter.
    calibrate_teacher : {"temperature"} or None, default=None
        Whether to divide the logarithms of the teacher's probabilities by one temperature τ, that
        of the smallest cross-entropy of the labels, before the student's own T. τ is fitted on the
        out-of-fold predictions of all labelled samples; where something is chosen or compared on
        the test samples of a fold, on those of the fold's training samples. A probability of 0
        counts as 2e-16.
    check_teacher : bool, default=False
        Whether to compare the teacher with the student trained on the labels alone, as
        ``teacher_check_``, and to issue a :class:`~sklearn_distill.WorseTeacherWarning` if the
        teacher is worse. This takes K further fits of the student for K folds, and none of the
        teacher. Its result does not depend on λ and T, so that a search need not repeat it.
    memory : str, path-like, joblib.Memory or None, default=None
        Caches fitted teachers and their predictions, so that a search over the student's
        parameters fits each teacher once. Needs an integer ``random_state`` and a deterministic
        ``cv``. joblib unpickles the files of the cache: choose a folder that only you can write to.
    keep_teacher : bool, default=True
        Whether the fitted estimator has ``teacher_``, which no prediction needs and which is often
        much larger than the student. The parameter ``teacher`` is not fitted, but with
        ``cv="prefit"``: then save ``student_`` alone.
    random_state : int, RandomState or None, default=None
        Seeds the synthetic samples, and the teacher and the student if their own ``random_state``
        is None.

    Attributes
    ----------
    student_ : classifier
        The fitted student, which predicts from the regular features. It can be pickled by itself.
    teacher_ : classifier
        The teacher, fitted on all labelled samples (but for those that the student validates on;
        see Notes). Not set with ``keep_teacher=False``. On encoded labels it is
        ``teacher_.estimator_``, whose classes ``teacher_`` maps back.
    classes_ : ndarray of shape (n_classes,)
        The class labels, ascending, in the order of the columns of ``predict_proba``.
    augmentation_gain_ : float or None
        Gain of the synthetic samples: the mean cross-entropy (nats) of a student trained without
        them minus that of one trained with them, on samples that neither student nor teacher was
        fitted on; see Notes. A negative gain means that they hurt, and a UserWarning is issued if
        it is below zero by more than two standard errors. None without ``augmentation``, and if the
        gain cannot be estimated: for a student without ``predict_proba``; for ``cv=None``, which
        has no test samples; for two folds, without both of which there is no sample to fit a
        teacher on; for folds whose training samples lack a class; for a fitted teacher if y has
        fewer than five labels of a class.
    augmentation_gain_se_ : float or None
        Standard error of ``augmentation_gain_``, given the fitted students.
    unlabeled_weight_ : float or None
        The weight of the samples without a label, given or chosen; ρ in the debiased form.
    unlabeled_results_ : DataFrame or None
        With ``unlabeled_weight="auto"``, a row for each weight that was compared:
        ``unlabeled_weight``, whether it is ρ of the ``debiased`` form, the mean ``loss`` on the
        labels of samples that neither student nor teacher was fitted on, its ``difference`` from
        the loss without unlabelled samples, and the ``standard_error`` of that, given the fitted
        students. The loss is inf where the debiased form has no minimum.
    teacher_temperature_ : float or None
        τ with ``calibrate_teacher="temperature"``: above 1 for an overconfident teacher.
        ``teacher_`` itself is not calibrated.
    teacher_check_ : TeacherCheck or None
        With ``check_teacher=True``, the mean cross-entropy (nats) of the teacher (``teacher_loss``)
        and of the student trained on the labels alone (``baseline_loss``), on samples that neither
        was fitted on; their ``difference`` and its ``standard_error``; and whether the difference
        is larger than two standard errors (``is_worse``). None without, for folds whose
        training samples lack a class, and for a fitted teacher if y has fewer than five labels of a
        class.
    n_features_in_ : int
        Number of features of fit's X, including the privileged ones; not set for texts.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features of fit's X, if X has string names.

    See Also
    --------
    sklearn_distill.teachers.out_of_fold_proba : The predictions that the student is trained on.

    Notes
    -----
    A student that chooses its metaparameters on folds, such as
    :class:`~sklearn_distill.DistilledLogisticRegressionCV`, chooses on those of ``cv``, by labels
    that no teacher it learns from there was fitted on. This takes K (K - 1) / 2 additional fits of
    the teacher for K folds.

    A student that stops early, or a network that tunes λ and T while it trains, validates on a
    share of the labelled samples, or groups. They are held out before the first teacher is fitted,
    and marked as ``validation_rows`` of the student's fit: teachers that know their labels would
    pass them on in the predictions for other samples. With ``student__X_val`` none is held out.

    With ``unlabeled_weight="auto"``, students with each weight are trained without the test samples
    of each fold, and tested on them; the best is trained on all samples. They learn from teachers
    that were not fitted on the test samples: each training sample from one that was fitted without
    its own fold as well, unlabelled samples from the fold's own teacher. This takes K (K - 1) / 2
    additional fits of the teacher for K folds, and 6 K or 10 K of the student. In the debiased
    form, unlabelled samples get the mean prediction of the teachers of the training samples, in the
    final fit that of the K folds' teachers: the errors have the same expectation in labelled and
    unlabelled samples, and cancel.

    ``augmentation_gain_`` is estimated by nested cross-validation. For each fold, two students are
    trained without the fold's test samples, one of them with synthetic samples generated from the
    training samples (in proportion to their number); both are tested on the labels of the test
    samples. They are trained on predictions of teachers that were not fitted on the test samples:
    for the synthetic samples that of the fold's own teacher, for each training sample that of a
    teacher fitted without that sample's fold as well. This takes K (K - 1) / 2 additional fits of
    the teacher for K folds (which ``memory`` caches) and 2 K of the student. The out-of-fold
    predictions themselves, whose teachers were fitted on the test samples, would favour the student
    without synthetic samples. The gain is the mean of the paired differences, weighted by
    ``sample_weight``. With ``cv="prefit"`` the teacher must not have been fitted on any of the
    samples, so any folds are leakage-free: five random ones are used.

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

    _prediction_param: ClassVar[str] = "teacher_proba"
    _loss_name: ClassVar[str] = "cross-entropy"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **TeacherStudent._parameter_constraints,
        "calibrate_teacher": [StrOptions({"temperature"}), None],
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
        calibrate_teacher: str | None = None,
        check_teacher: bool = False,
        memory: Any = None,
        keep_teacher: bool = True,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            teacher,
            student,
            privileged_features=privileged_features,
            teacher_features=teacher_features,
            cv=cv,
            augmentation=augmentation,
            n_augmented=n_augmented,
            unlabeled_weight=unlabeled_weight,
            check_teacher=check_teacher,
            memory=memory,
            keep_teacher=keep_teacher,
            random_state=random_state,
        )
        self.calibrate_teacher = calibrate_teacher

    @property
    def classes_(self) -> NDArray[Any]:
        """The class labels, those of the fitted student."""
        check_is_fitted(self)
        return np.asarray(self.student_.classes_)

    @property
    def teacher_temperature_(self) -> float | None:
        """Temperature that calibrates the teacher; None without ``calibrate_teacher``."""
        check_is_fitted(self)
        return self._teacher_temperature

    @available_if(_student_has("predict_proba"))
    def predict_proba(self, X: MatrixLike) -> NDArray[Any]:
        """Return the student's probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
            All features of fit's X, the privileged of which are ignored, or only the regular ones.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``.
        """
        check_is_fitted(self)
        return np.asarray(self.student_.predict_proba(self.student_features(X)))

    @available_if(_student_has("predict_proba"))
    def predict_log_proba(self, X: MatrixLike) -> NDArray[Any]:
        """Return the student's log-probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
            All features of fit's X, the privileged of which are ignored, or only the regular ones.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of ``classes_``.
        """
        check_is_fitted(self)
        X_student = self.student_features(X)
        if hasattr(self.student_, "predict_log_proba"):
            return np.asarray(self.student_.predict_log_proba(X_student))
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.student_.predict_proba(X_student)))

    @available_if(_student_has("decision_function"))
    def decision_function(self, X: MatrixLike) -> NDArray[Any]:
        """Return the student's scores.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
            All features of fit's X, the privileged of which are ignored, or only the regular ones.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Scores of the student's ``decision_function``.
        """
        check_is_fitted(self)
        return np.asarray(self.student_.decision_function(self.student_features(X)))

    def _read_teacher_data(self, X: CheckedX, y: Any, fit_params: dict[str, Any]) -> TeacherData:
        y = none_where_masked(y)
        if np.asarray(y).dtype.kind == "f":  # NaN is a missing label, inf is none
            assert_all_finite(y, allow_nan=True, input_name="y")
        if not self._is_prefit():
            check_any_label(y, "the teacher must be fitted on some")
        classes, labels = check_labels(y, X.shape[0], self._known_classes(y), None)
        # a class of the student's ``classes`` that y lacks may be unknown to the teacher, too
        required = classes[np.unique(labels.codes[labels.present])]
        return TeacherData(
            X,
            classes[labels.codes],
            labels.present,
            fit_params,
            PredictAligned(classes, required),
            self._feature_split,
        )

    def _known_classes(self, y: Any) -> NDArray[Any] | None:
        """Return the student's classes, or, without any label, those of a fitted teacher."""
        known = check_classes(getattr(last_step(self.student), "classes", None))
        if known is not None or not self._is_prefit():
            return known
        unlabelled = y is None or bool(np.all(pd.isna(y)))
        return getattr(self.teacher, "classes_", None) if unlabelled else None

    def _student_labels(self, data: TeacherData) -> NDArray[Any]:
        return mark_missing(data.y, data.labelled)

    def _can_compare(self, data: TeacherData, splits: Splits) -> bool:
        # a student that lacks a class has no probability of the test labels of this class
        n_classes = len(np.unique(data.y[data.labelled]))
        n_trained = {len(np.unique(data.y[train])) for train, _ in splits}
        return hasattr(self.student, "predict_proba") and n_trained == {n_classes}

    def _check_settings(self) -> None:
        super()._check_settings()
        if self.calibrate_teacher is not None and self.cv is None:
            raise ValueError(
                "calibrate_teacher needs predictions for samples that the teacher was not fitted "
                "on, and cv=None makes none: set cv to folds or 'prefit', or calibrate_teacher=None"
            )
        if self.check_teacher and not hasattr(self.student, "predict_proba"):
            raise ValueError(
                "check_teacher=True compares cross-entropies, and student "
                f"{type(self.student).__name__} has no predict_proba: set check_teacher=False, or "
                "use a student of probabilities"
            )

    def _calibration(self, data: TeacherData, weight: FloatArray) -> TemperatureCalibration | None:
        if self.calibrate_teacher is None:
            return None
        check_some_label(data.labelled, "calibrate_teacher fits a temperature on some")
        assert isinstance(data.predict, PredictAligned)
        codes = np.searchsorted(data.predict.classes, data.y)
        return TemperatureCalibration(codes, np.where(data.labelled, weight, 0.0))

    def _sample_losses(self, student: Any, X: CheckedX, y: NDArray[Any]) -> NDArray[np.float64]:
        return _cross_entropies(student.predict_proba(X), student.classes_, y)

    def _prediction_losses(
        self, data: TeacherData, predictions: FloatArray, y: NDArray[Any]
    ) -> NDArray[np.float64]:
        assert isinstance(data.predict, PredictAligned)
        return _cross_entropies(predictions, data.predict.classes, y)

    def _format_predictions(self, student_data: StudentData, data: TeacherData) -> Any:
        if data.labelled.any():
            return student_data.predictions
        # without any label, the student takes its classes from the names of the columns
        assert isinstance(data.predict, PredictAligned)
        columns = data.predict.classes.tolist()
        # with the index of X: a default one may hold the labels of X in another order
        index = getattr(student_data.X, "index", None)
        return pd.DataFrame(student_data.predictions, index, columns)
