"""Data and models for the tests of boosting students; a missing library skips its tests."""

import importlib.util

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier


# few leaves: splits of small leaves often have equal gains, between which rounding decides
def hist(**params):
    return HistGradientBoostingClassifier(
        **{"max_iter": 8, "max_leaf_nodes": 6, "random_state": 0} | params
    )


def light(**params):
    from lightgbm import LGBMClassifier

    defaults = {"n_estimators": 8, "num_leaves": 6, "random_state": 0, "n_jobs": 1, "verbose": -1}
    return LGBMClassifier(**defaults | params)


def extreme(**params):
    from xgboost import XGBClassifier

    defaults = {"n_estimators": 8, "max_depth": 3, "random_state": 0, "n_jobs": 1}
    return XGBClassifier(**defaults | params)


def cat(**params):
    from catboost import CatBoostClassifier

    defaults = {"iterations": 8, "random_seed": 0, "thread_count": 1, "allow_writing_files": False}
    return CatBoostClassifier(**defaults | {"verbose": False} | params)


def needs(library):
    """Skip where an optional library is not installed."""
    missing = importlib.util.find_spec(library) is None
    return pytest.mark.skipif(missing, reason=f"{library} is not installed")


def models(*makers):
    """Parametrise by the functions that make a library's model."""
    library = {light: "lightgbm", extreme: "xgboost", cat: "catboost"}
    return pytest.mark.parametrize(
        "make",
        [
            pytest.param(
                make, id=make.__name__, marks=[needs(library[make])] if make in library else []
            )
            for make in makers
        ],
    )


def data(n_classes=3, n=300, random_state=0):
    """Return features, labels and a teacher's probabilities."""
    X, y = make_classification(
        n, 8, n_informative=5, n_redundant=0, n_classes=n_classes, random_state=random_state
    )
    rng = np.random.default_rng(random_state)
    teacher = softmax(rng.normal(size=(n, n_classes)) + 2 * np.eye(n_classes)[y], axis=1)
    return X, y, teacher
