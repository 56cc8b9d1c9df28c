"""Axes, colours and scales of the displays; matplotlib is imported only when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axes_for(
    ax: Axes | Sequence[Axes] | NDArray[Any] | None,
    n_axes: int,
    panel_height: float | None = None,
    *,
    side_by_side: bool = False,
) -> NDArray[Any]:
    """Return the axes to plot on: the given ones, or those of a new figure in one column.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of Axes or None
        Axes from the user; None creates a figure.
    n_axes : int
        Number of axes that the display needs.
    panel_height : float, default=None
        Height of each axes of a new figure, in inches; None keeps matplotlib's default size of
        the figure.
    side_by_side : bool, default=False
        Whether a new figure has one row instead of one column.

    Returns
    -------
    ndarray of shape (n_axes,)
        The axes, from top to bottom or from left to right.

    Raises
    ------
    ImportError
        If a figure is needed and matplotlib is not installed.
    ValueError
        If `ax` has another number of axes.
    """
    if ax is None and side_by_side:
        figure = _import_pyplot().figure(figsize=(5.5 * n_axes, 4.5), layout="constrained")
        return np.ravel(figure.subplots(1, n_axes))
    if ax is None:
        size = None if panel_height is None else (6.4, 0.8 + n_axes * panel_height)
        options = {"sharex": True, "squeeze": False, "layout": "constrained", "figsize": size}
        axes: NDArray[Any] = _import_pyplot().subplots(n_axes, 1, **options)[1]
        return axes[:, 0]
    given = np.ravel(np.asarray(ax, dtype=object))
    if len(given) != n_axes:
        raise ValueError(f"ax holds {len(given)} axes; pass {n_axes}, or None for a new figure.")
    return given


def new_figure() -> tuple[Any, NDArray[Any]]:
    """Return a figure with two Axes side by side, independent of pyplot.

    Returns
    -------
    figure : matplotlib Figure
        The figure.
    axes : ndarray of shape (2,)
        Its Axes.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    _import_pyplot()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    return figure, figure.subplots(1, 2)


def _import_pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'drawing needs matplotlib: pip install "sklearn-distill[plot]"'
        ) from error
    return plt


def class_colours(n_classes: int) -> FloatArray:
    """Return a colour for each class: up to ten distinct ones, or more from a continuous map.

    Parameters
    ----------
    n_classes : int
        Number of colours.

    Returns
    -------
    ndarray of shape (n_classes, 4)
        Red, green, blue and opacity, between 0 and 1.
    """
    from matplotlib import colormaps

    if n_classes <= 10:
        return np.asarray(colormaps["tab10"](np.arange(n_classes)))
    # the ends of turbo are too dark to be distinguished
    return np.asarray(colormaps["turbo"](np.linspace(0.05, 0.95, n_classes)))


def make_logarithmic(axes: Axes, which: str) -> None:
    """Make an axis logarithmic, with ticks such as 0.5 instead of 5 × 10⁻¹.

    Parameters
    ----------
    axes : matplotlib Axes
        The axes to change.
    which : {"x", "y"}
        Which of its axes becomes logarithmic.
    """
    from matplotlib.ticker import LogFormatter

    class PlainFormatter(LogFormatter):
        """Labels the same ticks as its parent, in decimal notation."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    axis.set_major_formatter(PlainFormatter())
    axis.set_minor_formatter(PlainFormatter())
