"""One line of the matrix: a tool around a student."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.routing.recording import RoutingData
from tests.routing.verdict import verdict

Run = Callable[[Any, RoutingData, dict[str, Any]], object]


@dataclass(frozen=True)
class Case:
    """A tool, its data, and the name of the fit argument with the teacher's predictions.

    Parameters
    ----------
    tool : str
        Its name on the page.
    run : callable
        Fits the tool around a student, given the student, the data and the parameters of fit.
    data : RoutingData
        The arguments of the tool's ``fit``.
    student : estimator
        The recording student.
    argument : str
        The student's fit argument with the teacher's predictions.
    prefix : str
        The prefix of the argument with routing off.
    """

    tool: str
    run: Run
    data: RoutingData
    student: Any
    argument: str
    prefix: str = ""

    def verdict(self, routing: bool) -> str:
        """Return the verdict with routing on or off."""
        name = self.argument if routing else self.prefix + self.argument
        params = {name: self.data.teacher}
        return verdict(lambda: self.run(self.student, self.data, params), self.data, routing)


def fitted(make: Callable[[Any], Any]) -> Run:
    """Return a function that fits ``make(student)``."""
    return lambda student, data, params: make(student).fit(data.X, data.y, **params)


def called(
    function: Callable[..., Any],
    make: Callable[[Any], Any] = lambda student: student,
    **options: Any,
) -> Run:
    """Return a function that passes ``make(student)`` to a function of scikit-learn."""
    return lambda student, data, params: function(
        make(student), data.X, data.y, params=params, **options
    )
