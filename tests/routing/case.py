"""One line of the matrix: a tool around a student."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.routing.recording import Lesson
from tests.routing.verdict import verdict

Run = Callable[[Any, Lesson, dict[str, Any]], object]


@dataclass(frozen=True)
class Case:
    """A tool, the lesson it is given, and how the student's teacher is named.

    Parameters
    ----------
    tool : str
        What the page calls it.
    run : callable
        Fits the tool around a student, given the student, the lesson and the parameters of fit.
    lesson : Lesson
        Rows for the tool.
    student : estimator
        The recording student.
    argument : str
        The student's argument for its teacher.
    prefix : str
        What comes before it with routing off.
    """

    tool: str
    run: Run
    lesson: Lesson
    student: Any
    argument: str
    prefix: str = ""

    def verdict(self, routing: bool) -> str:
        """Return what becomes of the teacher's rows with routing on or off."""
        name = self.argument if routing else self.prefix + self.argument
        params = {name: self.lesson.teacher}
        return verdict(lambda: self.run(self.student, self.lesson, params), self.lesson, routing)


def fitted(make: Callable[[Any], Any]) -> Run:
    """Return how to fit what ``make`` makes of a student."""
    return lambda student, lesson, params: make(student).fit(lesson.X, lesson.y, **params)


def called(
    function: Callable[..., Any],
    make: Callable[[Any], Any] = lambda student: student,
    **options: Any,
) -> Run:
    """Return how to hand what ``make`` makes of a student to a function of scikit-learn."""
    return lambda student, lesson, params: function(
        make(student), lesson.X, lesson.y, params=params, **options
    )
