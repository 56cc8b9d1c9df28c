"""Checked arrays of λ and T over the steps of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sklearn_distill._typing import FloatArray

COLUMNS = ("imitation", "temperature", "source")
SOURCES = ("computed", "predicted", "held")


@dataclass(frozen=True)
class Trajectory:
    """λ, T and their source at each step.

    Parameters
    ----------
    step : ndarray of shape (n_steps,)
        Numbers of the steps, ascending.
    imitation, temperature : ndarray of shape (n_steps,)
        λ, and T > 0, at each step.
    source : ndarray of shape (n_steps,)
        How λ and T were obtained: entries of ``SOURCES``.
    """

    step: FloatArray
    imitation: FloatArray
    temperature: FloatArray
    source: NDArray[Any]

    @property
    def n_computed(self) -> int:
        """Number of steps that computed a hypergradient, the expensive ones."""
        return int(np.sum(self.source == "computed"))

    @property
    def predicted(self) -> list[tuple[float, float]]:
        """(start, width) of each run of predicted steps; a step has width 1.

        Examples
        --------
        >>> source = np.array(["computed", "predicted", "predicted", "held"])
        >>> Trajectory(np.arange(4.0), np.zeros(4), np.ones(4), source).predicted
        [(0.5, 2.0)]
        """
        # False at both ends, so that every run has a start and an end
        flags = np.concatenate([[False], self.source == "predicted", [False]])
        edges = np.flatnonzero(flags[1:] != flags[:-1])
        starts, ends = self.step[edges[::2]], self.step[edges[1::2] - 1]
        return [(float(a - 0.5), float(b - a + 1)) for a, b in zip(starts, ends, strict=True)]


def read_history(history: Any) -> Trajectory:
    """Check a history and return it as arrays.

    Parameters
    ----------
    history : DataFrame
        Columns imitation, temperature and source, with the step as index.

    Returns
    -------
    Trajectory
        The columns as arrays.

    Raises
    ------
    TypeError
        If it is not a DataFrame.
    ValueError
        If it is empty, lacks a column, or contains an invalid λ, T, step or source.
    """
    if not isinstance(history, pd.DataFrame):
        raise TypeError(f"history must be a DataFrame, got {type(history).__name__}")
    missing = [name for name in COLUMNS if name not in history]
    if missing or history.empty:
        raise ValueError(
            f"history lacks the columns {missing}, it has {list(history)}: pass the "
            "metaparameter_history_ of a student"
            if missing
            else "history has no rows: there was no step of training to draw"
        )
    return read_trajectory(history.index, *(history[name] for name in COLUMNS))


def read_trajectory(
    step: ArrayLike, imitation: ArrayLike, temperature: ArrayLike, source: ArrayLike
) -> Trajectory:
    """Check the arrays of a trajectory.

    Parameters
    ----------
    step, imitation, temperature, source : array-like of shape (n_steps,)
        The columns of a history; see :class:`Trajectory`.

    Returns
    -------
    Trajectory
        Copies of the arrays.

    Raises
    ------
    ValueError
        If lengths differ, or an array contains an invalid entry.
    """
    # np.array copies: the display does not change with the user's arrays
    arrays = {
        "step": np.array(step, dtype=np.float64),
        "imitation": np.array(imitation, dtype=np.float64),
        "temperature": np.array(temperature, dtype=np.float64),
        "source": np.array(source, dtype=str),
    }
    shapes = {name: values.shape for name, values in arrays.items()}
    if len(set(shapes.values())) > 1 or arrays["step"].ndim != 1:
        raise ValueError(f"the arrays must be of one length, their shapes are {shapes}")
    _check_entries(**arrays)
    return Trajectory(**arrays)


def _check_entries(
    step: FloatArray, imitation: FloatArray, temperature: FloatArray, source: NDArray[Any]
) -> None:
    if (np.diff(step) <= 0).any():
        raise ValueError("step (the index of a history) must ascend")
    if not np.isfinite(imitation).all():
        raise ValueError("imitation must be finite")
    check_temperature(temperature)
    unknown = sorted(set(source.tolist()) - set(SOURCES))
    if unknown:
        raise ValueError(f"source holds {unknown}: its entries must be of {SOURCES}")


def check_temperature(temperature: FloatArray) -> None:
    """Check that T can be plotted on a log axis.

    Raises
    ------
    ValueError
        If an entry is not above 0 and finite.
    """
    bad = ~((temperature > 0) & (temperature < np.inf))
    if bad.any():
        raise ValueError(
            f"temperature holds {temperature[bad][0]}: every T must be above 0 and finite"
        )
