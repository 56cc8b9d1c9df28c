"""Parameters of the callbacks of a neural student by name, as in skorch: ``callbacks__name__x``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

PREFIX = "callbacks__"
_N_LISTED = 10


def callback_params(callbacks: Sequence[Any] | None) -> dict[str, Any]:
    """Return the callbacks and their parameters by the names that ``set_params`` takes.

    Parameters
    ----------
    callbacks : sequence of callbacks, classes or pairs (name, callback), or None
        The estimator's ``callbacks``.

    Returns
    -------
    dict
        ``callbacks__name`` and ``callbacks__name__x``.
    """
    params: dict[str, Any] = {}
    for name, callback in _named(callbacks):
        params[PREFIX + name] = callback
        if hasattr(callback, "get_params") and not isinstance(callback, type):
            inner = callback.get_params()
            params |= {f"{PREFIX}{name}__{key}": value for key, value in inner.items()}
    return params


def with_callback_params(
    owner: str, callbacks: Sequence[Any] | None, params: dict[str, Any]
) -> Sequence[Any] | None:
    """Return callbacks after setting parameters, or replacing some.

    Parameters
    ----------
    owner : str
        Name of the estimator's class, for messages.
    callbacks : sequence of callbacks, classes or pairs (name, callback), or None
        The estimator's ``callbacks``, which stay as they are; the objects in them get the
        parameters, as nested estimators do.
    params : dict
        ``callbacks__name`` and ``callbacks__name__x`` mapped to their new values.

    Returns
    -------
    sequence or None
        The callbacks; those that were replaced as pairs (name, callback).

    Raises
    ------
    ValueError
        If there is no such callback, or it has no such parameter.
    """
    # replaced callbacks first, as the parameters are then those of the new one
    for param in sorted(params, key=lambda param: param.count("__")):
        name, _, inner = param.removeprefix(PREFIX).partition("__")
        named = dict(_named(callbacks))
        if name not in named:
            raise ValueError(
                f"Invalid parameter {param!r} for estimator {owner}: the names of its callbacks "
                f"are {list(named)[:_N_LISTED]}"
            )
        if inner:
            _set_inner(owner, param, named[name], {inner: params[param]})
        else:
            position = list(named).index(name)
            callbacks = list(callbacks or [])
            callbacks[position] = (name, params[param])
    return callbacks


def without_switched_off(callbacks: Sequence[Any] | None) -> list[Any]:
    """Return the callbacks except those that ``set_params`` has replaced by None."""
    return [item for item in callbacks or [] if not (_is_pair(item) and item[1] is None)]


def _set_inner(owner: str, param: str, callback: Any, value: dict[str, Any]) -> None:
    if not hasattr(callback, "set_params") or isinstance(callback, type):
        raise ValueError(
            f"Invalid parameter {param!r} for estimator {owner}: its callback is {callback!r}, "
            "which has no parameters to set; pass an instance"
        )
    # a skorch callback accepts any name, and would keep one that it does not use
    (key,) = value
    valid = callback.get_params()
    if key.partition("__")[0] not in valid:
        raise ValueError(
            f"Invalid parameter {param!r} for estimator {owner}: the parameters of its callback "
            f"are {sorted(valid)[:_N_LISTED]}"
        )
    callback.set_params(**value)


def _named(callbacks: Sequence[Any] | None) -> list[tuple[str, Any]]:
    """Return (name, callback) of each; equal names of classes are numbered, as in skorch."""
    if not isinstance(callbacks, (list, tuple)):  # None, or what fit refuses
        return []
    pairs = [item if _is_pair(item) else (_class_name(item), item) for item in callbacks]
    n_with_name = Counter(name for name, _ in pairs)
    seen: Counter[str] = Counter()
    named = []
    for name, callback in pairs:
        seen[name] += 1
        named.append((f"{name}_{seen[name]}" if n_with_name[name] > 1 else name, callback))
    return named


def _is_pair(item: Any) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2 and isinstance(item[0], str)


def _class_name(callback: Any) -> str:
    kind = callback if isinstance(callback, type) else type(callback)
    return kind.__name__
