"""What a teacher answers on rows that it never saw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill._validation.indexing import as_table
from sklearn_distill._validation.labels import check_classes, check_labels, check_some_label
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.splits import Splits, labelled_splits
from sklearn_distill._validation.targets import check_numeric_targets
from sklearn_distill.teachers._cross_fit import (
    Predict,
    PredictAligned,
    class_name,
    fit_and_predict,
    fold_fits,
    mean_by_row,
    predict_finite,
)

__all__ = ["out_of_fold_prediction", "out_of_fold_proba"]


def out_of_fold_proba(
    teacher: Any,
    X: Any,
    y: Any,
    cv: Any = 5,
    *,
    sample_weight: Any = None,
    groups: Any = None,
    classes: Any = None,
) -> NDArray[np.float64]:
    """Return probabilities where row i comes from a clone of the teacher that never saw row i.

    Where the teacher has no ``predict_proba``, its ``decision_function`` is read as logits: the
    log-odds of the second of two classes, else one logit a class (for SVC this is
    ``decision_function_shape="ovr"``).

    Parameters
    ----------
    teacher : classifier
        Any scikit-learn classifier; it is cloned, never fitted itself.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,)
        Labels; NaN, None and pd.NA are missing. Rows without a label teach nothing and are silent.
    cv : int, splitter or iterable of (train, test), default=5
        The folds, as in cross_val_predict; an int is stratified and does not shuffle.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows for the teacher.
    groups : array-like of shape (n_samples,) or None
        Groups for the splitter.
    classes : array-like of shape (n_classes,) or None, default=None
        The columns' classes, ascending; None takes the labels of y.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Probabilities in the order of the classes. NaN, a silent teacher, in rows that no test fold
        covers; the mean of the answers in rows that several cover; 0 for classes that y lacks.

    Raises
    ------
    ValueError
        If a teacher fails, answers NaN or lacks a class in a fold (the message names teacher and
        fold), a fold tests a row on which it trains, or an argument is not valid.
    TypeError
        If the teacher has neither ``predict_proba`` nor ``decision_function``.
    RuntimeError
        If a teacher fails in a fold with another error than a ValueError or TypeError.

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
    X = as_table(X)
    classes_, labels = check_labels(y, X.shape[0], check_classes(classes), None)
    ask = PredictAligned(classes_, required=classes_[np.unique(labels.codes[labels.present])])
    check_some_label(labels.present, "a teacher needs some to learn from")
    splits = labelled_splits(
        cv, X, classes_[labels.codes], labels.present, {"groups": groups}, is_class=True
    )
    weight = _weight_argument(teacher, sample_weight, X.shape[0])
    return _answers(teacher, X, classes_[labels.codes], splits, weight, ask)


def out_of_fold_prediction(
    teacher: Any, X: Any, y: Any, cv: Any = 5, *, sample_weight: Any = None, groups: Any = None
) -> NDArray[np.float64]:
    """Return predictions where row i comes from a clone of the teacher that never saw row i.

    Parameters
    ----------
    teacher : regressor
        Any scikit-learn regressor; it is cloned, never fitted itself.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets; rows with a NaN teach nothing and are silent.
    cv : int, splitter or iterable of (train, test), default=5
        The folds, as in cross_val_predict; an int does not shuffle.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows for the teacher.
    groups : array-like of shape (n_samples,) or None
        Groups for the splitter.

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Predictions; NaN, a silent teacher, in rows that no test fold covers, and the mean of the
        answers in rows that several cover.

    Raises
    ------
    ValueError
        If a teacher fails or answers NaN in a fold (the message names teacher and fold), a fold
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
    X = as_table(X)
    y, present = check_numeric_targets(y, X.shape[0])
    check_some_label(present, "a teacher needs some to learn from")
    splits = labelled_splits(cv, X, y, present, {"groups": groups}, is_class=False)
    weight = _weight_argument(teacher, sample_weight, X.shape[0])
    return _answers(teacher, X, y, splits, weight, predict_finite)


def _answers(
    teacher: Any, X: Any, y: Any, splits: Splits, fit_params: dict[str, Any], ask: Predict
) -> NDArray[np.float64]:
    heard = fit_and_predict(teacher, X, y, fold_fits(splits), fit_params, ask)
    return mean_by_row([test for _, test in splits], [says for says, _ in heard], X.shape[0])


def _weight_argument(teacher: Any, sample_weight: Any, n_rows: int) -> dict[str, Any]:
    if sample_weight is None:
        return {}
    name = fit_param_name(teacher, "sample_weight")
    if name is None:
        raise ValueError(f"teacher {class_name(teacher)} takes no sample_weight: leave it out")
    return {name: check_sample_weight(sample_weight, n_rows)}
