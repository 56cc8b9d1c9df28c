"""The scores of all models of a report, and their paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pandas as pd

from sklearn_distill.inspection._class_scores import accuracy
from sklearn_distill.inspection._decision import Evidence
from sklearn_distill.inspection._number_scores import r2
from sklearn_distill.inspection._score import Prediction, Score, difference
from sklearn_distill.inspection._scoring import Metric
from sklearn_distill.inspection._test_set import TestSet
from sklearn_distill.inspection.intervals import Difference

BETTER = {1: "higher", -1: "lower", 0: "neither"}
VERDICTS = {1: "helps", -1: "hurts", 0: "undecided"}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Predictions, truth and metrics of a report.

    Parameters
    ----------
    predictions : dict of str to Prediction
        Of "prior", "teacher", "baseline" and the distilled students.
    test : TestSet
        The truth.
    imitated : TestSet
        The teacher's predictions as the truth.
    metrics : list of Metric
        The first decides.
    level : float
        Level of the intervals of one student.
    taught : TestSet
        The truth of the rows that the teacher predicts.
    """

    predictions: dict[str, Prediction]
    test: TestSet
    imitated: TestSet
    metrics: list[Metric]
    level: float
    taught: TestSet
    _scores: dict[tuple[str, str, bool], Score] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        predictions: dict[str, Prediction],
        test: TestSet,
        imitated: TestSet,
        metrics: list[Metric],
        confidence_level: float,
    ) -> Comparison:
        """Return the comparison; the level of the intervals holds for all students together."""
        n_students = len(predictions) - 3
        level = 1 - (1 - confidence_level) / n_students
        taught = test.restrict(~predictions["teacher"].missing)
        return cls(predictions, test, imitated, metrics, level, taught)

    @property
    def students(self) -> list[str]:
        """Names of the distilled students."""
        return list(self.predictions)[3:]

    def score(self, metric: Metric, name: str, *, where_taught: bool = False) -> Score:
        """Return the metric of a model on all rows, or on those that the teacher predicts."""
        key = (metric.name, name, where_taught)
        if key not in self._scores:
            test = self.taught if where_taught else self.test
            self._scores[key] = metric.score(self.predictions[name], test)
        return self._scores[key]

    def value(self, metric: Metric, name: str) -> float:
        """Return the metric of a model on the rows that it predicts."""
        return self.score(metric, name, where_taught=name == "teacher").value

    def between(self, metric: Metric, first: str, second: str) -> Difference:
        """Return the difference second − first on the rows that both predict."""
        taught = "teacher" in (first, second)
        a, b = (self.score(metric, name, where_taught=taught) for name in (first, second))
        return difference(a, b, self.taught if taught else self.test, self.level)

    def table(self) -> pd.DataFrame:
        """Return metrics, fidelity and the closed gap, one row per model."""
        fidelity = accuracy if self.test.classes is not None else r2
        rows = {
            name: {metric.name: self.value(metric, name) for metric in self.metrics}
            | {"fidelity": fidelity(prediction, self.imitated).value}
            | {"gap_closed": self.gap_closed(name)}
            for name, prediction in self.predictions.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index", dtype=float)

    def gap_closed(self, name: str) -> float:
        """Return (model − baseline) / (teacher − baseline) if the teacher is shown to be better."""
        metric = self.metrics[0]
        gap = self.between(metric, "baseline", "teacher")
        if name == "prior" or metric.direction * gap.sign() <= 0:
            return math.nan
        own, baseline = (
            self.score(metric, model, where_taught=True).value for model in (name, "baseline")
        )
        return (own - baseline) / gap.value + 0.0  # no negative 0

    def differences(self) -> pd.DataFrame:
        """Return distilled − baseline by student and metric, with interval and verdict."""
        rows = {
            (name, metric.name): _row(self.between(metric, "baseline", name), metric.direction)
            for name in self.students
            for metric in self.metrics
        }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame.index = pd.MultiIndex.from_tuples(list(rows), names=["student", "metric"])
        return frame.droplevel("student") if len(self.students) == 1 else frame

    def evidence(self, speed: pd.Series[float], *, judge_is_teacher: bool) -> Evidence:
        """Return the figures of the metric that decides, for the best distilled student.

        Parameters
        ----------
        speed : Series
            Rows per second of each model.
        judge_is_teacher : bool
            Whether the teacher's predictions are the truth.
        """
        metric = self.metrics[0]
        values = {name: self.value(metric, name) for name in self.predictions}
        best = max(self.students, key=lambda name: metric.direction * values[name])
        shown = ["prior", "teacher", "baseline", best]
        better = {
            name
            for name in shown[1 + judge_is_teacher :]  # the truth itself is no evidence
            if metric.direction * self.between(metric, "prior", name).sign() > 0
        }
        return Evidence(
            metric=metric.name,
            direction=metric.direction,
            values={name: values[name] for name in shown},
            student=best,
            gain=self.between(metric, "baseline", best),
            teacher=self.between(metric, "baseline", "teacher"),
            better_than_prior=frozenset(better),
            n_samples=self.test.n_units,
            judge_is_teacher=judge_is_teacher,
            gap_closed=self.gap_closed(best),
            speed=float(speed[best] / speed["teacher"]),
            contrary=self._contrary(best),
        )

    def _contrary(self, name: str) -> tuple[str, ...]:
        """Return the metrics whose difference has the other sign than that of the first."""
        signs = {
            metric.name: metric.direction * self.between(metric, "baseline", name).sign()
            for metric in self.metrics
        }
        # the first may be undecided because the teacher is worse: then gains are contrary
        first = signs[self.metrics[0].name] or -1
        return tuple(metric for metric, sign in signs.items() if sign == -first)


def _row(d: Difference, direction: int) -> dict[str, float | str]:
    verdict = VERDICTS[direction * d.sign()] if direction else "–"
    ends = {"difference": d.value, "low": d.low, "high": d.high}
    return ends | {"better": BETTER[direction], "verdict": verdict}
