"""How often the check of a teacher's order warns: ``python -m benchmarks.implausible_teacher``.

The shares of simulated fits that warn, of right teachers (false alarms), and of teachers whose rows
were shuffled, whose columns were exchanged, or, in regression, whose sign is reversed. With
``--page-only`` the user guide is written from the CSV file.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor

from benchmarks.record import measured, with_part, write_guide
from sklearn_distill._validation.plausible_prediction import check_plausible_prediction
from sklearn_distill._validation.plausible_teacher import check_plausible_teacher
from sklearn_distill.targets import Labels, Teachers

Numbers = NDArray[np.float64]
Simulated = tuple[NDArray[np.intp], NDArray[np.float64]]  # labels, and the teacher's probabilities

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "soft_labels.md"
N_SIMULATIONS = 500
SPREADS = {"noise": 0.05, "weak": 0.5, "good": 2.0, "very good": 4.0}  # of the log-odds
EXPLAINED = (0.02, 0.3, 0.8, 0.98)  # shares of the variance of Gaussian labels, or of their scale
NOISES = ("Gaussian", "t with 2 degrees of freedom", "log-normal", "Poisson")
TEMPERATURES = (1 / 3, 1.0, 4.0)  # < 1: log-odds three times too large
CLASSES, FOREST, NUMBERS, TREE = "classes", "forest", "numbers", "full tree"
RIGHT = "teacher.str.startswith('right')"
# the lines of the guide's tables, and which rows of the CSV file they show
OF_CLASSES = {
    "right, log-odds as they are, three times too large or four times too small": (
        f"kind == '{CLASSES}' and {RIGHT}"
    ),
    "rows shuffled, good or very good, two balanced classes, 300 samples": (
        f"kind == '{CLASSES}' and teacher == 'rows shuffled' and n == 300 and size == 0.5"
        " and quality in ('good', 'very good')"
    ),
    "columns exchanged, good or very good, two balanced classes, 300 samples": (
        f"kind == '{CLASSES}' and teacher == 'two columns exchanged' and n == 300 and size == 0.5"
        " and quality in ('good', 'very good')"
    ),
    "rows shuffled, a class with 0.5 % of 1,000 samples": (
        f"kind == '{CLASSES}' and teacher == 'rows shuffled' and n == 1000 and size == 0.005"
    ),
    "a full tree, 10 % of its labels random": (
        f"kind == '{FOREST}' and size == 1 and random_labels == 0.1"
    ),
    "a full tree, 40 % of its labels random": (
        f"kind == '{FOREST}' and size == 1 and random_labels == 0.4"
    ),
    "10 or 100 full trees": f"kind == '{FOREST}' and size > 1",
}
OF_NUMBERS = {
    "right": f"kind == '{NUMBERS}' and {RIGHT}",
    "right, but twice as large": f"kind == '{NUMBERS}' and teacher == 'twice as large'",
    "right + as much noise, Gaussian labels": (
        f"kind == '{NUMBERS}' and teacher == 'half noise' and noise == 'Gaussian'"
    ),
    "right + as much noise, other labels": (
        f"kind == '{NUMBERS}' and teacher == 'half noise' and noise != 'Gaussian'"
    ),
    "rows shuffled, 60 samples": f"kind == '{NUMBERS}' and teacher == 'rows shuffled' and n == 60",
    "rows shuffled, 200 samples, the best prediction explains 80 % of Gaussian labels": (
        f"kind == '{NUMBERS}' and teacher == 'rows shuffled' and n == 200 and explained == 0.8"
        " and noise == 'Gaussian'"
    ),
    "rows shuffled, 1,000 samples, the best prediction explains 80 %": (
        f"kind == '{NUMBERS}' and teacher == 'rows shuffled' and n == 1000 and explained == 0.8"
    ),
    "sign reversed, 1,000 samples, the best prediction explains 80 %": (
        f"kind == '{NUMBERS}' and teacher == 'sign reversed' and n == 1000 and explained == 0.8"
    ),
    "a full tree, where the best prediction explains 10 %": (
        f"kind == '{TREE}' and explained == 0.1"
    ),
    "a full tree, where it explains 30 %": f"kind == '{TREE}' and explained == 0.3",
    "a full tree, where it explains 50 % or 80 %": f"kind == '{TREE}' and explained > 0.4",
}


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


def settings() -> Iterator[tuple[str, int, float]]:
    """Yield the teacher's quality, n, and the rate of a class or the number of classes."""
    for n in (60, 300, 1000):
        for quality in SPREADS:
            for size in (0.5, 0.1, 0.027, 0.005, 3, 10, 100):
                yield quality, n, size


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


def measure(kind: str, *setting: Any) -> Iterator[dict[str, Any]]:
    """Yield the shares of a setting, a row for each thing that was done to the teacher."""
    n_simulations = N_SIMULATIONS
    if kind == CLASSES:
        quality, n, size = setting
        # with 100 classes each simulation takes some ten times as long
        n_simulations //= 10 if size == 100 else 1
        about: dict[str, Any] = {"quality": quality, "n": n, "size": size}
        shares = rates(*setting, n_simulations)
    elif kind == NUMBERS:
        noise, n, explained = setting
        about = {"noise": noise, "n": n, "explained": explained}
        shares = rates_of_numbers(*setting, n_simulations)
    elif kind == FOREST:
        n_trees, random_labels = setting
        about = {"n": 300, "size": n_trees, "random_labels": random_labels}
        shares = {"right": _share(warns(*forest(300, *setting, i)) for i in range(n_simulations))}
    else:
        explained, n = setting
        about = {"n": n, "explained": explained}
        alarms = (warns_of_numbers(*full_tree(n, explained, i)) for i in range(n_simulations))
        shares = {"right": _share(alarms)}
    for what, share in shares.items():
        yield {"kind": kind} | about | {"teacher": what, "share": share, "fits": n_simulations}


def _share(alarms: Iterator[bool]) -> float:
    return float(np.mean(list(alarms)))


def run_benchmark() -> pd.DataFrame:
    """Return the rows of the CSV file."""
    tasks: list[tuple[Any, ...]] = [(CLASSES, *setting) for setting in settings()]
    tasks += [(FOREST, n_trees, noise) for n_trees in (1, 10, 100) for noise in (0.1, 0.4)]
    tasks += [
        (NUMBERS, noise, n, explained)
        for n in (60, 110, 200, 1000)
        for noise in NOISES
        for explained in EXPLAINED
    ]
    tasks += [(TREE, explained, n) for explained in (0.1, 0.3, 0.5, 0.8) for n in (110, 300, 1000)]
    return measured(measure, tasks)


def part(results: pd.DataFrame, wanted: dict[str, str]) -> str:
    """Return a table of the guide: the range of the shares of the settings of each line."""
    lines = ["| Teacher | Reported |", "|---|---|"]
    for name, query in wanted.items():
        share = 100 * results.query(query, engine="python")["share"]
        low, high = f"{share.min():.1f}", f"{share.max():.1f}"
        lines.append(f"| {name} | {high if low == high else f'{low} to {high}'} % |")
    return "\n".join(lines)


def with_tables(page: str, results: pd.DataFrame) -> str:
    """Return the page with the tables between their marks."""
    for suffix, wanted in ((": classes", OF_CLASSES), (": numbers", OF_NUMBERS)):
        script = f"benchmarks/implausible_teacher.py{suffix}"
        page = with_part(page, script, part(results, wanted))
    return page


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_tables)
