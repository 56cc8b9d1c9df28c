"""Data and models for the tests of boosting students; a missing library skips its tests."""

import importlib.util

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

# few leaves: splits of small leaves often have equal gains, between which rounding decides
HIST = {"max_iter": 8, "max_leaf_nodes": 6, "random_state": 0}
LIGHT = {"n_estimators": 8, "num_leaves": 6, "random_state": 0, "n_jobs": 1, "verbose": -1}
EXTREME = {"n_estimators": 8, "max_depth": 3, "random_state": 0, "n_jobs": 1}
CAT = {
    "iterations": 8,
    "random_seed": 0,
    "thread_count": 1,
    "allow_writing_files": False,
    "verbose": False,
}


def hist(**params):
    return HistGradientBoostingClassifier(**HIST | params)


def hist_numbers(**params):
    return HistGradientBoostingRegressor(**HIST | params)


def light(**params):
    from lightgbm import LGBMClassifier

    return LGBMClassifier(**LIGHT | params)


def light_numbers(**params):
    from lightgbm import LGBMRegressor

    return LGBMRegressor(**LIGHT | params)


def extreme(**params):
    from xgboost import XGBClassifier

    return XGBClassifier(**EXTREME | params)


def extreme_numbers(**params):
    from xgboost import XGBRegressor

    return XGBRegressor(**EXTREME | params)


def cat(**params):
    from catboost import CatBoostClassifier

    return CatBoostClassifier(**CAT | params)


def cat_numbers(**params):
    from catboost import CatBoostRegressor

    return CatBoostRegressor(**CAT | params)


LIBRARY = {
    light: "lightgbm",
    light_numbers: "lightgbm",
    extreme: "xgboost",
    extreme_numbers: "xgboost",
    cat: "catboost",
    cat_numbers: "catboost",
}


def needs(library):
    """Skip where an optional library is not installed."""
    missing = importlib.util.find_spec(library) is None
    return pytest.mark.skipif(missing, reason=f"{library} is not installed")


def models(*makers):
    """Parametrise by the functions that make a library's model."""
    return pytest.mark.parametrize(
        "make",
        [
            pytest.param(
                make, id=make.__name__, marks=[needs(LIBRARY[make])] if make in LIBRARY else []
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
