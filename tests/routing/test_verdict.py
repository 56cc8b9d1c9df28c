"""The verdicts detect what a tool does wrong."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_distill import DistilledLogisticRegression
from tests.routing.case import Case, fitted
from tests.routing.datasets import REGRESSION, TWO_CLASSES
from tests.routing.recording import (
    UNKNOWN,
    Fit,
    RecordingClassifier,
    RecordingRegressor,
    recorded,
    rows_of,
)
from tests.routing.verdict import ANOTHER_Y, MISALIGNED, NO_FIT, RIGHT, WITHOUT, verdict_on

ROWS = np.arange(len(TWO_CLASSES.X))


class Tool:
    """Fits clones of a student on given rows, rows of the predictions, and transformed labels."""

    def __init__(self, student, *plans):
        self.student, self.plans = student, plans

    def fit(self, X, y, **predictions):
        (name,), (teacher,) = predictions, predictions.values()
        for plan in self.plans:
            rows, taught_rows, y_of = plan
            fit_params = {} if taught_rows is None else {name: teacher[taught_rows]}
            clone(self.student).fit(X[rows], y_of(y)[rows], **fit_params)
        return self


def identity(y):
    return y


def swapped(y):
    return 1 - y


SLICED = (ROWS[::2], ROWS[::2], identity)
VERDICTS = {
    RIGHT: [SLICED, (ROWS[::-1], ROWS[::-1], identity)],
    MISALIGNED: [SLICED, (ROWS, ROWS[::-1], identity)],
    WITHOUT: [(ROWS, None, identity)],
    f"{WITHOUT}: 1 of 2 fits": [SLICED, (ROWS, None, identity)],
    ANOTHER_Y: [SLICED, (ROWS, ROWS, swapped)],
    NO_FIT: [],
}
STUDENTS = {
    "teacher_proba": (RecordingClassifier(), TWO_CLASSES),
    "teacher_prediction": (RecordingRegressor(noise_variance=1.0), REGRESSION),
}


@pytest.mark.parametrize("argument", STUDENTS)
@pytest.mark.parametrize("expected", VERDICTS)
def test_every_verdict(expected, argument):
    student, data = STUDENTS[argument]
    tool = fitted(lambda student: Tool(student, *VERDICTS[expected]))
    assert Case("tool", tool, data, student, argument).verdict(routing=False) == expected


def test_synthetic_rows_have_no_prediction():
    """The mean of two rows is no row of the data, so no prediction belongs to it."""
    X, y, teacher = TWO_CLASSES.X, TWO_CLASSES.y, TWO_CLASSES.teacher
    between = (X + X[::-1]) / 2
    assert (rows_of(between, X) == UNKNOWN).all()
    for predictions in (teacher, (teacher + teacher[::-1]) / 2):
        assert verdict_on([Fit(between, y, predictions)], TWO_CLASSES) == MISALIGNED


def raising(make_error):
    def run(student, data, params):
        raise make_error()

    return Case("tool", run, TWO_CLASSES, None, "teacher_proba").verdict(routing=True)


def test_errors_name_the_package_that_raises_them():
    def short(student):
        return Tool(student, (ROWS, ROWS[1:], identity))

    case = Case("tool", fitted(short), TWO_CLASSES, RecordingClassifier(), "teacher_proba")
    assert case.verdict(routing=False).startswith(
        "ValueError (sklearn-distill): teacher_proba has 59 rows"
    )
    without_data = Case(
        "tool", fitted(lambda _: DistilledLogisticRegression()), TWO_CLASSES, None, "x"
    )
    assert without_data.verdict(routing=False).startswith("TypeError (scikit-learn): ")
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
