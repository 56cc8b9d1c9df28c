"""A regressor that is trained on the predictions of another regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d

from sklearn_distill._typing import CheckedX, FloatArray
from sklearn_distill._validation.labels import check_regression_labels
from sklearn_distill.distillers._teacher_fit import TeacherData
from sklearn_distill.distillers._teacher_student import TeacherStudent
from sklearn_distill.teachers._cross_fit import predict_finite


class TeacherStudentRegressor(RegressorMixin, TeacherStudent):
    """A student trained on targets and on out-of-fold predictions of a teacher.

    ``fit`` fits a clone of the teacher on the training samples of each fold and predicts for the
    fold's test samples; the student is trained on these out-of-fold predictions s and the targets.
    ``predict`` needs neither the teacher nor the privileged features.

    Parameters
    ----------
    teacher : regressor
        Any scikit-learn regressor. It is cloned, except with ``cv="prefit"``.
    student : regressor
        A regressor whose ``fit`` takes ``teacher_prediction``, or a Pipeline whose last step is
        one.
    privileged_features : array-like, str, int, slice, callable or None, default=None
        Features that the student does not use: names, positions, a mask, a slice (of
        names, it includes its end), or a callable that returns these for X, such as
        make_column_selector.
    teacher_features : {"all", "privileged"}, default="all"
        The features that the teacher is fitted on.
    cv : int, splitter, iterable of (train, test), "prefit" or None, default=5
        The folds; an int does not shuffle. Samples that are in no test fold have no prediction of
        the teacher; those in several get the mean. "prefit" uses the teacher without refitting it;
        it must be fitted on other samples (if this estimator is cloned, as in a search, wrap the
        teacher in FrozenEstimator). None uses in-sample predictions of one teacher.
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
        weight of the smallest loss in a nested cross-validation; see Notes.
        :class:`~sklearn_distill.PrivilegedLinearRegression` multiplies it by its noise ratio ρ.
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
    student_ : regressor
        The fitted student, which predicts from the regular features. It can be pickled by itself.
    teacher_ : regressor
        The teacher, fitted on all labelled samples (but for those that the student validates on;
        see Notes). Not set with ``keep_teacher=False``.
    augmentation_gain_ : float or None
        Gain of the synthetic samples: the mean squared error of a student trained without them
        minus that of one trained with them, on samples that neither student nor teacher was fitted
        on; see Notes. A negative gain means that they hurt, and a UserWarning is issued if it is
        below zero by more than two standard errors. None without ``augmentation``, and if the gain
        cannot be estimated: for ``cv=None``, which has no test samples; for two folds, without both
        of which there is no sample to fit a teacher on; for a fitted teacher if y has fewer than
        five labels.
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
    teacher_check_ : TeacherCheck or None
        With ``check_teacher=True``, the mean squared error of the teacher (``teacher_loss``)
        and of the student trained on the labels alone (``baseline_loss``), on samples that neither
        was fitted on; their ``difference`` and its ``standard_error``; and whether the difference
        is larger than two standard errors (``is_worse``). None without, for fewer than two
        test samples, and for a fitted teacher if y has fewer than five labels.
    n_features_in_ : int
        Number of features of fit's X, including the privileged ones; not set for texts.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features of fit's X, if X has string names.

    See Also
    --------
    sklearn_distill.teachers.out_of_fold_prediction : The predictions for the student.

    Notes
    -----
    A student that chooses λ, :class:`~sklearn_distill.PrivilegedLinearRegressionCV` or
    :class:`~sklearn_distill.PrivilegedLinearRegression` with ``imitation="auto"``, chooses on the
    folds of ``cv``, by labels that no teacher it learns from there was fitted on. This takes
    K (K - 1) / 2 additional fits of the teacher for K folds.

    A student that stops early, or a network that tunes λ and T while it trains, validates on a
    share of the labelled samples, or groups. They are held out before the first teacher is fitted,
    and marked as ``validation_rows`` of the student's fit: teachers that know their labels would
    pass them on in the predictions for other samples. With ``student__X_val`` none is held out.

    With ``unlabeled_weight="auto"``, students with each weight are trained without the test samples
    of each fold, and tested on them; the best is trained on all samples. They learn from teachers
    that were not fitted on the test samples: each training sample from one that was fitted without
    its own fold as well, unlabelled samples from the fold's own teacher. This takes K (K - 1) / 2
    additional fits of the teacher for K folds, and 6 K of the student.

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

    _prediction_param: ClassVar[str] = "teacher_prediction"
    _loss_name: ClassVar[str] = "squared error"

    def _read_teacher_data(self, X: CheckedX, y: Any, fit_params: dict[str, Any]) -> TeacherData:
        if y is None and self._is_prefit():
            # the number of outputs is the teacher's
            y = np.full_like(self.teacher.predict(X), np.nan, dtype=np.float64)
        y, labelled = check_regression_labels(y, X.shape[0])
        if y.ndim == 2 and not self.__sklearn_tags__().target_tags.multi_output:
            y = column_or_1d(y, warn=True)
        return TeacherData(X, y, labelled, fit_params, predict_finite, self._feature_split)

    def _student_labels(self, data: TeacherData) -> NDArray[Any]:
        return data.y  # NaN marks missing targets already

    def _sample_losses(self, student: Any, X: CheckedX, y: NDArray[Any]) -> NDArray[np.float64]:
        return _squared_errors(np.asarray(student.predict(X)), y)

    def _prediction_losses(
        self, data: TeacherData, predictions: FloatArray, y: NDArray[Any]
    ) -> NDArray[np.float64]:
        return _squared_errors(predictions, y)


def _squared_errors(predictions: FloatArray, y: NDArray[Any]) -> NDArray[np.float64]:
    """Return the squared error of each sample, the mean over its outputs."""
    squares = np.square(predictions.reshape(y.shape) - y)
    losses: NDArray[np.float64] = squares.reshape(len(y), -1).mean(axis=1)
    return losses
