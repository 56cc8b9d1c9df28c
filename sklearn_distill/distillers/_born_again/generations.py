"""Base class of BornAgainClassifier: the steps of fit, and the mean of several generations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import assert_all_finite, get_tags
from tqdm.auto import tqdm

from sklearn_distill._doc_link import DocLink
from sklearn_distill._typing import (
    ArrayLike,
    CheckedX,
    IntArray,
    MatrixLike,
    TargetLike,
    TeacherLike,
)
from sklearn_distill._validation.absent_rows import PresentRows
from sklearn_distill._validation.extra_sets import entry_of_single, warn_if_out_of_range
from sklearn_distill._validation.indexing import as_samples, check_features, set_features
from sklearn_distill._validation.labels import check_any_label, check_classes, check_labels
from sklearn_distill._validation.last_step import last_step
from sklearn_distill._validation.masks import none_where_masked
from sklearn_distill._validation.numbers import list_values
from sklearn_distill._validation.random_state import seeded_clones
from sklearn_distill._validation.routing import Params, refuse_predictions, route_fit_params
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.splits import hold_out, labelled_splits
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.distillers._born_again.chain import CrossFittedChain, GenerationChain
from sklearn_distill.distillers._born_again.data import GenerationData, HeldOut, proba_of
from sklearn_distill.distillers._born_again.first_teacher import NAME as FIRST_TEACHER
from sklearn_distill.distillers._born_again.first_teacher import read_first_teacher
from sklearn_distill.distillers._born_again.scores import (
    BestGeneration,
    EvaluationSet,
    GenerationHistory,
    Score,
    score_by,
)
from sklearn_distill.distillers._born_again.student import (
    check_classifier,
    check_proba,
    imitation_params,
    teacher_param,
)
from sklearn_distill.distillers._born_again.validation_split import (
    evaluation_set,
    given_validation_set,
)
from sklearn_distill.distillers._held_out_rows import OwnValidation
from sklearn_distill.students._onnx_method import OnnxMethod
from sklearn_distill.teachers._cross_fit import class_name, warn_of_unseen_classes


class Generations(OnnxMethod, MetaEstimatorMixin, DocLink, BaseEstimator):
    """The steps of fit; parameters and attributes are those of BornAgainClassifier."""

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

    def _read_data(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        first_teacher_proba: TeacherLike,
        fit_params: Params,
    ) -> tuple[GenerationData, Any, Params]:
        """Check the arguments of fit; return training data, folds and the splitter's parameters."""
        fit_param = self._teacher_param()
        first = {FIRST_TEACHER: first_teacher_proba}
        check_row_order(X, y, sample_weight=sample_weight, **first)
        X_checked = as_samples(X)
        self._check_y_given(y)
        set_features(self, X_checked)
        weight = check_sample_weight(sample_weight, X_checked.shape[0])
        given = None if sample_weight is None else weight
        present = PresentRows(X_checked, y, given, fit_params | first, self.cv).without_absent()
        first_proba = present.fit_params.pop(FIRST_TEACHER)
        params = route_fit_params(self, present.weight, present.fit_params)
        if fit_param is not None:  # generations trained on hard labels may have another teacher
            refuse_predictions(self, params.student)
        known = check_classes(getattr(last_step(self.student), "classes", None))
        check_any_label(present.y, "the first generation must be fitted on some")
        self.classes_, labels = check_labels(present.y, present.X.shape[0], known, None)
        data = GenerationData(
            X=present.X,
            codes=labels.codes,
            labelled=labels.present,
            classes=self.classes_,
            weight=weight[weight > 0],
            fit_params=params.student,
            teacher_param=fit_param,
            hard=self.labels == "hard",
            first_targets=read_first_teacher(first_proba, self.classes_, labels),
        )
        return data, present.cv, params.splitter

    def _teacher_param(self) -> str | None:
        """Check the student; return the parameter of its fit that takes the teacher."""
        check_classifier(self.student)
        if self.ensemble:
            check_proba(self.student, "ensemble=True")
        return teacher_param(self.student, self.labels, self.imitation)

    def _check_y_given(self, y: TargetLike) -> None:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: the "
                "first generation is fitted on y"
            )
        labels = none_where_masked(y)
        if np.asarray(labels).dtype.kind == "f":  # NaN is a missing label, inf is none
            assert_all_finite(labels, allow_nan=True, input_name="y")

    def _clone_students(self, teacher_param: str | None) -> tuple[list[Any], int]:
        """Return an unfitted student for each generation, and a seed for the validation split."""
        student = clone(self.student)
        student.set_params(**imitation_params(student, teacher_param, self.imitation))
        return seeded_clones(student, self.n_generations, self.random_state)

    def _split_validation(
        self, data: GenerationData, X_val: Any, y_val: Any, seed: int
    ) -> tuple[IntArray, EvaluationSet | None]:
        """Return the rows to train on, and the validation set."""
        X_val, y_val = entry_of_single("X_val", X_val), entry_of_single("y_val", y_val)
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val belong together: pass both or neither")
        all_rows = np.arange(data.n_rows)
        if X_val is not None:
            X_checked = self._check_features(X_val)
            warn_if_out_of_range("X_val", data.X, X_checked)
            return all_rows, given_validation_set(X_checked, y_val, data.classes)
        if not self.early_stopping:
            return all_rows, None
        rows, held_out = hold_out(data.labelled, self.validation_fraction, data.codes, seed)
        return rows, evaluation_set(data, held_out)

    def _hold_out(
        self, data: GenerationData, rows: IntArray, split_params: Params, seed: int
    ) -> tuple[GenerationData, IntArray]:
        """Set apart the rows that each student validates on: no generation is trained on them."""
        own = OwnValidation.of(self.student, data.fit_params)
        if own is None or self.n_generations == 1:  # the first learns from none that knows labels
            return data, rows
        groups = split_params.get("groups")
        groups = None if groups is None else np.asarray(groups)[rows]
        split = own.split(data.labelled[rows], data.codes[rows], len(rows), groups, seed)
        if split is None:
            return data, rows
        train, validation = (rows[part] for part in split)
        return replace(data, held_out=HeldOut(validation, own.param)), train

    def _score(self, validation: EvaluationSet | None) -> Score | None:
        """Return the validation score; None without a validation set."""
        if validation is not None:
            return score_by(self.scoring, self.student, validation)
        if self.scoring is not None:
            raise ValueError(
                f"scoring={self.scoring!r} needs a validation set: pass X_val and y_val to fit, or "
                "set early_stopping=True"
            )
        return None

    def _make_chain(
        self, data: GenerationData, rows: IntArray, cv: Any, split_params: Params
    ) -> GenerationChain:
        """Return the chain of generations to fit."""
        if cv is None:
            return GenerationChain(data, rows)
        # the validation set is in no fold
        labelled = data.labelled & np.isin(np.arange(data.n_rows), rows)
        y = data.classes[data.codes]
        splits = labelled_splits(cv, data.X, y, labelled, split_params, is_class=True)
        return CrossFittedChain(data, rows, splits)

    def _fit_generations(
        self, chain: GenerationChain, students: list[Any], history: GenerationHistory
    ) -> tuple[list[Any], int]:
        """Return the fitted generations, and the number of the one that predicts."""
        generations, best = [], BestGeneration(self.n_iter_no_change)
        with tqdm(students, "generations", unit="generation", disable=not self.verbose) as bar:
            for number, student in enumerate(bar, start=1):
                generations.append(chain.fit_next(student))
                score = history.record(generations[-1], chain.predictions)
                if self.early_stopping and best.should_stop(number, score):
                    break
        return generations, best.number if self.early_stopping else len(generations)

    def _final_estimator(self) -> Any:
        """Return the estimator that predicts."""
        if self.ensemble:
            return MeanOfGenerations(self.estimators_[: self.best_generation_], self.classes_)
        return self.estimators_[self.best_generation_ - 1]

    def _warn_of_missing_classes(self, observed_classes: NDArray[Any]) -> None:
        """Warn of classes of the labels that a generation was not trained on."""
        for number, fitted in enumerate(self.estimators_, start=1):
            known = getattr(fitted, "classes_", self.classes_)
            missing = np.setdiff1d(observed_classes, known)
            if len(missing):
                warn_user(
                    f"generation {number} was not trained on the classes "
                    f"{list_values(missing)}, nor are later generations: use labels='soft', "
                    "fewer generations, or a student that predicts these classes",
                )
                return  # one warning is enough

    def _warn_of_unseen(self, chain: GenerationChain) -> None:
        """Warn of classes that a fold's chain, whose predictions are targets, does not train on."""
        if isinstance(chain, CrossFittedChain) and len(self.estimators_) > 1:
            data = chain.data
            warn_of_unseen_classes(
                f"student {class_name(self.student)}",
                data.observed_classes,
                [data.labels_of(of_fold.rows) for of_fold in chain.fold_chains],
            )

    def _check_features(self, X: MatrixLike) -> CheckedX:
        """Check the features against those of fit."""
        return check_features(self, as_samples(X))

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
        Fitted classifiers with ``predict_proba``.
    classes : ndarray of shape (n_classes,)
        All classes, ascending; a generation may lack some of them.
    """

    def __init__(self, generations: list[Any], classes: NDArray[Any]) -> None:
        self.generations = generations
        self.classes = classes

    @property
    def classes_(self) -> NDArray[Any]:
        """All class labels, also those that a generation lacks."""
        return self.classes

    def predict_proba(self, X: MatrixLike) -> NDArray[np.float64]:
        """Return the mean of the probabilities."""
        probas = [
            proba_of(fitted, X, self.classes, "in the ensemble") for fitted in self.generations
        ]
        mean: NDArray[np.float64] = np.mean(probas, axis=0, dtype=np.float64)
        return mean

    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Return the class of the highest mean."""
        return np.asarray(self.classes[self.predict_proba(X).argmax(axis=1)])

    def __sklearn_is_fitted__(self) -> bool:
        return True  # its generations are; it has no fit
