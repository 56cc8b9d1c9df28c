"""Any regressor, fitted on labels and on a teacher's predictions."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import ArrayLike, MatrixLike, TargetLike, TeacherLike
from sklearn_distill._validation.absent_rows import fill_absent, rows_to_fit
from sklearn_distill._validation.fitting import Interval, all_or_nothing, validated_parameters
from sklearn_distill._validation.indexing import take_any_rows
from sklearn_distill._validation.masks import refuse_mask
from sklearn_distill._validation.missing_teacher import check_teacher_used
from sklearn_distill._validation.passed_features import check_passed_features
from sklearn_distill._validation.plausible_prediction import check_plausible_prediction
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.targets import check_regression_targets
from sklearn_distill._validation.teacher_weight import check_some_trust
from sklearn_distill._validation.tensors import to_numpy
from sklearn_distill.students._estimator_student import (
    EstimatorStudent,
    apply_weights,
    fit_clone,
)
from sklearn_distill.targets import RegressionMixture, trusted_weights


class SoftTargetRegressor(RegressorMixin, EstimatorStudent):
    r"""A tree, forest, nearest neighbours or any other regressor as the student.

    The regressor f is fitted on the mixed target of each row

    .. math::

        m_i = (1-λ_i)\,y_i + λ_i\,t_i, \qquad \sum_i s_i \|f(x_i) - m_i\|^2,

    where t is the teacher's prediction, and :math:`λ_i` is λ for a row with a label and a
    prediction, 0 if the prediction is missing and 1 if the label is missing. Up to a constant this
    is the sum of both squared errors with the weights 1 − λ and λ. A regressor with another loss
    than the squared error uses its own on the mixed target. Without a teacher this is the regressor
    on the labels.

    Parameters
    ----------
    estimator : estimator
        Any regressor: a tree, a forest, neighbours, Ridge, a Pipeline that ends in one. It is
        cloned. X is passed on unchanged, so any X that the regressor supports (sparse, with NaN, a
        DataFrame of mixed columns) is supported.
    imitation : float, default=0.5
        λ in [0, 1], the weight of the teacher in rows that have a label, too.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone of ``estimator``.
    n_taught_rows_ : int
        Number of rows with a teacher's prediction.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

    See Also
    --------
    DistilledBoostingRegressor : Boosted trees, with early stopping and other losses.
    PrivilegedLinearRegression : Least squares with the variances of labels and teacher.

    References
    ----------
    Lopez-Paz et al. 2016, "Unifying distillation and privileged information", eq. (6), with the
    squared error as loss.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> X = np.array([[-1.0], [0.0], [1.0], [2.0]])
    >>> y = np.array([0.0, 2.0, 5.0, np.nan])
    >>> student = SoftTargetRegressor(DecisionTreeRegressor(max_depth=1), imitation=0.5)
    >>> student.fit(X, y, teacher_prediction=[1.0, 1.0, 6.0, 6.5]).predict([[-2.0], [3.0]])
    array([1., 6.])
    """

    # requested by default: meta-estimators slice it by row with X, without set_fit_request
    __metadata_request__fit: ClassVar = {"teacher_prediction": True, "teacher_weight": True}

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": "no_validation",  # clone raises a TypeError unless it is an estimator
        "imitation": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, estimator: Any, *, imitation: float = 0.5) -> None:
        self.estimator = estimator
        self.imitation = imitation

    @all_or_nothing
    @validated_parameters
    def fit(
        self,
        X: MatrixLike,
        y: TargetLike = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_prediction: TeacherLike = None,
        teacher_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, in any form that the regressor supports.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels. A row of NaN is a missing label; it needs a teacher's prediction. None instead
            of an array means that all labels are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights; in a Pipeline they are passed to the last step. For a regressor without
            ``sample_weight``, such as KNeighborsRegressor, rows are repeated instead. A row of
            weight 0 is left out, and its prediction is not checked.
        teacher_prediction : array-like of the shape of y, or None
            The teacher's predictions. A row of NaN is a missing prediction. Of several teachers, in
            an array of shape (n_samples, n_teachers, n_outputs), the mean of the available
            predictions is used.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            How far the teacher is trusted in each row: weights w, finite and 0 or more. Beside a
            label the teacher has the share min(1, λ·w); without a label, the row's weight is
            multiplied by min(1, w). 0 is a missing prediction, and leaves out a row without a
            label. With a weight for each of several teachers, these are averaged with them, and w
            is their mean over the available predictions.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If lengths or outputs differ, a row is NaN in some outputs but not in all or has neither
            a label nor a prediction (the message names the first such row), every prediction is
            missing at ``imitation=1``, the regressor is a classifier, or it has no
            ``sample_weight`` and the weights are not integers times a common factor. The estimator
            is then unchanged.

        Warns
        -----
        TeacherMissingWarning
            If there is no teacher and ``imitation`` is not 0.
        ImplausibleTeacherWarning
            If the predictions are correlated with the labels no more than with their rows shuffled,
            or with the opposite sign, in 50 labelled rows or more.
        """
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_prediction=teacher_prediction,
            teacher_weight=teacher_weight,
        )
        if is_classifier(self.estimator):
            raise ValueError(
                f"estimator is a {type(self.estimator).__name__}, a classifier, which cannot be "
                "fitted on numbers: use the corresponding regressor"
            )
        X, y = to_numpy(X), to_numpy(y)  # regressors need not support tensors
        teacher_prediction = to_numpy(teacher_prediction)
        n_rows = check_passed_features(
            self,
            X,
            fill_absent(y, sample_weight),
            has_teacher=teacher_prediction is not None,
            is_class=False,
        )
        weight = check_sample_weight(sample_weight, n_rows)
        labels, predictions, flat, trust = check_regression_targets(
            y,
            teacher_prediction,
            n_rows,
            weight == 0,
            several_teachers=True,
            teacher_weight=teacher_weight,
        )
        mixture = RegressionMixture.of(labels, predictions, float(self.imitation), trust=trust)
        weight = trusted_weights(weight, mixture.labelled, trust)
        check_some_trust(weight)
        self.n_taught_rows_ = int(mixture.taught.sum())
        check_teacher_used(
            self.imitation,
            self.n_taught_rows_,
            teacher_weight=teacher_weight,
            teacher_prediction=teacher_prediction,
        )
        check_plausible_prediction(labels, predictions)
        rows = rows_to_fit(weight)
        if rows is not None:
            X, mixture, weight = take_any_rows(X, rows), mixture.take(rows), weight[rows]
        target, _ = mixture.mean()
        X, target, fit_params = apply_weights(
            self.estimator,
            X,
            target[:, 0] if flat else target,
            weight if sample_weight is not None or (weight != 1).any() else None,
        )
        self.estimator_ = fit_clone(self.estimator, X, target, fit_params)
        return self

    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Predict: the predictions of ``estimator_``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        check_is_fitted(self)
        refuse_mask("X", X)
        return np.asarray(self.estimator_.predict(to_numpy(X)))

    def to_sklearn(self) -> Any:
        """Return the fitted regressor, ``estimator_``.

        Returns
        -------
        estimator
            It no longer depends on this package.
        """
        check_is_fitted(self)
        return self.estimator_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags = get_tags(self.estimator).target_tags
        return tags
