"""Patterns of parameter names that match nothing: errors, where skorch ignores them."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

from skorch.callbacks import ParamMapper

from sklearn_distill.nets._net import StudentNet

_N_LISTED = 20


def check_patterns(net: StudentNet) -> None:
    """Require that each pattern of a Freezer or of ``optimizer__param_groups`` matches a name.

    Parameters
    ----------
    net : StudentNet
        The initialised net.

    Raises
    ------
    ValueError
        If one matches none; the message lists the names.
    """
    names = [name for name, _ in net.get_all_learnable_params()]
    for label, callback in net.callbacks_:
        if isinstance(callback, ParamMapper):
            for pattern in callback.patterns:
                if not any(map(_matcher(pattern), names)):
                    raise _error(f"the callback {label}", pattern, names)
    left = names
    for pattern, _ in net.get_params_for("optimizer").get("param_groups", []):
        rest = [name for name in left if not fnmatch(name, pattern)]
        if len(rest) == len(left):  # a parameter is in the group of the first pattern it matches
            raise _error("optimizer__param_groups", pattern, left)
        left = rest


def _matcher(pattern: Any) -> Callable[[str], bool]:
    return pattern if callable(pattern) else lambda name: fnmatch(name, pattern)


def _error(owner: str, pattern: Any, names: list[str]) -> ValueError:
    more = ", …" if len(names) > _N_LISTED else ""
    return ValueError(
        f"{owner} has the pattern {pattern!r}, which matches no parameter of the network: pass one "
        f"that matches some of {', '.join(names[:_N_LISTED])}{more}"
    )
