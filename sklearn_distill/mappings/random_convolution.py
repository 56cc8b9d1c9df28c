"""A convolution whose kernel is drawn once."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_distill._doc_link import DocLink
from sklearn_distill._typing import ArrayLike
from sklearn_distill._validation.fitting import Interval, validated_parameters

CHUNK = 128  # images that fit in a cache together with their shifted copies


class RandomConvolution(ClassNamePrefixFeaturesOutMixin, TransformerMixin, DocLink, BaseEstimator):
    r"""Convolve images with a random kernel that ``fit`` draws.

    .. math:: φ(x)_{ab} = \sum_{i,j=1}^{k} w_{ij}\, x_{a+i-1,\, b+j-1}

    as convolutional layers do, without padding: an image of h × w pixels becomes one of
    (h − k + 1) × (w − k + 1). The entries of w are drawn from N(0, 1) and divided by the kernel's
    Euclidean norm, so that independent pixels keep their variance. Each channel is convolved with
    the same kernel.

    Parameters
    ----------
    kernel_size : int, default=5
        Side k of the kernel, at most the height and the width of the images.
    image_shape : (int, int) or (int, int, int) or None, default=None
        Height, width and, for colour images, channels of flat rows. None reads them as square grey
        images.
    random_state : int, RandomState or None, default=None
        Generator of the kernel.

    Attributes
    ----------
    kernel_ : ndarray of shape (kernel_size, kernel_size)
        The kernel w.
    image_shape_ : tuple of int
        Shape of the images that ``transform`` reads.
    n_features_in_ : int
        Number of features of flat rows; of images their height.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    References
    ----------
    Bayazitov 2022, "Distillation on multi-domain data", section 3.1, "dilation": 28 × 28 pixels
    become 24 × 24. The thesis gives a dilation of 2; in the author's code
    (github kbayazitov/Distillation, src/mylib/train.py) the kernel is not random: ones in the
    corners and the centre of 3 × 3, spread to 5 × 5 and not normalised.

    Examples
    --------
    >>> phi = RandomConvolution(random_state=0)
    >>> phi.fit_transform(np.ones((2, 784))).shape
    (2, 576)
    >>> phi.fit_transform(np.ones((2, 28, 28, 3))).shape
    (2, 24, 24, 3)
    """

    kernel_: NDArray[np.float64]
    image_shape_: tuple[int, ...]

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "image_shape": ["array-like", None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        kernel_size: int = 5,
        *,
        image_shape: Sequence[int] | None = None,
        random_state: Any = None,
    ) -> None:
        self.kernel_size = kernel_size
        self.image_shape = image_shape
        self.random_state = random_state

    @validated_parameters
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Draw the kernel.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, channels])
            Images, of which only the shape is learnt.
        y : None
            Ignored, present for compatibility with pipelines.

        Returns
        -------
        self
            The fitted map.

        Raises
        ------
        ValueError
            If the rows are not images, or smaller than the kernel.
        """
        shape = shape_of_images(self._read(X, reset=True), self.image_shape)
        if self.kernel_size > min(shape[:2]):
            raise ValueError(
                f"kernel_size={self.kernel_size}, but images have the shape {shape}: choose a "
                "smaller kernel, or larger images"
            )
        kernel = check_random_state(self.random_state).normal(size=(self.kernel_size,) * 2)
        self.kernel_ = kernel / np.linalg.norm(kernel)
        self.image_shape_ = shape
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the convolved images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, channels])
            Images, flat or not.

        Returns
        -------
        ndarray
            Flat rows for flat rows, images for images; float32 for float32, else float64.
        """
        check_is_fitted(self)
        X = self._read(X, reset=False)
        shape_of_images(X, self.image_shape_)
        images = X.reshape(len(X), *self.image_shape_)
        convolved = np.concatenate(
            [_convolve(images[i : i + CHUNK], self.kernel_) for i in range(0, len(X), CHUNK)]
        )
        return convolved.reshape(len(X), -1) if X.ndim == 2 else convolved

    @property
    def _n_features_out(self) -> int:
        height, width, *channels = self.image_shape_
        removed = len(self.kernel_) - 1
        return int(np.prod([height - removed, width - removed, *channels]))

    def _read(self, X: Any, *, reset: bool) -> NDArray[Any]:
        X = validate_data(self, X, reset=reset, dtype=(np.float64, np.float32), allow_nd=True)
        return np.asarray(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.three_d_array = True
        return tags


def _convolve(images: NDArray[Any], kernel: NDArray[np.float64]) -> NDArray[Any]:
    """Convolve without padding: add one shifted copy per entry of the kernel."""
    height, width = (size - len(kernel) + 1 for size in images.shape[1:3])
    convolved = np.zeros((len(images), height, width, *images.shape[3:]), dtype=images.dtype)
    for i, j in np.ndindex(kernel.shape):
        convolved += float(kernel[i, j]) * images[:, i : i + height, j : j + width]
    return convolved


def shape_of_images(X: NDArray[Any], image_shape: Sequence[int] | None) -> tuple[int, ...]:
    """Return (height, width) or (height, width, channels) of the images in X.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features) or (n_samples, height, width[, channels])
        Flat rows, or images.
    image_shape : sequence of 2 or 3 int or None
        The estimator's parameter; None takes the shape from X, and reads flat rows as square grey
        images.

    Returns
    -------
    tuple of int
        The shape.

    Raises
    ------
    ValueError
        If X has images of another shape, or flat rows of another size.

    Examples
    --------
    >>> shape_of_images(np.zeros((5, 784)), None)
    (28, 28)
    """
    if X.ndim > 4:
        raise ValueError(f"X has shape {X.shape}: give flat rows, or images (n, h, w[, c])")
    if image_shape is None:
        return X.shape[1:] if X.ndim > 2 else _square(X.shape[1])
    shape = tuple(int(size) for size in image_shape)
    if len(shape) not in {2, 3} or min(shape) < 1:
        raise ValueError(f"image_shape={image_shape!r}: give (height, width[, channels])")
    if X.shape[1:] not in {shape, (int(np.prod(shape)),)}:
        raise ValueError(
            f"X has rows of shape {X.shape[1:]}, but image_shape={shape} needs images of this "
            f"shape or flat rows of {int(np.prod(shape))} features"
        )
    return shape


def _square(n_features: int) -> tuple[int, int]:
    side = isqrt(n_features)
    if side**2 != n_features:
        raise ValueError(
            f"X has {n_features} features, which is not a square image: pass "
            "image_shape=(height, width[, channels])"
        )
    return side, side
