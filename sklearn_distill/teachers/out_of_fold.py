"""Out-of-fold predictions of a teacher: each row is predicted by a clone not fitted on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import ArrayLike, CheckedX, MatrixLike, TargetLike
from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill._validation.indexing import as_samples
from sklearn_distill._validation.labels import (
    check_classes,
    check_labels,
    check_regression_labels,
    check_some_label,
)
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.splits import Splits, labelled_splits
from sklearn_distill.teachers._cross_fit import (
    Predict,
    PredictAligned,
    class_name,
    fit_and_predict,
    fold_fits,
    mean_by_row,
    predict_finite,
    warn_of_unseen_classes,
)

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["out_of_fold_prediction", "out_of_fold_proba"]


def out_of_fold_proba(
    teacher: BaseEstimator,
    X: MatrixLike,
    y: TargetLike,
    cv: Any = 5,
    *,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    classes: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return out-of-fold probabilities: row i is predicted by a clone not fitted on row i.

    Where the teacher has no ``predict_proba``, its ``decision_function`` is read as logits: the
    log-odds of the second of two classes, else one logit a class (for SVC this is
    ``decision_function_shape="ovr"``).

    Parameters
    ----------
    teacher : classifier
        Any scikit-learn classifier; it is cloned, never fitted itself. One that fails on the labels
        as they are, such as XGBClassifier on strings, is fitted on 0, …, K−1.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The teacher's input, of any kind that the teacher accepts.
    y : array-like of shape (n_samples,)
        Labels; NaN, None and pd.NA are missing. Rows without a label are neither fitted nor
        predicted: their prediction is missing.
    cv : int, splitter or iterable of (train, test), default=5
        The folds, as in cross_val_predict; an int is stratified and does not shuffle.
    sample_weight : array-like of shape (n_samples,) or None
        Sample weights for the fit of the teacher.
    groups : array-like of shape (n_samples,) or None
        Groups for the splitter.
    classes : array-like of shape (n_classes,) or None, default=None
        The columns' classes, ascending; None takes the labels of y.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Probabilities in the order of the classes. NaN, a missing prediction, in rows that no test
        fold covers; the mean of the predictions in rows that several cover; 0 for classes that y
        lacks, and, with a warning, for those that a fold does not train on.

    Raises
    ------
    ValueError
        If a teacher fails or predicts NaN in a fold (the message names teacher and
        fold), a fold tests a row on which it trains, or an argument is not valid.
    TypeError
        If the teacher has neither ``predict_proba`` nor ``decision_function``.
    RuntimeError
        If a teacher fails in a fold with another error than a ValueError or TypeError.

    Warns
    -----
    UserWarning
        If a fold does not train on a class of y.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = [[0], [1], [0], [1]], ["no", "yes", "no", "yes"]
    >>> out_of_fold_proba(KNeighborsClassifier(1), X, y, cv=2)
    array([[1., 0.],
           [0., 1.],
           [1., 0.],
           [0., 1.]])
    """
    check_row_order(X, y, sample_weight=sample_weight, groups=groups)
    samples = as_samples(X)
    n_rows = samples.shape[0]
    classes_, labels = check_labels(y, n_rows, check_classes(classes), None)
    # a class of `classes` that y lacks is in no fold, so only those of y can be required
    predict = PredictAligned(classes_, required=classes_[np.unique(labels.codes[labels.present])])
    check_some_label(labels.present, "the teacher must be fitted on some")
    targets = classes_[labels.codes]  # MISSING, -1, becomes the last class; such rows are not used
    splits = labelled_splits(
        cv, samples, targets, labels.present, {"groups": groups}, is_class=True
    )
    weight = _weight_params(teacher, sample_weight, n_rows)
    proba = _predict_out_of_fold(teacher, samples, targets, splits, weight, predict)
    warn_of_unseen_classes(
        f"teacher {class_name(teacher)}",
        predict.required,
        [targets[train] for train, _ in splits],
    )
    return proba


def out_of_fold_prediction(
    teacher: BaseEstimator,
    X: MatrixLike,
    y: TargetLike,
    cv: Any = 5,
    *,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return out-of-fold predictions: row i is predicted by a clone not fitted on row i.

    Parameters
    ----------
    teacher : regressor
        Any scikit-learn regressor; it is cloned, never fitted itself.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The teacher's input, of any kind that the teacher accepts.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets; rows with a NaN are neither fitted nor predicted: their prediction is missing.
    cv : int, splitter or iterable of (train, test), default=5
        The folds, as in cross_val_predict; an int does not shuffle.
    sample_weight : array-like of shape (n_samples,) or None
        Sample weights for the fit of the teacher.
    groups : array-like of shape (n_samples,) or None
        Groups for the splitter.

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Predictions; NaN, a missing prediction, in rows that no test fold covers, and the mean of
        the predictions in rows that several cover.

    Raises
    ------
    ValueError
        If a teacher fails or predicts NaN in a fold (the message names teacher and fold), a fold
        tests a row on which it trains, or an argument is not valid.
    TypeError
        If the teacher raises one in a fold; the message names teacher and fold.
    RuntimeError
        If a teacher fails in a fold with any other error.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> X, y = [[0], [1], [0], [1]], [10.0, 20.0, 30.0, 40.0]
    >>> out_of_fold_prediction(KNeighborsRegressor(1), X, y, cv=2)
    array([30., 40., 10., 20.])
    """
    check_row_order(X, y, sample_weight=sample_weight, groups=groups)
    samples = as_samples(X)
    targets, present = check_regression_labels(y, samples.shape[0])
    check_some_label(present, "the teacher must be fitted on some")
    splits = labelled_splits(cv, samples, targets, present, {"groups": groups}, is_class=False)
    weight = _weight_params(teacher, sample_weight, samples.shape[0])
    return _predict_out_of_fold(teacher, samples, targets, splits, weight, predict_finite)


def _predict_out_of_fold(
    teacher: BaseEstimator,
    X: CheckedX,
    y: NDArray[Any],
    splits: Splits,
    fit_params: dict[str, Any],
    predict: Predict,
) -> NDArray[np.float64]:
    folds = fit_and_predict(teacher, X, y, fold_fits(splits), fit_params, predict)
    tests = [test for _, test in splits]
    return mean_by_row(tests, [predictions for predictions, _ in folds], X.shape[0])


def _weight_params(
    teacher: BaseEstimator, sample_weight: ArrayLike | None, n_rows: int
) -> dict[str, Any]:
    if sample_weight is None:
        return {}
    name = fit_param_name(teacher, "sample_weight")
    if name is None:
        raise ValueError(f"teacher {class_name(teacher)} takes no sample_weight: leave it out")
    return {name: check_sample_weight(sample_weight, n_rows)}
