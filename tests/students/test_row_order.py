"""A pandas index that contradicts the order of X's rows is an error; else rows are by position."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
)
from sklearn_distill.teachers import combine_teachers, learn_teacher_weights

N = 60
X, Y = make_classification(N, 5, random_state=0)
PROBA = LogisticRegression().fit(X, Y).predict_proba(X)
ORDER = np.random.default_rng(0).permutation(N)
NAMES = np.array([f"row {i}" for i in range(N)])
IN_ANOTHER_ORDER = r"and (X|y) have their rows in another order.*\.loc\[(X|y)\.index\].*to_numpy"

CLASSIFIERS = {
    "logistic": DistilledLogisticRegression(),
    "search": DistilledLogisticRegressionCV(("imitation",), cv=2),
    "tree": SoftTargetClassifier(DecisionTreeRegressor(random_state=0)),
    "boosting": DistilledBoostingClassifier(),
    "network": DistilledNeuralClassifier(max_epochs=1, random_state=0),
}
REGRESSORS = {
    "linear": PrivilegedLinearRegression(),
    "boosting": DistilledBoostingRegressor(),
    "tree": SoftTargetRegressor(DecisionTreeRegressor(random_state=0)),
    "network": DistilledNeuralRegressor(max_epochs=1, random_state=0),
}


def frame(index):
    return pd.DataFrame(X, index=index)


def proba(index):
    return pd.DataFrame(PROBA, index=index, columns=[0, 1])


@pytest.mark.parametrize("labels", [np.arange(N), NAMES], ids=["numbers", "names"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_same_rows_in_another_order(name, labels):
    student = CLASSIFIERS[name]
    shuffled = proba(labels).iloc[ORDER]
    for data, y in ((frame(labels), Y), (X, pd.Series(Y, labels))):
        for argument in ("teacher_proba", "teacher_logits"):
            with pytest.raises(ValueError, match=f"{argument} {IN_ANOTHER_ORDER}"):
                student.fit(data, y, **{argument: shuffled})
        with pytest.raises(ValueError, match=f"sample_weight {IN_ANOTHER_ORDER}"):
            student.fit(data, y, pd.Series(1.0, labels[ORDER]), teacher_proba=PROBA)
    assert not hasattr(student, "classes_")


@pytest.mark.parametrize("name", REGRESSORS)
def test_the_predictions_of_a_regressor_in_another_order(name):
    student, shuffled = REGRESSORS[name], pd.Series(PROBA[:, 1], NAMES[ORDER])
    with pytest.raises(ValueError, match=f"teacher_prediction {IN_ANOTHER_ORDER}"):
        student.fit(frame(NAMES), X[:, 0], teacher_prediction=shuffled)
    if not hasattr(student, "partial_fit"):
        return
    with pytest.raises(ValueError, match=f"teacher_prediction {IN_ANOTHER_ORDER}"):
        student.partial_fit(frame(NAMES), X[:, 0], teacher_prediction=shuffled)


def test_an_embedding_in_another_order():
    student = DistilledNeuralClassifier(max_epochs=1, embedding_weight=0.1)
    with pytest.raises(ValueError, match=f"teacher_embedding {IN_ANOTHER_ORDER}"):
        student.fit(frame(NAMES), Y, teacher_embedding=frame(NAMES[ORDER]))


@pytest.mark.parametrize(
    "estimator",
    [
        TeacherStudentClassifier(LogisticRegression(), DistilledLogisticRegression()),
        BornAgainClassifier(DistilledLogisticRegression(), n_generations=2),
    ],
)
def test_the_weights_of_a_meta_estimator_in_another_order(estimator):
    with pytest.raises(ValueError, match=f"sample_weight {IN_ANOTHER_ORDER}"):
        estimator.fit(frame(NAMES), Y, pd.Series(1.0, NAMES[ORDER]))


def test_other_names():
    others = np.array([f"sample {i}" for i in range(N)])
    with pytest.raises(ValueError, match="row 0 is 'sample 0' in teacher_proba and 'row 0' in X"):
        DistilledLogisticRegression().fit(frame(NAMES), Y, teacher_proba=proba(others))


def test_teachers_whose_rows_differ():
    with pytest.raises(ValueError, match=r"teacher_proba\[1\] and teacher_proba\[0\] have their"):
        combine_teachers([proba(NAMES), proba(NAMES).iloc[ORDER]])
    with pytest.raises(ValueError, match=r"teacher_proba\[0\] and y have their rows"):
        learn_teacher_weights([proba(NAMES).iloc[ORDER]], pd.Series(Y, NAMES))


@pytest.mark.parametrize(
    ("rows", "teacher"),
    [
        (NAMES, NAMES),  # the same
        (NAMES, np.arange(N)),  # a default index beside names
        (np.arange(N), NAMES),
        (ORDER + 1000, np.arange(N)),  # X was sliced, the teacher was computed from it
        (np.arange(N), 2 * ORDER),
    ],
)
def test_any_other_index_is_by_position(rows, teacher):
    expected = DistilledLogisticRegression().fit(X, Y, teacher_proba=PROBA)
    student = DistilledLogisticRegression()
    student.fit(frame(rows), pd.Series(Y, rows), teacher_proba=proba(teacher))
    np.testing.assert_allclose(student.coef_, expected.coef_, rtol=1e-9)


def test_an_index_like_that_of_y_is_by_position():
    """Both y and the teacher were both computed from a shuffled X, and have a default index."""
    shuffled = frame(np.arange(N)).iloc[ORDER]
    y = pd.Series(Y[ORDER])
    student = DistilledLogisticRegression()
    student.fit(shuffled, y, teacher_proba=proba(range(N)).to_numpy()[ORDER])
    named = DistilledLogisticRegression()
    named.fit(shuffled, y, teacher_proba=pd.DataFrame(PROBA[ORDER], columns=[0, 1]))
    np.testing.assert_array_equal(named.coef_, student.coef_)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("labels", [np.arange(N), NAMES], ids=["numbers", "names"])
def test_a_search_slices_every_index(labels, seed):
    """The same search with arrays, with the index of X, and with a default one."""
    train, _ = train_test_split(frame(labels), random_state=seed)
    rows = pd.Index(labels).get_indexer(train.index)
    cv = KFold(4, shuffle=True, random_state=seed)
    search = GridSearchCV(
        DistilledLogisticRegression(), {"imitation": [0.1, 0.9]}, cv=cv, error_score="raise"
    )
    search.fit(X[rows], Y[rows], teacher_proba=PROBA[rows])
    expected = search.cv_results_["mean_test_score"]
    default = pd.DataFrame(PROBA[rows], columns=[0, 1])
    for teacher in (default, proba(labels).loc[train.index]):
        search.fit(train, Y[rows], teacher_proba=teacher)
        np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)


def test_unlabelled_rows_of_a_shuffled_frame():
    """A teacher-student without labels names the columns itself, whatever the index of X."""
    shuffled = frame(np.arange(N)).iloc[ORDER]
    teacher = LogisticRegression().fit(shuffled, Y[ORDER])
    estimator = TeacherStudentClassifier(teacher, DistilledLogisticRegression(), cv="prefit")
    named = estimator.fit(shuffled).predict_proba(shuffled)
    teacher.fit(X[ORDER], Y[ORDER])
    by_position = estimator.fit(X[ORDER]).predict_proba(X[ORDER])
    np.testing.assert_allclose(named, by_position, rtol=1e-6)
