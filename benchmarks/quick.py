"""A quick look at all regions, which writes nothing: ``make bench-quick``.

One round of small and medium cases with one thread; each ratio stands beside that of the page.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import torch

from benchmarks import (
    boosting_cost,
    greedy,
    linear_search,
    neural_speed,
    passes,
    peer_fits,
    search,
    search_for_c,
    small_fits,
    students,
)
from benchmarks.__main__ import RESULTS
from benchmarks.measure import measure
from benchmarks.page import all_rows
from benchmarks.rows import Row

STUDENTS = (
    "1,000 × 10, K = 3",
    "100,000 × 100, K = 5",
    "1,000,000 × 20, K = 2, independent features",
    "sparse text 20,000 × 50,000, K = 2",
    "regression 100,000 × 500",
)
# what the names of a part's cases have in common
PARTS: tuple[tuple[ModuleType, str], ...] = (
    (small_fits, ""),
    (passes, ""),
    (peer_fits, "regression"),
    (peer_fits, "3,000 × 128"),
    (peer_fits, "40,000 × 100"),
    (peer_fits, "sparse"),
    (linear_search, "500 × 1,500"),
    (search, "digits"),
    (search_for_c, ""),
    (boosting_cost, "K = 2"),
    (neural_speed, ""),
    (greedy, "Adam"),
)


def measured() -> Iterator[Row]:
    """Yield the rows of one round, as they are measured."""
    for case in students.cases(STUDENTS):
        yield from students.rows([measure(replace(case, repeats=1))])
    for part, wanted in PARTS:
        yield from part.rows(part.run_benchmark(n_rounds=1, wanted=wanted))


def key(row: Row) -> tuple[str, str]:
    """Return problem and competitor, without what was found about it."""
    return row.problem, row.peer.partition(" (")[0]


def main() -> None:
    """Print each row beside that of the page."""
    torch.set_num_threads(1)
    known = {key(row): row for row in all_rows(json.loads(RESULTS.read_text()))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # loose tolerances, and solvers that rounding stops
        for row in measured():
            page = known.get(key(row))
            other = "not on the page" if page is None else f"page {page.figure:.3g}"
            what = row.peer or f"in multiples of {row.limit and row.limit.unit}"
            print(f"{row.figure:8.3g} ({other})  {row.region}: {row.problem}, {what}", flush=True)


if __name__ == "__main__":
    main()
