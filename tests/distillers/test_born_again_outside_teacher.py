"""An outside teacher is generation 0: the first generation is trained on its predictions."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    ImplausibleTeacherWarning,
)

N, K = 150, 3
X, Y = make_classification(N, 5, n_informative=4, n_redundant=0, n_classes=K, random_state=0)
NAMES = np.array(["bee", "ant", "cat"])[Y]
TEACHER = RandomForestClassifier(20, max_depth=4, random_state=0).fit(X, Y)
Q = TEACHER.predict_proba(X)
LOGISTIC = DistilledLogisticRegression(tol=1e-8)


def coefs(model):
    return [generation.coef_ for generation in model.estimators_]


@pytest.mark.parametrize("imitation", [1.0, 0.3])
@pytest.mark.parametrize("labels", ["soft", "hard"])
def test_the_first_generation_is_a_student_of_the_teacher(labels, imitation):
    q = Q if labels == "soft" else np.eye(K)[Q.argmax(axis=1)]
    model = BornAgainClassifier(LOGISTIC, n_generations=2, labels=labels, imitation=imitation)
    model.fit(X, Y, first_teacher_proba=Q)
    student = clone(LOGISTIC).set_params(imitation=imitation).fit(X, Y, teacher_proba=q)
    np.testing.assert_allclose(model.estimators_[0].coef_, student.coef_)
    p = student.predict_proba(X)
    second = p if labels == "soft" else np.eye(K)[p.argmax(axis=1)]
    later = clone(student).fit(X, Y, teacher_proba=second)
    np.testing.assert_allclose(model.estimators_[1].coef_, later.coef_, rtol=1e-4)


def test_a_chain_from_a_generation_is_the_rest_of_the_chain():
    """Given generation 1 as a teacher, generations 1 and 2 are 2 and 3 of the whole chain."""
    whole = BornAgainClassifier(LOGISTIC, n_generations=3).fit(X, Y)
    rest = BornAgainClassifier(LOGISTIC, n_generations=2)
    rest.fit(X, Y, first_teacher_proba=whole.estimators_[0].predict_proba(X))
    for found, expected in zip(coefs(rest), coefs(whole)[1:], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    agreement = "train_agreement"
    np.testing.assert_allclose(rest.generations_[agreement], whole.generations_[agreement].iloc[1:])


def test_any_classifier_learns_the_teachers_classes():
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    model = BornAgainClassifier(tree, n_generations=1, labels="hard")
    model.fit(X, NAMES, first_teacher_proba=pd.DataFrame(Q, columns=["bee", "ant", "cat"]))
    taught = np.array(["bee", "ant", "cat"])[Q.argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(X), clone(tree).fit(X, taught).predict(X))


def test_rows_without_a_prediction_keep_their_label_and_others_need_none():
    q, y = Q.copy(), Y.astype(float)
    q[:30], y[60:90] = np.nan, np.nan
    model = BornAgainClassifier(LOGISTIC, n_generations=2, imitation=1.0)
    model.fit(X, y, first_teacher_proba=q)
    student = clone(LOGISTIC).set_params(imitation=1.0).fit(X, y, teacher_proba=q)
    np.testing.assert_allclose(model.estimators_[0].coef_, student.coef_)
    agree = (student.predict(X) == Q.argmax(axis=1))[30:].mean()
    assert model.generations_["train_agreement"].iloc[0] == pytest.approx(agree)
    # a row with neither is used from the second generation on
    q[60:90] = np.nan
    without = BornAgainClassifier(LOGISTIC, n_generations=2).fit(X, y, first_teacher_proba=q)
    rows = ~np.isnan(y)
    student.fit(X[rows], y[rows], teacher_proba=q[rows])
    np.testing.assert_allclose(without.estimators_[0].coef_, student.coef_)


def test_weight_zero_and_folds_and_several_teachers():
    weight = (np.arange(N) % 5 > 0).astype(float)
    part = weight > 0
    model = BornAgainClassifier(LOGISTIC, n_generations=2, cv=3)
    two = np.stack([Q, Q[:, ::-1] * 0 + 1 / K], axis=1)
    whole = clone(model).fit(X, Y, weight, first_teacher_proba=two)
    alone = clone(model).fit(X[part], Y[part], first_teacher_proba=two.mean(axis=1)[part])
    for found, expected in zip(coefs(whole), coefs(alone), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_it_is_sliced_by_cross_validation():
    model = BornAgainClassifier(LOGISTIC, n_generations=2)
    with config_context(enable_metadata_routing=True):
        scores = cross_val_score(model, X, Y, cv=3, params={"first_teacher_proba": Q})
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("proba", "message"),
    [
        (Q[:-1], "^first_teacher_proba has 149 rows, X has 150"),
        (Q[:, :2], "^first_teacher_proba .*2 columns"),
        (2 * Q, "^first_teacher_proba.*row 0"),
        (pd.DataFrame(Q, columns=["a", "b", "c"]), "^first_teacher_proba"),
    ],
)
def test_wrong_predictions(proba, message):
    with pytest.raises(ValueError, match=message):
        BornAgainClassifier(LOGISTIC).fit(X, Y, first_teacher_proba=proba)


def test_rows_in_another_order_are_noticed():
    sharp = RandomForestClassifier(20, random_state=0).fit(X, Y).predict_proba(X[::-1])
    with pytest.warns(ImplausibleTeacherWarning, match="first_teacher_proba"):
        BornAgainClassifier(LOGISTIC, n_generations=1).fit(X, Y, first_teacher_proba=sharp)
    q = pd.DataFrame(Q, index=[f"r{i}" for i in range(N)])
    frame = pd.DataFrame(X, index=q.index[::-1]).rename(columns="x{}".format)
    with pytest.raises(ValueError, match="first_teacher_proba and X have their rows in another"):
        BornAgainClassifier(LOGISTIC).fit(frame, Y, first_teacher_proba=q)


def test_a_teacher_other_than_the_student():
    """A logistic regression of scikit-learn as the teacher, one of this package as the student."""
    teacher = LogisticRegression().fit(X, Y)
    model = BornAgainClassifier(LOGISTIC, n_generations=1, imitation=1.0)
    model.set_params(student__C=np.inf).fit(X, Y, first_teacher_proba=teacher.predict_proba(X))
    np.testing.assert_allclose(model.predict_proba(X), teacher.predict_proba(X), atol=1e-5)
