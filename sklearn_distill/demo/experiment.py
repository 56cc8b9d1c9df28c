"""Fit the teacher on its rows, the student on other ones without and with it, and compare."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, ParameterGrid, StratifiedKFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from sklearn_distill.demo.lessons import Lesson
from sklearn_distill.inspection import DistillationReport, distillation_report

logger = logging.getLogger(__name__)

PENALTY = {"C": [0.1, 1.0, 10.0, 100.0]}
IMITATION = {"imitation": [0.25, 0.5, 0.75, 1.0], "temperature": [1.0, 2.0, 4.0, 8.0]}


@dataclass(frozen=True)
class Outcome:
    """What came of a lesson.

    Parameters
    ----------
    lesson : Lesson
        The data and who saw which rows.
    report : DistillationReport
        The comparison on the test rows.
    alone, distilled : GridSearchCV
        The searches over the student's parameters, without and with the teacher.
    """

    lesson: Lesson
    report: DistillationReport
    alone: GridSearchCV
    distilled: GridSearchCV

    @property
    def chosen(self) -> dict[str, float]:
        """The distilled student's parameters, by their own names."""
        return {key.split("__")[-1]: v for key, v in self.distilled.best_params_.items()}


def run_experiment(lesson: Lesson, random_state: int | None = 0, progress: bool = True) -> Outcome:
    """Fit teacher and students and compare them on the test rows.

    The teacher is fitted on its own part of the rows, so its answers on the student's part are
    those of a teacher that never saw them, and the search over λ and T does not leak.

    Parameters
    ----------
    lesson : Lesson
        Who learns what from which rows.
    random_state : int or None
        Seed of the folds and of the bootstrap.
    progress : bool
        Whether to show a bar over the search's fits.

    Returns
    -------
    Outcome
        Report and searches.
    """
    X_teacher, y_teacher = lesson.part("teacher")[1:]
    logger.info("Fitting the teacher on %d rows ...", len(y_teacher))
    teacher = lesson.teacher.fit(X_teacher, y_teacher)
    X, X_seen_by_teacher, y = lesson.part("student")
    teacher_proba = teacher.predict_proba(X_seen_by_teacher)
    folds = StratifiedKFold(lesson.n_folds, shuffle=True, random_state=random_state)
    with threadpool_limits(
        1, user_api="blas"
    ):  # hundreds of small fits: threads only get in the way
        alone = _search(lesson, PENALTY, folds, progress)(X, y)
        distilled = _search(lesson, PENALTY | IMITATION, folds, progress)(
            X, y, teacher_proba=teacher_proba
        )
    X_test, X_test_teacher, y_test = lesson.part("test")
    report = distillation_report(
        teacher=teacher,
        student_alone=alone.best_estimator_,
        student_distilled=distilled.best_estimator_,
        X=X_test,
        y=y_test,
        X_teacher=X_test_teacher,
        teacher_saw=_who_saw_what(lesson),
        random_state=random_state,
    )
    return Outcome(lesson, report, alone, distilled)


def _search(
    lesson: Lesson, grid: dict[str, list[float]], folds: StratifiedKFold, progress: bool
) -> Callable[..., GridSearchCV]:
    """Return fit(X, y, **teacher) of a grid search with a progress bar."""
    prefix = f"{lesson.student.steps[-1][0]}__" if isinstance(lesson.student, Pipeline) else ""

    def fit(X: Any, y: NDArray[Any], **teacher: Any) -> GridSearchCV:
        n_fits = len(ParameterGrid(grid)) * folds.get_n_splits()
        name = "student with teacher" if teacher else "student alone"
        with tqdm(total=n_fits, desc=name, unit="fit", disable=not progress) as bar:
            search = GridSearchCV(
                lesson.student,
                {prefix + key: values for key, values in grid.items()},
                scoring=_CountingScorer(lesson, bar),
                cv=folds,
                error_score="raise",
            )
            return search.fit(X, y, **{prefix + key: value for key, value in teacher.items()})

    return fit


class _CountingScorer:
    """Minus the cross-entropy of the labels; each call moves the bar by one fit."""

    def __init__(self, lesson: Lesson, bar: Any) -> None:
        self.bar = bar
        # a fold may lack a rare class: the scorer must know them all
        self.scorer = make_scorer(
            log_loss,
            greater_is_better=False,
            response_method="predict_proba",
            labels=sorted(set(lesson.y.tolist())),
        )

    def __call__(self, estimator: Any, X: Any, y: NDArray[Any]) -> float:
        self.bar.update()
        return float(self.scorer(estimator, X, y))


def _who_saw_what(lesson: Lesson) -> str:
    sizes = {name: len(rows) for name, rows in lesson.rows.items()}
    return (
        f"{sizes['teacher']} labelled rows of its own; both students saw {sizes['student']} other "
        f"rows, and nobody the {sizes['test']} test rows"
    )
