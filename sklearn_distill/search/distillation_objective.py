"""An Optuna objective: the cross-validated score of a student with the parameters of a trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import cross_validate
from sklearn.utils import indexable

from sklearn_distill._optional import import_optuna
from sklearn_distill._typing import ArrayLike, MatrixLike, TargetLike
from sklearn_distill._validation.fit_params import student_param_name
from sklearn_distill._validation.indexing import n_samples, take_aligned
from sklearn_distill._validation.missing_teacher import check_search_params
from sklearn_distill.search._optuna_epochs import (
    ReportingEstimator,
    last_step,
    length_params,
    reports_by_epoch,
)
from sklearn_distill.search._optuna_folds import OneFold, fixed_folds
from sklearn_distill.search._optuna_scorer import check_judged, fold_scorer, read_scorers

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
    scoring: str | Callable[..., float] | Sequence[str | Callable[..., float]] | None = None,
    params: Mapping[str, Any] | None = None,
    groups: ArrayLike | None = None,
    report: str = "auto",
) -> DistillationObjective:
    r"""Return what an Optuna study maximises: a student's mean score over folds.

    .. math:: f(θ) = \frac1K \sum_{k=1}^{K} \mathrm{score}\big(\mathrm{fit}(θ, \mathrm{train}_k),
        \mathrm{val}_k\big)

    After fold k the trial reports the mean of its first k scores, so any pruner can stop it before
    fold k + 1; that of a network reports after each epoch, with its score so far in place of the
    k-th. Sampler, pruner, storage, parallel workers and logging are Optuna's own.

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
    scoring : str, callable, sequence of these, or None, default=None
        A scorer or one of :func:`~sklearn_distill.metrics.get_scorer_names`, greater is better: a
        loss to minimise is the negative score to maximise, such as "neg_log_loss". One that judges
        by a teacher, such as "neg_teacher_cross_entropy", gets its predictions from `params`, with
        and without metadata routing. None is the estimator's own ``score``. Several scorers are
        the objectives of a study with as many directions, all "maximize"; Optuna does not prune
        such a study. A cost such as the latency is a scorer that returns its negative.
    params : dict or None, default=None
        Fit parameters, such as ``{"teacher_proba": S}``, through a pipeline
        ``{"step__teacher_proba": S}``; they are sliced by fold. With metadata routing they are
        routed to the estimator's fit, the splitter and the scorer.
    groups : array-like of shape (n_samples,) or None, default=None
        Groups for the splitter. With metadata routing, pass them in `params`.
    report : {"auto", "epoch", "fold"}, default="auto"
        When a trial reports its score. "epoch" is for a neural student, also as the last step of a
        pipeline, without metadata routing and with the same ``max_epochs`` in all trials (if it is
        "auto", the same ``batch_size``, too); its step k · ``max_epochs`` + e is that after epoch
        e + 1 of fold k, both counted from 0. "auto" is "epoch" where that is possible.

    Returns
    -------
    callable
        ``objective(trial)`` returns the score, or a tuple of several. The objective pickles if its
        arguments do. ``objective.student(study.best_trial)`` is the unfitted estimator with the
        parameters of a trial.

        A trial stores its scores in ``trial.user_attrs["fold_scores"]``, a pruned one those of the
        folds that it was evaluated on. An error in a fold stops the study, unless
        ``study.optimize(catch=...)`` names the error; then the trial is recorded as failed. A
        score that is NaN and a study that does not maximise raise an error, too.

    Raises
    ------
    ImportError
        If Optuna is not installed.
    TypeError
        If `space` or `scoring` is not as described.
    ValueError
        If `space` has unknown parameters, or searches λ or T without a teacher in `params`,
        `scoring` is no scorer, or judges by labels or by a teacher and there are none, `cv` draws
        other folds each time, `X` and `y` differ in length, or `report` is not possible.

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
    >>> space = {
    ...     "imitation": FloatDistribution(0, 1),
    ...     "temperature": FloatDistribution(0.25, 8, log=True),
    ... }
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
    scorers = read_scorers(scoring)
    for scorer in scorers:
        check_scoring(estimator, scoring=scorer)
    X, y = indexable(X, y)
    params = dict(params or {})
    if not callable(space):  # what a function searches is known in a trial
        check_search_params("space", estimator, space, params)
    for scorer in scorers:
        check_judged(scorer, y, params)
    folds = fixed_folds(cv, estimator, X, y, scorers=scorers, params=params, groups=groups)
    several = isinstance(scoring, list | tuple)
    return DistillationObjective(
        estimator,
        X,
        y,
        space=space,
        folds=folds,
        scorers=scorers,
        params=params,
        by_epoch=reports_by_epoch(report, estimator, space, several=several),
        several=several,
    )


class DistillationObjective:
    """The mean scores over folds of an estimator with the parameters of a trial.

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
    scorers : list of callable or None
        Scorers; greater is better.
    params : dict
        Fit parameters, which are sliced by fold.
    by_epoch : bool
        Whether scores are reported after each epoch of a network, not only after each fold.
    several : bool
        Whether the study has as many objectives as there are scorers.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        X: MatrixLike,
        y: TargetLike,
        *,
        space: SearchSpace,
        folds: list[OneFold],
        scorers: list[Any],
        params: dict[str, Any],
        by_epoch: bool,
        several: bool,
    ) -> None:
        self.estimator = estimator
        self.X = X
        self.y = y
        self.space = space
        self.folds = folds
        self.scorers = scorers
        self.params = params
        self.by_epoch = by_epoch
        self.several = several
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
            If the space, a function, chooses λ or T, λ is not 0, and there is no teacher; or it
            changes ``max_epochs``, and scores are reported by epoch.
        """
        chosen = suggest(trial, self.space)
        student = clone(self.estimator).set_params(**chosen)
        imitation = student_param_name(student, "imitation")
        if self.by_epoch:
            self._check_same_length(last_step(student), last_step(self.estimator))
        if callable(self.space) and student.get_params().get(imitation) != 0:  # 0: a baseline
            check_search_params("space", student, chosen, self.params)
        return student

    def __call__(self, trial: BaseTrial) -> float | tuple[float, ...]:
        """Return the mean score over folds, or those of several objectives.

        Parameters
        ----------
        trial : Trial or FixedTrial
            The trial, which suggests the parameters.

        Returns
        -------
        float or tuple of float
            The score; greater is better.

        Raises
        ------
        optuna.TrialPruned
            If the study's pruner stops the trial before its last fold or epoch.
        ValueError
            If the study does not maximise, or a fold's score is NaN.
        """
        self._check_directions(trial)
        student = self.student(trial)
        scores: list[list[float]] = []
        lengths: list[int] = []
        try:
            for fold in self.folds:
                report = partial(self._report, trial, student, scores, lengths)
                scores.append(self._scores(student, fold, report))
                if not (self.several or self.by_epoch):
                    report(None, len(scores))
        finally:  # pruned and failed trials store their scores, too
            trial.set_user_attr("fold_scores", scores if self.several else [s for (s,) in scores])
        means = np.mean(scores, axis=0).tolist()
        return tuple(means) if self.several else float(means[0])

    def _check_same_length(self, network: Any, usual: Any) -> None:
        """Require the parameters on which the number of epochs depends."""
        for name in length_params(usual):
            if getattr(network, name) != getattr(usual, name):
                raise ValueError(
                    f"space sets {name}={getattr(network, name)}, so that the reports after each "
                    "epoch of trials cannot be compared: pass report='fold'"
                )

    def _report(
        self,
        trial: BaseTrial,
        student: Any,
        scores: list[list[float]],
        lengths: list[int],
        score: float | None,
        n_done: int,
        n_epochs: int = 1,
    ) -> None:
        """Report the mean over folds after a fold, or after an epoch with its score.

        ``lengths`` get the numbers of epochs of the folds. Raise TrialPruned if the pruner stops
        the trial.
        """
        so_far = [s for (s,) in scores]
        if score is None:
            step, is_last = n_done - 1, n_done == len(self.folds)
        else:
            self._check_score(score, self.scorers[0], student)
            # with max_epochs="auto", folds of other sizes have other numbers of epochs
            lengths[len(so_far) :] = [n_epochs]
            step = sum(lengths) - n_epochs + n_done - 1
            is_last = len(lengths) == len(self.folds) and n_done == n_epochs
            so_far.append(score)
        trial.report(float(np.mean(so_far)), step)
        # not after the last step: pruning would save nothing there
        if not is_last and trial.should_prune():
            pruned = import_optuna("distillation_objective").TrialPruned
            raise pruned(f"after {step + 1} steps")

    def _scores(self, student: Any, fold: OneFold, report: Callable[..., None]) -> list[float]:
        """Return the scores of a fold; report that of each epoch of a network."""
        n_rows = n_samples(self.X)
        scorers = {
            str(i): check_scoring(student, fold_scorer(scorer, self.params, fold, n_rows))
            for i, scorer in enumerate(self.scorers)
        }
        fitted = student
        if self.by_epoch:
            X_test, y_test = (take_aligned(rows, fold.test, n_rows) for rows in (self.X, self.y))
            fitted = ReportingEstimator(student, scorers["0"], (X_test, y_test), report)
        with config_context(**self._config):
            found = cross_validate(
                fitted,
                self.X,
                self.y,
                cv=fold,
                scoring=scorers,
                params=self.params,
                error_score="raise",  # Optuna decides what an error does to the study
            )
        scores = [float(found[f"test_{name}"][0]) for name in scorers]
        for score, scorer in zip(scores, self.scorers, strict=True):
            self._check_score(score, scorer, student)
        return scores

    def _check_score(self, score: float, scorer: Any, student: Any) -> None:
        if math.isnan(score):
            raise ValueError(
                f"scoring={scorer!r} gave NaN on a fold, with {student!r}: a trial needs a score "
                "on every fold"
            )

    def _check_directions(self, trial: BaseTrial) -> None:
        """Require a study that maximises each objective; a FixedTrial has no study."""
        # checked in each trial, since the objective is created without a study
        study = getattr(trial, "study", None)
        if study is None:
            return
        names = [direction.name.lower() for direction in study.directions]
        wanted = ["maximize"] * len(self.scorers)
        if names != wanted:
            needed = f"directions={wanted}" if self.several else "direction='maximize'"
            raise ValueError(
                f"the study's directions are {names}, but greater scores are better: create it "
                f"with optuna.create_study({needed})"
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
