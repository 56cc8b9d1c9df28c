"""What figures depend on, and where they go on a page."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn


def versions() -> str:
    """Return the versions that figures depend on."""
    python = platform.python_version()
    return f"Python {python}, numpy {np.__version__}, scikit-learn {sklearn.__version__}"


def with_part(page: str, script: str, part: str) -> str:
    """Return a page with the part that a script writes, between its marks.

    Parameters
    ----------
    page : str
        The page, with the marks.
    script : str
        The script's name in the first mark.
    part : str
        What goes between them.

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
    measured: Callable[[], pd.DataFrame],
    with_results: Callable[[str, pd.DataFrame], str],
) -> None:
    """Measure, unless the command line says ``--page-only``; write the CSV, and from it the page.

    Parameters
    ----------
    about : str or None
        What the script says of itself.
    csv, page : Path
        Where the results are kept, and the page of the guide that shows them.
    measured : callable
        Returns the results.
    with_results : callable
        ``with_results(page, results)`` → the page with these results.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{csv.stem}", description=about)
    parser.add_argument("--page-only", action="store_true", help="write the page from the CSV")
    if not parser.parse_args().page_only:
        measured().to_csv(csv, index=False, float_format="%.6g")
    page.write_text(with_results(page.read_text("utf-8"), pd.read_csv(csv)), "utf-8")
