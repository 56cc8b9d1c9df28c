"""How often the check of a teacher's order warns: ``python -m benchmarks.implausible_teacher``.

Prints the shares of simulated fits that warn, of right teachers (false alarms), and of teachers
whose rows were shuffled, whose columns were exchanged, or, in regression, whose sign is reversed.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill._validation.plausible_prediction import check_plausible_prediction
from sklearn_distill._validation.plausible_teacher import check_plausible_teacher
from sklearn_distill.targets import Labels, Teachers

Numbers = NDArray[np.float64]
Simulated = tuple[NDArray[np.intp], NDArray[np.float64]]  # labels, and the teacher's probabilities

N_SIMULATIONS = 500
SPREADS = {"noise": 0.05, "weak": 0.5, "good": 2.0, "very good": 4.0}  # of the log-odds
EXPLAINED = (0.02, 0.3, 0.8, 0.98)  # shares of the variance of Gaussian labels, or of their scale
NOISES = ("Gaussian", "t with 2 degrees of freedom", "log-normal", "Poisson")
TEMPERATURES = (1 / 3, 1.0, 4.0)  # < 1: log-odds three times too large


def warns(y: NDArray[np.intp], proba: NDArray[np.float64]) -> bool:
    """Return whether the check warns."""
    n_classes = proba.shape[1]
    with np.errstate(divide="ignore"):
        teachers = Teachers(np.log(np.ascontiguousarray(proba.T))[None])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_plausible_teacher(np.arange(n_classes), Labels(y, n_classes), teachers, is_proba=True)
    return bool(caught)


def draw_labels(proba: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw a label of each row with these probabilities."""
    return np.asarray((rng.random((len(proba), 1)) > proba.cumsum(axis=1)[:, :-1]).sum(axis=1))


def two_classes(n: int, rate: float, spread: float, rng: np.random.Generator) -> Simulated:
    """Return right probabilities of a class with about this rate, and labels."""
    noise = spread * rng.normal(size=n)
    low, high = -30.0, 30.0
    for _ in range(40):  # the intercept that gives the rate
        middle = (low + high) / 2
        low, high = (middle, high) if expit(noise + middle).mean() < rate else (low, middle)
    proba = expit(np.column_stack([-noise - low, noise + low]))
    return draw_labels(proba, rng), proba


def many_classes(n: int, n_classes: int, spread: float, rng: np.random.Generator) -> Simulated:
    """Return right probabilities of classes the first of which is e² times as frequent."""
    decline = np.linspace(0, 2, n_classes)
    proba = softmax(spread * rng.normal(size=(n, n_classes)) - decline, axis=1)
    return draw_labels(proba, rng), proba


def forest(n: int, n_trees: int, noise: float, seed: int) -> Simulated:
    """Return a forest of full trees' probabilities for other rows, and their labels."""
    X, y = make_classification(n + 300, n_classes=2, flip_y=noise, random_state=seed)
    model = RandomForestClassifier(n_trees, random_state=seed).fit(X[:300], y[:300])
    return y[300:], np.asarray(model.predict_proba(X[300:]))


def settings() -> Iterator[tuple[str, str, int, float]]:
    """Yield the kind of labels, the teacher's quality, n, and the rate or the number of classes."""
    for n in (60, 300, 1000):
        for quality in SPREADS:
            for rate in (0.5, 0.1, 0.027, 0.005):
                yield f"2 classes, {rate:.1%}", quality, n, rate
            for n_classes in (3, 10, 100):
                yield f"{n_classes} classes", quality, n, float(n_classes)


def simulate(quality: str, n: int, size: float, seed: int) -> Simulated:
    """Return the labels and the right teacher of a setting."""
    rng, spread = np.random.default_rng(seed), SPREADS[quality]
    if size < 1:
        return two_classes(n, size, spread, rng)
    return many_classes(n, int(size), spread, rng)


def rates(quality: str, n: int, size: float, n_simulations: int) -> dict[str, float]:
    """Return the share of simulations that warn, by what was done to the teacher."""
    warned: dict[str, list[bool]] = {}
    for seed in range(n_simulations):
        y, proba = simulate(quality, n, size, seed)
        for T in TEMPERATURES:
            tempered = softmax(np.log(np.maximum(proba, 1e-300)) / T, axis=1)
            warned.setdefault(f"right, T={T:.2g}", []).append(warns(y, tempered))
        order = np.random.default_rng(seed).permutation(n)
        warned.setdefault("rows shuffled", []).append(warns(y, proba[order]))
        exchanged = proba.copy()
        exchanged[:, :2] = proba[:, [1, 0]]
        warned.setdefault("two columns exchanged", []).append(warns(y, exchanged))
    return {what: float(np.mean(alarms)) for what, alarms in warned.items()}


def warns_of_numbers(y: Numbers, prediction: Numbers) -> bool:
    """Return whether the check of a regressor's teacher warns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_plausible_prediction(y[:, None], prediction[:, None])
    return bool(caught)


def numbers(
    noise: str, n: int, explained: float, rng: np.random.Generator
) -> tuple[Numbers, Numbers]:
    """Return labels and their expectations."""
    signal = np.sqrt(explained) * rng.normal(size=n)
    scale = np.sqrt(1 - explained)
    if noise == "log-normal":
        return np.exp(2 * signal + 2 * scale * rng.normal(size=n)), np.exp(2 * (signal + scale**2))
    if noise == "Poisson":  # few counts above 0
        mean = 0.05 * np.exp(3 * signal)
        return rng.poisson(mean).astype(float), mean
    drawn = rng.normal(size=n) if noise == "Gaussian" else rng.standard_t(2, size=n)
    return signal + scale * drawn, signal


def rates_of_numbers(noise: str, n: int, explained: float, n_simulations: int) -> dict[str, float]:
    """Return the share of simulations of a regression that warn, by what the teacher is."""
    warned: dict[str, list[bool]] = {}
    for seed in range(n_simulations):
        rng = np.random.default_rng(seed)
        y, right = numbers(noise, n, explained, rng)
        teachers = {
            "right": right,
            "twice as large": 2 * right,
            "half noise": right + right.std() * rng.normal(size=n),
            "rows shuffled": rng.permutation(right),
            "sign reversed": -right,
        }
        for what, prediction in teachers.items():
            warned.setdefault(what, []).append(warns_of_numbers(y, prediction))
    return {what: float(np.mean(alarms)) for what, alarms in warned.items()}


def full_tree(n: int, explained: float, seed: int) -> tuple[Numbers, Numbers]:
    """Return a full tree's predictions for other rows, and their labels."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n + 300, 4))
    y = np.sqrt(explained) * X[:, 0] + np.sqrt(1 - explained) * rng.normal(size=n + 300)
    tree = DecisionTreeRegressor(random_state=seed).fit(X[:300], y[:300])
    return y[300:], np.asarray(tree.predict(X[300:]))


def regression(n_simulations: int) -> None:
    """Print the shares of each setting of a regression, and the false alarms of full trees."""
    for n in (60, 110, 200, 1000):
        for noise in NOISES:
            for explained in EXPLAINED:
                shares = rates_of_numbers(noise, n, explained, n_simulations)
                print(f"{noise} labels, R² {explained}, n={n}: {shares}", flush=True)
    for explained in (0.1, 0.3, 0.5, 0.8):
        for n in (110, 300, 1000):
            alarms = [
                warns_of_numbers(*full_tree(n, explained, seed)) for seed in range(n_simulations)
            ]
            print(f"full tree, R² of the best {explained}, n={n}: {np.mean(alarms):.3f}")


def main(n_simulations: int = N_SIMULATIONS) -> None:
    """Print the shares of each setting, and the false alarms of forests."""
    for labels, quality, n, size in settings():
        # with 100 classes each simulation takes some ten times as long
        shares = rates(quality, n, size, n_simulations // (10 if size == 100 else 1))
        print(f"{labels}, {quality}, n={n}: {shares}", flush=True)
    for n_trees in (1, 10, 100):
        for noise in (0.1, 0.4):
            alarms = [warns(*forest(300, n_trees, noise, seed)) for seed in range(n_simulations)]
            print(f"forest of {n_trees} trees, {noise:.0%} random labels: {np.mean(alarms):.3f}")
    regression(n_simulations)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
