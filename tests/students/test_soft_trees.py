"""Classification trees and forests on probabilities, against scikit-learn's on weighted copies."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from sklearn_distill import SoftTargetClassifier, TeacherStudentClassifier
from sklearn_distill.deployment import to_sklearn

CRITERIA = ("gini", "entropy", "log_loss")
TREE = DecisionTreeClassifier(criterion="entropy", max_depth=4, random_state=0)
LARGE_LEAVES = {"min_weight_fraction_leaf": 0.047}  # of few rows, many splits are equally good
KINDS = {
    "tree": TREE,
    "extra tree": ExtraTreeClassifier(criterion="entropy", max_depth=4, random_state=0),
    "forest": RandomForestClassifier(5, criterion="entropy", max_depth=4, random_state=0),
    "extra trees": ExtraTreesClassifier(5, criterion="entropy", max_depth=4, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), make_pipeline("passthrough", TREE)),
}


def data(n_classes=3, n=200):
    X, y = make_classification(
        n, 5, n_informative=4, n_redundant=0, n_classes=n_classes, random_state=0
    )
    rng = np.random.default_rng(0)
    teacher = softmax(2 * rng.normal(size=(n, n_classes)) + 2 * np.eye(n_classes)[y], axis=1)
    return X, y, teacher


def fit_copies(tree, X, m, weight=None):
    """Fit a classifier on a copy of each row for each class, weighted by its target."""
    rows, codes = np.nonzero(m)
    copies = m[rows, codes] if weight is None else m[rows, codes] * weight[rows]
    return clone(tree).fit(X[rows], codes, copies)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_tree_is_that_of_weighted_copies(criterion, n_classes, weighted):
    X, y, teacher = data(n_classes)
    weight = 1e-9 * np.random.default_rng(1).uniform(1, 3, len(X)) if weighted else None
    tree = clone(TREE).set_params(criterion=criterion, **LARGE_LEAVES)
    student = SoftTargetClassifier(tree, imitation=0.4).fit(X, y, weight, teacher_proba=teacher)
    copies = fit_copies(tree, X, 0.6 * np.eye(n_classes)[y] + 0.4 * teacher, weight)
    np.testing.assert_allclose(student.predict_proba(X), copies.predict_proba(X), atol=1e-9)
    ours, theirs = student.estimator_.tree_, copies.tree_
    np.testing.assert_array_equal(ours.feature, theirs.feature)
    np.testing.assert_allclose(ours.impurity, theirs.impurity, atol=1e-7)
    np.testing.assert_allclose(student.feature_importances_, copies.feature_importances_, atol=1e-7)
    assert ours.n_node_samples[0] == len(X)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("kind", ["tree", "extra tree", "forest", "extra trees"])
def test_labels_alone_are_the_classifier_itself(criterion, kind):
    X, y, _ = data()
    classifier = clone(KINDS[kind]).set_params(criterion=criterion, min_samples_leaf=3)
    student = SoftTargetClassifier(classifier, imitation=0).fit(X, y)
    plain = classifier.fit(X, y)
    np.testing.assert_allclose(student.predict_proba(X), plain.predict_proba(X), atol=3e-16)
    np.testing.assert_array_equal(student.predict(X), plain.predict(X))


@pytest.mark.parametrize("params", [{"min_impurity_decrease": 0.02}, {"ccp_alpha": 0.02}], ids=str)
@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_pruning_has_the_classifier_s_units(params, criterion):
    X, y, teacher = data()
    tree = DecisionTreeClassifier(criterion=criterion, random_state=0)
    full = SoftTargetClassifier(tree, imitation=1.0).fit(X, y, teacher_proba=teacher)
    student = SoftTargetClassifier(tree.set_params(**params), imitation=1.0)
    student.fit(X, y, teacher_proba=teacher)
    copies = fit_copies(tree, X, teacher)
    assert 1 < student.estimator_.tree_.node_count < full.estimator_.tree_.node_count / 2
    np.testing.assert_allclose(student.predict_proba(X), copies.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_the_fitted_estimator_is_a_plain_classifier(kind, criterion):
    X, y, teacher = data()
    names = np.array(["a", "b", "c"])[y]
    estimator = clone(KINDS[kind])
    if kind != "pipeline":
        estimator.set_params(criterion=criterion, min_impurity_decrease=1e-3)
    student = SoftTargetClassifier(estimator).fit(X, names, teacher_proba=teacher)
    plain = to_sklearn(student)
    assert type(plain) is type(estimator)
    assert is_classifier(student.estimator_)
    assert repr(student.estimator_) == repr(estimator)
    for model in (plain, pickle.loads(pickle.dumps(student))):
        np.testing.assert_allclose(model.predict_proba(X), student.predict_proba(X), atol=3e-16)
        np.testing.assert_array_equal(model.predict(X), student.predict(X))
    trees = getattr(plain, "estimators_", [plain])
    if kind != "pipeline":
        assert {t.criterion for t in trees} == {criterion}
        assert {t.min_impurity_decrease for t in trees} == {1e-3}


def test_a_row_is_a_row():
    """Leaf sizes, and a forest's bootstrap, count rows, not classes with mass."""
    X, y, teacher = data()
    student = SoftTargetClassifier(clone(TREE).set_params(max_depth=None, min_samples_leaf=7))
    student.fit(X, y, teacher_proba=teacher)
    tree = student.estimator_.tree_
    assert tree.n_node_samples[tree.children_left < 0].min() == 7
    # by the squared error, a regressor draws the same rows and features
    params = {"max_depth": 4, "max_features": 2, "random_state": 0}
    forest = SoftTargetClassifier(RandomForestClassifier(5, **params))
    regressor = SoftTargetClassifier(RandomForestRegressor(5, **params))
    np.testing.assert_allclose(
        forest.fit(X, y, teacher_proba=teacher).predict_proba(X),
        regressor.fit(X, y, teacher_proba=teacher).predict_proba(X),
        atol=1e-15,
    )


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_pure_nodes_are_leaves(criterion):
    """Rows with equal targets are not split further, however many there are."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 3))
    teacher = np.where(X[:, :1] > 0, [0.1, 0.2, 0.7], [0.3, 0.6, 0.1])
    tree = DecisionTreeClassifier(criterion=criterion, random_state=0)
    student = SoftTargetClassifier(tree, classes=[0, 1, 2]).fit(X, teacher_proba=teacher)
    assert student.estimator_.tree_.node_count <= (3 if criterion == "entropy" else 15)
    np.testing.assert_allclose(student.predict_proba(X), teacher, atol=1e-9)
    one_hot = np.eye(3)[teacher.argmax(axis=1)]
    student.fit(X, teacher_proba=one_hot)
    assert student.estimator_.tree_.node_count == 3
    assert student.predict_proba(X)[:, 0].tolist() == [0.0] * 3000, "no mass at all"
    assert student.predict_proba(X)[:, 1:].min() == np.finfo(float).eps


def test_missing_values_sparse_rows_and_absent_rows():
    X, y, teacher = data()
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    student = SoftTargetClassifier(TREE).fit(holes, y, teacher_proba=teacher)
    assert np.isfinite(student.predict_proba(holes)).all()
    of_sparse = clone(student).fit(sparse.csr_array(X), y, teacher_proba=teacher)
    dense = clone(student).fit(X, y, teacher_proba=teacher)
    np.testing.assert_array_equal(of_sparse.predict_proba(X), dense.predict_proba(X))
    weight = (np.arange(len(X)) % 3 > 0).astype(float)
    kept = weight > 0
    few = clone(student).fit(X[kept], y[kept], teacher_proba=teacher[kept])
    weighted = clone(student).fit(X, y, weight, teacher_proba=teacher)
    np.testing.assert_allclose(weighted.predict_proba(X), few.predict_proba(X), atol=1e-15)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"class_weight": "balanced"}, "class_weight='balanced', which needs labels"),
        ({"monotonic_cst": [0, 1, 0, 0, 0]}, "monotonic_cst="),
        ({"criterion": "mse"}, "criterion='mse', which is none of 'gini', 'entropy', 'log_loss'"),
    ],
    ids=str,
)
def test_parameters_that_need_labels(params, message):
    X, y, teacher = data()
    student = SoftTargetClassifier(clone(TREE).set_params(**params))
    with pytest.raises(ValueError, match=f"estimator has {message}"):
        student.fit(X, y, teacher_proba=teacher)
    forest = RandomForestClassifier(3, oob_score=True)
    with pytest.raises(ValueError, match="estimator has oob_score=True"):
        SoftTargetClassifier(forest).fit(X, y, teacher_proba=teacher)


def test_searches_and_pairs():
    X, y, _ = data()
    search = GridSearchCV(SoftTargetClassifier(TREE), {"estimator__criterion": CRITERIA}, cv=2)
    _, _, teacher = data()
    search.fit(X, y, teacher_proba=teacher)
    scores = search.cv_results_["mean_test_score"]
    assert scores[1] == scores[2]
    pair = TeacherStudentClassifier(RandomForestClassifier(5), SoftTargetClassifier(TREE), cv=2)
    assert type(pair.fit(X, y).to_sklearn()) is DecisionTreeClassifier
    with pytest.raises(ValueError, match=r"such as SoftTargetClassifier\(DecisionTreeClassifier"):
        TeacherStudentClassifier(RandomForestClassifier(5), TREE).fit(X, y)


def test_a_single_class():
    X, _, _ = data()
    for tree in (TREE, DecisionTreeRegressor()):
        student = SoftTargetClassifier(tree, imitation=0).fit(X, ["b"] * len(X))
        np.testing.assert_array_equal(student.predict_proba(X), np.ones((len(X), 1)))
