"""A search as tables: ``cv_results_`` and ``path_``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from sklearn_distill.search._cv_loss import CrossValidatedLoss, Evaluation


def cv_results(surface: CrossValidatedLoss) -> dict[str, Any]:
    """Return what GridSearchCV would say of the settings that were evaluated, in turn.

    Parameters
    ----------
    surface : CrossValidatedLoss
        After the search.

    Returns
    -------
    dict of str to ndarray or list
        Scores are negative validation losses; a fold's time is that of fit, loss and derivative.
    """
    points, names = surface.judged, surface.space.names
    scores = -np.array([[fold.loss for fold in point.folds] for point in points])
    seconds = np.array([[fold.seconds for fold in point.folds] for point in points])
    params = [_params(surface, point) for point in points]
    results: dict[str, Any] = {"params": params}
    results |= {f"param_{name}": np.array([values[name] for values in params]) for name in names}
    results |= {f"split{k}_test_score": score for k, score in enumerate(scores.T)}
    results["mean_test_score"] = scores.mean(axis=1)
    results["std_test_score"] = scores.std(axis=1)
    results["rank_test_score"] = rankdata(-results["mean_test_score"], method="min").astype(
        np.int32
    )
    results["mean_fit_time"] = seconds.mean(axis=1)
    results["std_fit_time"] = seconds.std(axis=1)
    return results


def path(surface: CrossValidatedLoss) -> pd.DataFrame:
    """Return one row for each evaluation, in turn.

    Parameters
    ----------
    surface : CrossValidatedLoss
        After the search.

    Returns
    -------
    DataFrame
        The metaparameters, stage, number of folds, loss, max|projected gradient| (NaN where none
        was computed), and the folds' sums of cost: passes over the training rows, seconds.
    """
    rows = [
        _params(surface, point)
        | {
            "stage": point.stage,
            "n_folds": len(point.folds),
            "loss": point.loss,
            "projected_gradient": point.projected_gradient(surface.space),
            "passes": float(np.sum([fold.passes for fold in point.folds])),
            "seconds": float(np.sum([fold.seconds for fold in point.folds])),
        }
        for point in surface.points
    ]
    return pd.DataFrame(rows)


def _params(surface: CrossValidatedLoss, point: Evaluation) -> dict[str, float]:
    values = surface.space.natural(point.u).tolist()
    return dict(zip(surface.space.names, values, strict=True))
