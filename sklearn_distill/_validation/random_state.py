"""Seeds of teacher and students, and what a cache of teachers needs."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state


def seeded(teacher: Any, student: Any, random_state: Any) -> tuple[Any, Any, int]:
    """Return clones of both with seeds drawn from ``random_state``, and one for all else.

    None leaves those of the clones.
    """
    rng = check_random_state(random_state)
    both = clone(teacher), clone(student)
    if random_state is not None:
        for estimator in both:
            _seed(estimator, rng)
    return *both, _drawn(rng)


def seeded_clones(estimator: Any, n_clones: int, random_state: Any) -> tuple[list[Any], int]:
    """Return clones, each with seeds of its own drawn from ``random_state``, and one for all else.

    None leaves those of the clones.
    """
    rng = check_random_state(random_state)
    clones = [clone(estimator) for _ in range(n_clones)]
    if random_state is not None:
        for one in clones:
            _seed(one, rng)
    return clones, _drawn(rng)


def _seed(estimator: Any, rng: np.random.RandomState) -> None:
    """Give each ``random_state`` that is None an integer, in the order of the names."""
    params = estimator.get_params()
    states = [name for name in sorted(params) if f"__{name}".endswith("__random_state")]
    drawn = {name: _drawn(rng) for name in states}
    unset = {name: value for name, value in drawn.items() if params[name] is None}
    if unset:
        estimator.set_params(**unset)


def _drawn(rng: np.random.RandomState) -> int:
    return int(rng.randint(np.iinfo(np.int32).max))


def check_reproducible(memory: Any, random_state: Any, cv: Any) -> None:
    """Require of a cached fit that it would come out the same again."""
    if memory is None:
        return
    if not isinstance(random_state, Integral):
        raise ValueError(
            f"memory needs an integer random_state, got {random_state!r}: a cached teacher stands "
            "for one that would be fitted again, so it must come out the same"
        )
    if not _is_deterministic(cv):
        raise ValueError(
            f"memory needs a deterministic cv, got {cv!r}: give it an integer random_state, or a "
            "list of splits"
        )


def _is_deterministic(cv: Any) -> bool:
    if isinstance(cv, (Integral, list, tuple, str)) or cv is None:
        return True
    shuffles = getattr(cv, "shuffle", True) and hasattr(cv, "random_state")
    if shuffles and not isinstance(cv.random_state, Integral):
        return False
    return hasattr(cv, "split")  # an iterator gives its splits once
