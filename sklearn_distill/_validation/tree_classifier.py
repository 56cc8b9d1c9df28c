"""Classification trees made of regression trees; the class of their nodes is scikit-learn's own."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from sklearn.tree._tree import Tree

ToProba = Callable[[NDArray[Any]], NDArray[np.float64]]

_TREES = {DecisionTreeRegressor: DecisionTreeClassifier, ExtraTreeRegressor: ExtraTreeClassifier}
_FORESTS = {
    RandomForestRegressor: RandomForestClassifier,
    ExtraTreesRegressor: ExtraTreesClassifier,
}
REGRESSORS = {classifier: kind for kind, classifier in (_TREES | _FORESTS).items()}
_FITTED = ("n_features_in_", "feature_names_in_", "max_features_")


def tree_classifier(regressor: Any, classes: NDArray[Any], to_proba: ToProba) -> Any:
    """Return a classifier of the same trees, or None for a regressor without trees of its own.

    Parameters
    ----------
    regressor : estimator
        Fitted tree or forest of scikit-learn, with one output for each class.
    classes : ndarray of shape (n_classes,)
        Class labels.
    to_proba : callable
        Maps the values of nodes, of shape (n_nodes, n_classes), to probabilities.

    Returns
    -------
    classifier or None
        It shares nothing with the regressor. The probabilities of a forest are the mean of those of
        its trees.
    """
    if type(regressor) in _TREES:
        return _one_tree(regressor, _TREES[type(regressor)], classes, to_proba)
    if type(regressor) not in _FORESTS:
        return None
    forest = _with_params(_FORESTS[type(regressor)], regressor)
    forest.estimator_ = type(forest)().estimator
    codes = np.arange(len(classes), dtype=np.float64)  # as a forest numbers them for its trees
    forest.estimators_ = [
        _one_tree(tree, type(forest.estimator_), codes, to_proba) for tree in regressor.estimators_
    ]
    return _set_classes(forest, classes)


def _one_tree(regressor: Any, kind: type, classes: NDArray[Any], to_proba: ToProba) -> Any:
    old = regressor.tree_
    proba = np.ascontiguousarray(to_proba(old.value[:, :, 0])[:, None, :])
    tree = Tree(old.n_features, np.array([len(classes)], dtype=np.intp), 1)
    tree.__setstate__(old.__getstate__() | {"values": proba})
    classifier = _with_params(kind, regressor)
    classifier.tree_ = tree
    return _set_classes(classifier, classes)


def _with_params(kind: type, regressor: Any) -> Any:
    """Return an unfitted classifier with the regressor's parameters but the criterion."""
    params = regressor.get_params(deep=False)
    names = kind().get_params(deep=False).keys() - {"criterion"}
    classifier = kind(**deepcopy({name: params[name] for name in names if name in params}))
    for name in _FITTED:
        if hasattr(regressor, name):
            setattr(classifier, name, deepcopy(getattr(regressor, name)))
    return classifier


def _set_classes(classifier: Any, classes: NDArray[Any]) -> Any:
    classifier.classes_, classifier.n_classes_, classifier.n_outputs_ = classes, len(classes), 1
    return classifier
