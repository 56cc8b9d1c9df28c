"""An Optuna objective out of a student, its rows, and its teacher's answers."""

from __future__ import annotations

from typing import Any

from sklearn.metrics import check_scoring
from sklearn.utils import indexable

from sklearn_distill._optional import import_optuna
from sklearn_distill.search._optuna_folds import fixed_folds
from sklearn_distill.search._optuna_objective import DistillationObjective
from sklearn_distill.search._optuna_space import check_space


def distillation_objective(
    estimator: Any,
    X: Any,
    y: Any,
    space: Any,
    *,
    cv: Any = 5,
    scoring: Any = None,
    params: dict[str, Any] | None = None,
    groups: Any = None,
) -> DistillationObjective:
    r"""Return what an Optuna study maximises: a student's mean score over folds.

    .. math:: f(θ) = \frac1K \sum_{k=1}^{K} \mathrm{score}\big(\mathrm{fit}(θ, \mathrm{train}_k),
        \mathrm{val}_k\big)

    After fold k the trial reports the mean of its first k scores, so any pruner can give it up
    before fold k + 1. Sampler, pruner, storage, parallel workers and logging are Optuna's own.

    Parameters
    ----------
    estimator : estimator
        Student, or a pipeline that ends in one. Cloned for each fold, never changed.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,) or None
        Labels. Where some are missing, give `cv` as a list of (train, test) whose test rows have
        one.
    space : dict of str to optuna distribution, or callable
        Parameters of the estimator and what to choose them from, as
        ``{"imitation": FloatDistribution(0, 1)}``; a pipeline's are ``step__imitation``. Or a
        function from a trial to a dict of parameters, for choices that depend on each other.
    cv : int, splitter or iterable of (train, test), default=5
        As in :func:`~sklearn.model_selection.cross_validate`. The folds are drawn here, once: all
        trials share them, and so do all processes that call this function with the same arguments.
        A splitter that shuffles needs a fixed random_state.
    scoring : str, callable or None, default=None
        One of scikit-learn's scorers, greater is better: a loss to minimise is the negative score
        to maximise, such as "neg_log_loss". None is the estimator's own ``score``.
    params : dict or None, default=None
        Fit parameters, such as ``{"teacher_proba": S}``, through a pipeline
        ``{"step__teacher_proba": S}``; rows are taken by fold. With metadata routing they are
        routed to the estimator's fit, the splitter and the scorer.
    groups : array-like of shape (n_samples,) or None, default=None
        Groups for the splitter. With metadata routing they belong into `params`.

    Returns
    -------
    callable
        ``objective(trial)`` returns the score. It pickles, whenever its arguments do. Besides,
        ``objective.student(study.best_trial)`` is the unfitted estimator with a trial's
        parameters.

        A trial keeps its scores in ``trial.user_attrs["fold_scores"]``, a pruned one those of the
        folds it came to. A fold that fails raises and stops the study, unless
        ``study.optimize(catch=...)`` names the error; then the trial is recorded as failed. So
        does a score that is NaN, and a study that does not maximise.

    Raises
    ------
    ImportError
        If Optuna is not installed.
    TypeError
        If `space` is not as described or `scoring` asks for several scores.
    ValueError
        If `space` names something that is not a parameter, `scoring` no scorer, `cv` draws other
        folds each time, or `X` and `y` differ in length.

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
    >>> teacher, alone = ({"imitation": x, "temperature": 1.0} for x in (1.0, 0.0))
    >>> objective(optuna.trial.FixedTrial(teacher)) > objective(optuna.trial.FixedTrial(alone))
    True
    """
    import_optuna("distillation_objective")
    check_space(space, estimator)
    _check_scoring(estimator, scoring)
    X, y = indexable(X, y)
    params = dict(params or {})
    folds = fixed_folds(cv, estimator, X, y, scoring=scoring, params=params, groups=groups)
    return DistillationObjective(
        estimator, X, y, space=space, folds=folds, scoring=scoring, params=params
    )


def _check_scoring(estimator: Any, scoring: Any) -> None:
    if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
        raise TypeError(
            f"scoring is a {type(scoring).__name__}: a study maximises one score, so give one "
            "name or scorer"
        )
    check_scoring(estimator, scoring=scoring)
