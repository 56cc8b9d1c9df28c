"""Labels of a single class: alone, with further classes of the teacher, and with ``classes=``."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)

pytest.importorskip("torch")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
ONLY = np.full(40, "b")
PROBA = RNG.dirichlet([1.0, 1.0, 1.0], size=40)
LINEAR = DistilledLogisticRegression()
NETWORK = DistilledNeuralClassifier(hidden_layer_sizes=(4,), max_epochs=2, random_state=0)
FOREST = SoftTargetClassifier(RandomForestRegressor(n_estimators=3, random_state=0))
STUDENTS = [LINEAR, NETWORK, FOREST, SoftTargetClassifier(Ridge())]
NEED_TWO = {
    "linear": LINEAR,
    "search": DistilledLogisticRegressionCV("C", cv=2),
    "network": NETWORK,
    "teacher and student": TeacherStudentClassifier(DummyClassifier(), LINEAR),
    "generations": BornAgainClassifier(LINEAR, n_generations=2),
}


@pytest.mark.parametrize(
    "regressor",
    [
        RandomForestRegressor(n_estimators=3),
        Ridge(),
        KNeighborsRegressor(2),
        HistGradientBoostingRegressor(max_iter=2),
    ],
    ids=lambda regressor: type(regressor).__name__,
)
def test_any_regressor_learns_one_class(regressor):
    """As scikit-learn's trees, forests and neighbours."""
    student = SoftTargetClassifier(regressor, imitation=0.0).fit(X, ONLY)
    np.testing.assert_array_equal(student.predict_proba(X), np.ones((40, 1)))
    assert set(student.predict(X)) == {"b"}
    student.set_params(imitation=0.5).fit(X, ONLY, teacher_proba=np.ones((40, 1)))
    assert student.classes_.tolist() == ["b"]


@pytest.mark.parametrize("estimator", NEED_TWO.values(), ids=NEED_TWO)
def test_others_say_how_to_name_the_classes(estimator):
    with pytest.raises(ValueError, match=r"only one class: 'b'.*classes=\[\.\.\.\]"):
        clone(estimator).fit(X, ONLY)


@pytest.mark.parametrize("student", STUDENTS, ids=lambda student: type(student).__name__)
def test_named_columns_and_classes_are_further_classes(student):
    named = clone(student).fit(X, ONLY, teacher_proba=pd.DataFrame(PROBA, columns=list("abc")))
    declared = clone(student).set_params(classes=list("abc")).fit(X, ONLY, teacher_proba=PROBA)
    np.testing.assert_array_equal(named.classes_, list("abc"))
    np.testing.assert_allclose(named.predict_proba(X), declared.predict_proba(X))


@pytest.mark.parametrize("student", STUDENTS, ids=lambda student: type(student).__name__)
def test_unnamed_columns_do_not_tell_the_classes(student):
    with pytest.raises(ValueError, match="pass classes="):
        clone(student).fit(X, ONLY, teacher_proba=PROBA)


def test_chunks_follow_the_same_rule():
    array = pytest.importorskip("dask.array")
    proba = pd.DataFrame(PROBA, columns=list("abc"))
    whole = LINEAR.fit(X, ONLY, teacher_proba=proba).coef_
    chunked = clone(LINEAR).fit(array.from_array(X, chunks=(15, 3)), ONLY, teacher_proba=proba)
    np.testing.assert_allclose(chunked.coef_, whole, atol=1e-3)
