import math
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_distill import DistilledBoostingClassifier, DistilledNeuralClassifier
from sklearn_distill.inspection import count_parameters, student_size
from tests.students.boosting_data import (
    cat,
    cat_numbers,
    extreme,
    extreme_numbers,
    light,
    light_numbers,
    models,
)

X, Y = load_iris(return_X_y=True)
LINEAR = LogisticRegression(max_iter=1000)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LINEAR, 15),
        (GaussianNB(), 3 * 4 + 3 * 4 + 3),
        (KNeighborsClassifier(), 600),
        (make_pipeline(StandardScaler(), LINEAR), 4 + 4 + 15),
        (make_pipeline(PCA(2), LINEAR), 2 * 4 + 4 + 3 * 2 + 3),
        (make_pipeline(Normalizer(), "passthrough", FunctionTransformer(), LINEAR), 15),
        (make_pipeline(StandardScaler(with_mean=False, with_std=False), LINEAR), 15),
        (ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", "drop", [2])]), 4),
        (OneHotEncoder(), sum(len(np.unique(column)) for column in X.T)),
        (GridSearchCV(LINEAR, {"C": [1.0]}, cv=2), 15),
        (VotingClassifier([("a", LINEAR), ("b", GaussianNB())]), 15 + 27),
        (StackingClassifier([("a", GaussianNB())], LINEAR, cv=2), 27 + 3 * 3 + 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_known_counts(model, expected):
    assert count_parameters(model.fit(X, Y)) == expected


def test_trees_count_their_nodes():
    tree = DecisionTreeClassifier(random_state=0).fit(X, Y)
    assert count_parameters(tree) == tree.tree_.node_count == 2 * tree.get_n_leaves() - 1
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)
    assert count_parameters(forest) == sum(t.tree_.node_count for t in forest.estimators_)
    boosting = GradientBoostingClassifier(n_estimators=4).fit(X, Y)
    assert count_parameters(boosting) == sum(t.tree_.node_count for t in boosting.estimators_.flat)


def test_histogram_boosting_counts_its_nodes():
    stumps = HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=2, early_stopping=False)
    assert count_parameters(stumps.fit(X, Y)) == 4 * 3 * 3  # iterations, classes, nodes


@models(light, light_numbers, extreme, extreme_numbers, cat, cat_numbers)
def test_boosting_libraries_count_their_nodes(make):
    stumps = {light: {"num_leaves": 2}, light_numbers: {"num_leaves": 2}}
    depth = {} if make in stumps else {"max_depth": 1}
    model = make(**stumps.get(make, {}), **depth)
    assert count_parameters(model.fit(X, (Y > 0).astype(int))) == 8 * 3  # rounds, nodes
    if make is extreme:
        model.set_params(booster="gblinear", max_depth=None)
        assert count_parameters(model.fit(X, (Y > 0).astype(int))) == 4 + 1


@models(light, extreme, cat)
def test_a_boosted_student_has_the_size_of_its_model(make):
    y = (Y > 0).astype(int)
    student = DistilledBoostingClassifier(make(), imitation=0).fit(X, y)
    assert count_parameters(student) == count_parameters(make().fit(X, y)) > 8


def test_networks_and_support_vectors():
    mlp = MLPClassifier((7,), max_iter=5000, tol=0.1, random_state=0).fit(X, Y)
    assert count_parameters(mlp) == 4 * 7 + 7 + 7 * 3 + 3
    svc = SVC().fit(X, Y)
    n = len(svc.support_)
    assert count_parameters(svc) == n * 4 + n * 2 + 3


def test_sparse_and_text():
    model = LogisticRegression(max_iter=1000).fit(X, Y).sparsify()
    assert scipy.sparse.issparse(model.coef_)
    assert count_parameters(model) == 15
    words = TfidfVectorizer().fit(["one two", "two three"])
    assert count_parameters(words) == 3 + 3


class Unknown(BaseEstimator):
    def fit(self, X, y):
        self.secret_ = X
        return self

    def predict(self, X):
        return X


def test_unknown_models_are_nan():
    assert math.isnan(count_parameters(Unknown().fit(X, Y)))
    assert math.isnan(count_parameters(make_pipeline(StandardScaler(), Unknown()).fit(X, Y)))
    assert math.isnan(count_parameters(None))
    assert math.isnan(count_parameters(LogisticRegression()))


def test_bytes_are_the_pickles():
    model = LINEAR.fit(X, Y)
    assert student_size(model) == len(pickle.dumps(model, protocol=5))
    assert math.isnan(student_size(None))
    assert math.isnan(student_size(lambda: None))
    frame = pd.DataFrame(X)
    assert student_size(frame) > 8 * X.size


def test_networks_count_the_parameters_of_their_module():
    student = DistilledNeuralClassifier(
        imitation=0, hidden_layer_sizes=(7,), max_epochs=1, random_state=0
    )
    n_features, n_classes = X.shape[1], len(np.unique(Y))
    expected = n_features * 7 + 7 + 7 * n_classes + n_classes
    fitted = student.fit(X, Y)
    assert count_parameters(fitted) == count_parameters(fitted.net_) == expected
