"""Fit a teacher, a baseline student and a distilled student, and compare them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GridSearchCV, KFold, ParameterGrid, StratifiedKFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from sklearn_distill.distillers import TeacherStudentClassifier, TeacherStudentRegressor
from sklearn_distill.experiment._metric import report_metrics, search_scorer
from sklearn_distill.experiment._students import Student
from sklearn_distill.experiment.data import ExperimentData
from sklearn_distill.inspection import DistillationReport, distillation_report

logger = logging.getLogger(__name__)

BASELINE = {"imitation": [0.0]}
IMBALANCE = 3  # times as many rows in the most frequent class as in the rarest


@dataclass(frozen=True)
class Outcome:
    """The result of an experiment.

    Parameters
    ----------
    data : ExperimentData
        The data and its split.
    student : Student
        The student that was chosen.
    report : DistillationReport
        The comparison on the test set.
    baseline, distilled : GridSearchCV
        The searches over the student's parameters, without and with the teacher.
    """

    data: ExperimentData
    student: Student
    report: DistillationReport
    baseline: GridSearchCV
    distilled: GridSearchCV

    @property
    def title(self) -> str:
        """The data, the student and the teacher in words."""
        return f"{self.data.name}: {self.student.name} distilled from {self.data.teacher_name}"

    @property
    def chosen(self) -> dict[str, float]:
        """The chosen parameters of the distilled student, without the prefix of a pipeline step."""
        return {key.split("__")[-1]: v for key, v in self.distilled.best_params_.items()}

    @property
    def model(self) -> Any:
        """The distilled student by itself, which takes rows as they are in the table."""
        best = self.distilled.best_estimator_
        return getattr(best, "student_", best)


def run_experiment(
    data: ExperimentData, random_state: int | None = 0, progress: bool = True
) -> Outcome:
    """Fit the teacher and the students, and compare them on the test set.

    The teacher is fitted on its own part of the data, or, if it shares the student's part, out of
    fold within each fold of the search. Its predictions are therefore out-of-sample, and the search
    over λ and T is leakage-free.

    Parameters
    ----------
    data : ExperimentData
        The data, its split, teacher and students.
    random_state : int or None
        Seed of the cross-validation splits.
    progress : bool
        Whether to show a progress bar for each search.

    Returns
    -------
    Outcome
        The report and both searches.
    """
    with (
        threadpool_limits(1, user_api="blas"),  # threads slow down hundreds of small fits
        TemporaryDirectory() as cache,
    ):
        search = Search(data, random_state, progress)
        student, baseline = _choose(data, search)
        distil = _distil_out_of_fold if _shares_rows(data) else _distil
        distilled, teacher = distil(data, student, search, cache)
    X_test, X_test_teacher, y_test = data.part("test")
    report = distillation_report(
        teacher=teacher,
        baseline=baseline.best_estimator_,
        distilled=distilled.best_estimator_,
        # of a table with further columns, the students select theirs by name
        X=X_test_teacher if _shares_rows(data) else X_test,
        y=y_test,
        X_teacher=X_test_teacher,
        teacher_saw=_describe_split(data),
        y_train=data.part("student")[2],
        scoring=report_metrics(data.metric, data.is_class),
    )
    report = replace(report, headline=report.headline + _describe_imbalance(data))
    return Outcome(data, student, report, baseline, distilled)


def _shares_rows(data: ExperimentData) -> bool:
    """Return whether teacher and student are fitted together, by a teacher-student estimator."""
    fitted_with_student = "teacher" not in data.rows and not data.teacher_is_fitted
    return data.X_unlabeled is not None or fitted_with_student


def _choose(data: ExperimentData, search: Search) -> tuple[Student, GridSearchCV]:
    """Return the student whose baseline has the best cross-validated score."""
    X, _, y = data.part("student")
    baselines = [
        search.fit(student.estimator, student.grid | BASELINE, X, y, name="baseline student")
        for student in data.students
    ]
    best = int(np.argmax([baseline.best_score_ for baseline in baselines]))
    return data.students[best], baselines[best]


def _distil(
    data: ExperimentData, student: Student, search: Search, cache: str
) -> tuple[GridSearchCV, Any]:
    """Return the search, by predictions of a teacher that was fitted on other rows."""
    teacher = data.teacher
    if not data.teacher_is_fitted:
        X_own, y_own = data.part("teacher")[1:]
        logger.info("Fitting the teacher on %d rows ...", len(y_own))
        teacher = teacher.fit(X_own, y_own)
    X, X_for_teacher, y = data.part("student")
    given = _predictions(data, teacher, X_for_teacher)
    fitted = search.fit(
        student.estimator, student.grid | student.teacher_grid, X, y, "distilled student", **given
    )
    return fitted, teacher


def _predictions(data: ExperimentData, teacher: Any, X: Any) -> dict[str, Any]:
    if not data.is_class:
        return {"teacher_prediction": teacher.predict(X)}
    proba = pd.DataFrame(teacher.predict_proba(X), columns=teacher.classes_)
    return {"teacher_proba": proba.set_index(X.index) if hasattr(X, "index") else proba}


def _distil_out_of_fold(
    data: ExperimentData, student: Student, search: Search, cache: str
) -> tuple[GridSearchCV, Any]:
    """Return the search, in whose folds the teacher is fitted, too, unless it is fitted already."""
    estimator = TeacherStudentClassifier if data.is_class else TeacherStudentRegressor
    pair = estimator(
        data.teacher,
        student.estimator,
        privileged_features=list(data.privileged) or None,
        cv="prefit" if data.teacher_is_fitted else search.folds,
        memory=None if search.random_state is None else cache,
        random_state=search.random_state,
    )
    given = {} if data.X_unlabeled is None else {"X_unlabeled": (data.X_unlabeled,)}
    _, X, y = data.part("student")
    grid = student.grid | student.teacher_grid
    fitted = search.fit(pair, grid, X, y, "distilled student", **given)
    return fitted, fitted.best_estimator_.teacher_


@dataclass(frozen=True)
class Search:
    """A grid search with a progress bar.

    Parameters
    ----------
    data : ExperimentData
        For its metric and the number of folds.
    random_state : int or None
        Seed of the folds.
    progress : bool
        Whether to show the bar.
    """

    data: ExperimentData
    random_state: int | None
    progress: bool

    @property
    def folds(self) -> Any:
        """The splitter, the same for all students."""
        kind = StratifiedKFold if self.data.is_class else KFold
        return kind(self.data.n_folds, shuffle=True, random_state=self.random_state)

    def fit(
        self,
        estimator: Any,
        grid: dict[str, list[Any]],
        X: Any,
        y: NDArray[Any],
        name: str,
        **given: Any,
    ) -> GridSearchCV:
        """Search over the parameters of a student.

        Parameters
        ----------
        estimator : estimator
            A student, a Pipeline that ends in one, or a teacher-student estimator of either.
        grid : dict of str to list
            Parameters of the student.
        X, y : matrix and ndarray
            Training rows.
        name : str
            Title of the progress bar.
        **given : Any
            What the student's fit takes besides.

        Returns
        -------
        GridSearchCV
            Fitted.
        """
        n_fits = len(ParameterGrid(grid)) * self.data.n_folds
        prefix, of_fit = _prefix(estimator), _prefix_of_fit(estimator)
        with tqdm(total=n_fits, desc=name, unit="fit", disable=not self.progress) as bar:
            search = GridSearchCV(
                estimator,
                {prefix + key: values for key, values in grid.items()},
                scoring=_counting(search_scorer(self.data.metric, self.data.is_class), bar),
                cv=self.folds,
                error_score="raise",
            )
            return search.fit(X, y, **{of_fit + key: value for key, value in given.items()})


def _prefix(estimator: Any) -> str:
    """Return the prefix of the student's parameters."""
    if isinstance(estimator, TeacherStudentClassifier | TeacherStudentRegressor):
        return f"student__{_prefix(estimator.student)}"
    return _prefix_of_fit(estimator)


def _prefix_of_fit(estimator: Any) -> str:
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""


def _counting(scorer: Callable[..., float], bar: Any) -> Callable[..., float]:
    """Return the scorer; each call advances the progress bar by one fit."""

    def score(estimator: Any, X: Any, y: NDArray[Any]) -> float:
        bar.update()
        return float(scorer(estimator, X, y))

    return score


def _describe_split(data: ExperimentData) -> str:
    sizes = {name: f"{len(rows):,}" for name, rows in data.rows.items()}
    test = f"the {sizes['test']} test samples were held out"
    if "teacher" in sizes:
        return (
            f"{sizes['teacher']} labelled samples of its own; both students were trained on "
            f"{sizes['student']} other samples, and {test}"
        )
    unlabeled = (
        "" if data.X_unlabeled is None else f" and {len(data.X_unlabeled):,} unlabelled ones"
    )
    trained = (
        f"the distilled student was trained on {sizes['student']} samples{unlabeled}, and {test}"
    )
    if data.teacher_is_fitted:
        return f"samples that are not known here and should not be in this table; {trained}"
    return f"the {sizes['student']} training samples, out of fold; {trained}"


def _describe_imbalance(data: ExperimentData) -> str:
    if not data.is_class:
        return ""
    shares = pd.Series(data.y).value_counts(normalize=True)
    if shares.iloc[0] < IMBALANCE * shares.iloc[-1]:
        return ""
    return (
        f" The classes are imbalanced: {shares.index[0]} {shares.iloc[0]:.1%}, "
        f"{shares.index[-1]} {shares.iloc[-1]:.1%}."
    )
