"""What a checkpoint recognises its training by."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from torch import nn

from sklearn_distill.nets._fingerprint import fingerprint
from sklearn_distill.nets._live_teacher import evaluating
from sklearn_distill.students._neural_network import random_stream


def training_identity(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the fingerprints of data and parameters, by name.

    Raises
    ------
    ValueError
        If one of them contains an object without a fingerprint.
    """
    # a Dataset may draw from torch's generator while a sample of its items is read
    with random_stream(0):
        return {name: _fingerprint(name, value) for name, value in values.items()}


def _fingerprint(name: str, value: Any) -> str:
    # a teacher predicts in evaluation mode, whatever mode it is in
    is_teacher = name == "teacher" and isinstance(value, nn.Module)
    try:
        with evaluating(value) if is_teacher else nullcontext():
            return fingerprint(value)
    except Exception as error:  # objects that cannot be pickled raise various types
        raise ValueError(
            f"checkpoint must recognise its training, but {name}={value!r} contains what cannot be "
            f"hashed ({error}): use a function, or an object that can be pickled"
        ) from error


def path_of_fit(path: Path, identity: Mapping[str, str]) -> Path:
    """Return the path of a file for one of several fits that have the same ``checkpoint``."""
    return path.with_name(f"{path.stem}-{fingerprint(dict(identity))[:16]}{path.suffix}")
