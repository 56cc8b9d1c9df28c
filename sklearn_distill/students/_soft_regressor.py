"""Fit any regressor on several outputs, row weights and all."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags

from sklearn_distill._typing import FloatArray
from sklearn_distill.teachers.fit_arguments import fit_argument
from sklearn_distill.teachers.tables import as_table, take_rows


def fit_regressor(regressor: Any, X: Any, Y: FloatArray, weight: FloatArray | None) -> Any:
    """Fit a clone of the regressor.

    Parameters
    ----------
    regressor : estimator
        A regressor for several outputs.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features, as they came.
    Y : ndarray of shape (n_rows, n_outputs)
        Targets.
    weight : ndarray of shape (n_rows,) or None
        Row weights; those of a Pipeline go to its last step. For a regressor that takes none, a
        row is repeated as often as its weight says.

    Returns
    -------
    estimator
        The fitted clone.

    Raises
    ------
    ValueError
        If the regressor is a classifier, or takes no weights and these are not whole numbers times
        one factor.
    """
    if is_classifier(regressor):
        raise ValueError(
            f"regressor is a {type(regressor).__name__}, a classifier, which cannot learn "
            "probabilities: give the regressor of its kind"
        )
    # the weights go to the last step whether or not the user's steps request any
    with config_context(enable_metadata_routing=False):
        argument = fit_argument(regressor, "sample_weight")
        if weight is None:
            return _fitted(regressor, X, Y, {})
        if argument is not None:
            return _fitted(regressor, X, Y, {argument: weight})
        rows = _rows_as_often(weight, regressor)
        return _fitted(regressor, take_rows(as_table(X), rows), Y[rows], {})


def _fitted(regressor: Any, X: Any, Y: FloatArray, weights: dict[str, FloatArray]) -> Any:
    try:
        return clone(regressor).fit(X, Y, **weights)
    except ValueError as error:
        if not get_tags(regressor).target_tags.multi_output:
            error.add_note(
                "SoftTargetClassifier gives its regressor one output for each class: if this one "
                "takes a single output, wrap it in sklearn.multioutput.MultiOutputRegressor"
            )
        raise


def _rows_as_often(weight: FloatArray, regressor: Any) -> NDArray[np.intp]:
    """Return each row as often as its weight says, up to a common factor."""
    in_smallest = weight / weight[weight > 0].min()
    for times in (weight, in_smallest):
        whole = np.rint(times).astype(np.intp)
        if np.allclose(times, whole, rtol=1e-9, atol=0):  # 0.3 / 0.1 is not 3
            return np.repeat(np.arange(len(weight)), whole // np.gcd.reduce(whole))
    raise ValueError(
        f"sample_weight was given, but the regressor, a {type(regressor).__name__}, takes none in "
        "its fit (or its last step's): leave it out, give whole numbers, which count as repeated "
        "rows, or use a regressor that takes weights"
    )
