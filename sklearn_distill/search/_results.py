"""The attributes ``cv_results_`` and ``path_`` of a search."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from sklearn_distill._typing import FloatArray
from sklearn_distill.search._cv_fold import FoldResult
from sklearn_distill.search._cv_loss import CrossValidatedLoss, Evaluation
from sklearn_distill.students._coefficients import coefficients


def cv_results(cv_loss: CrossValidatedLoss) -> dict[str, Any]:
    """Return the settings evaluated on all folds, in the format of GridSearchCV.

    Parameters
    ----------
    cv_loss : CrossValidatedLoss
        The loss after the search, with its evaluations.

    Returns
    -------
    dict of str to ndarray or list
        Scores are negative validation losses; a fold's time is that of fit, loss and gradient.
    """
    evaluations, names = cv_loss.full_evaluations, cv_loss.space.names
    scores = -np.array([[fold.loss for fold in evaluation.folds] for evaluation in evaluations])
    seconds = np.array([[fold.seconds for fold in evaluation.folds] for evaluation in evaluations])
    params = [_params(cv_loss, evaluation) for evaluation in evaluations]
    results: dict[str, Any] = {"params": params}
    results |= {f"param_{name}": np.array([values[name] for values in params]) for name in names}
    results |= {f"split{k}_test_score": score for k, score in enumerate(scores.T)}
    results["mean_test_score"] = scores.mean(axis=1)
    results["std_test_score"] = scores.std(axis=1)
    # GridSearchCV's dtype and its rank of ties
    results["rank_test_score"] = rankdata(-results["mean_test_score"], method="min").astype(
        np.int32
    )
    results["mean_fit_time"] = seconds.mean(axis=1)
    results["std_fit_time"] = seconds.std(axis=1)
    return results


def search_path(cv_loss: CrossValidatedLoss) -> list[dict[str, Any]]:
    """Return what is known of each evaluation, in order of time.

    Parameters
    ----------
    cv_loss : CrossValidatedLoss
        The loss after the search, with its evaluations.

    Returns
    -------
    list of dict
        The metaparameters, stage, number of folds, loss, max|projected gradient| (NaN where none
        was computed), and the cost summed over folds: passes over the training rows, seconds.
    """
    return [
        _params(cv_loss, evaluation)
        | {
            "stage": evaluation.stage,
            "n_folds": len(evaluation.folds),
            "loss": evaluation.loss,
            "projected_gradient": evaluation.projected_gradient(cv_loss.space),
            "passes": float(np.sum([fold.passes for fold in evaluation.folds])),
            "seconds": float(np.sum([fold.seconds for fold in evaluation.folds])),
        }
        for evaluation in cv_loss.evaluations
    ]


@dataclass(frozen=True)
class GridResults:
    """Scores and coefficients of a grid as arrays with an axis for each metaparameter.

    Parameters
    ----------
    values : dict of str to ndarray
        The values of each axis, in their order: imitation, temperature, C; one if it is fixed.
    scores : ndarray of shape (n_folds, n_imitations, n_temperatures, n_Cs)
        Scores of each fold.
    coefs : ndarray of shape (n_folds, n_imitations, n_temperatures, n_Cs, n_rows, n_columns)
        Rows of the coefficients, with the intercept as their last column, if there is one.
    """

    values: dict[str, FloatArray]
    scores: FloatArray
    coefs: FloatArray

    @classmethod
    def of(
        cls, cv_loss: CrossValidatedLoss, axes: list[tuple[float, ...]], *, fit_intercept: bool
    ) -> GridResults:
        """Arrange the evaluations of a grid with these values of the searched metaparameters."""
        space = cv_loss.space
        by_name = dict(zip(space.names, axes, strict=True))
        order = ("imitation", "temperature", "C")
        values = {name: by_name.get(name, (getattr(space.start, name),)) for name in order}
        evaluated = {evaluation.u.tobytes(): evaluation for evaluation in cv_loss.full_evaluations}
        folds = [
            evaluated[
                space.coordinates(np.array([point[order.index(n)] for n in space.names])).tobytes()
            ].folds
            for point in itertools.product(*values.values())
        ]
        shape = tuple(len(axis) for axis in values.values())
        scores = -np.array([[fold.loss for fold in results] for results in folds])
        coefs = np.array(
            fold_coefs([fold for one in folds for fold in one], fit_intercept=fit_intercept)
        )
        coefs = coefs.reshape(len(folds), -1, *coefs.shape[1:])
        return cls(
            {name: np.array(axis) for name, axis in values.items()},
            np.moveaxis(scores.reshape(*shape, -1), -1, 0),
            np.moveaxis(coefs.reshape(*shape, *coefs.shape[1:]), len(shape), 0),
        )


def fold_coefs(folds: Sequence[FoldResult], *, fit_intercept: bool) -> list[FloatArray]:
    """Return the coefficients of folds, with the intercept as their last column, if there is one.

    Parameters
    ----------
    folds : sequence of FoldResult
        Results with solutions.
    fit_intercept : bool
        Whether there is an intercept.

    Returns
    -------
    list of ndarray of shape (n_rows, n_columns)
        One for each fold.
    """
    found = []
    for fold, W in zip(folds, _weights(folds), strict=True):
        coef, intercept = coefficients(W, fold.active, fit_intercept)
        found.append(np.column_stack([coef, intercept]) if fit_intercept else coef)
    return found


def _weights(folds: Sequence[FoldResult]) -> list[FloatArray]:
    """Return the solutions' weights for X, of shape (n_scores, n_columns)."""
    weights = []
    for fold in folds:
        assert fold.solution is not None
        weights.append(fold.solution.w.reshape(-1, fold.n_columns))
    space = folds[0].row_space
    if space is None:
        return weights
    # all at once: each time takes a pass over X
    stops = np.cumsum([len(W) for W in weights])[:-1]
    return np.split(space.lift(np.concatenate(weights)), stops)


def _params(cv_loss: CrossValidatedLoss, evaluation: Evaluation) -> dict[str, float]:
    values = cv_loss.space.values(evaluation.u).tolist()
    return dict(zip(cv_loss.space.names, values, strict=True))
