"""An Optuna objective: the cross-validated score of a student with the parameters of a trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import cross_val_score
from sklearn.utils import indexable

from sklearn_distill._optional import import_optuna
from sklearn_distill._typing import ArrayLike, MatrixLike, TargetLike
from sklearn_distill._validation.fit_params import student_param_name
from sklearn_distill._validation.indexing import n_samples
from sklearn_distill._validation.missing_teacher import check_search_params
from sklearn_distill.metrics import get_scorer
from sklearn_distill.search._optuna_folds import OneFold, fixed_folds
from sklearn_distill.search._optuna_scorer import check_judged, fold_scorer

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial
    from sklearn.base import BaseEstimator

    SearchSpace: TypeAlias = (
        Mapping[str, BaseDistribution] | Callable[[BaseTrial], Mapping[str, Any]]
    )

DISTRIBUTIONS = ("FloatDistribution", "IntDistribution", "CategoricalDistribution")


def distillation_objective(
    estimator: BaseEstimator,
    X: MatrixLike,
    y: TargetLike,
    space: SearchSpace,
    *,
    cv: Any = 5,
    scoring: str | Callable[..., float] | None = None,
    params: Mapping[str, Any] | None = None,
    groups: ArrayLike | None = None,
) -> DistillationObjective:
    r"""Return what an Optuna study maximises: a student's mean score over folds.

    .. math:: f(θ) = \frac1K \sum_{k=1}^{K} \mathrm{score}\big(\mathrm{fit}(θ, \mathrm{train}_k),
        \mathrm{val}_k\big)

    After fold k the trial reports the mean of its first k scores, so any pruner can stop it before
    fold k + 1. Sampler, pruner, storage, parallel workers and logging are Optuna's own.

    Parameters
    ----------
    estimator : estimator
        Student, or a pipeline whose last step is a student. It is cloned for each fold and never
        changed.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Features of the samples.
    y : array-like of shape (n_samples,) or None
        Labels, some or all of them missing.
    space : dict of str to optuna distribution, or callable
        Search space: parameters of the estimator and their distributions, as
        ``{"imitation": FloatDistribution(0, 1)}``; those of a pipeline are ``step__imitation``. Or
        a function from a trial to a dict of parameters, for choices that depend on each other.
    cv : int, splitter or iterable of (train, test), default=5
        As in :func:`~sklearn.model_selection.cross_validate`; where labels are missing, an int is
        the number of folds of :class:`~sklearn_distill.model_selection.LabeledKFold`. The folds are
        drawn here, once: all trials share them, and so do all processes that call this function
        with the same arguments. A splitter that shuffles needs a fixed random_state.
    scoring : str, callable or None, default=None
        A scorer or one of :func:`~sklearn_distill.metrics.get_scorer_names`, greater is better: a
        loss to minimise is the negative score to maximise, such as "neg_log_loss". One that judges
        by a teacher, such as "neg_teacher_cross_entropy", gets its predictions from `params`, with
        and without metadata routing. None is the estimator's own ``score``.
    params : dict or None, default=None
        Fit parameters, such as ``{"teacher_proba": S}``, through a pipeline
        ``{"step__teacher_proba": S}``; they are sliced by fold. With metadata routing they are
        routed to the estimator's fit, the splitter and the scorer.
    groups : array-like of shape (n_samples,) or None, default=None
        Groups for the splitter. With metadata routing, pass them in `params`.

    Returns
    -------
    callable
        ``objective(trial)`` returns the score. The objective pickles if its arguments do.
        ``objective.student(study.best_trial)`` is the unfitted estimator with the parameters of a
        trial.

        A trial stores its scores in ``trial.user_attrs["fold_scores"]``, a pruned one those of the
        folds that it was evaluated on. An error in a fold stops the study, unless
        ``study.optimize(catch=...)`` names the error; then the trial is recorded as failed. A
        score that is NaN and a study that does not maximise raise an error, too.

    Raises
    ------
    ImportError
        If Optuna is not installed.
    TypeError
        If `space` is not as described or `scoring` names several scores.
    ValueError
        If `space` has unknown parameters, or searches λ or T without a teacher in `params`,
        `scoring` is no scorer, or judges by labels or by a teacher and there are none, `cv` draws
        other folds each time, or `X` and `y` differ in length.

    References
    ----------
    Akiba et al. 2019, "Optuna: a next-generation hyperparameter optimization framework".

    Examples
    --------
    >>> import optuna
    >>> from optuna.distributions import FloatDistribution
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> from sklearn_distill.datasets import make_teacher_probabilities
    >>> from sklearn_distill.search import distillation_objective
    >>> data = make_teacher_probabilities(60, random_state=0)
    >>> space = {"imitation": FloatDistribution(0, 1), "temperature": FloatDistribution(1, 8)}
    >>> objective = distillation_objective(
    ...     DistilledLogisticRegression(C=10.0), data.data, data.target, space,
    ...     scoring="neg_log_loss", params={"teacher_proba": data.teacher_proba},
    ... )
    >>> distilled, baseline = (
    ...     optuna.trial.FixedTrial({"imitation": imitation, "temperature": 1.0})
    ...     for imitation in (1.0, 0.0)
    ... )
    >>> objective(distilled) > objective(baseline)
    True
    """
    import_optuna("distillation_objective")
    check_space(space, estimator)
    if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
        raise TypeError(
            f"scoring is a {type(scoring).__name__}: a study maximises one score, so give one "
            "name or scorer"
        )
    scorer = None if scoring is None else get_scorer(scoring)
    check_scoring(estimator, scoring=scorer)
    X, y = indexable(X, y)
    params = dict(params or {})
    if not callable(space):  # what a function searches is known in a trial
        check_search_params("space", estimator, space, params)
    check_judged(scorer, y, params)
    folds = fixed_folds(cv, estimator, X, y, scoring=scorer, params=params, groups=groups)
    return DistillationObjective(
        estimator, X, y, space=space, folds=folds, scoring=scorer, params=params
    )


class DistillationObjective:
    """The mean score over folds of an estimator with the parameters of a trial.

    Parameters
    ----------
    estimator : estimator
        It is cloned for each fold, and the clone gets the parameters of the trial.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Features of the samples.
    y : array-like of shape (n_samples,) or None
        Labels of the samples.
    space : dict of str to optuna distribution, or callable
        Search space of the parameters.
    folds : list of OneFold
        The folds, which all trials share.
    scoring : callable or None
        Scorer; greater is better.
    params : dict
        Fit parameters, which are sliced by fold.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        X: MatrixLike,
        y: TargetLike,
        *,
        space: SearchSpace,
        folds: list[OneFold],
        scoring: Callable[..., float] | None,
        params: dict[str, Any],
    ) -> None:
        self.estimator = estimator
        self.X = X
        self.y = y
        self.space = space
        self.folds = folds
        self.scoring = scoring
        self.params = params
        # scikit-learn's configuration is local to a thread: workers take over that of this one
        self._config = get_config()

    def student(self, trial: BaseTrial) -> Any:
        """Return the unfitted estimator with the parameters of a trial.

        Parameters
        ----------
        trial : Trial, FrozenTrial or FixedTrial
            The trial, for example ``study.best_trial``.

        Returns
        -------
        estimator
            A clone.

        Raises
        ------
        ValueError
            If the space, a function, chooses λ or T, λ is not 0, and there is no teacher.
        """
        chosen = suggest(trial, self.space)
        student = clone(self.estimator).set_params(**chosen)
        imitation = student_param_name(student, "imitation")
        if callable(self.space) and student.get_params().get(imitation) != 0:  # 0: a baseline
            check_search_params("space", student, chosen, self.params)
        return student

    def __call__(self, trial: BaseTrial) -> float:
        """Return the mean score over folds.

        Parameters
        ----------
        trial : Trial or FixedTrial
            The trial, which suggests the parameters.

        Returns
        -------
        float
            The score; greater is better.

        Raises
        ------
        optuna.TrialPruned
            If the study's pruner stops the trial before its last fold.
        ValueError
            If the study does not maximise, or a fold's score is NaN.
        """
        _check_direction(trial)
        student = self.student(trial)
        scores: list[float] = []
        try:
            for step, fold in enumerate(self.folds):
                # not after the last fold: pruning would save nothing there
                if scores and trial.should_prune():
                    pruned = import_optuna("distillation_objective").TrialPruned
                    raise pruned(f"after {step} of {len(self.folds)} folds")
                scores.append(self._score(student, fold))
                trial.report(float(np.mean(scores)), step)
        finally:  # pruned and failed trials store their scores, too
            trial.set_user_attr("fold_scores", scores)
        return float(np.mean(scores))

    def _score(self, student: Any, fold: OneFold) -> float:
        with config_context(**self._config):
            [score] = cross_val_score(
                student,
                self.X,
                self.y,
                cv=fold,
                scoring=fold_scorer(self.scoring, self.params, fold, n_samples(self.X)),
                params=self.params,
                error_score="raise",  # Optuna decides what an error does to the study
            )
        if math.isnan(score):
            raise ValueError(
                f"scoring={self.scoring!r} gave NaN on a fold, with {student!r}: a trial needs a "
                "score on every fold"
            )
        return float(score)


def _check_direction(trial: BaseTrial) -> None:
    """Require a study that maximises; a FixedTrial has no study."""
    # checked in each trial, since the objective is created without a study
    study = getattr(trial, "study", None)
    if study is None:
        return
    names = [direction.name.lower() for direction in study.directions]
    if names != ["maximize"]:
        raise ValueError(
            f"the study's directions are {names}, but greater scores are better: create it with "
            "optuna.create_study(direction='maximize')"
        )


def check_space(space: Any, estimator: BaseEstimator) -> None:
    """Require a function, or distributions of parameters that the estimator has."""
    if callable(space):
        return
    if not isinstance(space, Mapping):
        raise TypeError(
            f"space is a {type(space).__name__}: give a dict of parameter names and "
            "optuna.distributions, or a function from a trial to a dict of parameters"
        )
    unknown = sorted(set(space) - set(estimator.get_params()))
    if unknown or not space:
        raise ValueError(
            f"space names {unknown or 'nothing'}: its keys are parameters of "
            f"{type(estimator).__name__}, see get_params()"
        )
    distributions = import_optuna("distillation_objective").distributions
    for name, distribution in space.items():
        if not isinstance(distribution, tuple(getattr(distributions, k) for k in DISTRIBUTIONS)):
            raise TypeError(
                f"space[{name!r}] is a {type(distribution).__name__}: give one of "
                f"optuna.distributions' {', '.join(DISTRIBUTIONS)}"
            )


def suggest(trial: BaseTrial, space: SearchSpace) -> dict[str, Any]:
    """Return the parameters of a trial, for ``set_params``."""
    if not callable(space):
        return {name: _suggest_one(trial, name, space[name]) for name in space}
    params = space(trial)
    if not isinstance(params, Mapping):
        raise TypeError(
            f"space returned a {type(params).__name__}: it returns a dict of the estimator's "
            "parameters"
        )
    return dict(params)


def _suggest_one(trial: BaseTrial, name: str, distribution: Any) -> Any:
    distributions = import_optuna("distillation_objective").distributions
    if isinstance(distribution, distributions.CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    is_int = isinstance(distribution, distributions.IntDistribution)
    suggest_number: Callable[..., float] = trial.suggest_int if is_int else trial.suggest_float
    return suggest_number(
        name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
    )
