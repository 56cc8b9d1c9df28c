"""Draw losses or scores over the epochs of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sklearn_distill.inspection._drawing import axes_for
from sklearn_distill.inspection._training_curves import Curve, histories_of, read_curves

_PARTS = {"train": "training", "valid": "validation"}
_STYLES = ("-", "--", ":", "-.")
_BAND = {"alpha": 0.2, "linewidth": 0}


class TrainingCurveDisplay:
    """Drawing of losses or scores by epoch, of one or several students.

    A student has one colour, a column of the history one line style. Several runs of a student are
    drawn as their mean with a band, over the epochs that all of them have. Make one by
    :meth:`from_estimator` or :meth:`from_curves`; :meth:`plot` draws it again.

    Parameters
    ----------
    curves : history, list of histories, or dict of either by name
        A history is a DataFrame with the epoch as index or column, a dict of arrays that count
        epochs from 1, or what skorch keeps. Histories in one list are runs of the same student.
    columns : str or list of str, default=None
        Columns to draw; None is train_loss and valid_loss, where they are there.
    band : {"std", "min-max"} or None, default="std"
        Band of several runs: mean ± standard deviation (n − 1 in the denominator), smallest to
        largest, or none.

    Attributes
    ----------
    curves_ : list of Curve
        The numbers, by student, then column: ``name``, ``column``, ``step``, ``mean``, ``low``,
        ``high`` and ``n_runs``.
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of Line2D
        A line for each curve.
    bands_ : list of PolyCollection
        A band for each curve of several runs.

    Raises
    ------
    TypeError
        If something is no history.
    ValueError
        If there is none, a column is missing, runs share no epoch, or `band` is unknown.

    Notes
    -----
    The train_loss of a distilled student is its objective, teacher's term and all; its valid_loss
    is the loss of the labels alone. Compare a curve with the same of another student, not these
    two with each other.

    Examples
    --------
    >>> runs = [{"valid_loss": [0.9, 0.5]}, {"valid_loss": [0.7, 0.3]}]
    >>> display = TrainingCurveDisplay.from_curves({"student": runs}, band="min-max")
    >>> (curve,) = display.curves_
    >>> curve.mean.tolist(), curve.high.tolist()
    ([0.8, 0.4], [0.9, 0.5])
    """

    ax_: Any
    figure_: Any
    lines_: list[Any]
    bands_: list[Any]

    def __init__(
        self,
        *,
        curves: Any,
        columns: str | Sequence[str] | None = None,
        band: str | None = "std",
    ) -> None:
        self.curves_ = read_curves(curves, columns, band)
        self.band = band

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        columns: str | Sequence[str] | None = None,
        band: str | None = "std",
        ax: Any = None,
        **line_kw: Any,
    ) -> Self:
        """Draw how fitted students were trained.

        Parameters
        ----------
        estimator : fitted student, list of them, or dict of either by name
            With a ``history_``, such as a DistilledNeuralClassifier or a skorch net. Those in one
            list are runs of the same student.
        columns : str or list of str, default=None
            Columns to draw; None is train_loss and valid_loss, where they are there.
        band : {"std", "min-max"} or None, default="std"
            Band of several runs.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **line_kw : dict
            Arguments of the lines.

        Returns
        -------
        TrainingCurveDisplay
            The drawing.

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
        curves: Any,
        *,
        columns: str | Sequence[str] | None = None,
        band: str | None = "std",
        ax: Any = None,
        **line_kw: Any,
    ) -> Self:
        """Draw given histories.

        Parameters
        ----------
        curves : history, list of histories, or dict of either by name
            A history is a DataFrame, a dict of arrays or a skorch history. Those in one list are
            runs of the same student.
        columns : str or list of str, default=None
            Columns to draw; None is train_loss and valid_loss, where they are there.
        band : {"std", "min-max"} or None, default="std"
            Band of several runs.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **line_kw : dict
            Arguments of the lines.

        Returns
        -------
        TrainingCurveDisplay
            The drawing.

        Raises
        ------
        TypeError
            If something is no history.
        ValueError
            If there is none, a column is missing, runs share no epoch, or `band` is unknown.
        """
        return cls(curves=curves, columns=columns, band=band).plot(ax=ax, **line_kw)

    def plot(self, ax: Any = None, **line_kw: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw, such as another display's ``ax_``; None makes a figure.
        **line_kw : dict
            Arguments of the lines.

        Returns
        -------
        self
            With ``ax_``, ``figure_``, ``lines_`` and ``bands_``.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If ``ax`` is not one Axes.
        """
        (self.ax_,) = axes_for(ax, 1)
        self.figure_ = self.ax_.figure
        self._draw_lines(line_kw)
        self.bands_ = [
            self._draw_band(curve, line)
            for curve, line in zip(self.curves_, self.lines_, strict=True)
            if curve.n_runs > 1 and self.band is not None
        ]
        self.ax_.set(xlabel="epoch", ylabel=_quantity(self._columns))
        self.ax_.legend(fontsize="small")
        return self

    @property
    def _columns(self) -> list[str]:
        return list(dict.fromkeys(curve.column for curve in self.curves_))

    def _draw_lines(self, options: dict[str, Any]) -> None:
        """Draw the means; the first line of a student chooses its colour."""
        styles = _styles(self._columns)
        colours: dict[str | None, Any] = {}
        self.lines_ = []
        for curve in self.curves_:
            own = {"label": self._label(curve), "linestyle": styles[curve.column]}
            if curve.name in colours:
                own["color"] = colours[curve.name]
            (line,) = self.ax_.plot(curve.step, curve.mean, **own | options)
            colours[curve.name] = line.get_color()
            self.lines_.append(line)

    def _draw_band(self, curve: Curve, line: Any) -> Any:
        ends = curve.low, curve.high
        return self.ax_.fill_between(curve.step, *ends, color=line.get_color(), **_BAND)

    def _label(self, curve: Curve) -> str:
        one = len(self._columns) == 1 and curve.name is not None
        words = [curve.name, None if one else _words(curve.column)]
        runs = f" (mean of {curve.n_runs})" if curve.n_runs > 1 else ""
        return ", ".join(word for word in words if word is not None) + runs


def _styles(columns: list[str]) -> dict[str, str]:
    """Return a line style by column; training is dashed where there is validation too."""
    trained_last = sorted(columns, key=lambda column: column.startswith("train_"))
    return {column: _STYLES[i % len(_STYLES)] for i, column in enumerate(trained_last)}


def _words(column: str) -> str:
    part, _, rest = column.partition("_")
    return _PARTS.get(part, column) if rest else column


def _quantity(columns: list[str]) -> str:
    """Return what the columns measure: "loss" of train_loss and valid_loss."""
    split = [column.partition("_") for column in columns]
    names = [rest if part in _PARTS and rest else part + _ + rest for part, _, rest in split]
    return ", ".join(dict.fromkeys(name.replace("_", " ") for name in names))
