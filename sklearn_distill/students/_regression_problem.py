"""The arguments of ``fit`` of a linear regression, checked and as rows for the solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sklearn_distill._typing import (
    ArrayLike,
    BoolArray,
    CheckedX,
    FloatArray,
    IntArray,
    MatrixLike,
    TargetLike,
    TeacherLike,
)
from sklearn_distill._validation.absent_rows import fill_absent
from sklearn_distill._validation.masks import nan_where_masked, refuse_mask
from sklearn_distill._validation.numbers import refuse_rows
from sklearn_distill._validation.sample_weight import check_sample_weight, read_sample_weight
from sklearn_distill._validation.targets import (
    check_regression_targets,
    check_teacher_variance,
)
from sklearn_distill._validation.teacher_weight import check_some_trust
from sklearn_distill._validation.tensors import to_numpy
from sklearn_distill.chunks import Chunks
from sklearn_distill.solvers.least_squares import RegressionData
from sklearn_distill.students._array_api import (
    regression_data,
    validate_features,
    validate_features_and_labels,
)
from sklearn_distill.students._chunks import FitArgs, chunk_data
from sklearn_distill.students._linear_regressor import X_CHECKS
from sklearn_distill.targets import trusted_weights


@dataclass(frozen=True)
class ChunkedRegression:
    """Rows of a regression in chunks, which are read and validated when they are used.

    Parameters
    ----------
    rows : Chunks of RegressionData
        The rows.
    shape : tuple of two ints
        Numbers of rows and features.
    chunk_sizes : ndarray of int of shape (n_chunks,)
        Number of rows of each chunk.
    flat : bool
        Whether y, or the prediction if y is None, is one-dimensional.
    """

    rows: Chunks
    shape: tuple[int, int]
    chunk_sizes: IntArray
    flat: bool


def read_rows(
    estimator: BaseEstimator,
    X: MatrixLike,
    y: TargetLike,
    sample_weight: ArrayLike | None,
    teacher_prediction: TeacherLike,
    teacher_std: ArrayLike | None,
    teacher_weight: ArrayLike | None = None,
    *,
    reset: bool = True,
    may_lack_weight: bool = False,
) -> tuple[RegressionData, bool]:
    """Validate the arguments of ``fit``, and set the features of the estimator.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` is set or compared.
    X : {array-like, sparse matrix, torch.Tensor} of shape (n_rows, n_features)
        Features.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), or None
        Labels; NaN for missing ones.
    sample_weight : array-like of shape (n_rows,) or None
        Sample weights.
    teacher_prediction : array-like or None
        The teacher's predictions, or those of several teachers.
    teacher_std : array-like of shape (n_rows,) or None
        Standard deviations of the predictions.
    teacher_weight : array-like of shape (n_rows,) or (n_rows, n_teachers), or None, default=None
        Weights of the predictions, at most 1 in the mean of a row.
    reset : bool, default=True
        Whether to set the features (in ``fit``) or to compare them.
    may_lack_weight : bool, default=False
        Whether all weights may be 0.

    Returns
    -------
    data : RegressionData
        The rows.
    flat : bool
        Whether y, or the prediction if y is None, is one-dimensional.

    Raises
    ------
    ValueError
        If one of the arguments is wrong.
    """
    y, sample_weight = nan_where_masked(to_numpy(y)), to_numpy(sample_weight)
    teacher = to_numpy(teacher_prediction)
    if teacher is None:
        y = fill_absent(y, sample_weight)
        # without a teacher the errors are scikit-learn's own, such as that of a missing label
        checked, y = validate_features_and_labels(
            estimator, X, y, reset=reset, multi_output=True, y_numeric=True, **X_CHECKS
        )
    else:
        checked = validate_features(estimator, X, reset=reset, **X_CHECKS)
    n_rows = checked.shape[0]
    read_weight = read_sample_weight if may_lack_weight else check_sample_weight
    weight = None if sample_weight is None else read_weight(sample_weight, n_rows)
    targets = _read_targets(
        y, teacher, to_numpy(teacher_std), to_numpy(teacher_weight), n_rows, weight
    )
    if not may_lack_weight and targets.weight is not None:
        check_some_trust(targets.weight)
    return regression_data(checked, *targets[:-1]), targets.flat


def read_chunks(
    estimator: BaseEstimator,
    X: CheckedX,
    y: TargetLike,
    sample_weight: ArrayLike | None,
    teacher_prediction: TeacherLike,
    teacher_std: ArrayLike | None,
    teacher_weight: ArrayLike | None = None,
) -> ChunkedRegression:
    """Split the arguments of ``fit`` into chunks of rows, as :func:`read_rows` reads all rows."""
    validate_data(estimator, X, skip_check_array=True)
    target = teacher_prediction if y is None else y
    if target is None:
        raise ValueError("fit requires y or teacher_prediction, but both are None")
    data = chunk_data(
        X,
        y,
        sample_weight,
        teacher_prediction=teacher_prediction,
        teacher_std=teacher_std,
        teacher_weight=teacher_weight,
    )
    # without reading a chunk: predictions have the shape of y, or of the teacher without y
    rows = data.features.map(_read_chunk, data.fit_args)
    n_rows = int(data.chunk_sizes.sum())
    return ChunkedRegression(
        rows, (n_rows, data.n_features), data.chunk_sizes, np.ndim(target) == 1
    )


def _read_chunk(X: CheckedX, args: FitArgs) -> RegressionData:
    """Validate the arguments of ``fit`` for a chunk of rows."""
    with args.locate_errors():
        refuse_mask("X", X)
        X = check_array(X, input_name="X", **X_CHECKS)
        weight = args.sample_weight
        # the weights of a chunk may all be zero if those of others are not
        weight = None if weight is None else read_sample_weight(weight, args.n_rows)
        targets = _read_targets(
            args.y,
            args.teacher_prediction,
            args.teacher_std,
            args.teacher_weight,
            args.n_rows,
            weight,
        )
    return RegressionData(X, *targets[:-1])


class _Targets(NamedTuple):
    """The fields of RegressionData but X, and whether the targets are one-dimensional."""

    labels: FloatArray | None
    predictions: FloatArray | None
    weight: FloatArray | None
    variance: FloatArray | None
    trust: FloatArray | None
    flat: bool


def _read_targets(
    y: TargetLike,
    teacher_prediction: TeacherLike,
    teacher_std: ArrayLike | None,
    teacher_weight: ArrayLike | None,
    n_rows: int,
    weight: FloatArray | None,
) -> _Targets:
    absent: BoolArray | None = None if weight is None else weight == 0  # RegressionData skips these
    labels, predictions, flat, trust = check_regression_targets(
        y,
        teacher_prediction,
        n_rows,
        absent,
        several_teachers=True,
        teacher_weight=teacher_weight,
    )
    variance = check_teacher_variance(teacher_std, predictions, n_rows, absent)
    if trust is None:
        return _Targets(labels, predictions, weight, variance, None, flat)
    labelled = np.zeros(n_rows, dtype=bool) if labels is None else ~np.isnan(labels[:, 0])
    # min(1, λw) would not be a sum over the rows that serves every λ
    refuse_rows(
        labelled & (trust > 1 + 1e-9),
        "teacher_weight",
        trust,
        "is",
        "least squares need weights of at most 1 beside a label: imitation=1 with "
        "min(1, imitation * teacher_weight) is the same",
    )
    s = np.ones(n_rows) if weight is None else weight
    return _Targets(
        labels,
        predictions,
        trusted_weights(s, labelled, trust),
        variance,
        np.minimum(trust, 1.0),
        flat,
    )
