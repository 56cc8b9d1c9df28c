"""Scorers in the trials of a study: those that judge by a teacher get its predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sklearn import get_config

from sklearn_distill._validation.indexing import take_aligned
from sklearn_distill.metrics import get_scorer
from sklearn_distill.search._optuna_folds import OneFold


def read_scorers(scoring: Any) -> list[Any]:
    """Return the scorers of a study.

    Parameters
    ----------
    scoring : str, callable, sequence of these, or None
        One scorer or several; None is the estimator's own score.

    Returns
    -------
    list of callable or None
        The scorers.

    Raises
    ------
    TypeError
        If it is none of these.
    """
    several = list(scoring) if isinstance(scoring, list | tuple) else [scoring]
    is_named = [isinstance(one, str) or callable(one) for one in several]
    if not several or not (all(is_named) or scoring is None):
        raise TypeError(
            f"scoring={scoring!r}: give a name or a scorer, or a list of them for a study with "
            "several objectives"
        )
    return [None if one is None else get_scorer(one) for one in several]


def check_judged(scorer: Callable[..., float] | None, y: Any, params: Mapping[str, Any]) -> None:
    """Require the labels or the predictions by which a scorer judges.

    Parameters
    ----------
    scorer : callable or None
        The scorer; None is the estimator's own score, by labels.
    y : array-like or None
        Labels.
    params : mapping
        Fit parameters of the study, by name.

    Raises
    ------
    ValueError
        If there are none.
    """
    if scorer is None and y is None:
        raise ValueError(
            "y is None, and scoring=None is the estimator's own score, which needs labels: pass "
            "scoring='neg_teacher_cross_entropy' or another score that judges by a teacher"
        )
    judge = getattr(scorer, "judge", None)
    if judge is not None and _name_of(judge, scorer, params) is None:
        raise ValueError(
            f"scoring={scorer!r} judges by {judge}, which params has not: pass "
            f"params={{{judge!r}: ...}}"
        )


def fold_scorer(
    scorer: Callable[..., float] | None, params: Mapping[str, Any], fold: OneFold, n_rows: int
) -> Callable[..., float] | None:
    """Return a scorer of a fold; without metadata routing it has the teacher's test rows.

    Parameters
    ----------
    scorer : callable or None
        The scorer.
    params : mapping
        Fit parameters of the study, by name.
    fold : OneFold
        The fold.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    callable or None
        The scorer, which gets no more than estimator, X and y without metadata routing.
    """
    judge = getattr(scorer, "judge", None)
    if scorer is None or judge is None or get_config()["enable_metadata_routing"]:
        return scorer
    predictions = params[_name_of(judge, scorer, params) or judge]
    return partial(scorer, **{judge: take_aligned(predictions, fold.test, n_rows)})


def _name_of(judge: str, scorer: Any, params: Mapping[str, Any]) -> str | None:
    """Return the name of a teacher's predictions among fit parameters, None if they are missing."""
    given = [name for name, value in params.items() if value is not None]
    if get_config()["enable_metadata_routing"]:
        request = scorer.get_metadata_routing().score.requests[judge]
        name = request if isinstance(request, str) else judge
        return name if name in given else None
    # a pipeline prefixes its steps: step__teacher_proba
    return next((name for name in given if name.rpartition("__")[2] == judge), None)
