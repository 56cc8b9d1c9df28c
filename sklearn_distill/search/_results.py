"""The attributes ``cv_results_`` and ``path_`` of a search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from sklearn_distill.search._cv_loss import CrossValidatedLoss, Evaluation


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


def search_path(cv_loss: CrossValidatedLoss) -> pd.DataFrame:
    """Return one row for each evaluation, in order of time.

    Parameters
    ----------
    cv_loss : CrossValidatedLoss
        The loss after the search, with its evaluations.

    Returns
    -------
    DataFrame
        The metaparameters, stage, number of folds, loss, max|projected gradient| (NaN where none
        was computed), and the cost summed over folds: passes over the training rows, seconds.
    """
    rows = [
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
    return pd.DataFrame(rows)


def _params(cv_loss: CrossValidatedLoss, evaluation: Evaluation) -> dict[str, float]:
    values = cv_loss.space.values(evaluation.u).tolist()
    return dict(zip(cv_loss.space.names, values, strict=True))
