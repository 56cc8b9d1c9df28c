"""Get axes to draw on; matplotlib is loaded here and nowhere else, and only when drawing."""

from __future__ import annotations

from typing import Any

import numpy as np


def axes_for(ax: Any, n_axes: int) -> Any:
    """Return the axes to draw on: those that came, or those of a new figure, one below another.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of Axes or None
        What the caller passed; None makes a figure.
    n_axes : int
        How many are needed.

    Returns
    -------
    ndarray of shape (n_axes,)
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If another number of axes came.
    """
    plt = pyplot()
    if ax is None:
        return plt.subplots(n_axes, 1, sharex=True, squeeze=False, layout="constrained")[1][:, 0]
    given = np.ravel(np.asarray(ax, dtype=object))
    if len(given) != n_axes:
        raise ValueError(f"ax holds {len(given)} axes; pass {n_axes}, or None for a new figure.")
    return given


def pyplot() -> Any:
    """Return matplotlib.pyplot.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'drawing needs matplotlib: pip install "sklearn-distill[plot]"'
        ) from error
    return plt


def make_logarithmic(axes: Any, which: str) -> None:
    """Put T on a log axis, with ticks such as 0.5 instead of 5 × 10⁻¹.

    Parameters
    ----------
    axes : matplotlib Axes
        Whose axis.
    which : {"x", "y"}
        Which axis.
    """
    from matplotlib.ticker import LogFormatter

    class PlainFormatter(LogFormatter):
        """Chooses ticks as its parent does, and writes them as numbers."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    axis.set_major_formatter(PlainFormatter())
    axis.set_minor_formatter(PlainFormatter())
