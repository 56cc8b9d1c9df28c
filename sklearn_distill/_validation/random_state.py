"""Draw the seeds of teacher and students, and check that a cached teacher is reproducible."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

RandomState: TypeAlias = int | np.random.RandomState | None


def seeded(
    teacher: BaseEstimator, student: BaseEstimator, random_state: RandomState
) -> tuple[Any, Any, int]:
    """Return clones of both with seeds drawn from ``random_state``, and a seed for all else.

    With None the clones keep their own ``random_state``.
    """
    rng = check_random_state(random_state)
    clones = clone(teacher), clone(student)
    if random_state is not None:
        for estimator in clones:
            _set_random_states(estimator, rng)
    return *clones, draw_seed(rng)


def seeded_clones(
    estimator: BaseEstimator,
    n_clones: int,
    random_state: RandomState,
    *,
    copy: Callable[[Any], Any] = clone,
) -> tuple[list[Any], int]:
    """Return clones with different seeds drawn from ``random_state``, and a seed for all else.

    With None the clones keep their own ``random_state``. ``copy`` makes them.
    """
    rng = check_random_state(random_state)
    clones = [copy(estimator) for _ in range(n_clones)]
    if random_state is not None:
        for one in clones:
            _set_random_states(one, rng)
    return clones, draw_seed(rng)


def _set_random_states(estimator: BaseEstimator, rng: np.random.RandomState) -> None:
    """Set each ``random_state`` that is None, nested ones too, to an integer."""
    params = estimator.get_params()
    states = [name for name in sorted(params) if f"__{name}".endswith("__random_state")]
    # also for those that are set: fixing one must not change the seeds of the others
    drawn = {name: draw_seed(rng) for name in states}
    unset = {name: value for name, value in drawn.items() if params[name] is None}
    if unset:
        estimator.set_params(**unset)


def draw_seed(rng: np.random.RandomState) -> int:
    """Return a seed for whatever takes an int."""
    return int(rng.randint(np.iinfo(np.int32).max))


def check_reproducible(memory: Any, random_state: RandomState, cv: Any) -> None:
    """Require an integer ``random_state`` and a deterministic ``cv`` if fits are cached."""
    if memory is None:
        return
    if not isinstance(random_state, Integral):
        raise ValueError(
            f"memory needs an integer random_state, got {random_state!r}: a cached teacher is used "
            "in place of a new fit, which must give the same teacher"
        )
    if not _is_deterministic(cv):
        raise ValueError(
            f"memory needs a deterministic cv, got {cv!r}: give it an integer random_state, or a "
            "list of splits"
        )


def _is_deterministic(cv: Any) -> bool:
    if isinstance(cv, (Integral, list, tuple, str)) or cv is None:
        return True
    # a ShuffleSplit has no parameter `shuffle`: it always does
    shuffles = getattr(cv, "shuffle", True) and hasattr(cv, "random_state")
    if shuffles and not isinstance(cv.random_state, Integral):
        return False
    return hasattr(cv, "split")  # an iterator yields its splits only once
