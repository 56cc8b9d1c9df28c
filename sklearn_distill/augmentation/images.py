"""Augmentations of images: random changes of a batch of tensors, on its device.

An augmentation is any callable ``augment(images, generator) -> images`` or
``augment(images) -> images``: tensors of shape (n, C, H, W) in and out, with a
:class:`torch.Generator` for the randomness. It changes neither the order of the images nor their
number, so labels and teacher rows stay aligned.

The signature decides, once, how an augmentation is called: with the generator if its second
positional parameter has no default or is called ``generator``. The transforms of torchvision have
one argument. They draw from torch's global generator, which a neural student seeds with its
``random_state``; given a batch, they draw one change for all its images.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Protocol

from sklearn_distill._optional import import_torch
from sklearn_distill.augmentation._generator import with_generator

if TYPE_CHECKING:
    from torch import Generator, Tensor, device


class Augmentation(Protocol):
    """Protocol of an augmentation: a callable of a batch and a random generator."""

    def __call__(self, images: Tensor, generator: Generator | None, /) -> Tensor:
        """Return changed copies of the images, in their order.

        Parameters
        ----------
        images : Tensor of shape (n, C, H, W)
            A batch of images.
        generator : torch.Generator or None
            Source of the randomness; None uses the global generator of torch.

        Returns
        -------
        Tensor of shape (n, C, H, W)
            Changed copies of the images, in their order.
        """


class RandomHorizontalFlip:
    """Mirror each image left to right with probability p.

    Parameters
    ----------
    p : float, default=0.5
        Probability in [0, 1].

    Raises
    ------
    ValueError
        If p is not in [0, 1].

    Examples
    --------
    >>> import torch
    >>> RandomHorizontalFlip(p=1.0)(torch.tensor([[[[1, 2, 3]]]])).flatten()
    tensor([3, 2, 1])
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = _unit_interval("p", p)

    def __call__(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Return the images, some of them mirrored.

        Parameters
        ----------
        images : Tensor of shape (n, C, H, W)
            A batch of images.
        generator : torch.Generator or None
            Source of the randomness; None uses the global generator of torch.

        Returns
        -------
        Tensor of shape (n, C, H, W)
            Changed copies of the images, in their order.
        """
        torch = import_torch("RandomHorizontalFlip")
        place = _where_to_draw(images, generator)
        drawn = torch.rand(len(images), 1, 1, 1, generator=generator, device=place)
        flipped: Tensor = torch.where(drawn.to(images.device) < self.p, images.flip(3), images)
        return flipped

    def __repr__(self) -> str:
        return f"RandomHorizontalFlip(p={self.p!r})"


class RandomShift:
    """Shift each image by up to a fraction of its width and height.

    Whole pixels, down or up and right or left, each uniform over −⌊fH⌋ … ⌊fH⌋ and −⌊fW⌋ … ⌊fW⌋.
    Pixels that the shift leaves empty repeat the nearest pixel of the image's edge.

    Parameters
    ----------
    fraction : float, default=0.4
        f in [0, 1].

    Raises
    ------
    ValueError
        If the fraction is not in [0, 1].

    References
    ----------
    Biryukova, "Knowledge distillation on the example of binary classification", shifts of up to
    0.4 of the width and height, "nearest" fill.

    Examples
    --------
    >>> import torch
    >>> images = torch.tensor([[[[1, 2, 3, 4]]]])
    >>> RandomShift(0.25)(images, torch.Generator().manual_seed(0)).flatten()
    tensor([2, 3, 4, 4])
    """

    def __init__(self, fraction: float = 0.4) -> None:
        self.fraction = _unit_interval("fraction", fraction)

    def __call__(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Return the images, shifted.

        Parameters
        ----------
        images : Tensor of shape (n, C, H, W)
            A batch of images.
        generator : torch.Generator or None
            Source of the randomness; None uses the global generator of torch.

        Returns
        -------
        Tensor of shape (n, C, H, W)
            Changed copies of the images, in their order.
        """
        place = _where_to_draw(images, generator)
        _, channels, height, width = images.shape
        rows = self._sources(images, height, generator, place)
        columns = self._sources(images, width, generator, place)
        pixels = (width * rows[:, :, None] + columns[:, None, :]).flatten(1)
        sources = pixels[:, None, :].expand(-1, channels, -1)
        return images.flatten(2).gather(2, sources).view(images.shape)

    def _sources(
        self, images: Tensor, size: int, generator: Generator | None, place: device
    ) -> Tensor:
        """Draw which row or column comes where in each image, shape (n, size)."""
        torch = import_torch("RandomShift")
        far = int(self.fraction * size)
        shifts = torch.randint(-far, far + 1, (len(images), 1), generator=generator, device=place)
        position = torch.arange(size, device=images.device)
        sources: Tensor = (position - shifts.to(images.device)).clamp(0, size - 1)
        return sources

    def __repr__(self) -> str:
        return f"RandomShift(fraction={self.fraction!r})"


class Compose:
    """Send images through several augmentations, one after another.

    Parameters
    ----------
    *augmentations : callable
        Each is called as ``augment(images, generator)``, or as ``augment(images)`` if it has no
        parameter for a generator.

    Raises
    ------
    TypeError
        If one of them is not callable.

    Examples
    --------
    >>> Compose(RandomHorizontalFlip(), RandomShift(0.4))
    Compose(RandomHorizontalFlip(p=0.5), RandomShift(fraction=0.4))
    """

    def __init__(self, *augmentations: Augmentation | Callable[[Tensor], Tensor]) -> None:
        for augmentation in augmentations:
            if not callable(augmentation):
                raise TypeError(
                    "augmentations must be callables (images) or (images, generator) -> images; "
                    f"got {augmentation!r}"
                )
        self.augmentations = augmentations
        self._steps = [with_generator(augmentation) for augmentation in augmentations]

    def __call__(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Return the images after all augmentations.

        Parameters
        ----------
        images : Tensor of shape (n, C, H, W)
            A batch of images.
        generator : torch.Generator or None
            Source of the randomness; None uses the global generator of torch.

        Returns
        -------
        Tensor of shape (n, C, H, W)
            Changed copies of the images, in their order.
        """
        for augment in self._steps:
            images = augment(images, generator)
        return images

    def __repr__(self) -> str:
        return f"Compose({', '.join(map(repr, self.augmentations))})"


def _where_to_draw(images: Tensor, generator: Generator | None) -> device:
    """Return the generator's device: one on the CPU can serve images on a GPU."""
    if images.ndim != 4:
        raise ValueError(f"images must have the shape (n, C, H, W); got {tuple(images.shape)}")
    return images.device if generator is None else generator.device


def _unit_interval(name: str, value: object) -> float:
    if not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name} must be a number in [0, 1]; got {value!r}")
    return float(value)
