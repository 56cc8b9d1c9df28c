"""The table of a leaderboard."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from sklearn_distill.inspection._entries import STUDENT_KINDS, Entry
from sklearn_distill.inspection._entry_fit import ComparisonData
from sklearn_distill.inspection._fold_runs import FoldRun
from sklearn_distill.inspection._fold_scores import SplitSizes, pareto
from sklearn_distill.inspection._scoring import Metric
from sklearn_distill.inspection.latency import COLUMNS as LATENCY
from sklearn_distill.inspection.latency import predict_latency
from sklearn_distill.inspection.size import count_parameters, student_size

COSTS = ("n_parameters", "n_bytes", *LATENCY)


def make_table(
    entries: list[Entry],
    scores: pd.DataFrame,
    runs: dict[tuple[int, str], FoldRun],
    costs: pd.DataFrame,
    metrics: list[Metric],
    best: str,
    sizes: SplitSizes,
) -> pd.DataFrame:
    """Return the table of a leaderboard, the best student first.

    Parameters
    ----------
    entries : list of Entry
        All rows, run or not.
    scores : DataFrame of shape (n_folds, n_metrics · n_run)
        By metric and name, on the folds that count.
    runs : dict of (int, str) to FoldRun
        All runs.
    costs : DataFrame
        Size and latency of each row that was run.
    metrics : list of Metric
        The first decides.
    best : str
        The best student.
    sizes : SplitSizes
        For the intervals.

    Returns
    -------
    DataFrame
        Students, controls, teacher and prior; columns as in :func:`compare_students`.
    """
    first = metrics[0]
    decisive = scores[first.name]
    kinds = {entry.name: entry.kind for entry in entries}
    rows = {}
    for entry in entries:
        if entry.name not in decisive:
            rows[entry.name] = {"kind": entry.kind, "n_folds": 0}
            continue
        own = decisive[entry.name]
        baseline = f"{entry.student}: baseline"
        has_baseline = entry.kind not in ("baseline", "prior", "teacher") and baseline in decisive
        unknown = pd.Series(math.nan, own.index)
        versus = decisive[baseline] if has_baseline else unknown
        leader = unknown if entry.name == best else decisive[best]
        interval = sizes.interval(own)
        rows[entry.name] = {
            "kind": entry.kind,
            **{metric.name: scores[metric.name][entry.name].mean() for metric in metrics},
            "low": interval.low,
            "high": interval.high,
            **_difference("vs_best", own - leader, sizes),
            **_difference("vs_baseline", own - versus, sizes),
            "fit_seconds": float(
                np.mean([run.seconds for (_, name), run in runs.items() if name == entry.name])
            ),
            "n_folds": len(own),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").join(costs)
    table["pareto"] = _frontier(table, first)
    return _in_order(table, kinds, first)


def _difference(name: str, values: pd.Series[float], sizes: SplitSizes) -> dict[str, float]:
    d = sizes.interval(values)
    return {name: d.value, f"{name}_low": d.low, f"{name}_high": d.high}


def _frontier(table: pd.DataFrame, metric: Metric) -> pd.Series[bool]:
    deployable = table[table["kind"].isin([*STUDENT_KINDS, "teacher"])]
    front = pareto(metric.direction * deployable[metric.name], deployable["latency_p50_us"])
    return front.reindex(table.index, fill_value=False)


def _in_order(table: pd.DataFrame, kinds: dict[str, str], metric: Metric) -> pd.DataFrame:
    place = {"teacher": 2, "prior": 3} | dict.fromkeys(STUDENT_KINDS, 0)
    order = pd.DataFrame(
        {
            "place": [place.get(kinds[str(name)], 1) for name in table.index],
            "loss": -metric.direction * table[metric.name],
        },
        table.index,
    )
    # stable: of equally good students the one that is chosen, the first, comes first
    return table.loc[order.sort_values(["place", "loss"], kind="stable").index]


def measure_costs(
    entries: list[Entry],
    runs: dict[tuple[int, str], FoldRun],
    data: ComparisonData,
    test: np.ndarray,
    *,
    n_repeats: int,
    n_threads: int,
) -> pd.DataFrame:
    """Return size and latency of what would be deployed, of the models of the first fold.

    Parameters
    ----------
    entries : list of Entry
        All rows of the leaderboard.
    runs : dict of (int, str) to FoldRun
        Those that were run; the first fold's have the model.
    data : ComparisonData
        All rows of X.
    test : ndarray of int
        Test rows of the first fold.
    n_repeats : int
        Number of timed predictions of a single row.
    n_threads : int
        Number of threads of BLAS and of OpenMP.

    Returns
    -------
    DataFrame
        A row for each that was run; NaN for the prior.
    """
    method = "predict_proba" if data.is_class else "predict"
    rows: dict[str, dict[str, Any]] = {}
    for entry in entries:
        run = runs.get((0, entry.name))
        if run is None:
            continue
        if entry.kind == "prior":
            rows[entry.name] = dict.fromkeys(COSTS, math.nan)
            continue
        size = {"n_parameters": count_parameters(run.model), "n_bytes": student_size(run.model)}
        X = data.features_of(entry, test)
        rows[entry.name] = size | predict_latency(
            run.model, X, method=method, n_repeats=n_repeats, n_threads=n_threads
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COSTS), dtype=np.float64)
