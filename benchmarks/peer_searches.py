"""General-purpose searches for λ and T: ``python -m benchmarks.peer_searches``.

All of them tune one student, DistilledLogisticRegression, on the same folds. AutoGluon, which also
implements distillation, is left out: version 1.6 cannot be installed together with pandas 3.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import sklearn
from optuna.distributions import FloatDistribution
from optuna_integration import OptunaSearchCV
from scipy.special import softmax
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    train_test_split,
)
from tqdm import tqdm

from benchmarks.logistic import make_correlated
from benchmarks.measure import cpu_seconds
from benchmarks.record import versions
from benchmarks.rows import Row
from sklearn_distill import DistilledLogisticRegression, DistilledLogisticRegressionCV

CSV = Path(__file__).with_suffix(".csv")
N_ROUNDS, N_VALUES, N_TRIALS, TOL = 3, 10, 50, 1e-5
NAMES = ("imitation", "temperature")
LOW, HIGH = 0.1, 10.0
OURS = "DistilledLogisticRegressionCV"


def datasets() -> dict[str, tuple[Any, Any, Any]]:
    """Return features, labels and the teacher's probabilities of each data set."""
    return {"digits": digits(), "5,000 × 20, K = 3": make_correlated(5_000, 20, 3)}


def digits() -> tuple[Any, Any, Any]:
    """Return half of the digits, with the predictions of a forest trained on the other half."""
    X, y = load_digits(return_X_y=True)
    X_teacher, X, y_teacher, y = train_test_split(X / 16, y, test_size=0.5, random_state=0)
    forest = RandomForestClassifier(random_state=0).fit(X_teacher, y_teacher)
    return X, y, softmax(np.log(forest.predict_proba(X) + 1e-3), axis=1)


def searches(cv: Any, seed: int) -> dict[str, Any]:
    """Return the searches for λ and T over the same folds."""
    student = DistilledLogisticRegression(tol=TOL)
    options = {"cv": cv, "scoring": "neg_log_loss"}
    grid = {
        "imitation": np.linspace(0, 1, N_VALUES),
        "temperature": np.geomspace(LOW, HIGH, N_VALUES),
    }
    draws = {"imitation": uniform(0, 1), "temperature": loguniform(LOW, HIGH)}
    space = {
        "imitation": FloatDistribution(0, 1),
        "temperature": FloatDistribution(LOW, HIGH, log=True),
    }
    return {
        OURS: DistilledLogisticRegressionCV(NAMES, cv=cv, tol=TOL),
        f"GridSearchCV, {N_VALUES} × {N_VALUES}": GridSearchCV(student, grid, **options),
        f"RandomizedSearchCV, {N_TRIALS} draws": RandomizedSearchCV(
            student, draws, n_iter=N_TRIALS, random_state=seed, **options
        ),
        f"OptunaSearchCV, {N_TRIALS} trials": OptunaSearchCV(
            student, space, n_trials=N_TRIALS, random_state=seed, verbose=0, **options
        ),
    }


def run_benchmark() -> pd.DataFrame:
    """Return CPU seconds and the mean loss of the folds, by data set, search and round."""
    rows = []
    for data, (X, y, S) in datasets().items():
        for round_ in tqdm(range(N_ROUNDS), desc=data, unit="round"):
            cv = StratifiedKFold(5, shuffle=True, random_state=round_)
            for name, search in searches(cv, round_).items():
                seconds = cpu_seconds(lambda s=search, X=X, y=y, S=S: s.fit(X, y, teacher_proba=S))
                rows.append((data, name, round_, seconds, tight_loss(search, cv, X, y, S)))
    columns = ["data", "search", "round", "seconds", "loss"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def tight_loss(search: Any, cv: Any, X: Any, y: Any, S: Any) -> float:
    """Return the mean cross-entropy of the folds at the values found, from fits to a small tol."""
    best_params = getattr(search, "best_params_", None) or {
        "imitation": search.imitation_,
        "temperature": search.temperature_,
    }
    losses = []
    for train, test in cv.split(X, y):
        student = DistilledLogisticRegression(**best_params, tol=1e-8)
        student.fit(X[train], y[train], teacher_proba=S[train])
        P = student.predict_log_proba(X[test])
        losses.append(-P[np.arange(len(test)), np.searchsorted(student.classes_, y[test])].mean())
    return float(np.mean(losses))


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    yield "## Other searches for λ and T\n"
    yield (
        "`python -m benchmarks.peer_searches`: searches for λ and T of the same student with 5 "
        f"folds and C = 1, in {N_ROUNDS} rounds, each with its own folds: the cross-validated loss "
        "at the values found, above the best of the round (median, worst). "
        f"Measured with {results['versions'].iloc[0]}, optuna {optuna.__version__}.\n"
    )
    yield "| data | search | loss above the best |"
    yield "|---|---|---|"
    for (data, name), part in results.groupby(["data", "search"], sort=False):
        best = results[results["data"] == data].groupby("round")["loss"].min()
        excess = part.set_index("round")["loss"] - best
        yield f"| {data} | {name} | {excess.median():.1e} ({excess.max():.1e}) |"


def rows(results: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of the tables by region."""
    for data, part in results.groupby("data", sort=False):
        times = part.pivot(index="round", columns="search", values="seconds")
        for name in part["search"].unique():
            if name != OURS:
                ratio = times[name] / times[OURS]
                problem = f"{data}, teacher of the other half" if data == "digits" else str(data)
                yield Row(
                    "searches", f"{problem}: search over λ, T", times[OURS].median(), name, ratio
                )


def main() -> None:
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with sklearn.config_context(enable_metadata_routing=False):
        run_benchmark().to_csv(CSV, index=False, float_format="%.8g")


if __name__ == "__main__":
    main()
