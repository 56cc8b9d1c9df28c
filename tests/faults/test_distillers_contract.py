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
    answers_with_numbers,
    answers_with_probabilities,
    fitted_or_refused,
)
from tests.faults.strategies import class_lessons, holds, number_lessons

OF_GENERATIONS = f"{OF_SPLITTERS}|.*was not trained on the classes"
OF_STUDENT = ".*found a perfect fit"


def teacher_student(lesson, teacher, cv):
    both = TeacherStudentClassifier(teacher, DistilledLogisticRegression(max_iter=50), cv=cv)
    if fitted_or_refused(both, lesson, documented=OF_SPLITTERS):
        answers_with_probabilities(both, lesson.X)


def teacher_student_of_numbers(lesson, cv):
    teacher = DecisionTreeRegressor(max_depth=2, random_state=0)
    both = TeacherStudentRegressor(teacher, PrivilegedLinearRegression(), cv=cv)
    if fitted_or_refused(both, lesson, documented=OF_STUDENT):
        answers_with_numbers(both, lesson.X)


def born_again(lesson, labels, cv):
    student = DistilledLogisticRegression(max_iter=50)
    line = BornAgainClassifier(student, n_generations=2, labels=labels, cv=cv)
    if fitted_or_refused(line, lesson, documented=OF_GENERATIONS):
        answers_with_probabilities(line, lesson.X)


folds = st.sampled_from((None, 2))
LAWS = {
    teacher_student: {
        "lesson": class_lessons(taught=False),
        "teacher": st.sampled_from((DummyClassifier(), DecisionTreeClassifier(random_state=0))),
        "cv": folds,
    },
    teacher_student_of_numbers: {"lesson": number_lessons(taught=False), "cv": folds},
    born_again: {
        "lesson": class_lessons(taught=False),
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
