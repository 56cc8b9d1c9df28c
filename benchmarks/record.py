"""What figures depend on, and where they go on a page."""

from __future__ import annotations

import platform

import numpy as np
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
