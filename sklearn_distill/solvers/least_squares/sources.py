"""Who speaks for a row, and how much each source then counts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Source(IntEnum):
    """Who speaks for a row."""

    LABEL = 0
    BOTH = 1
    TEACHER = 2


# what label and teacher count on the rows of each source
Shares = Mapping[Source, tuple[float, float]]

LABELS_ALONE: Shares = {
    Source.LABEL: (1.0, 0.0),
    Source.BOTH: (1.0, 0.0),
    Source.TEACHER: (0.0, 0.0),
}
TEACHER_ALONE: Shares = {
    Source.LABEL: (0.0, 0.0),
    Source.BOTH: (0.0, 1.0),
    Source.TEACHER: (0.0, 1.0),
}


def imitation_shares(imitation: float, ratio: float) -> Shares:
    r"""Return what label and teacher count: Theorem 2, times σ².

    A row's target is :math:`(c_y y + c_s s)/a` with weight :math:`a = c_y + c_s`.

    Parameters
    ----------
    imitation : float
        λ in [0, 1].
    ratio : float
        ρ = σ²/σ_s², how much more a teacher's answer is worth than a label.

    Returns
    -------
    dict
        (c_y, c_s) by source: (1, 0) label only, (1−λ, λρ) both, (0, ρ) teacher only.

    References
    ----------
    Grabovoy and Strijov 2022, Theorem 2, corrected: σ⁻² in place of σ², no factor 2.

    Examples
    --------
    >>> imitation_shares(0.25, ratio=2.0)[Source.BOTH]
    (0.75, 0.5)
    """
    return {
        Source.LABEL: (1.0, 0.0),
        Source.BOTH: (1 - imitation, imitation * ratio),
        Source.TEACHER: (0.0, ratio),
    }


def variance_shares(shares: Shares, ratio: float) -> dict[Source, float]:
    """Return the variance of c_y y + c_s s by source, over σ²: c_y² + c_s²/ρ.

    Examples
    --------
    >>> variance_shares(imitation_shares(0.5, ratio=2.0), ratio=2.0)[Source.BOTH]
    0.75
    """
    return {source: c_y**2 + c_s**2 / ratio for source, (c_y, c_s) in shares.items()}
