"""Run all rows of a leaderboard in all folds: in parallel, resumable, within a time limit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import time
from typing import Any

from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from sklearn_distill._validation.splits import Splits
from sklearn_distill.inspection._entries import Entry, Setting
from sklearn_distill.inspection._entry_fit import (
    ComparisonData,
    FitOptions,
    fit_entry,
    predict_entry,
)
from sklearn_distill.inspection._report_models import Model


@dataclass(frozen=True, eq=False)
class FoldRun:
    """What is left of a row of the leaderboard that was fitted in a fold.

    Parameters
    ----------
    predicted : ModelProba or ModelNumbers
        Predictions of the fold's test rows, without the model.
    seconds : float
        Time to fit it.
    setting : dict
        The setting that the search chose.
    model : estimator or None
        The fitted model, of the first fold only: its size and latency are measured.
    """

    predicted: Model
    seconds: float
    setting: Setting
    model: Any = None


@dataclass(frozen=True, eq=False)
class Caches:
    """Where fits are cached.

    Parameters
    ----------
    teachers : joblib.Memory
        Teachers and their predictions.
    runs : joblib.Memory
        Whole runs; without a location nothing is cached.
    """

    teachers: Any
    runs: Any


def run_folds(
    entries: list[Entry],
    data: ComparisonData,
    splits: Splits,
    options: FitOptions,
    caches: Caches,
    *,
    n_jobs: int | None,
    verbose: int,
    time_limit: float | None,
) -> dict[tuple[int, str], FoldRun]:
    """Fit every row of the leaderboard in every fold, fold by fold.

    Parameters
    ----------
    entries : list of Entry
        The rows of the leaderboard.
    data : ComparisonData
        All rows of X.
    splits : list of (ndarray of int, ndarray of int)
        Training and test rows of each fold.
    options : FitOptions
        Teacher, inner folds and seed.
    caches : Caches
        Where fits are cached.
    n_jobs : int or None
        Number of parallel jobs.
    verbose : int
        Whether a progress bar is shown.
    time_limit : float or None
        Seconds after which no fit is started.

    Returns
    -------
    dict of (int, str) to FoldRun
        By number of the fold and name of the row; those that were not run are missing.
    """
    deadline = None if time_limit is None else time() + time_limit
    jobs = [(k, entry) for k in range(len(splits)) for entry in entries]
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    results: Iterator[FoldRun | None] = parallel(
        delayed(_run_in_time)(entry, data, splits[k], options, caches, deadline, keep_model=k == 0)
        for k, entry in jobs
    )
    with tqdm(results, "students", len(jobs), unit="fit", disable=not verbose) as bar:
        runs = dict(zip([(k, entry.name) for k, entry in jobs], bar, strict=True))
    return {key: run for key, run in runs.items() if run is not None}


def _run_in_time(
    entry: Entry,
    data: ComparisonData,
    split: tuple[Any, Any],
    options: FitOptions,
    caches: Caches,
    deadline: float | None,
    *,
    keep_model: bool,
) -> FoldRun | None:
    cached = caches.runs.cache(_run, ignore=["teachers"])
    args = (entry, data, split, options, caches.teachers, keep_model)
    # what was run before takes no time
    late = deadline is not None and time() > deadline
    if late and not cached.check_call_in_cache(*args):
        return None
    with warnings.catch_warnings():
        # joblib's advice for functions that could be called with less: ours could not
        warnings.filterwarnings("ignore", "Persisting input arguments", UserWarning)
        run: FoldRun = cached(*args)
    return run


def _run(
    entry: Entry,
    data: ComparisonData,
    split: tuple[Any, Any],
    options: FitOptions,
    teachers: Any,
    keep_model: bool,
) -> FoldRun:
    train, test = split
    fit = fit_entry(entry, data, train, options, teachers)
    predicted = replace(predict_entry(entry, fit.model, data, test), model=None)
    return FoldRun(predicted, fit.seconds, fit.setting, fit.model if keep_model else None)
