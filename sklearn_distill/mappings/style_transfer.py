"""Photographs in the style of others, after Gatys, Ecker and Bethge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from sklearn_distill._doc_link import DocLink
from sklearn_distill._optional import import_torch
from sklearn_distill._typing import ArrayLike
from sklearn_distill._validation.fitting import Interval, all_or_nothing, validated_parameters
from sklearn_distill.nets.device import resolve_device

if TYPE_CHECKING:
    from torch import Tensor

    from sklearn_distill.mappings._style import Style
    from sklearn_distill.nets.features import FeatureNetwork

# a layer of each block that the weight file holds; Gatys et al. have block5_conv1 too
STYLE_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")


class StyleTransfer(TransformerMixin, DocLink, BaseEstimator):
    r"""Transfer the style of some images to others, by gradient descent on the pixels.

    With :math:`F_l(x)`, channels × pixels, the features of layer l of VGG-19, and the Gram
    matrix :math:`G_l(x) = F_l F_l^\top / M_l` over its :math:`M_l` pixels, ``fit`` computes the
    mean :math:`\bar G_l` over the style images, and ``transform`` starts at the image x and
    minimises

    .. math::

        α\,\frac{\|F_c(φ) - F_c(x)\|^2}{\|F_c(x)\|^2}
        + \frac βL \sum_{l=1}^{L} \frac{\|G_l(φ) - \bar G_l\|^2}{\|\bar G_l\|^2}

    over pixels in [0, 1] by Adam. Each term is 1 for features that are all zero, so that α and β
    have the same meaning for other layers and networks. The result for an image does not depend on
    its batch, up to rounding.

    Parameters
    ----------
    network : FeatureNetwork, str, path-like or None, default=None
        The network. None is VGG-19, whose weights are searched for as data sets are
        (:func:`~sklearn_distill.nets.load_imagenet_weights`); a path is the ``data_home`` that is
        searched first; a network with named layers, such as
        :class:`~sklearn_distill.nets.VGG19Features`, is copied with its weights; its input is
        the output of :class:`~sklearn_distill.nets.BGRPixels`.
    content_layer : str, default="block4_conv2"
        Layer c, whose features keep the content.
    style_layers : sequence of str, default=STYLE_LAYERS
        The L layers whose Gram matrices are matched to the style; by default
        block1_conv1, block2_conv1, block3_conv1 and block4_conv1.
    content_weight : float, default=1.0
        Weight α ≥ 0 of the content term.
    style_weight : float, default=1.0
        Weight β ≥ 0 of the style term; at 0 the images do not change.
    lr : float, default=0.02
        Adam's learning rate, for pixels in [0, 1].
    max_iter : int, default=100
        Steps for each image.
    batch_size : int, default=16
        Images per batch; it affects memory and speed only.
    device : str or torch.device, default="auto"
        "auto" is the first available of cuda, mps and cpu. Tested on the CPU.
    verbose : int, default=0
        Above 0, show a progress bar over all steps.

    Attributes
    ----------
    network_ : torch.nn.Module
        The network, on the CPU.
    grams_ : dict of str to ndarray of shape (n_channels, n_channels)
        The mean Gram matrix of each style layer.

    References
    ----------
    Gatys, Ecker and Bethge 2016, "Image style transfer using convolutional neural networks", eq.
    (1)-(7), there with other factors of the terms and L-BFGS; Bayazitov 2022, "Distillation on
    multi-domain data", section 3.5.

    Examples
    --------
    >>> from sklearn_distill.nets import VGG19Features
    >>> images = np.random.default_rng(0).random((2, 16, 16, 3))
    >>> phi = StyleTransfer(VGG19Features(), max_iter=2).fit(images[:1])
    >>> phi.transform(images[1:]).shape
    (1, 16, 16, 3)
    """

    network_: FeatureNetwork
    grams_: dict[str, NDArray[np.float32]]

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "network": "no_validation",
        "content_layer": [str],
        "style_layers": [list, tuple],
        "content_weight": [Interval(Real, 0, None, closed="left")],
        "style_weight": [Interval(Real, 0, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": "no_validation",
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        network: FeatureNetwork | str | PathLike[str] | None = None,
        *,
        content_layer: str = "block4_conv2",
        style_layers: Sequence[str] = STYLE_LAYERS,
        content_weight: float = 1.0,
        style_weight: float = 1.0,
        lr: float = 0.02,
        max_iter: int = 100,
        batch_size: int = 16,
        device: Any = "auto",
        verbose: int = 0,
    ) -> None:
        self.network = network
        self.content_layer = content_layer
        self.style_layers = style_layers
        self.content_weight = content_weight
        self.style_weight = style_weight
        self.lr = lr
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.device = device
        self.verbose = verbose

    @all_or_nothing
    @validated_parameters
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Compute the Gram matrices of the style images.

        Parameters
        ----------
        X : array-like of shape (n_images, height, width, 3)
            Images in the style: one, or several whose Gram matrices are averaged. Floats in
            [0, 1], or uint8.
        y : None
            Ignored, present for compatibility with pipelines.

        Returns
        -------
        self
            The fitted map.

        Raises
        ------
        ValueError
            If X holds no colour images, they are too small for the layers, or the network has no
            layer of a given name. The estimator then keeps its previous state.
        FileNotFoundError
            If the weights of VGG-19 are in none of the folders searched.
        TypeError
            If ``network`` is of another type.
        ImportError
            If torch is missing.
        """
        import_torch(type(self).__name__)
        if not self.style_layers:
            raise ValueError("style_layers is empty: name at least one layer")
        X = _check_images(X)
        from sklearn_distill.mappings._style import mean_grams, read_network

        self.network_ = read_network(self.network)
        self._check_layers(X)
        style = mean_grams(
            self.network_, self._batches(X), self.style_layers, resolve_device(self.device)
        )
        self.grams_ = {layer: gram.numpy() for layer, gram in style.items()}
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the images in the style.

        Parameters
        ----------
        X : array-like of shape (n_images, height, width, 3)
            Images: floats in [0, 1], or uint8. Their size need not be that of the style images.

        Returns
        -------
        ndarray of shape (n_images, height, width, 3)
            Images, float32 in [0, 1].
        """
        check_is_fitted(self)
        X = _check_images(X)
        self._check_layers(X)
        device = resolve_device(self.device)
        style = self._style().on(device)
        batches = self._batches(X)
        n_steps = len(batches) * self.max_iter
        done = []
        with tqdm(total=n_steps, desc="StyleTransfer", disable=not self.verbose) as bar:
            for images in batches:
                steps = _advancing(bar, self.max_iter)
                done.append(style.transfer(images.to(device), self.lr, steps).cpu())
        return np.concatenate([images.movedim(1, 3).numpy() for images in done])

    def style_loss(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the distance of images from the style.

        Parameters
        ----------
        X : array-like of shape (n_images, height, width, 3)
            Images: floats in [0, 1], or uint8.

        Returns
        -------
        ndarray of shape (n_images,)
            The second term of the objective, without β.
        """
        check_is_fitted(self)
        device = resolve_device(self.device)
        style = self._style().on(device)
        losses = [
            style.style_loss(style.features(images.to(device))).cpu()
            for images in self._batches(_check_images(X))
        ]
        return np.concatenate([batch.double().numpy() for batch in losses])

    def _style(self) -> Style:
        import torch

        from sklearn_distill.mappings._style import Style

        targets = {layer: torch.from_numpy(gram) for layer, gram in self.grams_.items()}
        return Style(
            self.network_, targets, self.content_layer, self.content_weight, self.style_weight
        )

    def _check_layers(self, X: NDArray[Any]) -> None:
        """Run one image through the network, to check the names and sizes of the layers."""
        from sklearn_distill.mappings._style import as_images

        names = {self.content_layer, *self.style_layers}
        try:
            self.network_.features(as_images(X[:1]), names)
        except RuntimeError as error:
            raise ValueError(
                f"X has images of {X.shape[1]} × {X.shape[2]} pixels, too small for the layers "
                f"{sorted(names)}: pass larger ones"
            ) from error

    def _batches(self, X: NDArray[Any]) -> Sequence[Tensor]:
        from sklearn_distill.mappings._style import as_images

        batches: Sequence[Tensor] = as_images(X).split(self.batch_size)
        return batches

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def _advancing(bar: Any, n: int) -> Iterable[int]:
    """Yield step numbers, and advance the progress bar after each step."""
    for step in range(n):
        yield step
        bar.update()


def _check_images(X: ArrayLike) -> NDArray[np.float32]:
    """Return colour images as floats in [0, 1]."""
    images = check_array(X, dtype=None, ensure_2d=False, allow_nd=True, input_name="X")
    if images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(
            f"X has shape {images.shape}: pass colour images (n_images, height, width, 3); grey "
            "ones can be repeated three times"
        )
    is_uint8 = images.dtype == np.uint8
    images = np.divide(images, 255, dtype=np.float32) if is_uint8 else images.astype(np.float32)
    if images.min() < 0 or images.max() > 1:
        raise ValueError(
            f"X has pixels from {images.min():g} to {images.max():g}: pass floats in [0, 1], or "
            "integers from 0 to 255 as uint8"
        )
    return np.asarray(images)
