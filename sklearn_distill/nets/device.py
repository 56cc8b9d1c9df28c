"""Choose the device that a network lives on."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from sklearn_distill._optional import import_torch

if TYPE_CHECKING:
    import torch


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """Return the device that a name stands for.

    Tested are "cpu", and "auto" where it is the CPU; "cuda" and "mps" go through torch's own
    checks.

    Parameters
    ----------
    device : str or torch.device, default="auto"
        "auto" is the first that is available of "cuda", "mps" and "cpu"; else a name that torch
        knows, such as "cpu", "cuda", "cuda:1" or "mps".

    Returns
    -------
    torch.device
        The device. "cuda" without a number stays without: it is the current one.

    Raises
    ------
    ValueError
        If torch does not know the name, or this machine has no such device.
    ImportError
        If torch is not installed.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    library = import_torch("resolve_device")
    if isinstance(device, str) and device == "auto":
        device = next((kind for kind in ("cuda", "mps") if _count(library, kind)), "cpu")
    try:
        chosen: torch.device = library.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={device!r} is no device: pass 'auto', 'cpu', 'cuda', 'cuda:0' or 'mps'"
        ) from error
    _check_present(library, chosen)
    return chosen


def _count(library: ModuleType, kind: str) -> int:
    """Return how many devices of a kind this machine has."""
    if kind == "cuda":
        return library.cuda.device_count() if library.cuda.is_available() else 0
    return int(library.backends.mps.is_available())


def _check_present(library: ModuleType, device: torch.device) -> None:
    if device.type not in {"cuda", "mps"}:  # the CPU is there, and torch knows of the others
        return
    present = _count(library, device.type)
    if (device.index or 0) >= present:
        raise ValueError(
            f"device={str(device)!r}, but torch {library.__version__} finds {present} "
            f"{device.type} devices here: pass device='auto' or device='cpu', or install a torch "
            f"built for {device.type}"
        )
