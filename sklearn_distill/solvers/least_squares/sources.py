"""Which targets of a row are available, and the weights that label and prediction then get."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Source(IntEnum):
    """Available targets of a row: its label, the teacher's prediction or both.

    Predictions with their own standard deviations have other weights than the labels beside them,
    so a row that has both is then a row of ``SPLIT_LABEL`` and one of ``SPLIT_TEACHER``, and a row
    without a label is one of ``PRECISE_TEACHER``.
    """

    LABEL = 0
    BOTH = 1
    TEACHER = 2
    SPLIT_LABEL = 3
    SPLIT_TEACHER = 4
    PRECISE_TEACHER = 5

    @classmethod
    def _missing_(cls, value: object) -> Source | None:
        """Return the source of a number in words: skops saves the keys of a dict as JSON's."""
        return cls(int(value)) if isinstance(value, str) and value.isdecimal() else None


WITH_LABEL = (Source.LABEL, Source.BOTH, Source.SPLIT_LABEL)
WITH_TEACHER = (Source.BOTH, Source.TEACHER, Source.SPLIT_TEACHER, Source.PRECISE_TEACHER)
# sources whose rows are weighted by the inverse variance of their prediction
WITH_VARIANCE = (Source.SPLIT_TEACHER, Source.PRECISE_TEACHER)


# (c_y, c_s): weights of label and teacher's prediction on the rows of each source.
SourceWeights = Mapping[Source, tuple[float, float]]

LABELS_ONLY: SourceWeights = {
    Source.LABEL: (1.0, 0.0),
    Source.BOTH: (1.0, 0.0),
    Source.TEACHER: (0.0, 0.0),
    Source.SPLIT_LABEL: (1.0, 0.0),
    Source.SPLIT_TEACHER: (0.0, 0.0),
    Source.PRECISE_TEACHER: (0.0, 0.0),
}
TEACHER_ONLY: SourceWeights = {
    Source.LABEL: (0.0, 0.0),
    Source.BOTH: (0.0, 1.0),
    Source.TEACHER: (0.0, 1.0),
    Source.SPLIT_LABEL: (0.0, 0.0),
    Source.SPLIT_TEACHER: (0.0, 1.0),
    Source.PRECISE_TEACHER: (0.0, 1.0),
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
        (c_y, c_s) by source: (1, 0) label only, (1−λ, λρ) both, (0, ρ) teacher only. The parts of
        a row that is split have (1−λ, 0) and (0, λρ).

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
    }


def target_variances(source_weights: SourceWeights, ratio: float) -> dict[Source, float]:
    """Return the variance of c_y y + c_s s by source, over σ²: c_y² + c_s²/ρ.

    Examples
    --------
    >>> target_variances(imitation_weights(0.5, ratio=2.0), ratio=2.0)[Source.BOTH]
    0.75
    """
    return {source: c_y**2 + c_s**2 / ratio for source, (c_y, c_s) in source_weights.items()}
