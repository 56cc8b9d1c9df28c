"""The rows that students are compared on, as they are given, and the outer folds."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier, is_regressor

from sklearn_distill._typing import CheckedX, MatrixLike, TargetLike
from sklearn_distill._validation.indexing import as_samples, n_samples
from sklearn_distill._validation.labelled_rows import has_label
from sklearn_distill._validation.masks import none_where_masked
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.splits import Splits, labelled_splits, with_unlabelled
from sklearn_distill.distillers._feature_split import split_features
from sklearn_distill.inspection._entry_fit import ComparisonData
from sklearn_distill.model_selection import LabeledKFold


def check_task(teacher: Any, y: TargetLike) -> bool:
    """Return whether the teacher is a classifier.

    Raises
    ------
    ValueError
        If there are no labels.
    TypeError
        If the teacher is neither a classifier nor a regressor.
    """
    if y is None:
        raise ValueError("y=None: the students are compared by labels; pass some.")
    known = hasattr(teacher, "fit") and (is_classifier(teacher) or is_regressor(teacher))
    if not known:
        raise TypeError(
            f"teacher={teacher!r} is neither a classifier nor a regressor of scikit-learn."
        )
    return bool(is_classifier(teacher))


def read_data(
    X: MatrixLike,
    y: TargetLike,
    *,
    is_class: bool,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    X_unlabeled: MatrixLike | None = None,
    privileged_features: Any = None,
    teacher_features: str = "all",
) -> ComparisonData:
    """Check the arguments of a comparison.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Samples, with the privileged features.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels, some of which may be missing.
    is_class : bool
        Whether the models are classifiers.
    sample_weight, groups : array-like of shape (n_samples,), default=None
        Weights and groups of the samples.
    X_unlabeled : {array-like, sparse matrix, DataFrame}, default=None
        Unlabelled samples.
    privileged_features, teacher_features : default=None, default="all"
        As in :class:`~sklearn_distill.TeacherStudentClassifier`.

    Returns
    -------
    ComparisonData
        The rows.

    Raises
    ------
    ValueError
        If an argument does not fit the rows; the message names it.
    """
    check_row_order(X, y, sample_weight=sample_weight)
    samples: CheckedX = as_samples(X)
    n_rows = n_samples(samples)
    labels: NDArray[Any] = np.asarray(none_where_masked(y))
    if labels.ndim == 2 and (labels.shape[1] == 1 or is_class):
        if labels.shape[1] > 1:
            raise ValueError(f"y has shape {labels.shape}; pass one label a sample.")
        labels = labels[:, 0]
    if groups is not None:
        check_same_length("groups", n_samples(groups), "X", n_rows)
    return ComparisonData(
        X=samples,
        y=labels,
        present=has_label(labels, n_rows),
        weight=None if sample_weight is None else check_sample_weight(sample_weight, n_rows),
        groups=None if groups is None else np.asarray(groups),
        unlabeled=None if X_unlabeled is None else as_samples(X_unlabeled),
        features=split_features(samples, privileged_features, teacher_features),
        is_class=is_class,
    )


def outer_splits(cv: Any, data: ComparisonData, seed: int) -> Splits:
    """Return training and test rows of the outer folds; test rows have a label.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        An int is the number of shuffled folds; a splitter is given the labelled rows.
    data : ComparisonData
        All rows.
    seed : int
        Seed of the shuffled folds.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Row numbers; rows without a label are training rows.
    """
    groups = {} if data.groups is None else {"groups": data.groups}
    if isinstance(cv, Integral):
        splitter = LabeledKFold(int(cv), shuffle=True, random_state=seed)
        return list(splitter.split(data.X, data.y, **groups))
    splits = labelled_splits(cv, data.X, data.y, data.present, dict(groups), is_class=data.is_class)
    return with_unlabelled(splits, data.present, data.groups)
