"""Which targets of a row are available, and the weights that label and prediction then get."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Source(IntEnum):
    """Available targets of a row: its label, the teacher's prediction or both.

    Predictions with their own standard deviations have other weights than the labels beside them,
    so a row that has both is then a row of ``SPLIT_LABEL`` and one of ``SPLIT_TEACHER``, and a row
    without a label is one of ``PRECISE_TEACHER``.

    A row of weight s with both targets, and with a trust w < 1 in the prediction, is three rows: of
    ``LABEL`` with the weight s(1 − w)², of ``PARTLY_TRUSTED`` with s w(1 − w), and of ``BOTH`` with
    s w². Their weights of the targets are in the sum 1 − λw and λwρ, and their variances those of
    the row. If it is split, ``PARTLY_LABEL`` and ``PARTLY_TEACHER`` are the two parts.
    """

    LABEL = 0
    BOTH = 1
    TEACHER = 2
    SPLIT_LABEL = 3
    SPLIT_TEACHER = 4
    PRECISE_TEACHER = 5
    PARTLY_TRUSTED = 6
    PARTLY_LABEL = 7
    PARTLY_TEACHER = 8

    @classmethod
    def _missing_(cls, value: object) -> Source | None:
        """Return the source of a number in words: skops saves the keys of a dict as JSON's."""
        return cls(int(value)) if isinstance(value, str) and value.isdecimal() else None


WITH_LABEL = (
    Source.LABEL,
    Source.BOTH,
    Source.SPLIT_LABEL,
    Source.PARTLY_TRUSTED,
    Source.PARTLY_LABEL,
)
WITH_TEACHER = (
    Source.BOTH,
    Source.TEACHER,
    Source.SPLIT_TEACHER,
    Source.PRECISE_TEACHER,
    Source.PARTLY_TRUSTED,
    Source.PARTLY_TEACHER,
)
# sources whose rows are weighted by the inverse variance of their prediction
WITH_VARIANCE = (Source.SPLIT_TEACHER, Source.PRECISE_TEACHER, Source.PARTLY_TEACHER)


# (c_y, c_s): weights of label and teacher's prediction on the rows of each source.
SourceWeights = Mapping[Source, tuple[float, float]]

LABELS_ONLY: SourceWeights = {
    Source.LABEL: (1.0, 0.0),
    Source.BOTH: (1.0, 0.0),
    Source.TEACHER: (0.0, 0.0),
    Source.SPLIT_LABEL: (1.0, 0.0),
    Source.SPLIT_TEACHER: (0.0, 0.0),
    Source.PRECISE_TEACHER: (0.0, 0.0),
    Source.PARTLY_TRUSTED: (2.0, 0.0),
    Source.PARTLY_LABEL: (2.0, 0.0),
    Source.PARTLY_TEACHER: (0.0, 0.0),
}
TEACHER_ONLY: SourceWeights = {
    Source.LABEL: (0.0, 0.0),
    Source.BOTH: (0.0, 1.0),
    Source.TEACHER: (0.0, 1.0),
    Source.SPLIT_LABEL: (0.0, 0.0),
    Source.SPLIT_TEACHER: (0.0, 1.0),
    Source.PRECISE_TEACHER: (0.0, 1.0),
    Source.PARTLY_TRUSTED: (0.0, 1.0),
    Source.PARTLY_LABEL: (0.0, 0.0),
    Source.PARTLY_TEACHER: (0.0, 1.0),
}


def imitation_weights(imitation: float, ratio: float) -> SourceWeights:
    r"""Return the weights of label and teacher's prediction: Theorem 2, times σ².

    A row's target is :math:`(c_y y + c_s s)/a` with weight :math:`a = c_y + c_s`.

    Parameters
    ----------
    imitation : float
        λ in [0, 1].
    ratio : float
        ρ = σ²/σ_s², the weight of a prediction relative to a label.

    Returns
    -------
    dict
        (c_y, c_s) by source: (1, 0) label only, (1−λ, λρ) both, (0, ρ) teacher only, (2−λ, λρ)
        partly trusted. The parts of a row that is split have (1−λ, 0) and (0, λρ).

    References
    ----------
    Grabovoy and Strijov 2022, Theorem 2, corrected: σ⁻² in place of σ², no factor 2.

    Examples
    --------
    >>> imitation_weights(0.25, ratio=2.0)[Source.BOTH]
    (0.75, 0.5)
    """
    return {
        Source.LABEL: (1.0, 0.0),
        Source.BOTH: (1 - imitation, imitation * ratio),
        # The available target gets the full weight, for any λ.
        Source.TEACHER: (0.0, ratio),
        Source.SPLIT_LABEL: (1 - imitation, 0.0),
        Source.SPLIT_TEACHER: (0.0, imitation * ratio),
        Source.PRECISE_TEACHER: (0.0, ratio),
        Source.PARTLY_TRUSTED: (2 - imitation, imitation * ratio),
        Source.PARTLY_LABEL: (2 - imitation, 0.0),
        Source.PARTLY_TEACHER: (0.0, imitation * ratio),
    }


def target_variances(source_weights: SourceWeights, ratio: float) -> dict[Source, float]:
    """Return the variance of c_y y + c_s s by source, over σ²: c_y² + c_s²/ρ.

    Of partly trusted rows it is 2(c_y − 1), the term 2w(1 − w)(1 − λ) of (1 − λw)².

    Examples
    --------
    >>> target_variances(imitation_weights(0.5, ratio=2.0), ratio=2.0)[Source.BOTH]
    0.75
    """
    variances = {source: c_y**2 + c_s**2 / ratio for source, (c_y, c_s) in source_weights.items()}
    for source in (Source.PARTLY_TRUSTED, Source.PARTLY_LABEL):
        variances[source] = 2 * (source_weights[source][0] - 1)
    return variances | {Source.PARTLY_TEACHER: 0.0}
