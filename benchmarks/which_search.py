"""Cost and result of each search for λ and T: ``python -m benchmarks.which_search``.

Two students on digits: a logistic regression with cross-validation, and a network with a validation
set. The script writes the CSV file, and from it the tables of the user guide; with ``--page-only``
the CSV file stays as it is. The searches were not tuned to the data.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import loguniform, uniform
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_score,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.record import versions, with_part, write_guide
from sklearn_distill import DistilledLogisticRegression, DistilledNeuralClassifier
from sklearn_distill.datasets import load_digits_privileged
from sklearn_distill.search import (
    DistilledLogisticRegressionCV,
    GreedyHypergradient,
    LinearTrajectory,
    distillation_objective,
)

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "choosing_a_search.md"
SEEDS = range(3)
N_TEACHER, N_STUDENT, N_FOLDS = 900, 200, 5
N_LOGISTIC_TRIALS, N_NETWORK_TRIALS = 25, 16
LOGISTIC_GRID = {"imitation": np.linspace(0, 1, 10), "temperature": np.geomspace(0.1, 10, 10)}
NETWORK_GRID = {"imitation": [0.0, 0.3, 0.6, 0.9], "temperature": [0.5, 1.0, 2.0, 4.0]}
SPACE = {"imitation": uniform(), "temperature": loguniform(0.1, 10)}
NAMES = tuple(SPACE)
LOGISTIC = DistilledLogisticRegression(C=10.0, classes=range(10))


class Data(NamedTuple):
    """Digits of 4×4 pixels: training rows, then validation rows, and a test set."""

    X: Any
    y: Any
    teacher_proba: Any
    X_test: Any
    y_test: Any

    def first_rows(self, n: int) -> Data:
        """Return the data with the first n rows and the same test set."""
        return self._replace(X=self.X[:n], y=self.y[:n], teacher_proba=self.teacher_proba[:n])

    @property
    def fit_params(self) -> dict[str, Any]:
        """The arguments of fit."""
        return {"X": self.X, "y": self.y, "teacher_proba": self.teacher_proba}


class SearchResult(NamedTuple):
    """The values chosen by a search, and its numbers of fits and of hypergradients."""

    imitation: float
    temperature: float
    fits: int
    hypergradients: int
    student: Any = None  # set where the search fits the final student


Search = Callable[[Any, Data, Any, int], SearchResult]


@cache
def digits(seed: int) -> Data:
    """Return data with the predictions of a teacher trained on other rows, at 8×8 pixels."""
    data = load_digits_privileged()
    X, X_better, y = data.data / 16, data.privileged / 16, data.target
    teacher_rows, rest = train_test_split(
        np.arange(len(y)), train_size=N_TEACHER, stratify=y, random_state=seed
    )
    teacher = MLPClassifier((64,), max_iter=500, random_state=seed)
    teacher.fit(X_better[teacher_rows], y[teacher_rows])
    train, rest = train_test_split(rest, train_size=N_STUDENT, stratify=y[rest], random_state=seed)
    validation, test = train_test_split(
        rest, train_size=N_STUDENT, stratify=y[rest], random_state=seed
    )
    rows = np.concatenate([train, validation])
    teacher_proba = teacher.predict_proba(X_better[rows])
    return Data(X[rows], y[rows], teacher_proba, X[test], y[test])


def network(seed: int, **options: Any) -> DistilledNeuralClassifier:
    return DistilledNeuralClassifier(
        hidden_layer_sizes=(32,),
        optimizer="sgd",
        lr=0.2,
        batch_size=50,
        max_epochs=100,
        classes=range(10),
        random_state=seed,
        **options,
    )


def holdout() -> list[tuple[Any, Any]]:
    """Return one fold: the first rows for training, the others for validation."""
    return [(np.arange(N_STUDENT), np.arange(N_STUDENT, 2 * N_STUDENT))]


def fixed(student: Any, data: Data, cv: Any, seed: int) -> SearchResult:
    return SearchResult(0.5, 1.0, 0, 0)


def baseline(student: Any, data: Data, cv: Any, seed: int) -> SearchResult:
    return SearchResult(0.0, 1.0, 0, 0)


def grid(values: dict[str, Any]) -> Search:
    """Return a search with GridSearchCV over these values."""

    def search(student: Any, data: Data, cv: Any, seed: int) -> SearchResult:
        return search_result(GridSearchCV(student, values, **options(cv)).fit(**data.fit_params))

    return search


def random(n_trials: int) -> Search:
    """Return a search with RandomizedSearchCV."""

    def search(student: Any, data: Data, cv: Any, seed: int) -> SearchResult:
        randomized = RandomizedSearchCV(student, SPACE, n_iter=n_trials, **options(cv))
        return search_result(randomized.set_params(random_state=seed).fit(**data.fit_params))

    return search


def options(cv: Any) -> dict[str, Any]:
    return {"cv": cv, "scoring": "neg_log_loss", "refit": False}


def search_result(search: Any) -> SearchResult:
    """Return the result of a search of scikit-learn."""
    n_fits = len(search.cv_results_["params"]) * search.n_splits_
    return SearchResult(*(float(search.best_params_[name]) for name in NAMES), n_fits, 0)


def tpe(n_trials: int) -> Search:
    """Return a search with Optuna's default sampler."""

    def search(student: Any, data: Data, cv: Any, seed: int) -> SearchResult:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        space = {
            "imitation": optuna.distributions.FloatDistribution(0, 1),
            "temperature": optuna.distributions.FloatDistribution(0.1, 10, log=True),
        }
        params = {"teacher_proba": data.teacher_proba}
        objective = distillation_objective(
            student, data.X, data.y, space, cv=cv, scoring="neg_log_loss", params=params
        )
        sampler = optuna.samplers.TPESampler(seed=seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(objective, n_trials=n_trials)
        n_folds = cv if isinstance(cv, int) else len(cv)
        return SearchResult(*(study.best_params[name] for name in NAMES), n_trials * n_folds, 0)

    return search


def hypergradient_descent(student: Any, data: Data, cv: Any, seed: int) -> SearchResult:
    search = DistilledLogisticRegressionCV(NAMES, cv=cv, C=student.C, classes=student.classes)
    search.fit(**data.fit_params)
    differentiated = search.path_["projected_gradient"].notna()
    n_gradients = int(search.path_["n_folds"][differentiated].sum())
    return SearchResult(search.imitation_, search.temperature_, search.n_fits_, n_gradients)


def warm_grid(student: Any, data: Data, cv: Any, seed: int) -> SearchResult:
    search = DistilledLogisticRegressionCV(
        NAMES, cv=cv, C=student.C, classes=student.classes, method="grid", grid=LOGISTIC_GRID
    ).fit(**data.fit_params)
    return SearchResult(search.imitation_, search.temperature_, search.n_fits_, 0)


def trajectory(optimizer: Any) -> Search:
    """Return a training that updates λ and T along with the weights."""

    def search(student: Any, data: Data, cv: Any, seed: int) -> SearchResult:
        train, validation = cv[0]
        fitted = clone(student).set_params(metaparameter_optimizer=optimizer)
        fitted.fit(
            **data.first_rows(len(train)).fit_params,
            X_val=data.X[validation],
            y_val=data.y[validation],
        )
        n = int((fitted.metaparameter_history_["source"] == "computed").sum())
        return SearchResult(fitted.imitation_, fitted.temperature_, 0, n, fitted)

    return search


LOGISTIC_METHODS: dict[str, Search] = {
    "baseline (λ = 0)": baseline,
    "fixed λ = 0.5, T = 1": fixed,
    "grid of 10 × 10, `GridSearchCV`": grid(LOGISTIC_GRID),
    'the same, `method="grid"`': warm_grid,
    f"random, {N_LOGISTIC_TRIALS} settings": random(N_LOGISTIC_TRIALS),
    f"Optuna's TPE, {N_LOGISTIC_TRIALS} trials": tpe(N_LOGISTIC_TRIALS),
    "`DistilledLogisticRegressionCV`": hypergradient_descent,
}
NETWORK_METHODS: dict[str, Search] = {
    "baseline (λ = 0)": baseline,
    "fixed λ = 0.5, T = 1": fixed,
    "grid of 4 × 4": grid(NETWORK_GRID),
    f"random, {N_NETWORK_TRIALS} settings": random(N_NETWORK_TRIALS),
    f"Optuna's TPE, {N_NETWORK_TRIALS} trials": tpe(N_NETWORK_TRIALS),
    "`GreedyHypergradient(lr=1)`": trajectory(GreedyHypergradient(lr=1.0)),
    "`GreedyHypergradient(lr=1, update_every=8)`": trajectory(
        GreedyHypergradient(lr=1.0, update_every=8)
    ),
    "`LinearTrajectory(10, 10, lr=1)`": trajectory(LinearTrajectory(10, 10, lr=1.0)),
}
METHODS = {"logistic": LOGISTIC_METHODS, "network": NETWORK_METHODS}


def measure_row(kind: str, method: str, seed: int) -> dict[str, Any]:
    """Return a row of the CSV file: a search and the final training."""
    data = digits(seed)
    student = LOGISTIC if kind == "logistic" else network(seed)
    data, cv = (data.first_rows(N_STUDENT), N_FOLDS) if kind == "logistic" else (data, holdout())
    start = time.process_time()
    result = METHODS[kind][method](student, data, cv, seed)
    final = fit_final(student, data.first_rows(N_STUDENT), result)
    seconds = time.process_time() - start
    chosen = {name: getattr(result, name) for name in NAMES}
    return {
        "student": kind,
        "method": method,
        "seed": seed,
        **chosen,
        "fits": result.fits + 1,
        "hypergradients": result.hypergradients,
        "seconds": seconds,
        "validation_loss": validation_loss(final, data, cv),
        "test_loss": log_loss(data.y_test, final.predict_proba(data.X_test)),
        "versions": versions(),
    }


def fit_final(student: Any, data: Data, result: SearchResult) -> Any:
    """Return the student fitted at the values found."""
    if result.student is not None:
        return result.student
    values = {name: getattr(result, name) for name in NAMES}
    return clone(student).set_params(**values).fit(**data.fit_params)


def validation_loss(final: Any, data: Data, cv: Any) -> float:
    """Return the loss that the searches minimise, cross-validated with a smaller tolerance."""
    if isinstance(cv, int):
        exact = clone(final).set_params(tol=1e-7, max_iter=10_000)
        params = {"teacher_proba": data.teacher_proba}
        scores = cross_val_score(
            exact, data.X, data.y, cv=cv, scoring="neg_log_loss", params=params
        )
        return -float(scores.mean())
    rows = cv[0][1]
    return float(log_loss(data.y[rows], final.predict_proba(data.X[rows])))


FORMATS = {
    "fits": "{:.0f}",
    "hypergradients": "{:.0f}",
    "seconds": "{:.2f}",
    "validation_loss": "{:.4f}",
    "test_loss": "{:.3f}",
}
COLUMNS = {
    "logistic": ("fits", "gradients", "CPU seconds", "cross-validated loss", "test loss"),
    "network": ("trainings", "hypergradients", "CPU seconds", "validation loss", "test loss"),
}


def table(results: pd.DataFrame, kind: str) -> str:
    """Return a table of the page: means over seeds."""
    means = results[results["student"] == kind].groupby("method")[list(FORMATS)].mean()
    texts = means.loc[list(METHODS[kind])].apply(
        lambda column: column.map(FORMATS[column.name].format)
    )
    header = f"| method | {' | '.join(COLUMNS[kind])} |\n|---|" + "---:|" * len(FORMATS)
    rows = [f"| {' | '.join(row)} |" for row in texts.itertuples(name=None)]
    return "\n".join([header, *rows])


def part(results: pd.DataFrame) -> str:
    """Return the part of the page between the marks."""
    caption = (
        f"Means over {results['seed'].nunique()} splits of the digits into {N_TEACHER} rows for "
        f"the teacher, {N_STUDENT} for the student, as many to validate the network, and a test "
        f"set of the rest. Measured on one core of a shared machine with "
        f"{results['versions'].iloc[0]}."
    )
    logistic, net = (table(results, kind) for kind in METHODS)
    return (
        f"A logistic regression, {N_FOLDS} folds:\n\n{logistic}\n\n"
        f"A network with 32 hidden units, 400 steps in each training:\n\n{net}\n\n{caption}\n"
    )


def with_tables(page: str, results: pd.DataFrame) -> str:
    """Return the page with the tables between its marks."""
    return with_part(page, "benchmarks/which_search.py", part(results))


def run_benchmark() -> pd.DataFrame:
    """Measure each search with each seed."""
    rows = [(kind, method, seed) for kind in METHODS for method in METHODS[kind] for seed in SEEDS]
    with threadpool_limits(1):
        network(0).fit(**digits(0).fit_params)  # warm up imports
        return pd.DataFrame([measure_row(*row) for row in tqdm(rows, unit="row")])


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_tables)
