"""Neural students at their defaults: ``python -m benchmarks.neural_defaults``.

Against scikit-learn's networks, on labels alone (λ = 0), on tables whose features are standardised
and whose labels are as they come. Both are measured with one thread, on the same rows and in turn.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import gmean
from sklearn import datasets
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.neural import all_versions
from benchmarks.rows import Row
from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor
from sklearn_distill.datasets import (
    fetch_adult,
    fetch_covertype_sample,
    fetch_fashion_mnist,
    fetch_mnist,
    fetch_sentiment140,
)

CSV = Path(__file__).with_name("neural_defaults.csv")
SPLITS = {True: 3, False: 1}  # of tables with at most SMALL rows, and of larger ones
SMALL, N_ROWS, N_TEST = 1000, 4500, 1500

Array = NDArray[Any]
Table = Callable[[], tuple[Array, Array]]


def rows_of(fetch: Callable[..., Any], n_rows: int = N_ROWS, **options: Any) -> tuple[Array, Array]:
    """Return some rows of a data set, drawn at random."""
    X, y = fetch(return_X_y=True, **options)
    rows = np.random.default_rng(0).permutation(len(X))[:n_rows]
    return (X.iloc[rows] if hasattr(X, "iloc") else X[rows]), np.asarray(y)[rows]


def adult() -> tuple[Array, Array]:
    X, y = rows_of(fetch_adult)
    return pd.get_dummies(X).to_numpy(dtype=float), y


def tweets() -> tuple[Array, Array]:
    texts, y = rows_of(fetch_sentiment140)
    words = CountVectorizer(max_features=1000, binary=True).fit_transform(texts)
    return words.toarray().astype(np.float32), y


def column_of(make: Table, column: int) -> tuple[Array, Array]:
    """Return a regression: the column of a table by the others."""
    X, _ = make()
    return np.delete(X, column, axis=1), X[:, column].astype(float)


def of_sklearn(name: str, **options: Any) -> Table:
    return partial(getattr(datasets, name), **options)


COVERTYPE = partial(rows_of, fetch_covertype_sample)
CLASSES: dict[str, Table] = {
    "iris": of_sklearn("load_iris", return_X_y=True),
    "wine": of_sklearn("load_wine", return_X_y=True),
    "breast cancer": of_sklearn("load_breast_cancer", return_X_y=True),
    "digits": of_sklearn("load_digits", return_X_y=True),
    "covertype": COVERTYPE,
    "adult": adult,
    "MNIST": partial(rows_of, fetch_mnist),
    "Fashion-MNIST": partial(rows_of, fetch_fashion_mnist),
    "tweets, 1,000 words": tweets,
    "make_classification": of_sklearn(
        "make_classification",
        n_samples=900,
        n_informative=8,
        n_classes=3,
        flip_y=0.1,
        random_state=0,
    ),
    "make_hastie_10_2": of_sklearn("make_hastie_10_2", n_samples=3000, random_state=0),
}
NUMBERS: dict[str, Table] = {
    "diabetes": of_sklearn("load_diabetes", return_X_y=True),
    "friedman1": of_sklearn("make_friedman1", n_samples=600, noise=1.0, random_state=0),
    "friedman2": of_sklearn("make_friedman2", n_samples=900, noise=100.0, random_state=0),
    "make_regression": of_sklearn("make_regression", n_samples=400, n_features=20, random_state=0),
    "iris: petal width": partial(column_of, of_sklearn("load_iris", return_X_y=True), 3),
    "wine: proline": partial(column_of, of_sklearn("load_wine", return_X_y=True), 12),
    "breast cancer: mean area": partial(
        column_of, of_sklearn("load_breast_cancer", return_X_y=True), 3
    ),
    "digits: the digit": of_sklearn("load_digits", return_X_y=True),
    "covertype: elevation": partial(column_of, COVERTYPE, 0),
    "adult: age": partial(column_of, adult, 0),
}
PEERS = {
    "MLPClassifier": MLPClassifier,
    "MLPRegressor": MLPRegressor,
    "DistilledNeuralClassifier": partial(DistilledNeuralClassifier, imitation=0),
    "DistilledNeuralRegressor": partial(DistilledNeuralRegressor, imitation=0),
}
COLUMNS = ["kind", "table", "split", "model", "loss", "seconds"]


def measure() -> pd.DataFrame:
    """Return test loss and CPU seconds of each network, by table and split."""
    rows = []
    warm_up = standardised(*CLASSES["iris"](), "Classifier", 0)
    fit_and_score(PEERS["DistilledNeuralClassifier"](), *warm_up)  # imports
    for kind, tables in (("Classifier", CLASSES), ("Regressor", NUMBERS)):
        for table, make in tqdm(tables.items(), unit="table"):
            X, y = make()
            for split in range(SPLITS[len(X) <= SMALL]):
                data = standardised(X, y, kind, split)
                for model in (f"MLP{kind}", f"DistilledNeural{kind}"):
                    student = PEERS[model](random_state=split)
                    rows.append((kind, table, split, model, *fit_and_score(student, *data)))
    return pd.DataFrame(rows, columns=COLUMNS).assign(versions=all_versions())


def standardised(X: Array, y: Array, kind: str, split: int) -> tuple[Array, Array, Array, Array]:
    """Return training and test rows; the features have mean 0 and variance 1."""
    X_train, X_test, y_train, y_test = train_test_split(
        X,
        y,
        test_size=min(len(X) // 3, N_TEST),
        random_state=split,
        stratify=y if kind == "Classifier" else None,
    )
    scaler = StandardScaler().fit(X_train)
    X_train, X_test = (scaler.transform(rows).astype(np.float32) for rows in (X_train, X_test))
    return X_train, X_test, y_train, y_test


def fit_and_score(
    student: Any, X: Array, X_test: Array, y: Array, y_test: Array
) -> tuple[float, float]:
    """Return the test loss, log loss or RMSE in standard deviations, and seconds of the fit."""
    start = time.process_time()
    with warnings.catch_warnings():  # of MLPClassifier's 200 passes
        warnings.simplefilter("ignore", ConvergenceWarning)
        student.fit(X, y)
    seconds = time.process_time() - start
    if is_classifier(student):
        return log_loss(y_test, student.predict_proba(X_test)), seconds
    return root_mean_squared_error(y_test, student.predict(X_test)) / np.std(y_test), seconds


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    yield "## Neural students at their defaults\n"
    yield (
        "`python -m benchmarks.neural_defaults`: students without a teacher (λ = 0) and "
        "scikit-learn's networks, both at their defaults, on standardised features and labels as "
        f"they come. At most {N_ROWS - N_TEST:,} training rows; the mean of {SPLITS[True]} splits "
        f"of tables with at most {SMALL:,} rows, else one split. Times of each table stand among "
        f"the [neural](#neural) rows. Measured with {results['versions'].iloc[0]}.\n"
    )
    for kind, loss in (
        ("Classifier", "log loss"),
        ("Regressor", "RMSE in standard deviations of y"),
    ):
        yield from _table(results[results["kind"] == kind], kind, loss)


def _table(results: pd.DataFrame, kind: str, loss: str) -> Iterator[str]:
    models = [f"DistilledNeural{kind}", f"MLP{kind}"]
    means = results.groupby(["table", "model"], sort=False)[["loss", "seconds"]].mean().unstack()
    losses, seconds = means["loss"][models], means["seconds"][models]
    ranks = losses.rank(axis=1).mean()
    yield f"| table, {loss} | {models[0]} | {models[1]} |"
    yield "|---|---:|---:|"
    for table in losses.index:
        cells = [f"{value:.3f}" for value in losses.loc[table]]
        best = int(losses.loc[table].to_numpy().argmin())
        cells[best] = f"**{cells[best]}**"
        yield f"| {table} | {' | '.join(cells)} |"
    yield f"| mean rank | {' | '.join(f'{rank:.2f}' for rank in ranks)} |"
    ours, theirs = seconds.sum()
    ratio = gmean(seconds[models[0]] / seconds[models[1]])
    yield (
        f"\nSeconds of all tables: {ours:.1f}, those of {models[1]} {theirs:.1f}; the geometric "
        f"mean of the ratios of times is {ratio:.2f}.\n"
    )


def rows(results: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of the tables by region."""
    for (kind, name), part in results.groupby(["kind", "table"], sort=False):
        times = part.pivot(index="split", columns="model", values="seconds")
        ours, peer = times[f"DistilledNeural{kind}"], f"MLP{kind}"
        yield Row("neural", f"{name}, at the defaults", ours.mean(), peer, times[peer] / ours)


if __name__ == "__main__":
    torch.set_num_threads(1)
    with threadpool_limits(1):
        measure().to_csv(CSV, index=False, float_format="%.6g")
