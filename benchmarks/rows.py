"""The rows of the tables by region: ours, the alternative, and the limits beside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

REGIONS = {
    "tall": "More samples than features, and none of the below.",
    "wide": "At least half as many features as samples.",
    "tiny": "At most 30,000 numbers: calls rather than arithmetic take the time.",
    "many classes": "30 classes or more.",
    "sparse": "Few entries of X are not zero, such as words.",
    "big": "X has 20 million numbers or more, or is on disk.",
    "searches": "λ, T, C, α or ρ are chosen by cross-validation.",
    "neural": "Networks: training with a teacher, at the defaults without one, and a prediction.",
    "boosting": "Boosted trees with a teacher against the library's own fit to hard labels.",
}
NONE = "–"


@dataclass(frozen=True)
class Target:
    """A target and the measured value.

    Parameters
    ----------
    what : str
        The measured quantity.
    ours : float
        The measured median.
    sign : {"≥", "≤"}
        Whether the value has to be at least or at most the target.
    target : float
        The target.
    """

    what: str
    ours: float
    sign: str
    target: float

    @property
    def is_met(self) -> bool:
        """Whether the measured value meets the target."""
        return self.ours >= self.target if self.sign == "≥" else self.ours <= self.target

    @property
    def verdict(self) -> str:
        """The target and whether it is met."""
        return f"{self.sign} {self.target:.4g}: {'met' if self.is_met else '**missed**'}"


@dataclass(frozen=True)
class Bound:
    """A cost of ours as a multiple of something, in each round.

    Parameters
    ----------
    values : sequence of float
        The multiples.
    unit : str
        What they are multiples of.
    target : float or None
        The largest median that is wanted.
    """

    values: Sequence[float]
    unit: str
    target: float | None = None

    def targets(self, what: str) -> list[Target]:
        """Return the target, if there is one."""
        words = f"{what}, in multiples of {self.unit}"
        goal = self.target
        return [] if goal is None else [Target(words, float(np.median(self.values)), "≤", goal)]

    def __str__(self) -> str:
        inside = [spread(self.values), *(target.verdict for target in self.targets(""))]
        rest = "; ".join(filter(None, inside))
        median = float(np.median(self.values))
        times = f"{median:.3g}" if median >= 1e-3 else "< 0.001"
        return f"{times} × {self.unit}" + (f" ({rest})" if rest else "")


@dataclass(frozen=True)
class Row:
    """A problem that ours solves, and what you would write instead.

    Parameters
    ----------
    region : str
        One of ``REGIONS``.
    problem : str
        The data and what is computed.
    seconds : float or None
        The median time of ours.
    peer : str
        The alternative; empty if a row has limits only.
    ratios : sequence of float
        Its time as a multiple of ours in each round, or their minimum, median and maximum.
    target : float or None
        The smallest median ratio that is wanted.
    limit, memory : Bound or None
        The time of ours as a multiple of a lower bound, and its peak memory.
    reason : str
        Why a target is missed; only what profiling has shown.
    default : float or None
        The time of ours at the default tol, where ``seconds`` is at another.
    """

    region: str
    problem: str
    seconds: float | None
    peer: str = ""
    ratios: Sequence[float] = ()
    target: float | None = None
    limit: Bound | None = None
    memory: Bound | None = None
    reason: str = ""
    default: float | None = None

    @property
    def ratio(self) -> float:
        """The median ratio; infinite without an alternative."""
        return float(np.median(self.ratios)) if self.peer else np.inf

    @property
    def figure(self) -> float:
        """What the row is about: the ratio, or the multiple of the limit."""
        return float(
            np.median(self.ratios if self.limit is None or self.peer else self.limit.values)
        )

    def targets(self) -> Iterator[Target]:
        """Yield the targets."""
        if self.target is not None:
            what = f"{self.problem}: times as fast as {self.peer}"
            yield Target(what, self.ratio, "≥", self.target)
        for words, bound in (("time", self.limit), ("peak memory", self.memory)):
            if bound is not None:
                yield from bound.targets(f"{self.problem}: {words}")

    @property
    def is_missed(self) -> bool:
        """Whether any target is missed."""
        return not all(target.is_met for target in self.targets())

    def order(self) -> tuple[bool, bool, float]:
        """Return the key of sorting: behind, missed, others; the smallest ratio first."""
        return self.ratio >= 1, not self.is_missed, self.ratio

    def cells(self) -> list[str]:
        """Return the cells of the table."""
        ours = NONE if self.seconds is None else with_unit(self.seconds)
        if self.default is not None:
            ours += f" (default tol: {with_unit(self.default)})"
        slower, goal = NONE, NONE
        if self.peer:
            rest = spread(self.ratios)
            slower = f"**{self.ratio:.3g}**" + (f" ({rest})" if rest else "")
        if self.target is not None:
            goal = next(self.targets()).verdict
        limits = [NONE if bound is None else str(bound) for bound in (self.limit, self.memory)]
        return [self.problem, ours, self.peer or NONE, slower, goal, *limits]


HEADER = ["problem", "ours", "instead", "times as slow", "target", "ours / limit", "memory"]


def region_of(problem: str) -> str:
    """Return the region of a fit by the sizes that its name has."""
    if problem.startswith("sparse"):
        return "sparse"
    classes = re.search(r"K = ([\d,]*\d)", problem)
    if classes and to_int(classes[1]) >= 30:
        return "many classes"
    size = re.search(r"([\d,]*\d) × ([\d,]*\d)", problem)
    if size is None:
        raise ValueError(f"the name {problem!r} has no size")
    n, d = to_int(size[1]), to_int(size[2])
    if n * d >= 2e7:
        return "big"
    if n * d <= 3e4:
        return "tiny"
    return "wide" if 2 * d >= n else "tall"


def to_int(digits: str) -> int:
    """Return an integer that is written with commas."""
    return int(digits.replace(",", ""))


def reason_of(problem: str, reasons: Mapping[str, str]) -> str:
    """Return why a target is missed, found by the beginning of the problem's name."""
    return next((f"**{n}**: {text}" for n, text in reasons.items() if problem.startswith(n)), "")


def table(rows: Iterable[Row]) -> str:
    """Return a table of the rows, without columns that are empty."""
    lines = [row.cells() for row in sorted(rows, key=Row.order)]
    kept = [i for i in range(len(HEADER)) if any(line[i] != NONE for line in lines)]
    lines = [HEADER, ["---"] * len(HEADER), *lines]
    return "\n".join(f"| {' | '.join(line[i] for i in kept)} |" for line in lines) + "\n"


def reasons(rows: Iterable[Row]) -> str:
    """Return a list of the reasons of missed targets, those without one together."""
    missed = sorted(
        (row for row in rows if row.is_missed), key=lambda row: row.reason, reverse=True
    )
    lines = []
    for reason, unexplained in groupby(missed, key=lambda row: row.reason):
        names = ", ".join(dict.fromkeys(f"**{row.problem}**" for row in unexplained))
        lines.append(f"- Missed, {reason or f'{names}: not analysed yet.'}")
    return "\n".join([*lines, ""])


def spread(values: Sequence[float]) -> str:
    """Return min … max; nothing of a single value."""
    return f"{min(values):.3g} … {max(values):.3g}" if len(values) > 1 else ""


def with_unit(seconds: float) -> str:
    """Return a time in the unit that it is read in."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1 or (unit == "s" and seconds >= 0.1):
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
