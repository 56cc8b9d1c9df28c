"""What a fitted search says of λ and T, whichever search it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sklearn_distill.inspection._settings_tried import NAMES, Settings


def settings_tried(search: Any, name: str = "search") -> Settings:
    """Return the settings that a search tried, with their mean scores.

    A score that is a negative loss ("neg_…", or of a search of the package) becomes the loss. Of
    settings with the same λ and T the best counts, whatever else they were tried with.

    Parameters
    ----------
    search : fitted search
        With ``cv_results_``.
    name : str
        The argument's name, for errors.

    Returns
    -------
    Settings
        Unique ones.

    Raises
    ------
    ValueError
        If it has no ``cv_results_``, or did not try both λ and T.
    """
    results = getattr(search, "cv_results_", None)
    if results is None:
        raise ValueError(
            f"{name} is a {type(search).__name__} without cv_results_: pass a fitted "
            "DistilledLogisticRegressionCV, GridSearchCV or RandomizedSearchCV"
        )
    table = pd.DataFrame({key: _tried(results, key, name) for key in NAMES})
    table["score"] = np.asarray(results[_score_key(search)], dtype=np.float64)
    best = table.groupby(list(NAMES), as_index=False)["score"].max()
    sign = -1.0 if is_loss(search) else 1.0
    lam, T = (best[key].to_numpy() for key in NAMES)
    return Settings(lam, T, sign * best["score"].to_numpy())


def chosen(search: Any) -> tuple[float, float]:
    """Return (λ, T) of the best setting."""
    params = search.cv_results_["params"][search.best_index_]
    lam, T = (float(params[_full_name(params, key, "search")]) for key in NAMES)
    return lam, T


def is_loss(search: Any) -> bool:
    """Tell whether the scores are negative losses."""
    return hasattr(search, "path_") or _scoring_name(search).startswith("neg_")


def value_name(search: Any) -> str:
    """Name what the values are, for the colour bar."""
    scoring = "neg_log_loss" if hasattr(search, "path_") else _scoring_name(search)
    words = scoring.removeprefix("neg_").replace("_", " ")
    return f"cross-validated {words}" if words else "cross-validated score"


def _scoring_name(search: Any) -> str:
    if isinstance(getattr(search, "refit", None), str):  # several metrics
        return str(search.refit)
    scoring = getattr(search, "scoring", None)
    return scoring if isinstance(scoring, str) else ""


def _score_key(search: Any) -> str:
    several = getattr(search, "multimetric_", False)
    return f"mean_test_{_scoring_name(search) if several else 'score'}"


def _tried(results: Any, key: str, name: str) -> Any:
    params = {column.removeprefix("param_") for column in results if column.startswith("param_")}
    return np.asarray(results[f"param_{_full_name(params, key, name)}"], dtype=np.float64)


def _full_name(params: Any, key: str, name: str) -> str:
    """Return the parameter's name, with the steps of a pipeline before it."""
    found = [param for param in params if param.split("__")[-1] == key]
    if len(found) != 1:
        raise ValueError(
            f"{name} tried {sorted(params)}, {len(found)} of them {key!r}: the drawing needs one "
            "imitation and one temperature"
        )
    return str(found[0])
