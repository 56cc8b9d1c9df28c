"""Evaluate every point of a grid, each from its neighbour's fits."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_distill.search._descent import snake
from sklearn_distill.search._metaparameters import Space
from sklearn_distill.search._surface import Surface


def sweep(surface: Surface, grid: Any) -> None:
    """Evaluate a grid.

    Parameters
    ----------
    surface : Surface
        The loss; its points are those of the grid.
    grid : int or dict of str to array-like
        Number of values over each edge of the box, or the values.
    """
    for values in snake([axis(surface.space, j, grid) for j in range(len(surface.space.names))]):
        surface.evaluate(surface.space.coordinates(np.array(values)), "grid")


def axis(space: Space, j: int, grid: Any) -> tuple[float, ...]:
    """Return the natural values of one metaparameter."""
    if not isinstance(grid, dict):
        shares = np.repeat(np.linspace(0, 1, grid)[:, None], len(space.names), axis=1)
        return tuple(space.natural(space.inside(row))[j] for row in shares)
    name = space.names[j]
    if set(grid) != set(space.names):
        raise ValueError(
            f"grid has values for {sorted(grid)}, but the metaparameters are "
            f"{list(space.names)}: give values for each of them"
        )
    values = np.ravel(np.asarray(grid[name], dtype=np.float64))
    if not (len(values) and ((values >= space.low[j]) & (values <= space.high[j])).all()):
        raise ValueError(
            f"grid has {values.tolist()} for {name}, outside of its bounds "
            f"({space.low[j]:g}, {space.high[j]:g}): change one of the two"
        )
    return tuple(values.tolist())
