"""Gaussian noise that is a deterministic function of the row."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_distill._doc_link import DocLink
from sklearn_distill._typing import ArrayLike
from sklearn_distill._validation.fitting import Interval, validated_parameters
from sklearn_distill._validation.random_state import draw_seed


class GaussianNoise(OneToOneFeatureMixin, TransformerMixin, DocLink, BaseEstimator):
    r"""Add Gaussian noise to each row.

    .. math:: φ(x) = \mathrm{clip}(x + σ\,ξ), \quad ξ \sim N(0, I)

    φ is a function: ξ is determined by the values of the row and a seed that ``fit`` draws. A row
    gets the same noise in every call, whatever the other rows, so equal rows get equal noise, and a
    row with one changed value gets different noise. Another fit draws another seed, unless
    ``random_state`` is an integer.

    Parameters
    ----------
    scale : float, default=0.1
        σ ≥ 0, the standard deviation.
    clip : (float, float) or None, default=(0, 1)
        Range to which the result is clipped; None does not clip.
    random_state : int, RandomState or None, default=None
        Generator of the seed that ``fit`` draws.

    Attributes
    ----------
    seed_ : int
        Seed that determines ξ together with the row.
    n_features_in_ : int
        Number of features, of images their height.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    References
    ----------
    Bayazitov 2022, "Distillation on multi-domain data", section 3.1, N(0, 1/10), read as
    σ = 0.1; as a variance it is σ = 0.32, ``scale=0.1**0.5``.

    Examples
    --------
    >>> phi = GaussianNoise(random_state=0).fit([[0.5, 0.5]])
    >>> x = phi.transform([[0.5, 0.5]])
    >>> bool((x == phi.transform([[0.2, 0.9], [0.5, 0.5]])[1]).all())
    True
    """

    seed_: int

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "scale": [Interval(Real, 0, None, closed="left")],
        "clip": ["array-like", None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        scale: float = 0.1,
        *,
        clip: Sequence[float] | None = (0, 1),
        random_state: Any = None,
    ) -> None:
        self.scale = scale
        self.clip = clip
        self.random_state = random_state

    @validated_parameters
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Draw the seed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width, ...)
            Rows or images, of which only the width is learnt.
        y : None
            Ignored, present for compatibility with pipelines.

        Returns
        -------
        self
            The fitted map.

        Raises
        ------
        ValueError
            If ``clip`` is not an ascending pair.
        """
        _check_clip(self.clip)
        self._read(X, reset=True)
        self.seed_ = draw_seed(check_random_state(self.random_state))
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the rows with their noise.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width, ...)
            Rows or images to which noise is added.

        Returns
        -------
        ndarray of the shape of X
            float32 for float32, else float64.
        """
        check_is_fitted(self)
        noisy = self._read(X, reset=False)
        key = self.seed_.to_bytes(8, "little")
        for row in noisy:
            row += self.scale * _noise_of(row, key)
        return noisy if self.clip is None else noisy.clip(*self.clip, out=noisy)

    def _read(self, X: Any, *, reset: bool) -> NDArray[Any]:
        """Check X; transform gets a copy, to which it adds the noise in place."""
        X = validate_data(
            self, X, reset=reset, dtype=(np.float64, np.float32), allow_nd=True, copy=not reset
        )
        return np.asarray(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.three_d_array = True
        return tags


def _noise_of(row: NDArray[Any], key: bytes) -> NDArray[np.float64]:
    """Draw a row's noise from a random stream that is seeded by the row's own values."""
    numbers = row.astype(np.float64) + 0.0  # -0.0 equals 0.0, and has other bytes
    digest = blake2b(numbers.tobytes(), key=key, digest_size=16).digest()
    stream = np.random.Philox(key=np.frombuffer(digest, dtype=np.uint64))
    return np.random.Generator(stream).standard_normal(row.shape)


def _check_clip(clip: Sequence[float] | None) -> None:
    if clip is None:
        return
    if len(clip) != 2 or not clip[0] < clip[1]:
        raise ValueError(f"clip={clip!r}: pass (lowest, highest) in ascending order, or None")
