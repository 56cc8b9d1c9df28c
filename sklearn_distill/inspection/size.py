"""The size of a fitted model: its number of parameters and the bytes of its pickle."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from sklearn_distill.deployment._deployed_part import deployed
from sklearn_distill.inspection._deployed import deployed_pickle

# The first group whose first attribute a model has is counted. Attributes and not classes, so that
# third-party models with the same attributes are counted too.
_FITTED_ARRAYS = (
    ("support_vectors_", "dual_coef_", "intercept_"),
    ("coefs_", "intercepts_"),
    ("coef_", "intercept_"),
    ("theta_", "var_", "class_prior_"),
    ("feature_log_prob_", "class_log_prior_"),
    ("class_prior_",),
    ("components_", "mean_"),
    ("mean_", "scale_"),
    ("center_", "scale_"),
    ("min_", "scale_"),
    ("statistics_",),
    ("categories_",),
    ("vocabulary_", "idf_"),
)


def count_parameters(model: object) -> float:
    """Count the fitted parameters of a model.

    ==============================  ========================================================
    model                           counted
    ==============================  ========================================================
    linear                          ``coef_``, ``intercept_``
    tree, forest, boosting          nodes of all trees, leaves included, those of LightGBM,
                                    XGBoost and CatBoost too
    MLP                             ``coefs_``, ``intercepts_``
    skorch net, neural student      parameters of the module
    SVC                             support vectors, ``dual_coef_``, ``intercept_``
    nearest neighbours              stored rows times features
    naive Bayes                     means, variances or log probabilities, and priors
    scaler, PCA, imputer, encoder   means, scales, components, statistics, categories
    Pipeline, ColumnTransformer,    the sum of their parts
    FeatureUnion, ensembles
    search                          its best estimator
    TeacherStudentClassifier,       the student
    TeacherStudentRegressor
    BornAgainClassifier             the generations that predict
    SoftTargetClassifier,           the model inside
    SoftTargetRegressor
    DistilledBoostingClassifier,    the model of its library
    DistilledBoostingRegressor
    ==============================  ========================================================

    Parameters
    ----------
    model : object
        A fitted estimator of any kind.

    Returns
    -------
    float
        A whole number; NaN for a model of another kind, or with such a part.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_distill.inspection import count_parameters
    >>> count_parameters(LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]))
    3.0
    """
    model = deployed(model)
    for attribute, count in _COUNTERS.items():
        if hasattr(model, attribute):
            return count(model)
    for names in _FITTED_ARRAYS:
        if hasattr(model, names[0]):
            return float(sum(_n_numbers(getattr(model, name, None)) for name in names))
    return 0.0 if _is_stateless(model) else math.nan


def student_size(model: object) -> float:
    """Return the number of bytes of what would be deployed of a fitted model, as a pickle.

    Of a teacher-student estimator that is its student, of a search the best estimator, also where
    they are inside another model, such as a Pipeline: no teacher, no search.

    Parameters
    ----------
    model : object
        A fitted model, or None where there is none.

    Returns
    -------
    float
        Number of bytes; NaN for None and for a model that cannot be pickled.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_distill import DistilledLogisticRegression, TeacherStudentClassifier
    >>> from sklearn_distill.inspection import student_size
    >>> teacher = RandomForestClassifier(random_state=0)
    >>> model = TeacherStudentClassifier(teacher, DistilledLogisticRegression(), cv=2)
    >>> model = model.fit([[0.0], [0.1], [0.2], [0.8], [0.9], [1.0]], [0, 0, 0, 1, 1, 1])
    >>> student_size(model) == student_size(model.student_) < student_size(model.teacher_) / 20
    True
    """
    if model is None:
        return math.nan
    try:
        return float(len(deployed_pickle(model)))
    except (pickle.PicklingError, AttributeError, TypeError):
        return math.nan


def _total(models: Iterable[object]) -> float:
    # strings are the steps "passthrough" and "drop"
    return float(
        sum(count_parameters(m) for m in models if m is not None and not isinstance(m, str))
    )


def _histogram_nodes(model: Any) -> float:
    # scikit-learn has these trees in a private attribute only, and no public count
    trees = [tree for iteration in model._predictors for tree in iteration]
    return float(sum(len(tree.nodes) for tree in trees))


def _lightgbm_nodes(model: Any) -> float:
    # -1: also trees after the best iteration, which the model file has as well
    trees = model.booster_.dump_model(num_iteration=-1)["tree_info"]
    return _nodes_of_binary_trees(tree["num_leaves"] for tree in trees)


def _xgboost_nodes(model: Any) -> float:
    if hasattr(model, "coef_"):  # booster="gblinear"
        return float(np.size(model.coef_) + np.size(model.intercept_))
    return float(sum(tree.count("\n") for tree in model.get_booster().get_dump()))  # a line a node


def _nodes_of_binary_trees(n_leaves: Iterable[int]) -> float:
    return float(sum(2 * n - 1 for n in n_leaves))


def _ensemble(model: Any) -> float:
    members = list(np.ravel(np.asarray(model.estimators_, dtype=object)))
    return _total([*members, getattr(model, "final_estimator_", None)])


_COUNTERS: dict[str, Callable[[Any], float]] = {
    "steps": lambda model: _total(step for _, step in model.steps),
    "transformer_list": lambda model: _total(part for _, part in model.transformer_list),
    "transformers_": lambda model: _total(part for _, part, _ in model.transformers_),
    "generations": lambda model: _total(model.generations),
    "regressor_": lambda model: _total([model.regressor_, getattr(model, "transformer_", None)]),
    "net_": lambda model: count_parameters(model.net_),
    "module_": lambda model: float(sum(p.numel() for p in model.module_.parameters())),
    "_predictors": _histogram_nodes,
    "booster_": _lightgbm_nodes,
    "get_booster": _xgboost_nodes,
    "get_tree_leaf_counts": lambda model: _nodes_of_binary_trees(model.get_tree_leaf_counts()),
    "tree_": lambda model: float(model.tree_.node_count),
    "estimators_": _ensemble,
    "n_samples_fit_": lambda model: float(model.n_samples_fit_ * model.n_features_in_),
    "estimator_": lambda model: count_parameters(model.estimator_),
}


def _n_numbers(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, list | tuple):
        return sum(_n_numbers(part) for part in value)
    if isinstance(value, dict):
        return len(value)
    return int(value.nnz if hasattr(value, "nnz") else np.size(value))


def _is_stateless(model: object) -> bool:
    """Return whether a model is a transformer without fitted state, such as Normalizer."""
    fitted = [
        name
        for name in getattr(model, "__dict__", {})
        if name.endswith("_") and not name.startswith(("_", "n_", "feature_names_in"))
    ]
    return hasattr(model, "transform") and not hasattr(model, "predict") and not fitted
