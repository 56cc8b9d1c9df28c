"""Ways to λ and T that a user of scikit-learn knows: ``python -m benchmarks.peer_searches``.

All of them search for one student, DistilledLogisticRegression, on one set of folds. AutoGluon,
which distils too, is left out: its version 1.6 does not install beside pandas 3.
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

from benchmarks.logistic import correlated
from benchmarks.measure import cpu_seconds
from benchmarks.record import versions
from sklearn_distill import DistilledLogisticRegression, DistilledLogisticRegressionCV

CSV = Path(__file__).with_suffix(".csv")
N_ROUNDS, N_VALUES, N_TRIALS, TOL = 3, 10, 50, 1e-5
NAMES = ("imitation", "temperature")
LOW, HIGH = 0.1, 10.0
OURS = "DistilledLogisticRegressionCV"


def datasets() -> dict[str, tuple[Any, Any, Any]]:
    """Return rows, labels and a teacher's answers: of another half, or slightly wrong ones."""
    return {"digits": digits(), "5,000 × 20, K = 3": correlated(5_000, 20, 3)}


def digits() -> tuple[Any, Any, Any]:
    """Return half of the digits with the answers of a forest that learnt from the other half."""
    X, y = load_digits(return_X_y=True)
    theirs, ours, y_theirs, y_ours = train_test_split(X / 16, y, test_size=0.5, random_state=0)
    forest = RandomForestClassifier(random_state=0).fit(theirs, y_theirs)
    return ours, y_ours, softmax(np.log(forest.predict_proba(ours) + 1e-3), axis=1)


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


def measured() -> pd.DataFrame:
    """Return CPU seconds and the mean loss of the folds, by data, search and round."""
    rows = []
    for data, (X, y, S) in datasets().items():
        for round_ in tqdm(range(N_ROUNDS), desc=data, unit="round"):
            cv = StratifiedKFold(5, shuffle=True, random_state=round_)
            for name, search in searches(cv, round_).items():
                seconds = cpu_seconds(lambda s=search, X=X, y=y, S=S: s.fit(X, y, teacher_proba=S))
                rows.append((data, name, round_, seconds, loss_of(search, cv, X, y, S)))
    columns = ["data", "search", "round", "seconds", "loss"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def loss_of(search: Any, cv: Any, X: Any, y: Any, S: Any) -> float:
    """Return the mean cross-entropy of the folds at the values found, by tight fits."""
    found = getattr(search, "best_params_", None) or {
        "imitation": search.imitation_,
        "temperature": search.temperature_,
    }
    losses = []
    for train, test in cv.split(X, y):
        student = DistilledLogisticRegression(**found, tol=1e-8)
        student.fit(X[train], y[train], teacher_proba=S[train])
        P = student.predict_log_proba(X[test])
        losses.append(-P[np.arange(len(test)), np.searchsorted(student.classes_, y[test])].mean())
    return float(np.mean(losses))


def section(results: pd.DataFrame) -> str:
    """Return the part of the page of benchmarks."""
    return "\n".join([*_lines(results), ""])


def _lines(results: pd.DataFrame) -> Iterator[str]:
    yield "## Other searches for λ and T\n"
    yield (
        "`python -m benchmarks.peer_searches`: searches over 5 folds for λ and T of one student, "
        f"C = 1, CPU time in multiples of ours in the same round (median, min … max of {N_ROUNDS} "
        "rounds with folds of their own), and the cross-validated loss at the values found, above "
        "the best of the round (median, worst). The second data set is drawn as those above. "
        f"Measured with {results['versions'].iloc[0]}, optuna {optuna.__version__}.\n"
    )
    yield "| data | search | seconds | times ours | loss above the best |"
    yield "|---|---|---:|---|---|"
    for (data, name), part in results.groupby(["data", "search"], sort=False):
        same = results[results["data"] == data]
        reference = same[same["search"] == OURS].set_index("round")["seconds"]
        ratio = part.set_index("round")["seconds"] / reference
        excess = part.set_index("round")["loss"] - same.groupby("round")["loss"].min()
        yield (
            f"| {data} | {name} | {part['seconds'].median():.2f} | **{ratio.median():.1f}** "
            f"({ratio.min():.1f} … {ratio.max():.1f}) | {excess.median():.1e} "
            f"({excess.max():.1e}) |"
        )


def main() -> None:
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with sklearn.config_context(enable_metadata_routing=False):
        measured().to_csv(CSV, index=False, float_format="%.8g")


if __name__ == "__main__":
    main()
