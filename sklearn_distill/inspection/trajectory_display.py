"""Plot λ and T over the steps of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from sklearn_distill.inspection._drawing import axes_for, make_logarithmic
from sklearn_distill.inspection._trajectory import read_history, read_trajectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from sklearn.base import BaseEstimator

_SHADE = {"facecolor": "0.5", "alpha": 0.2, "linewidth": 0}
_LABELS = ("imitation λ", "temperature T")


class TrajectoryDisplay:
    """Plot of λ and T over the steps of training, with the predicted steps shaded.

    Two panels share the axis of the steps: λ above, T on a log axis below. Create one with
    :meth:`from_estimator` or :meth:`from_history`; :meth:`plot` plots it again, also in the axes of
    another display.

    Parameters
    ----------
    step : array-like of shape (n_steps,)
        Numbers of the steps, ascending.
    imitation, temperature : array-like of shape (n_steps,)
        λ, and T > 0, at each step.
    source : array-like of shape (n_steps,)
        How λ and T were obtained: "computed" (by a hypergradient), "predicted" or "held".
    name : str, default=None
        Label of the lines in the legend.

    Attributes
    ----------
    trajectory_ : Trajectory
        The plotted data: ``step``, ``imitation``, ``temperature``, ``source``, ``n_computed`` and
        ``predicted``, the runs of predicted steps.
    axes_ : ndarray of shape (2,)
        Axes of the plot, for λ and for T.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : list of Line2D
        The lines of λ and T.
    shades_ : list of Collection
        The shaded steps in both panels; empty if no step was predicted.

    Raises
    ------
    ValueError
        If the arrays differ in length, or contain an invalid step, λ, T or source.

    Examples
    --------
    >>> import pandas as pd
    >>> history = pd.DataFrame(
    ...     {
    ...         "imitation": [0.4, 0.3, 0.2, 0.1],
    ...         "temperature": [1.0, 1.1, 1.2, 1.3],
    ...         "source": ["computed", "computed", "predicted", "predicted"],
    ...     }
    ... )
    >>> display = TrajectoryDisplay.from_history(history)
    >>> display.lines_[0].get_ydata().tolist(), display.trajectory_.n_computed
    ([0.4, 0.3, 0.2, 0.1], 2)
    """

    axes_: NDArray[Any]
    figure_: Figure
    lines_: list[Line2D]
    shades_: list[Collection]

    def __init__(
        self,
        *,
        step: ArrayLike,
        imitation: ArrayLike,
        temperature: ArrayLike,
        source: ArrayLike,
        name: str | None = None,
    ) -> None:
        self.trajectory_ = read_trajectory(step, imitation, temperature, source)
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        student: BaseEstimator,
        *,
        name: str | None = None,
        ax: Sequence[Axes] | NDArray[Any] | None = None,
        **line_kw: Any,
    ) -> Self:
        """Plot the trajectory of a fitted student.

        Parameters
        ----------
        student : fitted DistilledNeuralClassifier
            A student trained with a ``metaparameter_optimizer``.
        name : str, default=None
            Label of the lines in the legend; None is the class of the optimiser.
        ax : array-like of two matplotlib Axes, default=None
            Axes to plot λ and T on; None creates a figure.
        **line_kw : dict
            Keyword arguments of the lines, passed to ``Axes.plot``.

        Returns
        -------
        TrajectoryDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If the student has no ``metaparameter_history_``.
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(student)
        history = getattr(student, "metaparameter_history_", None)
        if history is None:
            raise ValueError(
                f"student is a {type(student).__name__} without metaparameter_history_: fit it "
                "with a metaparameter_optimizer"
            )
        optimizer = type(getattr(student, "metaparameter_optimizer", None)).__name__
        return cls.from_history(history, name=optimizer if name is None else name, ax=ax, **line_kw)

    @classmethod
    def from_history(
        cls,
        history: pd.DataFrame,
        *,
        name: str | None = None,
        ax: Sequence[Axes] | NDArray[Any] | None = None,
        **line_kw: Any,
    ) -> Self:
        """Plot a given trajectory.

        Parameters
        ----------
        history : DataFrame
            Columns imitation, temperature and source, with the step as index, such as a student's
            ``metaparameter_history_``.
        name : str, default=None
            Label of the lines in the legend.
        ax : array-like of two matplotlib Axes, default=None
            Axes to plot λ and T on; None creates a figure.
        **line_kw : dict
            Keyword arguments of the lines, passed to ``Axes.plot``.

        Returns
        -------
        TrajectoryDisplay
            The plot, with its figure.

        Raises
        ------
        TypeError
            If `history` is not a DataFrame.
        ValueError
            If it is empty, lacks a column, or contains an invalid λ, T, step or source.
        """
        display = cls(**vars(read_history(history)), name=name)
        return display.plot(ax=ax, **line_kw)

    def plot(
        self,
        ax: Sequence[Axes] | NDArray[Any] | None = None,
        *,
        name: str | None = None,
        **line_kw: Any,
    ) -> Self:
        """Plot λ and T, and shade the predicted steps.

        Parameters
        ----------
        ax : array-like of two matplotlib Axes, default=None
            Axes to plot λ and T on, such as another display's ``axes_``; None creates a figure.
        name : str, default=None
            Label of the lines in the legend; None is the display's ``name``.
        **line_kw : dict
            Keyword arguments of the lines, passed to ``Axes.plot``.

        Returns
        -------
        self
            With ``axes_``, ``figure_``, ``lines_`` and ``shades_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is not two axes.
        """
        self.axes_ = axes_for(ax, 2)
        self.figure_ = self.axes_[0].figure
        options = {"label": self.name if name is None else name} | line_kw
        values = self.trajectory_.imitation, self.trajectory_.temperature
        self.lines_ = [
            axes.plot(self.trajectory_.step, value, **options)[0]
            for axes, value in zip(self.axes_, values, strict=True)
        ]
        self._label_axes()
        self._shade()
        self._draw_legend()
        return self

    def _label_axes(self) -> None:
        for axes, label in zip(self.axes_, _LABELS, strict=True):
            axes.set_ylabel(label)
        self.axes_[0].set_ylim(-0.03, 1.03)  # λ from 0 to 1, and lines at 0 and 1 stay visible
        self.axes_[1].set_xlabel("step of training")
        make_logarithmic(self.axes_[1], "y")

    def _shade(self) -> None:
        """Shade the predicted steps over the panels' full height, behind the lines."""
        # the axis transform makes y run from 0 to 1 over the panel and leaves the limits of T
        runs = self.trajectory_.predicted
        self.shades_ = [
            axes.broken_barh(runs, (0, 1), transform=axes.get_xaxis_transform(), zorder=0, **_SHADE)
            for axes in self.axes_
            if runs
        ]

    def _draw_legend(self) -> None:
        """List the lines and the shade, with those of other displays in the same axes."""
        handles, labels = self.axes_[0].get_legend_handles_labels()
        # another display in these axes may have labelled its shade already
        if self.shades_ and "predicted" not in labels:
            self.shades_[0].set_label("predicted")
            handles, labels = self.axes_[0].get_legend_handles_labels()
        if labels:
            self.axes_[0].legend(handles, labels, fontsize="small")
