"""Cost and result of each search for λ and T: ``python -m benchmarks.which_search``.

Two students on digits: a cross-validated logistic regression, and a network with a validation set.
Writes the CSV file and, from it, the tables of the user guide; ``--page-only`` leaves the CSV file
unchanged. The searches were not tuned to the data.
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
    """Digits of 4×4 pixels: training samples, then validation samples, and a test set."""

    X: Any
    y: Any
    teacher_proba: Any
    X_test: Any
    y_test: Any

    def head(self, n: int) -> Data:
        """Return the first n samples, with the whole test set."""
        return self._replace(X=self.X[:n], y=self.y[:n], teacher_proba=self.teacher_proba[:n])

    @property
    def fit_params(self) -> dict[str, Any]:
        """The arguments of fit."""
        return {"X": self.X, "y": self.y, "teacher_proba": self.teacher_proba}


class Found(NamedTuple):
    """The result of a search, with its numbers of fits to training samples and of gradients."""

    imitation: float
    temperature: float
    fits: int
    hypergradients: int
    student: Any = None  # if the search is the training itself


Search = Callable[[Any, Data, Any, int], Found]


@cache
def digits(seed: int) -> Data:
    """Return samples with the predictions of a teacher fitted on others, at 8×8 pixels."""
    data = load_digits_privileged()
    X, X_privileged, y = data.data / 16, data.privileged / 16, data.target
    of_teacher, rest = train_test_split(
        np.arange(len(y)), train_size=N_TEACHER, stratify=y, random_state=seed
    )
    teacher = MLPClassifier((64,), max_iter=500, random_state=seed)
    teacher.fit(X_privileged[of_teacher], y[of_teacher])
    train, rest = train_test_split(rest, train_size=N_STUDENT, stratify=y[rest], random_state=seed)
    validation, test = train_test_split(
        rest, train_size=N_STUDENT, stratify=y[rest], random_state=seed
    )
    rows = np.concatenate([train, validation])
    teacher_proba = teacher.predict_proba(X_privileged[rows])
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
    """Return one split: the first samples for training, the others for validation."""
    return [(np.arange(N_STUDENT), np.arange(N_STUDENT, 2 * N_STUDENT))]


def fixed(student: Any, data: Data, cv: Any, seed: int) -> Found:
    return Found(0.5, 1.0, 0, 0)


def baseline(student: Any, data: Data, cv: Any, seed: int) -> Found:
    return Found(0.0, 1.0, 0, 0)


def grid(values: dict[str, Any]) -> Search:
    """Return a grid search over these values."""

    def search(student: Any, data: Data, cv: Any, seed: int) -> Found:
        return tried(GridSearchCV(student, values, **options(cv)).fit(**data.fit_params))

    return search


def random(n_trials: int) -> Search:
    """Return a randomized search."""

    def search(student: Any, data: Data, cv: Any, seed: int) -> Found:
        settings = RandomizedSearchCV(student, SPACE, n_iter=n_trials, **options(cv))
        return tried(settings.set_params(random_state=seed).fit(**data.fit_params))

    return search


def options(cv: Any) -> dict[str, Any]:
    return {"cv": cv, "scoring": "neg_log_loss", "refit": False}


def tried(search: Any) -> Found:
    """Return the result of a scikit-learn search."""
    n_fits = len(search.cv_results_["params"]) * search.n_splits_
    return Found(*(float(search.best_params_[name]) for name in NAMES), n_fits, 0)


def tpe(n_trials: int) -> Search:
    """Return an Optuna study with the default sampler."""

    def search(student: Any, data: Data, cv: Any, seed: int) -> Found:
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
        return Found(*(study.best_params[name] for name in NAMES), n_trials * n_folds, 0)

    return search


def implicit(student: Any, data: Data, cv: Any, seed: int) -> Found:
    search = DistilledLogisticRegressionCV(NAMES, cv=cv, C=student.C, classes=student.classes)
    search.fit(**data.fit_params)
    differentiated = search.path_["projected_gradient"].notna()
    n_gradients = int(search.path_["n_folds"][differentiated].sum())
    return Found(search.imitation_, search.temperature_, search.n_fits_, n_gradients)


def warm_grid(student: Any, data: Data, cv: Any, seed: int) -> Found:
    search = DistilledLogisticRegressionCV(
        NAMES, cv=cv, C=student.C, classes=student.classes, method="grid", grid=LOGISTIC_GRID
    ).fit(**data.fit_params)
    return Found(search.imitation_, search.temperature_, search.n_fits_, 0)


def moving(optimizer: Any) -> Search:
    """Return a training that updates λ and T."""

    def search(student: Any, data: Data, cv: Any, seed: int) -> Found:
        train, validation = cv[0]
        moved = clone(student).set_params(metaparameter_optimizer=optimizer)
        moved.fit(
            **data.head(len(train)).fit_params, X_val=data.X[validation], y_val=data.y[validation]
        )
        n = int((moved.metaparameter_history_["source"] == "computed").sum())
        return Found(moved.imitation_, moved.temperature_, 0, n, moved)

    return search


LOGISTIC_WAYS: dict[str, Search] = {
    "baseline (labels only)": baseline,
    "fixed λ = 0.5, T = 1": fixed,
    "grid of 10 × 10, `GridSearchCV`": grid(LOGISTIC_GRID),
    'the same, `method="grid"`': warm_grid,
    f"random, {N_LOGISTIC_TRIALS} settings": random(N_LOGISTIC_TRIALS),
    f"Optuna's TPE, {N_LOGISTIC_TRIALS} trials": tpe(N_LOGISTIC_TRIALS),
    "`DistilledLogisticRegressionCV`": implicit,
}
NETWORK_WAYS: dict[str, Search] = {
    "baseline (labels only)": baseline,
    "fixed λ = 0.5, T = 1": fixed,
    "grid of 4 × 4": grid(NETWORK_GRID),
    f"random, {N_NETWORK_TRIALS} settings": random(N_NETWORK_TRIALS),
    f"Optuna's TPE, {N_NETWORK_TRIALS} trials": tpe(N_NETWORK_TRIALS),
    "`GreedyHypergradient(lr=1)`": moving(GreedyHypergradient(lr=1.0)),
    "`GreedyHypergradient(lr=1, update_every=8)`": moving(
        GreedyHypergradient(lr=1.0, update_every=8)
    ),
    "`LinearTrajectory(10, 10, lr=1)`": moving(LinearTrajectory(10, 10, lr=1.0)),
}
WAYS = {"logistic": LOGISTIC_WAYS, "network": NETWORK_WAYS}


def measured(kind: str, way: str, seed: int) -> dict[str, Any]:
    """Return a row of the CSV file: a search and the training that follows it."""
    data = digits(seed)
    student = LOGISTIC if kind == "logistic" else network(seed)
    data, cv = (data.head(N_STUDENT), N_FOLDS) if kind == "logistic" else (data, holdout())
    start = time.process_time()
    found = WAYS[kind][way](student, data, cv, seed)
    final = trained(student, data.head(N_STUDENT), found)
    seconds = time.process_time() - start
    chosen = {name: getattr(found, name) for name in NAMES}
    return {
        "student": kind,
        "way": way,
        "seed": seed,
        **chosen,
        "fits": found.fits + 1,
        "hypergradients": found.hypergradients,
        "seconds": seconds,
        "validation_loss": validation_loss(final, data, cv),
        "test_loss": log_loss(data.y_test, final.predict_proba(data.X_test)),
        "versions": versions(),
    }


def trained(student: Any, data: Data, found: Found) -> Any:
    """Return the student fitted with the values found."""
    if found.student is not None:
        return found.student
    values = {name: getattr(found, name) for name in NAMES}
    return clone(student).set_params(**values).fit(**data.fit_params)


def validation_loss(final: Any, data: Data, cv: Any) -> float:
    """Return the loss that the searches minimise; a cross-validated one to a finer tolerance."""
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
HEADS = {
    "logistic": ("fits", "gradients", "CPU seconds", "cross-validated loss", "test loss"),
    "network": ("trainings", "hypergradients", "CPU seconds", "validation loss", "test loss"),
}


def table(results: pd.DataFrame, kind: str) -> str:
    """Return one of the tables of the page: means over seeds."""
    means = results[results["student"] == kind].groupby("way")[list(FORMATS)].mean()
    texts = means.loc[list(WAYS[kind])].apply(
        lambda column: column.map(FORMATS[column.name].format)
    )
    head = f"| method | {' | '.join(HEADS[kind])} |\n|---|" + "---:|" * len(FORMATS)
    rows = [f"| {' | '.join(row)} |" for row in texts.itertuples(name=None)]
    return "\n".join([head, *rows])


def part(results: pd.DataFrame) -> str:
    """Return the part of the page between the marks."""
    caption = (
        f"Means over {results['seed'].nunique()} splits of the digits into {N_TEACHER} samples for "
        f"the teacher, {N_STUDENT} for the student (and {N_STUDENT} for validating the network), "
        "and the rest for testing, on one core of a shared machine with "
        f"{results['versions'].iloc[0]}."
    )
    logistic, net = (table(results, kind) for kind in WAYS)
    return (
        f"A logistic regression, {N_FOLDS} folds:\n\n{logistic}\n\n"
        f"A network with 32 hidden units, 400 steps per training:\n\n{net}\n\n{caption}\n"
    )


def with_tables(page: str, results: pd.DataFrame) -> str:
    """Return the page with the tables between its marks."""
    return with_part(page, "benchmarks/which_search.py", part(results))


def every_row() -> pd.DataFrame:
    """Return the cost and the result of each method, for each seed."""
    rows = [(kind, way, seed) for kind in WAYS for way in WAYS[kind] for seed in SEEDS]
    with threadpool_limits(1):
        network(0).fit(**digits(0).fit_params)  # so that imports are not measured
        return pd.DataFrame([measured(*row) for row in tqdm(rows, unit="row")])


def main() -> None:
    write_guide(__doc__, CSV, PAGE, every_row, with_tables)


if __name__ == "__main__":
    main()
