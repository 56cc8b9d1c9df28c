"""Features of a network: one array of numbers; errors name what came and how to convert it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, NoReturn

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
        If it is a torch Dataset or DataLoader, a dict of inputs, or text.
    ValueError
        If its samples have different shapes, as sequences of different lengths.

    Examples
    --------
    >>> check_network_input("X", {"input_ids": [[1, 2]]})
    Traceback (most recent call last):
    TypeError: X is a dict of the inputs ['input_ids']: a network reads one array ...
    """
    torch_data = sys.modules.get("torch.utils.data")  # without it, X cannot be a Dataset
    if torch_data is not None and isinstance(X, torch_data.Dataset):
        raise TypeError(f"{name} is a Dataset, which only fit accepts, as X: pass an array")
    if torch_data is not None and isinstance(X, torch_data.DataLoader):
        raise TypeError(
            f"{name} is a DataLoader: pass an array or, as X of fit, its Dataset (loader.dataset) "
            "with items (x, y, teacher), batch_size=… to the constructor and its other arguments "
            "as iterator_train__num_workers=…"
        )
    if isinstance(X, Mapping):
        _refuse_several(f"{name} is a {type(X).__name__} of the inputs {list(X)[:_N_LISTED]}")
    if isinstance(X, (list, tuple)) or getattr(X, "dtype", None) == np.dtype(object):
        _check_samples(name, X)


def _check_samples(name: str, X: Any) -> None:
    """Require samples of one shape in a list or an array of objects."""
    samples = [] if len(getattr(X, "shape", (0,))) != 1 else list(X)
    if any(isinstance(sample, str) for sample in samples):
        raise TypeError(
            f"{name} holds text: a network reads numbers. Convert it to token ids of equal lengths "
            "or to embeddings, or put a vectorizer before the student in a Pipeline"
        )
    shapes = {_shape(sample) for sample in samples}
    # matrices of the same number of rows are rather inputs of one network than samples
    if len(shapes) > 1 and all(len(shape) == 2 for shape in shapes) and _same_length(shapes):
        _refuse_several(f"{name} holds several inputs, of the shapes {sorted(shapes)[:_N_LISTED]}")
    if len(shapes) > 1:
        listed = sorted(shapes)[:_N_LISTED]
        raise ValueError(
            f"{name} holds samples of the different shapes {listed}: a network reads one array. "
            "Pad them to one shape, for example with torch.nn.utils.rnn.pad_sequence, with a value "
            "that the module ignores"
        )


def _same_length(shapes: set[tuple[int, ...]]) -> bool:
    return len({shape[0] for shape in shapes}) == 1


def _refuse_several(what: str) -> NoReturn:
    raise TypeError(
        f"{what}: a network reads one array with a row for each sample. Join the inputs, for "
        "example with np.hstack, and let the module's forward split them again"
    )


def _shape(sample: Any) -> tuple[int, ...]:
    """Return the shape of a sample; of nested lists the length."""
    if hasattr(sample, "shape"):
        return tuple(sample.shape)
    return (len(sample),) if hasattr(sample, "__len__") else ()
