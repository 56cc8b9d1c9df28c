"""Fit a teacher, a baseline student and a distilled student, and compare them."""

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

from sklearn_distill.demo.data import DemoData
from sklearn_distill.inspection import DistillationReport, distillation_report

logger = logging.getLogger(__name__)

BASELINE = {"imitation": [0.0]}
IMITATION = {"imitation": [0.25, 0.5, 0.75, 1.0], "temperature": [1.0, 2.0, 4.0, 8.0]}


@dataclass(frozen=True)
class Outcome:
    """The result of an experiment.

    Parameters
    ----------
    data : DemoData
        The data and its split.
    report : DistillationReport
        The comparison on the test set.
    baseline, distilled : GridSearchCV
        The searches over the student's parameters, without and with the teacher.
    """

    data: DemoData
    report: DistillationReport
    baseline: GridSearchCV
    distilled: GridSearchCV

    @property
    def chosen(self) -> dict[str, float]:
        """The chosen parameters of the distilled student, without the prefix of a pipeline step."""
        return {key.split("__")[-1]: v for key, v in self.distilled.best_params_.items()}


def run_experiment(data: DemoData, random_state: int | None = 0, progress: bool = True) -> Outcome:
    """Fit the teacher and the students, and compare them on the test set.

    The teacher is fitted on its own part of the data. Its predictions on the student's part are
    therefore out-of-sample, and the search over λ and T is leakage-free.

    Parameters
    ----------
    data : DemoData
        The data, its split, teacher and student.
    random_state : int or None
        Seed of the cross-validation splits.
    progress : bool
        Whether to show a progress bar for each search.

    Returns
    -------
    Outcome
        The report and both searches.
    """
    X_teacher, y_teacher = data.part("teacher")[1:]
    logger.info("Fitting the teacher on %d rows ...", len(y_teacher))
    teacher = data.teacher.fit(X_teacher, y_teacher)
    X, X_for_teacher, y = data.part("student")
    teacher_proba = teacher.predict_proba(X_for_teacher)
    folds = StratifiedKFold(data.n_folds, shuffle=True, random_state=random_state)
    with threadpool_limits(1, user_api="blas"):  # threads slow down hundreds of small fits
        baseline = _search(data, data.grid | BASELINE, folds, progress)(X, y)
        distilled = _search(data, data.grid | IMITATION, folds, progress)(
            X, y, teacher_proba=teacher_proba
        )
    X_test, X_test_teacher, y_test = data.part("test")
    report = distillation_report(
        teacher=teacher,
        baseline=baseline.best_estimator_,
        distilled=distilled.best_estimator_,
        X=X_test,
        y=y_test,
        X_teacher=X_test_teacher,
        teacher_saw=_describe_split(data),
    )
    return Outcome(data, report, baseline, distilled)


def _search(
    data: DemoData, grid: dict[str, list[Any]], folds: StratifiedKFold, progress: bool
) -> Callable[..., GridSearchCV]:
    """Return fit(X, y, **teacher) of a grid search with a progress bar."""
    prefix = f"{data.student.steps[-1][0]}__" if isinstance(data.student, Pipeline) else ""

    def fit(X: Any, y: NDArray[Any], **teacher: Any) -> GridSearchCV:
        n_fits = len(ParameterGrid(grid)) * folds.get_n_splits()
        name = "distilled student" if teacher else "baseline student"
        with tqdm(total=n_fits, desc=name, unit="fit", disable=not progress) as bar:
            search = GridSearchCV(
                data.student,
                {prefix + key: values for key, values in grid.items()},
                scoring=_CountingScorer(data, bar),
                cv=folds,
                error_score="raise",
            )
            return search.fit(X, y, **{prefix + key: value for key, value in teacher.items()})

    return fit


class _CountingScorer:
    """Negative log loss; each call advances the progress bar by one fit."""

    def __init__(self, data: DemoData, bar: Any) -> None:
        self.bar = bar
        # a test fold may lack a rare class, so the labels are passed explicitly
        self.scorer = make_scorer(
            log_loss,
            greater_is_better=False,
            response_method="predict_proba",
            labels=sorted(set(data.y.tolist())),
        )

    def __call__(self, estimator: Any, X: Any, y: NDArray[Any]) -> float:
        self.bar.update()
        return float(self.scorer(estimator, X, y))


def _describe_split(data: DemoData) -> str:
    sizes = {name: len(rows) for name, rows in data.rows.items()}
    return (
        f"{sizes['teacher']} labelled samples of its own; both students were trained on "
        f"{sizes['student']} other samples, and the {sizes['test']} test samples were held out"
    )
