"""The metaparameters as a vector in a box, in the coordinates in which one searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.students._problem import LossParams

# λ goes as it is, so that 0 and 1 can be reached; T and C by their logarithms, and that of C by a
# quarter: the loss bends less along it, and equal curvatures make a descent short
LOGARITHMIC = {"imitation": False, "temperature": True, "C": True}
LENGTH = {"imitation": 1.0, "temperature": 1.0, "C": 4.0}
BOUNDS = {"imitation": (0.0, 1.0), "temperature": (0.1, 10.0), "C": (1e-4, 1e4)}


@dataclass(frozen=True)
class Space:
    """A box of the metaparameters that are searched; the others stay as they are.

    Parameters
    ----------
    names : tuple of str
        Metaparameters, of "imitation", "temperature" and "C".
    start : LossParams
        Where the others stay.
    low, high : ndarray of shape (n_names,)
        The box, in natural units.

    Examples
    --------
    >>> start = LossParams(imitation=0.5, temperature=1.0, C=1.0)
    >>> space = Space(("temperature",), start, np.array([1.0]), np.array([100.0]))
    >>> space.setting(space.inside(np.array([0.5]))).temperature
    10.0
    """

    names: tuple[str, ...]
    start: LossParams
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, names: Sequence[str], start: LossParams, bounds: Mapping[str, Any] | None) -> Space:
        """Check names and bounds.

        Parameters
        ----------
        names : sequence of str
            The estimator's ``metaparameters``.
        start : LossParams
            Starting and fixed values.
        bounds : mapping of str to (low, high), or None
            Where they differ from ``BOUNDS``.

        Returns
        -------
        Space
            The box.

        Raises
        ------
        ValueError
            If a name is unknown or repeats, or bounds are not an interval within what is allowed.
        """
        names = _checked_names(names)
        allowed = _checked_bounds(bounds)
        low, high = np.array([allowed[name] for name in names], dtype=np.float64).T
        return cls(names, start, low, high)

    def natural(self, u: FloatArray) -> FloatArray:
        """Return the values of coordinates u; exp(log 10) is 10."""
        exponent = np.where(self._is_log, u * self._length, 0.0)
        values = np.where(self._is_log, np.exp(exponent), u)
        rounded = np.array([float(f"{value:.14g}") for value in values])
        return rounded.clip(self.low, self.high)

    def coordinates(self, values: FloatArray) -> FloatArray:
        """Return the coordinates of values."""
        logarithm = np.log(np.where(self._is_log, values, 1.0))
        return np.where(self._is_log, logarithm / self._length, values)

    def inside(self, share: FloatArray) -> FloatArray:
        """Return the coordinates at shares 0 … 1 of the box's edges."""
        low, high = self.box
        return low + share * (high - low)

    def setting(self, u: FloatArray) -> LossParams:
        """Return the setting at coordinates u."""
        values = self.natural(u).tolist()
        return replace(self.start, **dict(zip(self.names, values, strict=True)))

    def rates(self, u: FloatArray) -> FloatArray:
        """Return the derivative of each value in its coordinate."""
        return np.where(self._is_log, self.natural(u) * self._length, 1.0)

    @property
    def started(self) -> FloatArray:
        """The coordinates of the starting values, moved into the box."""
        values = np.array([getattr(self.start, name) for name in self.names])
        return self.coordinates(values.clip(self.low, self.high))

    @property
    def box(self) -> tuple[FloatArray, FloatArray]:
        """The box in coordinates."""
        return self.coordinates(self.low), self.coordinates(self.high)

    @property
    def _length(self) -> FloatArray:
        return np.array([LENGTH[name] for name in self.names])

    @property
    def _is_log(self) -> Any:
        return np.array([LOGARITHMIC[name] for name in self.names])


def _checked_names(names: Any) -> tuple[str, ...]:
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names or len(set(names)) < len(names) or not set(names) <= set(LOGARITHMIC):
        raise ValueError(
            f"metaparameters={names}: name one or more of {', '.join(LOGARITHMIC)}, each once"
        )
    return names


def _checked_bounds(bounds: Mapping[str, Any] | None) -> dict[str, tuple[float, float]]:
    bounds = {} if bounds is None else dict(bounds)
    unknown = set(bounds) - set(BOUNDS)
    if unknown:
        raise ValueError(f"bounds names {sorted(unknown)}: it may name {', '.join(BOUNDS)}")
    for name, pair in bounds.items():
        _check_interval(name, pair)
    return BOUNDS | bounds


def _check_interval(name: str, pair: Any) -> None:
    low, high = pair
    inside = low > 0 if LOGARITHMIC[name] else (low >= 0 and high <= 1)
    if not (inside and low < high < np.inf):
        kind = "0 < low < high" if LOGARITHMIC[name] else "0 <= low < high <= 1"
        raise ValueError(f"bounds of {name} are {tuple(pair)}: they must be (low, high), {kind}")
