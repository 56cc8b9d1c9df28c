"""Features of a network as an array of numbers; errors name what came and how to convert it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

_N_LISTED = 10


def check_network_input(name: str, X: Any) -> None:
    """Require something that converts to one array with an axis of samples.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    X : object
        What the user passed as features.

    Raises
    ------
    TypeError
        If it is a DataLoader, several arrays without names, or text.
    ValueError
        If its samples have different shapes, as sequences of different lengths.

    Examples
    --------
    >>> check_network_input("X", [[1, 2], [3]])
    Traceback (most recent call last):
    ValueError: X holds samples of the different shapes [(1,), (2,)]: pad them to one shape, ...
    """
    refuse_loader(name, X)
    if isinstance(X, (list, tuple)) or getattr(X, "dtype", None) == np.dtype(object):
        _check_samples(name, X)


def refuse_loader(name: str, X: Any) -> None:
    """Raise a TypeError if X is a DataLoader of torch."""
    torch_data = sys.modules.get("torch.utils.data")  # without it, there can be none
    if torch_data is not None and isinstance(X, torch_data.DataLoader):
        raise TypeError(
            f"{name} is a DataLoader: pass its Dataset (loader.dataset), whose items are "
            "(x, y, teacher) in fit, with batch_size=… to the constructor and its other arguments "
            "as iterator_train__num_workers=…"
        )


def _check_samples(name: str, X: Any) -> None:
    """Require samples of one shape in a list or an array of objects."""
    samples = [] if len(getattr(X, "shape", (0,))) != 1 else list(X)
    if any(isinstance(sample, str) for sample in samples):
        raise TypeError(
            f"{name} holds text: a network reads numbers. Put a tokenizer or vectorizer before the "
            "student in a Pipeline, or pass collate_fn=, a function from a list of texts to tensors"
        )
    shapes = {_shape(sample) for sample in samples}
    # matrices of the same number of rows are rather inputs of one network than samples
    if len(shapes) > 1 and all(len(shape) == 2 for shape in shapes) and _same_length(shapes):
        raise TypeError(
            f"{name} holds several inputs, of the shapes {sorted(shapes)[:_N_LISTED]}: pass a dict "
            "of them, whose keys are the names of the parameters of the module's forward"
        )
    if len(shapes) > 1:
        listed = sorted(shapes)[:_N_LISTED]
        raise ValueError(
            f"{name} holds samples of the different shapes {listed}: pad them to one shape, with a "
            "value that the module ignores, or pass collate_fn=, a function from a list of samples "
            "to tensors, for example torch.nn.utils.rnn.pad_sequence"
        )


def _same_length(shapes: set[tuple[int, ...]]) -> bool:
    return len({shape[0] for shape in shapes}) == 1


def _shape(sample: Any) -> tuple[int, ...]:
    """Return the shape of a sample; of nested lists the length."""
    if hasattr(sample, "shape"):
        return tuple(sample.shape)
    return (len(sample),) if hasattr(sample, "__len__") else ()
