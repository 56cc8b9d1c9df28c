"""Get axes to draw on; matplotlib is loaded here and nowhere else, and only when drawing."""

from __future__ import annotations

from typing import Any

import numpy as np


def axes_for(ax: Any, n_axes: int, panel_height: float | None = None) -> Any:
    """Return the axes to draw on: those that came, or those of a new figure, one below another.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of Axes or None
        What the caller passed; None makes a figure.
    n_axes : int
        How many are needed.
    panel_height : float, default=None
        Inches for each of a new figure's axes; None leaves the figure as large as matplotlib
        makes it.

    Returns
    -------
    ndarray of shape (n_axes,)
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing where a figure is needed.
    ValueError
        If another number of axes came.
    """
    if ax is None:
        size = None if panel_height is None else (6.4, 0.8 + n_axes * panel_height)
        options = {"sharex": True, "squeeze": False, "layout": "constrained", "figsize": size}
        return pyplot().subplots(n_axes, 1, **options)[1][:, 0]
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


def class_colours(n_classes: int) -> Any:
    """Return a colour for each class: up to ten that are told apart easily, or shades of a scale.

    Parameters
    ----------
    n_classes : int
        How many are needed.

    Returns
    -------
    ndarray of shape (n_classes, 4)
        Red, green, blue and opacity.
    """
    from matplotlib import colormaps

    if n_classes <= 10:
        return colormaps["tab10"](np.arange(n_classes))
    return colormaps["turbo"](np.linspace(0.05, 0.95, n_classes))


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
