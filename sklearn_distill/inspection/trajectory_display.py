"""Draw λ and T over the steps of a training."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sklearn_distill.inspection._drawing import axes_for, make_logarithmic
from sklearn_distill.inspection._trajectory import read_history, read_trajectory

_SHADE = {"facecolor": "0.5", "alpha": 0.2, "linewidth": 0}
_LABELS = ("imitation λ", "temperature T")


class TrajectoryDisplay:
    """Drawing of λ and T over the steps of a training, the predicted steps shaded.

    Two panels share the steps: λ above, T on a log axis below. Make one by :meth:`from_estimator`
    or :meth:`from_history`; :meth:`plot` draws it again, also over another one.

    Parameters
    ----------
    step : array-like of shape (n_steps,)
        Numbers of the steps, ascending.
    imitation, temperature : array-like of shape (n_steps,)
        λ, and T > 0.
    source : array-like of shape (n_steps,)
        "computed" (by a hypergradient), "predicted" or "held".
    name : str, default=None
        Label of the lines.

    Attributes
    ----------
    trajectory_ : Trajectory
        The numbers: ``step``, ``imitation``, ``temperature``, ``source``, ``n_computed`` and
        ``predicted``, the runs of predicted steps.
    axes_ : ndarray of shape (2,)
        Axes of λ and of T.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : list of Line2D
        λ and T.
    shades_ : list of Collection
        The predicted steps in both panels; empty where none was predicted.

    Raises
    ------
    ValueError
        If the arrays differ in length, or hold what is no step, λ, T or source.

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

    axes_: Any
    figure_: Any
    lines_: list[Any]
    shades_: list[Any]

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
        cls, student: Any, *, name: str | None = None, ax: Any = None, **line_kw: Any
    ) -> Self:
        """Draw the trajectory of a fitted student.

        Parameters
        ----------
        student : fitted DistilledNeuralClassifier
            Trained with a ``metaparameter_optimizer``.
        name : str, default=None
            Label of the lines; None is the class of the optimiser.
        ax : array-like of two matplotlib Axes, default=None
            Where to draw λ and T; None makes a figure.
        **line_kw : dict
            Arguments of the lines.

        Returns
        -------
        TrajectoryDisplay
            The drawing.

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
        cls, history: Any, *, name: str | None = None, ax: Any = None, **line_kw: Any
    ) -> Self:
        """Draw a trajectory.

        Parameters
        ----------
        history : DataFrame
            Columns imitation, temperature and source, the step as index: a student's
            ``metaparameter_history_``.
        name : str, default=None
            Label of the lines.
        ax : array-like of two matplotlib Axes, default=None
            Where to draw λ and T; None makes a figure.
        **line_kw : dict
            Arguments of the lines.

        Returns
        -------
        TrajectoryDisplay
            The drawing.

        Raises
        ------
        TypeError
            If ``history`` is no DataFrame.
        ValueError
            If it is empty, lacks a column, or holds what is no λ, T, step or source.
        """
        display = cls(**vars(read_history(history)), name=name)
        return display.plot(ax=ax, **line_kw)

    def plot(self, ax: Any = None, *, name: str | None = None, **line_kw: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : array-like of two matplotlib Axes, default=None
            Where to draw λ and T, such as another display's ``axes_``; None makes a figure.
        name : str, default=None
            Label of the lines; None is ``name``.
        **line_kw : dict
            Arguments of the lines.

        Returns
        -------
        self
            With ``axes_``, ``figure_``, ``lines_`` and ``shades_``.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If ``ax`` is not two axes.
        """
        self.axes_ = axes_for(ax, 2)
        self.figure_ = self.axes_[0].figure
        options = {"label": self.name if name is None else name} | line_kw
        values = self.trajectory_.imitation, self.trajectory_.temperature
        self.lines_ = [
            axes.plot(self.trajectory_.step, value, **options)[0]
            for axes, value in zip(self.axes_, values, strict=True)
        ]
        self._name_axes()
        self._shade()
        self._say_what_is_what()
        return self

    def _name_axes(self) -> None:
        for axes, label in zip(self.axes_, _LABELS, strict=True):
            axes.set_ylabel(label)
        self.axes_[0].set_ylim(-0.03, 1.03)
        self.axes_[1].set_xlabel("step of training")
        make_logarithmic(self.axes_[1], "y")

    def _shade(self) -> None:
        """Shade the predicted steps over the panels' full height, behind the lines."""
        runs = self.trajectory_.predicted
        self.shades_ = [
            axes.broken_barh(runs, (0, 1), transform=axes.get_xaxis_transform(), zorder=0, **_SHADE)
            for axes in self.axes_
            if runs
        ]

    def _say_what_is_what(self) -> None:
        """Name the shade and the lines, whatever else is in the axes."""
        handles, labels = self.axes_[0].get_legend_handles_labels()
        if self.shades_ and "predicted" not in labels:
            self.shades_[0].set_label("predicted")
            handles, labels = self.axes_[0].get_legend_handles_labels()
        if labels:
            self.axes_[0].legend(handles, labels, fontsize="small")
