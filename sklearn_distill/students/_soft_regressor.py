"""Fit any regressor on several outputs, row weights and all."""

from typing import Any

from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from sklearn_distill._typing import FloatArray


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
        Row weights; those of a Pipeline go to its last step.

    Returns
    -------
    estimator
        The fitted clone.

    Raises
    ------
    ValueError
        If the regressor is a classifier, or takes no weights and these are not all the same.
    """
    if is_classifier(regressor):
        raise ValueError(
            f"regressor is a {type(regressor).__name__}, a classifier, which cannot learn "
            "probabilities: give the regressor of its kind"
        )
    weights = {} if weight is None else _weights(regressor, weight)
    try:
        # the weights go to the last step whether or not the user's steps request any
        with config_context(enable_metadata_routing=False):
            return clone(regressor).fit(X, Y, **weights)
    except ValueError as error:
        if not get_tags(regressor).target_tags.multi_output:
            error.add_note(
                "SoftTargetClassifier gives its regressor one output for each class: if this one "
                "takes a single output, wrap it in sklearn.multioutput.MultiOutputRegressor"
            )
        raise


def _weights(regressor: Any, weight: FloatArray) -> dict[str, FloatArray]:
    argument = _weight_argument(regressor)
    if argument is not None:
        return {argument: weight}
    if (weight == weight[0]).all():
        return {}
    raise ValueError(
        f"sample_weight was given, but the regressor, a {type(regressor).__name__}, takes none in "
        "its fit (or its last step's): leave it out, or use a regressor that does"
    )


def _weight_argument(regressor: Any) -> str | None:
    """Return the name under which ``fit`` takes row weights."""
    if isinstance(regressor, Pipeline):
        name, last = regressor.steps[-1]
        argument = _weight_argument(last)
        return argument and f"{name}__{argument}"
    if isinstance(regressor, MultiOutputRegressor | RegressorChain):
        return _weight_argument(regressor.estimator)
    return "sample_weight" if has_fit_parameter(regressor, "sample_weight") else None
