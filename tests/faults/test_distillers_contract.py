"""Whatever comes into ``fit`` of who owns teacher and student: finite answers, or an error."""

import pytest
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    PrivilegedLinearRegression,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from tests.faults.contract import (
    OF_SPLITTERS,
    fitted_or_refused,
    predicts_numbers,
    predicts_probabilities,
)
from tests.faults.strategies import class_data, holds, regression_data

OF_FOLDS = f"{OF_SPLITTERS}|.*is not fitted on the classes"
OF_GENERATIONS = f"{OF_FOLDS}|.*was not trained on the classes"
OF_STUDENT = ".*(found a perfect fit|here a prediction counts as a label)"


def teacher_student(data, teacher, cv):
    both = TeacherStudentClassifier(teacher, DistilledLogisticRegression(max_iter=50), cv=cv)
    if fitted_or_refused(both, data, documented=OF_FOLDS):
        predicts_probabilities(both, data.present())


def teacher_student_regression(data, cv):
    teacher = DecisionTreeRegressor(max_depth=2, random_state=0)
    both = TeacherStudentRegressor(teacher, PrivilegedLinearRegression(), cv=cv)
    if fitted_or_refused(both, data, documented=OF_STUDENT):
        predicts_numbers(both, data.present())


def born_again(data, labels, cv):
    student = DistilledLogisticRegression(max_iter=50)
    line = BornAgainClassifier(student, n_generations=2, labels=labels, cv=cv)
    if fitted_or_refused(line, data, documented=OF_GENERATIONS):
        predicts_probabilities(line, data.present())


folds = st.sampled_from((None, 2))
LAWS = {
    teacher_student: {
        "data": class_data(with_teacher=False),
        "teacher": st.sampled_from((DummyClassifier(), DecisionTreeClassifier(random_state=0))),
        "cv": folds,
    },
    teacher_student_regression: {"data": regression_data(with_teacher=False), "cv": folds},
    born_again: {
        "data": class_data(with_teacher=False),
        "labels": st.sampled_from(("soft", "hard")),
        "cv": folds,
    },
}


@pytest.mark.parametrize("law", LAWS)
def test_finite_answers_or_an_error_that_helps(law):
    holds(law, 80, **LAWS[law])


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
def test_finite_answers_or_an_error_that_helps_on_many_examples(law):
    holds(law, 1000, **LAWS[law])
