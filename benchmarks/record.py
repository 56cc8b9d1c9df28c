"""Library versions, and the parts of a page that a script writes."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from threadpoolctl import threadpool_limits
from tqdm import tqdm


def versions() -> str:
    """Return the versions that the figures depend on."""
    python = platform.python_version()
    return f"Python {python}, numpy {np.__version__}, scikit-learn {sklearn.__version__}"


def measured(
    measure: Callable[..., Iterable[dict[str, Any]]], tasks: Sequence[tuple[Any, ...]]
) -> pd.DataFrame:
    """Return the rows of all tasks, measured with one thread.

    Parameters
    ----------
    measure : callable
        ``measure(*task)`` returns rows.
    tasks : sequence of tuple
        Arguments of each call.
    """
    with threadpool_limits(1):
        return pd.DataFrame([row for task in tqdm(tasks, unit="split") for row in measure(*task)])


def with_part(page: str, script: str, part: str) -> str:
    """Replace the part of a page between the marks of a script.

    Parameters
    ----------
    page : str
        The text of the page, with the marks.
    script : str
        Name of the script, as in the first mark.
    part : str
        The new text between the marks.

    Raises
    ------
    ValueError
        If a mark is missing.
    """
    begin, end = f"<!-- written by {script} -->\n", "<!-- end -->"
    before, found, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(
            f"the page lacks the marks {begin!r} … {end!r}, between which {script} writes"
        )
    return f"{before}{begin}\n{part}\n{end}{after}"


def write_guide(
    about: str | None,
    csv: Path,
    page: Path,
    run_benchmark: Callable[[], pd.DataFrame],
    with_results: Callable[[str, pd.DataFrame], str],
) -> None:
    """Run a benchmark, write its CSV file, and write the page from that file.

    With ``--page-only`` on the command line the benchmark is not run.

    Parameters
    ----------
    about : str or None
        Description of the script for ``--help``.
    csv, page : Path
        File of the results, and the page of the user guide that shows them.
    run_benchmark : callable
        Returns the results.
    with_results : callable
        ``with_results(page, results)`` returns the page with these results.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{csv.stem}", description=about)
    parser.add_argument("--page-only", action="store_true", help="write the page from the CSV")
    if not parser.parse_args().page_only:
        run_benchmark().to_csv(csv, index=False, float_format="%.6g")
    page.write_text(with_results(page.read_text("utf-8"), pd.read_csv(csv)), "utf-8")


def write_rounds(
    about: str | None, csv: Path, run_benchmark: Callable[[int], pd.DataFrame], n_rounds: int
) -> None:
    """Run a benchmark for as many rounds as the command line says, and write its CSV file.

    Parameters
    ----------
    about : str or None
        Description of the script for ``--help``.
    csv : Path
        File of the results.
    run_benchmark : callable
        ``run_benchmark(n_rounds)`` returns the results.
    n_rounds : int
        Number of rounds without ``--rounds``.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{csv.stem}", description=about)
    parser.add_argument("--rounds", type=int, default=n_rounds)
    run_benchmark(parser.parse_args().rounds).to_csv(csv, index=False, float_format="%.6g")
