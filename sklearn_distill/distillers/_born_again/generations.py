"""How generations are raised: what comes in, who hears whom, and which of them predict."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import assert_all_finite, get_tags
from sklearn.utils.validation import validate_data
from tqdm.auto import tqdm

from sklearn_distill._validation import check_classes, check_labels, check_sample_weight
from sklearn_distill.distillers._born_again.judge import Best, Chronicle, Judge, Score, score_by
from sklearn_distill.distillers._born_again.lesson import Lesson, Rows
from sklearn_distill.distillers._born_again.line import Line, LineWithFolds
from sklearn_distill.distillers._born_again.mean import MeanOfGenerations
from sklearn_distill.distillers._born_again.rows import as_rows, judge_of, judge_of_given, part
from sklearn_distill.distillers._born_again.student import (
    check_classifier,
    check_proba,
    hearing_argument,
    imitating,
)
from sklearn_distill.distillers._reproducible import seeded_clones
from sklearn_distill.distillers._routing import Params, routed
from sklearn_distill.distillers._student import last_step
from sklearn_distill.teachers.folds import folds
from sklearn_distill.teachers.labels import check_teachable


class Generations(MetaEstimatorMixin, BaseEstimator):
    """What fit is made of; parameters and attributes are those of BornAgainClassifier."""

    student: Any
    n_generations: int
    labels: str
    imitation: float | None
    cv: Any
    scoring: Any
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    ensemble: bool
    random_state: Any
    verbose: int

    classes_: NDArray[Any]
    estimators_: list[Any]
    best_generation_: int

    def _read(
        self, X: Any, y: Any, sample_weight: Any, fit_params: Params
    ) -> tuple[Lesson, Params]:
        """Check what came in; return what there is to learn, and the splitter's parameters."""
        argument = self._hearing()
        X = as_rows(X)
        self._check_labels_given(y)
        validate_data(self, X, skip_check_array=True)
        weight = check_sample_weight(sample_weight, X.shape[0])
        given = None if sample_weight is None else weight
        params = routed(self, given, fit_params)
        known = check_classes(getattr(last_step(self.student), "classes", None))
        self.classes_, labels = check_labels(y, X.shape[0], known, None)
        check_teachable(labels.present)
        lesson = Lesson(
            X=X,
            codes=labels.codes,
            present=labels.present,
            classes=self.classes_,
            weight=weight,
            fit_params=params.student,
            argument=argument,
            hard=self.labels == "hard",
        )
        return lesson, params.splitter

    def _hearing(self) -> str | None:
        """Return by which argument of fit the student hears the generation before."""
        check_classifier(self.student)
        if self.ensemble:
            check_proba(self.student, "ensemble=True")
        return hearing_argument(self.student, self.labels, self.imitation)

    def _check_labels_given(self, y: Any) -> None:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: the "
                "first generation learns from y"
            )
        if np.asarray(y).dtype.kind == "f":  # NaN is a missing label, inf is none
            assert_all_finite(y, allow_nan=True, input_name="y")

    def _students(self, argument: str | None) -> tuple[list[Any], int]:
        """Return an unfitted student for each generation, and a seed for all else."""
        student = clone(self.student)
        student.set_params(**imitating(student, argument, self.imitation))
        return seeded_clones(student, self.n_generations, self.random_state)

    def _rows(self, lesson: Lesson, X_val: Any, y_val: Any, seed: int) -> tuple[Rows, Judge | None]:
        """Return the rows to learn from, and those to judge by."""
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val belong together: give both or neither")
        if X_val is not None:
            X_val = self._same_features(X_val)
            return np.arange(lesson.n), judge_of_given(X_val, y_val, lesson.classes)
        if not self.early_stopping:
            return np.arange(lesson.n), None
        rows, held = part(lesson, self.validation_fraction, seed)
        return rows, judge_of(lesson, held)

    def _score(self, validation: Judge | None) -> Score | None:
        """Return the validation score; None without validation rows."""
        if validation is not None:
            return score_by(self.scoring, self.student, validation)
        if self.scoring is not None:
            raise ValueError(
                f"scoring={self.scoring!r} needs rows to score on: give fit X_val and y_val, or "
                "take early_stopping=True"
            )
        return None

    def _line(self, lesson: Lesson, rows: Rows, split_params: Params) -> Line:
        """Return the line of generations to be raised."""
        if self.cv is None:
            return Line(lesson, rows)
        present = lesson.present & np.isin(np.arange(lesson.n), rows)
        y = lesson.classes[lesson.codes]
        splits = folds(self.cv, lesson.X, y, present, split_params, is_class=True)
        return LineWithFolds(lesson, rows, splits)

    def _raised(
        self, line: Line, students: list[Any], chronicle: Chronicle
    ) -> tuple[list[Any], int]:
        """Return the fitted generations, and the number of the one that predicts."""
        raised, best = [], Best(self.n_iter_no_change)
        with tqdm(students, "generations", unit="generation", disable=not self.verbose) as bar:
            for number, student in enumerate(bar, start=1):
                raised.append(line.raise_next(student))
                score = chronicle.note(raised[-1], line.answers)
                if self.early_stopping and best.is_enough(number, score):
                    break
        return raised, best.number if self.early_stopping else len(raised)

    def _elected(self) -> Any:
        """Return what predicts."""
        if self.ensemble:
            return MeanOfGenerations(self.estimators_[: self.best_generation_], self.classes_)
        return self.estimators_[self.best_generation_ - 1]

    def _warn_of_forgotten(self, shown: NDArray[Any]) -> None:
        """Warn of classes that labels show and a generation no longer knows."""
        for number, one in enumerate(self.estimators_, start=1):
            forgotten = np.setdiff1d(shown, getattr(one, "classes_", self.classes_))
            if len(forgotten):
                warnings.warn(
                    f"generation {number} was never told the classes {forgotten.tolist()}, nor "
                    "will those after it be: take labels='soft', fewer generations, or a student "
                    "that answers with them",
                    UserWarning,
                    stacklevel=4,
                )
                return

    def _same_features(self, X: Any) -> Any:
        """Check rows against those of fit."""
        X = as_rows(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        return X

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        student = get_tags(self.student)
        tags.input_tags = student.input_tags
        tags.non_deterministic = student.non_deterministic and self.random_state is None
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")
