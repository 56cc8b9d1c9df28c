"""What Optuna calls: a trial's parameters in, their cross-validated score out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from sklearn_distill._optional import import_optuna
from sklearn_distill.search._optuna_folds import OneFold
from sklearn_distill.search._optuna_space import suggest


class DistillationObjective:
    """The mean score over folds of an estimator with a trial's parameters.

    Parameters
    ----------
    estimator : estimator
        What is cloned, given the parameters, and fitted.
    X, y : table, labels
        The rows.
    space : dict of str to optuna distribution, or callable
        The parameters to choose.
    folds : list of OneFold
        The same for every trial.
    scoring : str, callable or None
        Scorer; greater is better.
    params : dict
        Fit parameters, sliced by fold.
    """

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        space: Any,
        folds: list[OneFold],
        scoring: Any,
        params: dict[str, Any],
    ) -> None:
        self.estimator = estimator
        self.X = X
        self.y = y
        self.space = space
        self.folds = folds
        self.scoring = scoring
        self.params = params
        # scikit-learn's settings stay behind in the thread that made them; workers need them too
        self._config = get_config()

    def student(self, trial: Any) -> Any:
        """Return the estimator with a trial's parameters, not fitted.

        Parameters
        ----------
        trial : Trial, FrozenTrial or FixedTrial
            For example ``study.best_trial``.

        Returns
        -------
        estimator
            A clone.
        """
        return clone(self.estimator).set_params(**suggest(trial, self.space))

    def __call__(self, trial: Any) -> float:
        """Return the mean score over folds.

        Parameters
        ----------
        trial : Trial or FixedTrial
            Whoever chooses the parameters.

        Returns
        -------
        float
            Greater is better.

        Raises
        ------
        optuna.TrialPruned
            If the study's pruner gives the trial up before its last fold.
        ValueError
            If the study does not maximise, or a fold's score is not a number.
        """
        _check_direction(trial)
        student = self.student(trial)
        scores: list[float] = []
        try:
            for step, fold in enumerate(self.folds):
                if scores and trial.should_prune():
                    raise _pruned(f"after {step} of {len(self.folds)} folds")
                scores.append(self._score(student, fold))
                trial.report(float(np.mean(scores)), step)
        finally:
            trial.set_user_attr("fold_scores", scores)
        return float(np.mean(scores))

    def _score(self, student: Any, fold: OneFold) -> float:
        with config_context(**self._config):
            [score] = cross_val_score(
                student,
                self.X,
                self.y,
                cv=fold,
                scoring=self.scoring,
                params=self.params,
                error_score="raise",
            )
        if math.isnan(score):
            raise ValueError(
                f"scoring={self.scoring!r} gave NaN on a fold, with {student!r}: a trial needs a "
                "number of every fold"
            )
        return float(score)


def _check_direction(trial: Any) -> None:
    """Refuse a study that would choose the worst; a FixedTrial has no study."""
    study = getattr(trial, "study", None)
    if study is None:
        return
    names = [direction.name.lower() for direction in study.directions]
    if names != ["maximize"]:
        raise ValueError(
            f"the study's directions are {names}, and of scores greater is better: make it with "
            "optuna.create_study(direction='maximize')"
        )


def _pruned(when: str) -> Exception:
    error: Exception = import_optuna("distillation_objective").TrialPruned(when)
    return error
