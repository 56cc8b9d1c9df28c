"""Choice of the device of a network."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from sklearn_distill._optional import import_torch

if TYPE_CHECKING:
    import torch


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """Return the device of a given name.

    Only the CPU is tested; "cuda" and "mps" rely on torch's own checks.

    Parameters
    ----------
    device : str or torch.device, default="auto"
        "auto" is the first available of "cuda", "mps" and "cpu"; otherwise a name that torch
        accepts, such as "cpu", "cuda", "cuda:1" or "mps".

    Returns
    -------
    torch.device
        The device. "cuda" keeps having no number: it is the current device.

    Raises
    ------
    ValueError
        If torch does not accept the name, or this machine has no such device.
    ImportError
        If torch is not installed.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    library = import_torch("resolve_device")
    if isinstance(device, str) and device == "auto":
        device = next((kind for kind in ("cuda", "mps") if _count_devices(library, kind)), "cpu")
    try:
        chosen: torch.device = library.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={device!r} is no device: pass 'auto', 'cpu', 'cuda', 'cuda:0' or 'mps'"
        ) from error
    _check_present(library, chosen)
    return chosen


def _count_devices(library: ModuleType, kind: str) -> int:
    """Return how many devices of a kind this machine has."""
    if kind == "cuda":
        return library.cuda.device_count() if library.cuda.is_available() else 0
    return int(library.backends.mps.is_available())


def _check_present(library: ModuleType, device: torch.device) -> None:
    # the CPU is always there, and torch itself checks the devices of other backends
    if device.type not in {"cuda", "mps"}:
        return
    present = _count_devices(library, device.type)
    if (device.index or 0) >= present:
        raise ValueError(
            f"device={str(device)!r}, but torch {library.__version__} finds {present} "
            f"{device.type} devices here: pass device='auto' or device='cpu', or install a torch "
            f"built for {device.type}"
        )
