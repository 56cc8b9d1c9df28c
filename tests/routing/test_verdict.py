"""The probe sees what a tool does wrong."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_distill import DistilledLogisticRegression
from tests.routing.case import Case, fitted
from tests.routing.lessons import NUMBERS, TWO_CLASSES
from tests.routing.recording import (
    UNKNOWN,
    Fit,
    RecordingClassifier,
    RecordingRegressor,
    recorded,
    rows_of,
)
from tests.routing.verdict import ANOTHER_Y, MISALIGNED, NO_FIT, RIGHT, WITHOUT, judged

ROWS = np.arange(len(TWO_CLASSES.X))


class Tool:
    """Fits clones of a student on the rows, answers and labels that functions make."""

    def __init__(self, student, *plans):
        self.student, self.plans = student, plans

    def fit(self, X, y, **answers):
        (name,), (teacher,) = answers, answers.values()
        for plan in self.plans:
            rows, taught_rows, y_of = plan
            told = {} if taught_rows is None else {name: teacher[taught_rows]}
            clone(self.student).fit(X[rows], y_of(y)[rows], **told)
        return self


def as_it_is(y):
    return y


def other_way_round(y):
    return 1 - y


SLICED = (ROWS[::2], ROWS[::2], as_it_is)
VERDICTS = {
    RIGHT: [SLICED, (ROWS[::-1], ROWS[::-1], as_it_is)],
    MISALIGNED: [SLICED, (ROWS, ROWS[::-1], as_it_is)],
    WITHOUT: [(ROWS, None, as_it_is)],
    f"{WITHOUT}: 1 of 2 fits": [SLICED, (ROWS, None, as_it_is)],
    ANOTHER_Y: [SLICED, (ROWS, ROWS, other_way_round)],
    NO_FIT: [],
}
STUDENTS = {
    "teacher_proba": (RecordingClassifier(), TWO_CLASSES),
    "teacher_prediction": (RecordingRegressor(noise_variance=1.0), NUMBERS),
}


@pytest.mark.parametrize("argument", STUDENTS)
@pytest.mark.parametrize("expected", VERDICTS)
def test_every_verdict(expected, argument):
    student, lesson = STUDENTS[argument]
    tool = fitted(lambda student: Tool(student, *VERDICTS[expected]))
    assert Case("tool", tool, lesson, student, argument).verdict(routing=False) == expected


def test_made_rows_belong_to_no_answer():
    """Half way between two rows stands nobody, whatever the answer."""
    X, y, teacher = TWO_CLASSES.X, TWO_CLASSES.y, TWO_CLASSES.teacher
    between = (X + X[::-1]) / 2
    assert (rows_of(between, X) == UNKNOWN).all()
    for answers in (teacher, (teacher + teacher[::-1]) / 2):
        assert judged([Fit(between, y, answers)], TWO_CLASSES) == MISALIGNED


def raising(make_error):
    def run(student, lesson, params):
        raise make_error()

    return Case("tool", run, TWO_CLASSES, None, "teacher_proba").verdict(routing=True)


def test_errors_say_whose_they_are():
    def short(student):
        return Tool(student, (ROWS, ROWS[1:], as_it_is))

    case = Case("tool", fitted(short), TWO_CLASSES, RecordingClassifier(), "teacher_proba")
    assert case.verdict(routing=False).startswith("ValueError (ours): teacher_proba has 59 rows")
    alone = Case("tool", fitted(lambda _: DistilledLogisticRegression()), TWO_CLASSES, None, "x")
    assert alone.verdict(routing=False).startswith("TypeError (scikit-learn): ")
    assert raising(lambda: KeyError("k")) == "KeyError (Python): 'k'"
    long = raising(lambda: ValueError("many\n  words, " * 20))
    assert len(long) < 150
    assert long.endswith("many words …")


def test_each_recording_starts_empty():
    student = RecordingClassifier().set_params(imitation=0.0)
    for _ in range(2):
        with recorded() as fits:
            student.fit(TWO_CLASSES.X, TWO_CLASSES.y)
            assert len(fits) == 1
