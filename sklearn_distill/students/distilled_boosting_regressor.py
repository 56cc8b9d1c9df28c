"""Boosted trees on labels and on a teacher's predictions."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import ArrayLike, MatrixLike, TargetLike, TeacherLike
from sklearn_distill._validation.absent_rows import fill_absent
from sklearn_distill._validation.fitting import Interval, all_or_nothing, validated_parameters
from sklearn_distill._validation.indexing import check_features
from sklearn_distill._validation.missing_teacher import check_teacher_used
from sklearn_distill._validation.numbers import as_floats
from sklearn_distill._validation.passed_features import as_table, check_passed_features
from sklearn_distill._validation.plausible_prediction import check_plausible_prediction
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.targets import (
    check_regression_targets,
    check_teacher_variance,
    relative_precision,
)
from sklearn_distill._validation.teacher_weight import check_some_trust
from sklearn_distill._validation.validation_rows import set_validation_rows_apart
from sklearn_distill.students._boosting.library import RegressionTask
from sklearn_distill.students._boosting.regression_targets import RegressionTargets
from sklearn_distill.students._boosting.student import BoostedStudent
from sklearn_distill.students._boosting.validation_set import read_validation_set
from sklearn_distill.targets import RegressionMixture, trusted_weights


class DistilledBoostingRegressor(RegressorMixin, BoostedStudent):
    r"""Gradient boosting on labels and on a teacher's predictions.

    The library of ``estimator`` minimises, with its own loss ℓ and all its parameters,

    .. math::

        \sum_i s_i \big\{ (1-λ_i)\,ℓ(y_i, f(x_i)) + λ_i\,r_i\,ℓ(t_i, f(x_i)) \big\},

    where t is the teacher's prediction, and :math:`λ_i` is λ for a row with a label and a
    prediction, 0 if the prediction is missing and 1 if the label is missing. :math:`r_i` is 1, or
    :math:`\barσ^2/σ_i^2` with the teacher's standard deviations σ and the median :math:`\barσ^2` of
    their squares. Of the squared error the two terms are one on the weighted mean of label and
    prediction; of another loss (absolute error, quantile, Poisson, gamma, …) the row is there
    twice. Without a teacher this is the library's own regressor on the labels.

    Parameters
    ----------
    estimator : estimator or None, default=None
        An unfitted HistGradientBoostingRegressor, LGBMRegressor, XGBRegressor or CatBoostRegressor
        with the parameters of the trees, of which a clone is fitted; None for a
        HistGradientBoostingRegressor with default parameters. The others need
        ``pip install "sklearn-distill[boosting]"``.
    imitation : float, default=0.5
        λ in [0, 1], the weight of the teacher in rows that have a label, too.
    random_state : int, RandomState instance or None, default=None
        Seed of the validation split, and of ``estimator`` if it has none of its own.

    Attributes
    ----------
    estimator_ : estimator
        The fitted model of the library, of the same class as ``estimator``, which predicts the
        same numbers without this package.
    n_taught_rows_ : int
        Number of rows with a teacher's prediction.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

    See Also
    --------
    SoftTargetRegressor : Any other regressor, also of several outputs.

    Notes
    -----
    Early stopping watches the library's loss, or its ``eval_metric``, on the labels of ``X_val``,
    or on a part of the labelled rows of the size that the library's parameter asks for; if no row
    has a label, on the predictions of a part of the rows. ``X_val`` turns
    ``early_stopping="auto"`` on. LightGBM, XGBoost and CatBoost have no parameter for the size of
    this part, which is 10 %; they stop early by their own parameters, or callbacks.

    A row that is there twice counts as two where a library counts rows: in the smallest number of
    rows in a leaf, in the bins of features, and in random subsets of rows.

    References
    ----------
    Lopez-Paz et al. 2016, "Unifying distillation and privileged information", eq. (6); Friedman
    2001, "Greedy function approximation: a gradient boosting machine".

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = X[:, 0] ** 2 + rng.normal(size=200)
    >>> student = DistilledBoostingRegressor(imitation=1.0)
    >>> student.fit(X, y, teacher_prediction=X[:, 0] ** 2).predict([[0, 0], [1, 0]]).round()
    array([0., 1.])
    >>> type(student.to_sklearn()).__name__
    'HistGradientBoostingRegressor'
    """

    # requested by default: meta-estimators slice them by row with X, without set_fit_request
    __metadata_request__fit: ClassVar = {
        "teacher_prediction": True,
        "teacher_std": True,
        "teacher_weight": True,
        "X_val": True,
        "y_val": True,
        "sample_weight_val": True,
    }

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": "no_validation",  # library_of raises a TypeError
        "imitation": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
    }

    def __init__(
        self, estimator: Any = None, *, imitation: float = 0.5, random_state: Any = None
    ) -> None:
        self.estimator = estimator
        self.imitation = imitation
        self.random_state = random_state

    @staticmethod
    def _default_estimator() -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor  # slow to import

        return HistGradientBoostingRegressor()

    @all_or_nothing
    @validated_parameters
    def fit(
        self,
        X: MatrixLike,
        y: TargetLike = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_prediction: TeacherLike = None,
        teacher_std: ArrayLike | None = None,
        teacher_weight: ArrayLike | None = None,
        X_val: MatrixLike | tuple[MatrixLike] | None = None,
        y_val: TargetLike = None,
        sample_weight_val: ArrayLike | tuple[ArrayLike] | None = None,
        validation_rows: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Fit the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, in any form that the library supports: with NaN, or categorical columns.
        y : array-like of shape (n_samples,) or None
            Labels. NaN is a missing label; it needs a teacher's prediction. None instead of an
            array means that all labels are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights, for both terms. A row of weight 0 is left out, and its prediction is
            not checked.
        teacher_prediction : array-like of shape (n_samples,) or None
            The teacher's predictions. NaN is a missing prediction. Of several teachers, in an array
            of shape (n_samples, n_teachers, 1), the mean of the available predictions is used.
        teacher_std : array-like of shape (n_samples,) or None
            Standard deviations σ of the teacher's predictions, positive wherever there is one. Only
            their ratios matter.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            How far the teacher is trusted in each row: weights w, finite and 0 or more. Beside a
            label the teacher has the share min(1, λ·w); without a label, the row's weight is
            multiplied by min(1, w). 0 is a missing prediction, and leaves out a row without a
            label. With a weight for each of several teachers, these are averaged with them, and w
            is their mean over the available predictions. σ and w multiply: a
            prediction beside a label has the weight min(1, λ·w)·r, and r is not changed by w.
        X_val, y_val, sample_weight_val : array-like or None
            Labelled rows, with their weights, for early stopping, or tuples of one, ``(V,)``. A
            Pipeline transforms ``X_val`` with ``transform_input=["X_val"]`` only. scikit-learn's
            tools slice an array of as many rows as X; the entry of a tuple is never sliced.
        validation_rows : array-like of bool of shape (n_samples,) or None
            Rows of X that take the place of ``X_val`` and ``y_val``: they are validated on, and not
            trained on. A Pipeline transforms them with X, and scikit-learn's tools slice the array.
        **fit_params : dict
            Further parameters of the library's ``fit``, such as ``categorical_feature``.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        TypeError
            If ``estimator`` is of another class, or a parameter of ``fit`` is unknown.
        ValueError
            If lengths differ, there are several outputs, a row has neither a label nor a prediction
            or has a prediction whose standard deviation is not a positive number (the message names
            the first such row), every prediction is missing at ``imitation=1``, or ``estimator``
            has weights of classes, a function as its loss, or a warm start. The student is then
            unchanged.

        Warns
        -----
        TeacherMissingWarning
            If there is no teacher and ``imitation`` is not 0.
        ImplausibleTeacherWarning
            If the predictions are correlated with the labels no more than with their rows shuffled,
            or with the opposite sign, in 50 labelled rows or more.
        UserWarning
            If more than half of the values of a column of ``X_val`` are farther from the range of
            X's column than this range is wide (not for fewer than 20 rows).
        """
        if validation_rows is not None:
            # not that of a subclass, which called this one
            return DistilledBoostingRegressor.fit(
                self,
                **set_validation_rows_apart(
                    validation_rows,
                    X,
                    y,
                    sample_weight,
                    teacher_prediction=teacher_prediction,
                    teacher_std=teacher_std,
                    teacher_weight=teacher_weight,
                    X_val=X_val,
                    y_val=y_val,
                    sample_weight_val=sample_weight_val,
                    **fit_params,
                ),
            )
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_prediction=teacher_prediction,
            teacher_std=teacher_std,
            teacher_weight=teacher_weight,
        )
        library = self._library()
        library.check_regressor(self._unfitted_estimator(), fit_params)
        squared_error = library.has_squared_error(self._unfitted_estimator())
        X = as_table(X)
        targets = self._read_targets(
            X, y, sample_weight, teacher_prediction, teacher_std, teacher_weight
        )
        self.n_taught_rows_ = int(targets.mixture.taught.sum())
        check_teacher_used(
            self.imitation,
            self.n_taught_rows_,
            teacher_weight=teacher_weight,
            teacher_prediction=teacher_prediction,
        )
        std = None if teacher_std is None else as_floats(teacher_std, "teacher_std")
        mixture = targets.mixture
        check_plausible_prediction(mixture.labels, mixture.predictions, std)
        held_out = read_validation_set(
            self, X, X_val, y_val, sample_weight_val, RegressionTargets.of_labels
        )
        clone, X, targets, held_out = self._prepare(library, X, targets, held_out, fit_params)
        train = targets.rows(X, squared_error=squared_error)
        task = RegressionTask(train, targets.n_rows, held_out, fit_params)
        self.estimator_ = library.fit_regressor(clone, task)
        return self

    def predict(self, X: MatrixLike) -> NDArray[np.float64]:
        """Predict: the predictions of ``estimator_``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions; with a column for each quantile, say, if the library's loss has several.
        """
        check_is_fitted(self)
        table = check_features(self, as_table(X))
        return np.asarray(self.estimator_.predict(table), dtype=np.float64)

    def _read_targets(
        self,
        X: Any,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        teacher_prediction: TeacherLike,
        teacher_std: ArrayLike | None,
        teacher_weight: ArrayLike | None,
    ) -> RegressionTargets:
        """Check the arguments of ``fit``."""
        n_rows = check_passed_features(
            self,
            X,
            fill_absent(y, sample_weight),
            has_teacher=teacher_prediction is not None,
            is_class=False,
        )
        weight = check_sample_weight(sample_weight, n_rows)
        absent = weight == 0
        labels, predictions, flat, trust = check_regression_targets(
            y,
            teacher_prediction,
            n_rows,
            absent,
            several_teachers=True,
            teacher_weight=teacher_weight,
        )
        variance = check_teacher_variance(teacher_std, predictions, n_rows, absent)
        precision = None if variance is None else relative_precision(variance)
        mixture = RegressionMixture.of(labels, predictions, float(self.imitation), precision, trust)
        weight = trusted_weights(weight, mixture.labelled, trust)
        check_some_trust(weight)
        n_outputs = mixture.labels.shape[1]
        if n_outputs > 1:
            raise ValueError(
                f"y or teacher_prediction has {n_outputs} outputs, and boosted trees have one: "
                "pass MultiOutputRegressor(estimator) of sklearn.multioutput to "
                "SoftTargetRegressor; several teachers need the shape (n_samples, n_teachers, 1)"
            )
        if labels is not None and not flat:
            column_or_1d(labels, warn=True)
        weighted = sample_weight is not None or (weight != 1).any()
        return RegressionTargets(mixture, weight if weighted else None)
