"""A page of the figures of a paper, and of what they show.

A script ``figures.py`` in the folder of a paper draws its figures, writes the numbers in them to
CSV files, and defines a :class:`FigurePage`. The sentences below the figures are computed from the
CSV files, so that none of them can differ from the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from examples.papers.claims import CONFIDENCE


@dataclass(frozen=True)
class FigurePage:
    """The figures of a paper.

    Parameters
    ----------
    script : str
        Path of the script; the figures and their numbers are in the same folder.
    captions : mapping
        Caption of each figure by the name of its file.
    findings : callable, default=tuple
        Returns sentences, or tables in Markdown, from the stored numbers.
    """

    script: str
    captions: Mapping[str, str]
    findings: Callable[[], Sequence[str]] = tuple

    def file(self, name: str) -> Path:
        """Return the path of a file of the page."""
        return Path(self.script).with_name(name)


def mean_and_half(values: ArrayLike) -> tuple[float, float]:
    """Return a mean over runs, and half the width of its 95 % t interval.

    Examples
    --------
    >>> [round(x, 3) for x in mean_and_half([1.0, 2.0, 3.0])]
    [2.0, 2.484]
    """
    x = np.asarray(values, dtype=float)
    error = x.std(ddof=1) / np.sqrt(len(x))
    return float(x.mean()), float(stats.t.ppf((1 + CONFIDENCE) / 2, len(x) - 1) * error)


def ratio_with_interval(numerator: ArrayLike, denominator: ArrayLike) -> tuple[float, float, float]:
    """Return the geometric mean of ratios over runs, with the ends of its 95 % t interval.

    Examples
    --------
    >>> [round(x, 2) for x in ratio_with_interval([2.0, 2.0, 4.0], [1.0, 2.0, 1.0])]
    [2.0, 0.36, 11.19]
    """
    logs = np.log(np.asarray(numerator, dtype=float) / np.asarray(denominator, dtype=float))
    mean, half = mean_and_half(logs)
    return float(np.exp(mean)), float(np.exp(mean - half)), float(np.exp(mean + half))
