"""The linear students on data of several sizes: the rows of ``results.json``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks import least_squares, logistic
from benchmarks.measure import Case
from benchmarks.rows import Bound, Row, reason_of, region_of, with_unit

CASES = {**logistic.CASES, **least_squares.CASES}
# why a target is missed, by the beginning of the problem's name; only what profiling has shown
REASONS = {
    "1,000 × 10": (
        "a third of the few milliseconds is spent on validating the arguments; at this size the "
        "rest is Python calls rather than arithmetic, and scipy needs few evaluations."
    ),
    "1,000,000 × 20, K = 2, gradient": (
        "two thirds of the time is spent in the solver, with about four passes over all rows, "
        "and a third on reading the labels, the teacher's predictions and X. scipy needs fewer "
        "evaluations at this correlation than the target assumed. Memory: a row of X takes 160 "
        "bytes, and its label, weight, teacher's logits and target take about 80 while the "
        "targets are computed."
    ),
    "500 × 2,000": (
        "five to seven matrices of 500 × 500 (the Gram matrix of the rows, its eigenvectors, a "
        "factor of the Hessian) are larger than X."
    ),
    "500 × 5,000, K = 5": (
        "beside matrices of 500 × 500, as for two classes, there is a block of the Hessian for "
        "each class."
    ),
    "100,000 × 100": (
        "the peak is the factor of the Hessian: a copy of the rows of which it is made, its tiles, "
        "and a few matrices of 505 × 505."
    ),
    "regression 1,000,000 × 50": (
        "two fifths of the time is the Gram matrix, three tenths the centred copy of each tile, "
        "and an eighth the check of X for finite values."
    ),
    "regression 100,000 × 500": (
        "nearly all of the time is the Gram matrix itself; the rest is scikit-learn's check for "
        "finite values and the solves for λ and the variances."
    ),
}


def cases(names: Iterable[str] = CASES) -> Iterator[Case]:
    """Yield the comparisons of these names, one at a time because the data is large."""
    return (CASES[name](name) for name in names)


def rows(results: Iterable[dict[str, Any]]) -> Iterator[Row]:
    """Yield a row for each competitor in the measured cases; limits are beside the first."""
    for case in results:
        problem, seconds = case["case"], case["seconds"]
        limit = Bound(
            [case["passes"]["median"]],
            f"{with_unit(seconds['limit']['median'])} of bare products",
            case["passes_target"],
        )
        memory = Bound([case["memory"]], f"{case['megabytes']:.3g} MB of X", case["memory_target"])
        for place, (peer, ratio) in enumerate(case["ratios"].items()):
            yield Row(
                region_of(problem),
                problem,
                seconds["ours"]["median"],
                peer + (" *" if peer in case["extrapolated"] else ""),
                [ratio[name] for name in ("min", "median", "max")],
                case["targets"].get(peer),
                None if place else limit,
                None if place else memory,
                reason_of(problem, REASONS),
            )
