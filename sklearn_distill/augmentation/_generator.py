"""Augmentations with and without a random generator are called in one way."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Generator, Tensor

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class WithoutGenerator:
    """An augmentation of one argument, called like one of two.

    Parameters
    ----------
    augment : callable
        ``augment(images)`` → images.
    """

    augment: Callable[[Tensor], Tensor]

    def __call__(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Return the augmented images; the generator is not used."""
        return self.augment(images)


def with_generator(augment: Callable[..., Any]) -> Callable[..., Any]:
    """Return an augmentation that accepts a generator, which is ignored if its signature lacks one.

    Parameters
    ----------
    augment : callable
        ``augment(images)`` or ``augment(images, generator)``. The second positional parameter is a
        generator if it has no default or is called ``generator``.

    Returns
    -------
    callable
        ``augment(images, generator)``.

    Examples
    --------
    >>> with_generator(abs)(-1, None)
    1
    >>> with_generator(lambda images, generator: generator)(1, 2)
    2
    """
    return augment if _takes_generator(augment) else WithoutGenerator(augment)


def _takes_generator(augment: Callable[..., Any]) -> bool:
    # calling a torch module calls its forward; the signature of its __call__ tells nothing
    called = augment.forward if hasattr(augment, "forward") else augment
    try:
        parameters = list(inspect.signature(called).parameters.values())
    except ValueError:  # functions written in C, such as torch.relu, have no signature
        return False
    # transforms of several images have *inputs, which would change a generator like an image
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    if len(positional) < 2:
        return False
    second = positional[1]
    return second.name == "generator" or second.default is second.empty
