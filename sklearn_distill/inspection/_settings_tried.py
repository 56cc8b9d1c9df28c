"""The settings (λ, T) that a search tried, what it found there, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sklearn_distill._typing import FloatArray
from sklearn_distill.inspection._trajectory import check_temperature

NAMES = ("imitation", "temperature")


@dataclass(frozen=True)
class Settings:
    """Values at settings (λ, T).

    Parameters
    ----------
    imitation, temperature : ndarray of shape (n_settings,)
        λ, and T > 0.
    values : ndarray of shape (n_settings,)
        What was found there; NaN where nothing was.
    """

    imitation: FloatArray
    temperature: FloatArray
    values: FloatArray

    @property
    def grid(self) -> pd.DataFrame | None:
        """The values by λ (rows) and T (columns) if the settings are a full grid, else None.

        Examples
        --------
        >>> λ, T = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 1.0, 2.0, 2.0])
        >>> Settings(λ, T, np.arange(4.0)).grid.to_numpy().tolist()
        [[0.0, 2.0], [1.0, 3.0]]
        """
        rows, columns = np.unique(self.imitation), np.unique(self.temperature)
        if min(len(rows), len(columns)) < 2 or len(rows) * len(columns) != len(self.values):
            return None
        table = pd.DataFrame(vars(self))
        if table.duplicated(list(NAMES)).any():
            return None
        return table.pivot(index="imitation", columns="temperature", values="values")


def edges(centres: FloatArray) -> FloatArray:
    """Return the edges of cells around ascending centres; the outer cells end at their centres.

    Examples
    --------
    >>> edges(np.array([0.0, 1.0, 4.0])).tolist()
    [0.0, 0.5, 2.5, 4.0]
    """
    middles = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([centres[:1], middles, centres[-1:]])


def read_settings(imitation: Any, temperature: Any, values: Any) -> Settings:
    """Check settings with their values.

    Parameters
    ----------
    imitation : array-like of shape (n_imitation,) or (n_settings,)
        λ.
    temperature : array-like of shape (n_temperature,) or (n_settings,)
        T > 0.
    values : array-like of shape (n_imitation, n_temperature) or (n_settings,)
        A grid, or one value for each setting.

    Returns
    -------
    Settings
        One entry for each value.

    Raises
    ------
    ValueError
        If shapes do not fit, λ is not finite or T not above 0.
    """
    lam, T, V = (np.array(a, dtype=np.float64) for a in (imitation, temperature, values))
    expected = (*lam.shape, *T.shape) if V.ndim == 2 else lam.shape
    if V.ndim not in {1, 2} or V.shape != expected or (V.ndim == 1 and T.shape != V.shape):
        raise ValueError(
            f"values has shape {V.shape}, with imitation {lam.shape} and temperature {T.shape}: "
            "pass (n_imitation, n_temperature) for a grid, or three arrays of one length"
        )
    if V.ndim == 2:
        lam, T = (axis.ravel() for axis in np.meshgrid(lam, T, indexing="ij"))
    _check_settings(lam, T, "imitation")
    return Settings(lam, T, V.ravel())


def read_path(path: Any) -> pd.DataFrame:
    """Check a path.

    Parameters
    ----------
    path : DataFrame or array-like of shape (n_evaluations, 2)
        Columns imitation and temperature, in order; of a DataFrame also stage, if it has one.

    Returns
    -------
    DataFrame
        Columns imitation, temperature and stage; "descent" where the path has no stages.

    Raises
    ------
    ValueError
        If columns are missing or hold what is no λ or T.
    """
    table = path if isinstance(path, pd.DataFrame) else _as_table(path)
    missing = [name for name in NAMES if name not in table]
    if missing:
        raise ValueError(f"path lacks the columns {missing}, it has {list(table)}")
    table = table.assign(stage=table.get("stage", "descent"))
    lam, T = (table[name].to_numpy(np.float64) for name in NAMES)
    _check_settings(lam, T, "path's imitation")
    return table[[*NAMES, "stage"]]


def _as_table(path: Any) -> pd.DataFrame:
    array = np.asarray(path, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"path has shape {array.shape}; pass (n_evaluations, 2): λ and T")
    return pd.DataFrame(array, columns=list(NAMES))


def _check_settings(imitation: FloatArray, temperature: FloatArray, name: str) -> None:
    if not np.isfinite(imitation).all():
        raise ValueError(f"{name} must be finite")
    check_temperature(temperature)
