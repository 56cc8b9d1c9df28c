"""Plot losses or scores over the epochs of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from sklearn_distill.inspection._drawing import axes_for
from sklearn_distill.inspection._training_curves import (
    Curve,
    History,
    histories_of,
    read_curves,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from sklearn.base import BaseEstimator

_PARTS = {"train": "training", "valid": "validation"}
_STYLES = ("-", "--", ":", "-.")
_BAND: dict[str, Any] = {"alpha": 0.2, "linewidth": 0}


class TrainingCurveDisplay:
    """Plot of losses or scores per epoch, of one or several students.

    Each student has a colour, each column of the history a line style. Several runs of a student
    are plotted as their mean with a band, over the epochs that all of them have. Create one with
    :meth:`from_estimator` or :meth:`from_curves`; :meth:`plot` plots it again.

    Parameters
    ----------
    curves : history, list of histories, or dict of either by name
        A history is a DataFrame with the epoch as index or column, a dict of arrays whose epochs
        count from 1, or a skorch history. Histories in one list are runs of the same student.
    columns : str or list of str, default=None
        Columns to plot; None is train_loss and valid_loss, as far as they exist.
    band : {"std", "min-max"} or None, default="std"
        Band of several runs: mean ± standard deviation (n − 1 in the denominator), from the
        smallest to the largest value, or none.

    Attributes
    ----------
    curves_ : list of Curve
        The plotted data, by student, then column: ``name``, ``column``, ``step``, ``mean``,
        ``low``, ``high`` and ``n_runs``.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : list of Line2D
        The line of each curve.
    bands_ : list of PolyCollection
        The band of each curve of several runs.

    Raises
    ------
    TypeError
        If a run is not a history.
    ValueError
        If there is no history, a column is missing, runs share no epoch, or `band` is unknown.

    Notes
    -----
    The train_loss of a distilled student is its objective, which includes the teacher's term; its
    valid_loss is the loss on the labels alone. Compare either with the same curve of another
    student, not the two with each other.

    Examples
    --------
    >>> runs = [{"valid_loss": [0.9, 0.5]}, {"valid_loss": [0.7, 0.3]}]
    >>> display = TrainingCurveDisplay.from_curves({"student": runs}, band="min-max")
    >>> (curve,) = display.curves_
    >>> curve.mean.tolist(), curve.high.tolist()
    ([0.8, 0.4], [0.9, 0.5])
    """

    ax_: Axes
    figure_: Figure
    lines_: list[Line2D]
    bands_: list[PolyCollection]

    def __init__(
        self,
        *,
        curves: History | Mapping[str, Any],
        columns: str | Sequence[str] | None = None,
        band: str | None = "std",
    ) -> None:
        self.curves_ = read_curves(curves, columns, band)
        self.band = band

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator | Sequence[BaseEstimator] | Mapping[str, Any],
        *,
        columns: str | Sequence[str] | None = None,
        band: str | None = "std",
        ax: Axes | None = None,
        **line_kw: Any,
    ) -> Self:
        """Plot the training curves of fitted students.

        Parameters
        ----------
        estimator : fitted student, list of them, or dict of either by name
            Students with a ``history_``, such as a DistilledNeuralClassifier or a skorch net.
            Students in one list are runs of the same student.
        columns : str or list of str, default=None
            Columns to plot; None is train_loss and valid_loss, as far as they exist.
        band : {"std", "min-max"} or None, default="std"
            Band of several runs, as in the class.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.
        **line_kw : dict
            Keyword arguments of the lines, passed to ``Axes.plot``.

        Returns
        -------
        TrainingCurveDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If a student has no ``history_``, or no such column.
        NotFittedError
            If it is not fitted.
        """
        histories = histories_of(estimator)
        return cls.from_curves(histories, columns=columns, band=band, ax=ax, **line_kw)

    @classmethod
    def from_curves(
        cls,
        curves: History | Mapping[str, Any],
        *,
        columns: str | Sequence[str] | None = None,
        band: str | None = "std",
        ax: Axes | None = None,
        **line_kw: Any,
    ) -> Self:
        """Plot given histories.

        Parameters
        ----------
        curves : history, list of histories, or dict of either by name
            A history is a DataFrame, a dict of arrays or a skorch history. Histories in one list
            are runs of the same student.
        columns : str or list of str, default=None
            Columns to plot; None is train_loss and valid_loss, as far as they exist.
        band : {"std", "min-max"} or None, default="std"
            Band of several runs, as in the class.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.
        **line_kw : dict
            Keyword arguments of the lines, passed to ``Axes.plot``.

        Returns
        -------
        TrainingCurveDisplay
            The plot, with its figure.

        Raises
        ------
        TypeError
            If a run is not a history.
        ValueError
            If there is no history, a column is missing, runs share no epoch, or `band` is unknown.
        """
        return cls(curves=curves, columns=columns, band=band).plot(ax=ax, **line_kw)

    def plot(self, ax: Axes | None = None, **line_kw: Any) -> Self:
        """Plot the curves and their bands.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on, such as another display's ``ax_``; None creates a figure.
        **line_kw : dict
            Keyword arguments of the lines, passed to ``Axes.plot``.

        Returns
        -------
        self
            With ``ax_``, ``figure_``, ``lines_`` and ``bands_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is not one Axes.
        """
        (axes,) = axes_for(ax, 1)
        self.ax_, self.figure_ = axes, axes.figure
        self._draw_lines(line_kw)
        self.bands_ = [
            self._draw_band(curve, line)
            for curve, line in zip(self.curves_, self.lines_, strict=True)
            if curve.n_runs > 1 and self.band is not None
        ]
        self.ax_.set(xlabel="epoch", ylabel=_quantity_name(self._columns))
        self.ax_.legend(fontsize="small")
        return self

    @property
    def _columns(self) -> list[str]:
        return list(dict.fromkeys(curve.column for curve in self.curves_))

    def _draw_lines(self, options: dict[str, Any]) -> None:
        """Plot the means; the other lines of a student take the colour of its first."""
        styles = _line_styles(self._columns)
        colours: dict[str | None, Any] = {}
        self.lines_ = []
        for curve in self.curves_:
            style = {"label": self._label(curve), "linestyle": styles[curve.column]}
            if curve.name in colours:
                style["color"] = colours[curve.name]
            (line,) = self.ax_.plot(curve.step, curve.mean, **style | options)
            colours[curve.name] = line.get_color()
            self.lines_.append(line)

    def _draw_band(self, curve: Curve, line: Line2D) -> PolyCollection:
        ends = curve.low, curve.high
        return self.ax_.fill_between(curve.step, *ends, color=line.get_color(), **_BAND)

    def _label(self, curve: Curve) -> str:
        # a single column is named by the vertical axis
        name_is_enough = len(self._columns) == 1 and curve.name is not None
        parts = [curve.name, None if name_is_enough else _column_name(curve.column)]
        runs = f" (mean of {curve.n_runs})" if curve.n_runs > 1 else ""
        return ", ".join(part for part in parts if part is not None) + runs


def _line_styles(columns: list[str]) -> dict[str, str]:
    """Return a line style by column; training is dashed if there is validation too."""
    # validation takes the first style, a solid line
    training_last = sorted(columns, key=lambda column: column.startswith("train_"))
    return {column: _STYLES[i % len(_STYLES)] for i, column in enumerate(training_last)}


def _column_name(column: str) -> str:
    part, _, rest = column.partition("_")
    return _PARTS.get(part, column) if rest else column


def _quantity_name(columns: list[str]) -> str:
    """Return the name of the quantity, such as "loss" for train_loss and valid_loss."""
    split = [(column, *column.partition("_")[::2]) for column in columns]
    names = [rest if part in _PARTS and rest else column for column, part, rest in split]
    return ", ".join(dict.fromkeys(name.replace("_", " ") for name in names))
