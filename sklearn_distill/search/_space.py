"""The metaparameters as a vector in a box, in coordinates that suit the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.students._problem import LossParams

# λ is its own coordinate, so that 0 and 1 can be reached; T and C are searched by their logarithms,
# that of C divided by 4: the loss bends less along it, and equal curvatures make a descent short
LOGARITHMIC = {"imitation": False, "temperature": True, "C": True}
SCALE = {"imitation": 1.0, "temperature": 1.0, "C": 4.0}
BOUNDS = {"imitation": (0.0, 1.0), "temperature": (0.1, 10.0), "C": (1e-4, 1e4)}


@dataclass(frozen=True)
class Space:
    """A box of the metaparameters that are searched; the others are fixed.

    A vector of coordinates u holds λ, log T and (log C)/4 of the metaparameters in ``names``.

    Parameters
    ----------
    names : tuple of str
        The metaparameters that are searched, of "imitation", "temperature" and "C".
    start : LossParams
        Starting values, and the values of the fixed metaparameters.
    low, high : ndarray of shape (n_names,)
        Bounds of the metaparameters' values.

    Examples
    --------
    >>> start = LossParams(imitation=0.5, temperature=1.0, C=1.0)
    >>> space = Space(("temperature",), start, np.array([1.0]), np.array([100.0]))
    >>> space.loss_params(space.at_fraction(np.array([0.5]))).temperature
    10.0
    """

    names: tuple[str, ...]
    start: LossParams
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(
        cls,
        names: str | Sequence[str],
        start: LossParams,
        bounds: Mapping[str, tuple[float, float]] | None,
    ) -> Space:
        """Check names and bounds, and return their space.

        Parameters
        ----------
        names : str or sequence of str
            The estimator's ``metaparameters``.
        start : LossParams
            Starting and fixed values.
        bounds : mapping of str to (low, high), or None
            Bounds that differ from ``BOUNDS``.

        Returns
        -------
        Space
            The box of the named metaparameters.

        Raises
        ------
        ValueError
            If a name is unknown or repeats, or bounds are not an interval of allowed values, or
            those of a metaparameter that is not searched.
        """
        names = _checked_names(names)
        allowed = _checked_bounds(bounds)
        fixed = sorted(set(bounds or ()) - set(names))
        if fixed:
            raise ValueError(
                f"bounds has {fixed}, but the metaparameters are {list(names)}: leave out the "
                "bounds of those that are fixed, or add them to metaparameters"
            )
        low, high = np.array([allowed[name] for name in names], dtype=np.float64).T
        return cls(names, start, low, high)

    def values(self, u: FloatArray) -> FloatArray:
        """Return the metaparameters' values at coordinates u."""
        exponent = np.where(self._is_log, u * self._scale, 0.0)
        values = np.where(self._is_log, np.exp(exponent), u)
        # 14 digits remove the rounding of exp and log: exp(log 10) is 10
        rounded = np.array([float(f"{value:.14g}") for value in values])
        return rounded.clip(self.low, self.high)

    def coordinates(self, values: FloatArray) -> FloatArray:
        """Return the coordinates of the metaparameters' values."""
        logarithm = np.log(np.where(self._is_log, values, 1.0))
        return np.where(self._is_log, logarithm / self._scale, values)

    def at_fraction(self, fraction: FloatArray) -> FloatArray:
        """Return the coordinates at fractions in [0, 1] of the box's edges."""
        low, high = self.box
        return (low + fraction * (high - low)).clip(low, high)  # but for rounding it is

    def loss_params(self, u: FloatArray) -> LossParams:
        """Return the parameters of the loss at coordinates u."""
        values = self.values(u).tolist()
        return replace(self.start, **dict(zip(self.names, values, strict=True)))

    def jacobian(self, u: FloatArray) -> FloatArray:
        """Return the derivative of each value in its coordinate: the diagonal of the Jacobian."""
        return np.where(self._is_log, self.values(u) * self._scale, 1.0)

    @property
    def start_coordinates(self) -> FloatArray:
        """The coordinates of the starting values, clipped to the box."""
        values = np.array([getattr(self.start, name) for name in self.names])
        return self.coordinates(values.clip(self.low, self.high))

    @property
    def box(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest coordinates."""
        return self.coordinates(self.low), self.coordinates(self.high)

    @property
    def _scale(self) -> FloatArray:
        return np.array([SCALE[name] for name in self.names])

    @property
    def _is_log(self) -> BoolArray:
        return np.array([LOGARITHMIC[name] for name in self.names])


def _checked_names(names: str | Sequence[str]) -> tuple[str, ...]:
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names or len(set(names)) < len(names) or not set(names) <= set(LOGARITHMIC):
        raise ValueError(
            f"metaparameters={names}: pass one or more of {', '.join(LOGARITHMIC)}, each once"
        )
    return names


def _checked_bounds(
    bounds: Mapping[str, tuple[float, float]] | None,
) -> dict[str, tuple[float, float]]:
    bounds = {} if bounds is None else dict(bounds)
    unknown = set(bounds) - set(BOUNDS)
    if unknown:
        raise ValueError(
            f"bounds has unknown metaparameters {sorted(unknown)}: pass bounds of "
            f"{', '.join(BOUNDS)}"
        )
    for name, pair in bounds.items():
        low, high = pair
        allowed = low > 0 if LOGARITHMIC[name] else (low >= 0 and high <= 1)
        if not (allowed and low < high < np.inf):
            kind = "0 < low < high" if LOGARITHMIC[name] else "0 <= low < high <= 1"
            raise ValueError(f"bounds of {name} are {tuple(pair)}: pass (low, high) with {kind}")
    return BOUNDS | bounds
