"""How generations are raised: what comes in, who hears whom, and which of them predict."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import assert_all_finite, get_tags
from sklearn.utils.validation import validate_data
from tqdm.auto import tqdm

from sklearn_distill._validation.labels import check_classes, check_labels, check_some_label
from sklearn_distill._validation.random_state import seeded_clones
from sklearn_distill._validation.routing import Params, route_fit_params
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.splits import labelled_splits
from sklearn_distill.distillers._born_again.chain import CrossFittedChain, GenerationChain
from sklearn_distill.distillers._born_again.data import GenerationData, IntArray, proba_of
from sklearn_distill.distillers._born_again.scores import (
    BestGeneration,
    GenerationHistory,
    Score,
    ValidationSet,
    score_by,
)
from sklearn_distill.distillers._born_again.student import (
    check_classifier,
    check_proba,
    imitation_params,
    teacher_param,
)
from sklearn_distill.distillers._born_again.validation_split import (
    as_rows,
    given_validation_set,
    part,
    validation_set,
)
from sklearn_distill.distillers._student_data import last_step


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
    ) -> tuple[GenerationData, Params]:
        """Check what came in; return what there is to learn, and the splitter's parameters."""
        argument = self._hearing()
        X = as_rows(X)
        self._check_labels_given(y)
        validate_data(self, X, skip_check_array=True)
        weight = check_sample_weight(sample_weight, X.shape[0])
        given = None if sample_weight is None else weight
        params = route_fit_params(self, given, fit_params)
        known = check_classes(getattr(last_step(self.student), "classes", None))
        self.classes_, labels = check_labels(y, X.shape[0], known, None)
        check_some_label(labels.present, "the teacher must be fitted on some")
        lesson = GenerationData(
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
        return teacher_param(self.student, self.labels, self.imitation)

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
        student.set_params(**imitation_params(student, argument, self.imitation))
        return seeded_clones(student, self.n_generations, self.random_state)

    def _rows(
        self, lesson: GenerationData, X_val: Any, y_val: Any, seed: int
    ) -> tuple[IntArray, ValidationSet | None]:
        """Return the rows to learn from, and those to judge by."""
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val belong together: give both or neither")
        if X_val is not None:
            X_val = self._same_features(X_val)
            return np.arange(lesson.n), given_validation_set(X_val, y_val, lesson.classes)
        if not self.early_stopping:
            return np.arange(lesson.n), None
        rows, held = part(lesson, self.validation_fraction, seed)
        return rows, validation_set(lesson, held)

    def _score(self, validation: ValidationSet | None) -> Score | None:
        """Return the validation score; None without validation rows."""
        if validation is not None:
            return score_by(self.scoring, self.student, validation)
        if self.scoring is not None:
            raise ValueError(
                f"scoring={self.scoring!r} needs rows to score on: give fit X_val and y_val, or "
                "take early_stopping=True"
            )
        return None

    def _line(
        self, lesson: GenerationData, rows: IntArray, split_params: Params
    ) -> GenerationChain:
        """Return the line of generations to be raised."""
        if self.cv is None:
            return GenerationChain(lesson, rows)
        present = lesson.present & np.isin(np.arange(lesson.n), rows)
        y = lesson.classes[lesson.codes]
        splits = labelled_splits(self.cv, lesson.X, y, present, split_params, is_class=True)
        return CrossFittedChain(lesson, rows, splits)

    def _fit_generations(
        self, line: GenerationChain, students: list[Any], chronicle: GenerationHistory
    ) -> tuple[list[Any], int]:
        """Return the fitted generations, and the number of the one that predicts."""
        raised, best = [], BestGeneration(self.n_iter_no_change)
        with tqdm(students, "generations", unit="generation", disable=not self.verbose) as bar:
            for number, student in enumerate(bar, start=1):
                raised.append(line.fit_next(student))
                score = chronicle.note(raised[-1], line.answers)
                if self.early_stopping and best.is_enough(number, score):
                    break
        return raised, best.number if self.early_stopping else len(raised)

    def _final_estimator(self) -> Any:
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


class MeanOfGenerations(ClassifierMixin, BaseEstimator):
    r"""Predict by :math:`p(x) = \frac1G \sum_g p_g(x)`, the mean over fitted generations.

    Parameters
    ----------
    generations : list of classifiers
        They are fitted.
    classes : ndarray of shape (n_classes,)
        The classes, whether each generation knows them or not.
    """

    def __init__(self, generations: list[Any], classes: NDArray[Any]) -> None:
        self.generations = generations
        self.classes = classes

    @property
    def classes_(self) -> NDArray[Any]:
        """Class labels."""
        return self.classes

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the mean of the probabilities."""
        each = [proba_of(one, X, self.classes, "in the ensemble") for one in self.generations]
        return np.mean(each, axis=0, dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of the highest mean."""
        return np.asarray(self.classes[self.predict_proba(X).argmax(axis=1)])

    def __sklearn_is_fitted__(self) -> bool:
        return True
