"""What the figures of a report say: distil, do not distil, or undecided."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sklearn_distill.inspection.intervals import Difference

DISTIL, DO_NOT_DISTIL, UNDECIDED = "distil", "do not distil", "undecided"


@dataclass(frozen=True)
class Evidence:
    """The figures of the metric that decides.

    Parameters
    ----------
    metric : str
        Name of the metric.
    direction : {1, -1}
        1 if higher is better.
    values : dict of str to float
        The metric of "prior", "teacher", "baseline" and the distilled student.
    student : str
        Name of the distilled student.
    gain : Difference
        distilled − baseline.
    teacher : Difference
        teacher − baseline.
    better_than_prior : frozenset of str
        The models whose interval of the difference to the prior lies on the better side of 0.
    n_samples : int
        Number of independent test samples.
    judge_is_teacher : bool
        Whether the teacher's predictions are the truth.
    gap_closed : float
        Share of the teacher's gain over the baseline that the distilled student has; NaN where the
        teacher is not shown to be better.
    speed : float
        Rows per second of the distilled student, in those of the teacher; NaN if not known.
    contrary : tuple of str, default=()
        The other metrics whose interval lies on the other side of 0.
    """

    metric: str
    direction: int
    values: dict[str, float]
    student: str
    gain: Difference
    teacher: Difference
    better_than_prior: frozenset[str]
    n_samples: int
    judge_is_teacher: bool
    gap_closed: float
    speed: float
    contrary: tuple[str, ...] = ()

    @property
    def teacher_is_worse(self) -> bool:
        """Whether the teacher is shown to be worse than the baseline."""
        return self.direction * self.teacher.sign() < 0

    @property
    def words(self) -> str:
        """The metric's name in a sentence."""
        return self.metric.replace("_", " ")


def decide(evidence: Evidence) -> tuple[str, str]:
    """Apply the decision rule of :func:`distillation_report`.

    Parameters
    ----------
    evidence : Evidence
        The figures of the metric that decides.

    Returns
    -------
    decision : {"distil", "do not distil", "undecided"}
        What to do.
    headline : str
        One sentence that says why.
    """
    gain = evidence.direction * evidence.gain.sign()
    if not evidence.better_than_prior:
        return DO_NOT_DISTIL, _no_model(evidence)
    if gain > 0:
        return DISTIL, f"Distillation helps: {'; '.join(_benefits(evidence))}."
    better = _and_contrary(evidence, "although better in {}")
    if evidence.teacher_is_worse:
        return DO_NOT_DISTIL, (
            f"Do not distil: the teacher is worse than the student's baseline ({evidence.words} "
            f"{_number(evidence, 'teacher')} against {_number(evidence, 'baseline')}){better}."
        )
    if gain < 0:
        return DO_NOT_DISTIL, f"Do not distil: distillation hurts, {describe(evidence)}{better}."
    return UNDECIDED, f"Undecided: {'; '.join(_doubts(evidence))}."


def _no_model(evidence: Evidence) -> str:
    names = [name for name in evidence.values if name != "prior"]
    values = ", ".join(f"{name} {_number(evidence, name)}" for name in names)
    return (
        "Do not distil: no model is shown to be better than the prior, which predicts the same for "
        f"every sample ({evidence.words}: prior {_number(evidence, 'prior')}, {values})."
    )


def describe(evidence: Evidence) -> str:
    """Return the difference between the students with its interval."""
    gain = evidence.gain
    digits = _digits(gain)
    ends = f"{gain.low:+.{digits}f} … {gain.high:+.{digits}f}"
    return f"{gain.value:+.{digits}f} {evidence.words} ({ends})"


def _benefits(evidence: Evidence) -> Iterator[str]:
    judge = ", judged by the teacher's predictions" if evidence.judge_is_teacher else ""
    yield describe(evidence) + judge
    # a factor below 2 may be the load of the machine; no words if it is not known
    if evidence.speed >= 2:
        yield f"{evidence.speed:.{0 if evidence.speed > 9 else 1}f} times as fast as the teacher"
    elif evidence.speed > 0:
        yield f"{'slower than' if evidence.speed < 0.5 else 'about as fast as'} the teacher"
    if not math.isnan(evidence.gap_closed):
        yield f"{100 * evidence.gap_closed:.0f} % of the gap to the teacher closed"
    elif evidence.teacher_is_worse:
        yield "although the teacher itself is worse than the baseline"
    if evidence.contrary:
        yield _and_contrary(evidence, "but worse in {}").removeprefix(", ")
    if evidence.student not in evidence.better_than_prior:
        yield "the student is not shown to be better than the prior"


def _doubts(evidence: Evidence) -> Iterator[str]:
    yield describe(evidence)
    needed = _rows_needed(evidence)
    if needed:
        yield f"about {needed:,} test samples would decide a difference of this size"
    if evidence.teacher.sign() == 0:
        yield "the teacher is not shown to be better than the baseline either"


def _rows_needed(evidence: Evidence) -> int:
    """Return how many samples make an interval around the same difference exclude 0; 0 if many."""
    gain = evidence.gain
    if not gain.value or not math.isfinite(gain.high - gain.low):
        return 0
    needed = evidence.n_samples * ((gain.high - gain.low) / 2 / gain.value) ** 2
    # one digit: the difference itself is uncertain
    rounded = math.ceil(needed / 10 ** (step := math.floor(math.log10(max(needed, 1))))) * 10**step
    return rounded if evidence.n_samples < rounded < 1e7 else 0


def _and_contrary(evidence: Evidence, form: str) -> str:
    names = " and ".join(name.replace("_", " ") for name in evidence.contrary)
    return f", {form.format(names)}" if names else ""


def _number(evidence: Evidence, name: str) -> str:
    return f"{evidence.values[name]:.{_digits(evidence.teacher)}f}"


def _digits(difference: Difference) -> int:
    """Return the decimals that show two digits of half the interval's width, at least."""
    half = (difference.high - difference.low) / 2
    if not (half > 0 and math.isfinite(half)):
        half = abs(difference.value) or 1.0
    return min(6, max(0, 1 - math.floor(math.log10(half))))
