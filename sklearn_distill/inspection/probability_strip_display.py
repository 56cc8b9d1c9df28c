"""Plot the predicted class probabilities of some samples, one model below another."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sklearn_distill._typing import FloatArray, IntArray, MatrixLike
from sklearn_distill.inspection._aligned_proba import ProbaLike, align_proba, predict_by_model
from sklearn_distill.inspection._drawing import axes_for, class_colours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from sklearn.base import BaseEstimator

_N_SHOWN = 20
_PANEL_HEIGHT = 1.4
_LEGEND_WIDTH = 60  # characters, about the width of a figure
_NAME_WIDTH = 16  # characters, about the height of a panel
_LONGEST_TICK = 3  # characters, about the width of a bar
_KINDS = ("bars", "cells")


class ProbabilityStripDisplay:
    """Predicted class probabilities of some samples, with a panel for each model.

    Each sample is a stacked bar of its classes, or a column of coloured cells. Create one with
    :meth:`from_estimator` or :meth:`from_predictions`; :meth:`plot` plots it again.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them by name
        Predicted probabilities of one or several models for the same samples, or true ones.
    y : array-like of shape (n_samples,), default=None
        True classes, the labels of the horizontal axis.
    rows : array-like of int of shape (n_shown,), default=None
        Row numbers of the samples, in the order of plotting; None is the first 20.
    classes : array-like of shape (n_classes,), default=None
        The class of each column; None takes the columns of a DataFrame, else the sorted labels of
        `y`, else 0, 1, ….

    Attributes
    ----------
    rows_ : ndarray of shape (n_shown,)
        Row numbers of the samples.
    classes_ : list
        Class labels.
    proba_ : dict of str to ndarray of shape (n_shown, n_classes)
        The probabilities that are plotted, by model.
    labels_ : list or None
        True class of each sample, if `y` was passed.
    axes_ : ndarray of shape (n_models,)
        Axes of the plot, one for each model.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    strips_ : list of list of BarContainer, or list of QuadMesh
        For each model a container of bars per class, or its cells.
    colorbar_ : matplotlib Colorbar or None
        The colour bar of the cells; None for bars.

    Raises
    ------
    ValueError
        If `y_proba` is not valid, rows or classes do not fit, or `rows` is not valid.

    References
    ----------
    Grabovoy and Strijov, "Probabilistic interpretation of the distillation problem", 2022,
    figures 4-6.

    Examples
    --------
    >>> display = ProbabilityStripDisplay.from_predictions(
    ...     {"teacher": [[0.2, 0.8], [0.9, 0.1]], "student": [[0.4, 0.6], [0.7, 0.3]]}, y=[1, 0]
    ... )
    >>> [float(bar.get_height()) for bar in display.strips_[1][0]]
    [0.4, 0.7]
    """

    axes_: NDArray[Any]
    figure_: Figure
    strips_: list[Any]  # lists of BarContainer, or QuadMesh
    colorbar_: Colorbar | None

    def __init__(
        self,
        *,
        y_proba: ProbaLike,
        y: ArrayLike | None = None,
        rows: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> None:
        models = align_proba(y_proba, y, classes)
        self.rows_ = _read_rows(rows, models.n_rows)
        shown = models.take(self.rows_)
        self.classes_, self.proba_, self.labels_ = shown.classes, shown.by_model, shown.y

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator | Mapping[str, BaseEstimator],
        X: MatrixLike,
        y: ArrayLike | None = None,
        *,
        rows: ArrayLike | None = None,
        kind: str = "bars",
        ax: Axes | Sequence[Axes] | NDArray[Any] | None = None,
        **strip_kw: Any,
    ) -> Self:
        """Plot the predicted probabilities of fitted classifiers.

        Parameters
        ----------
        estimator : fitted classifier with predict_proba, or dict of them by name
            All predict the same X; for a teacher with other features, and for true
            probabilities, use :meth:`from_predictions`.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples, of which `rows` are plotted.
        y : array-like of shape (n_samples,), default=None
            True classes, the labels of the horizontal axis.
        rows : array-like of int of shape (n_shown,), default=None
            Row numbers of the samples; None is the first 20.
        kind : {"bars", "cells"}, default="bars"
            Stacked bars, or a coloured cell for each class.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on, one for each model; None creates a figure.
        **strip_kw : dict
            Keyword arguments of the bars or cells.

        Returns
        -------
        ProbabilityStripDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If a model has no predict_proba, or an argument does not fit.
        """
        y_proba = predict_by_model(estimator, X)
        return cls.from_predictions(y_proba, y, rows=rows, kind=kind, ax=ax, **strip_kw)

    @classmethod
    def from_predictions(
        cls,
        y_proba: ProbaLike,
        y: ArrayLike | None = None,
        *,
        rows: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        kind: str = "bars",
        ax: Axes | Sequence[Axes] | NDArray[Any] | None = None,
        **strip_kw: Any,
    ) -> Self:
        """Plot given probabilities.

        Parameters
        ----------
        y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them
            Probabilities of one model, or of several by name.
        y : array-like of shape (n_samples,), default=None
            True classes, the labels of the horizontal axis.
        rows : array-like of int of shape (n_shown,), default=None
            Row numbers of the samples; None is the first 20.
        classes : array-like of shape (n_classes,), default=None
            The class of each column; None takes the columns of a DataFrame, else the sorted labels
            of `y`, else 0, 1, ….
        kind : {"bars", "cells"}, default="bars"
            Stacked bars, or a coloured cell for each class.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on, one for each model; None creates a figure.
        **strip_kw : dict
            Keyword arguments of the bars or cells.

        Returns
        -------
        ProbabilityStripDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If `y_proba` is not valid, or another argument does not fit it.
        """
        display = cls(y_proba=y_proba, y=y, rows=rows, classes=classes)
        return display.plot(ax=ax, kind=kind, **strip_kw)

    def plot(
        self,
        ax: Axes | Sequence[Axes] | NDArray[Any] | None = None,
        *,
        kind: str = "bars",
        **strip_kw: Any,
    ) -> Self:
        """Plot the bars or cells.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on, one for each model; None creates a figure.
        kind : {"bars", "cells"}, default="bars"
            Stacked bars, or a coloured cell for each class.
        **strip_kw : dict
            Keyword arguments of the bars, such as ``width``, or of the cells, such as ``cmap``.

        Returns
        -------
        self
            With ``axes_``, ``figure_``, ``strips_`` and ``colorbar_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `kind` is unknown, or `ax` is not one axes for each model.
        """
        if kind not in _KINDS:
            raise ValueError(f"kind={kind!r}; pass one of {_KINDS}.")
        self.axes_ = axes_for(ax, len(self.proba_), _PANEL_HEIGHT)
        self.figure_ = self.axes_[0].figure
        self.colorbar_ = None
        draw = self._draw_bars if kind == "bars" else self._draw_cells
        draw(strip_kw)
        self._label_axes()
        return self

    def _draw_bars(self, options: dict[str, Any]) -> None:
        colours = class_colours(len(self.classes_))
        self.strips_ = [
            self._stack(axes, p, colours, options)
            for axes, p in zip(self.axes_, self.proba_.values(), strict=True)
        ]
        for axes in self.axes_:
            axes.set_ylim(0, 1)
        longest = max(len(str(label)) for label in self.classes_)
        # four characters for the patch of colour and the space between columns
        n_columns = max(1, min(len(self.classes_), _LEGEND_WIDTH // (longest + 4)))
        above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "frameon": False}
        self.axes_[0].legend(ncols=n_columns, fontsize="small", columnspacing=1, **above)

    def _stack(
        self, axes: Axes, p: FloatArray, colours: FloatArray, options: dict[str, Any]
    ) -> list[Any]:
        """Stack the bars of the classes, the first at the bottom."""
        at, below = np.arange(len(p)), np.cumsum(p, axis=1) - p
        by_class = zip(p.T, below.T, colours, self.classes_, strict=True)
        return [
            axes.bar(
                at,
                height,
                bottom=bottom,
                **{"width": 0.9, "color": colour, "label": str(label)} | options,
            )
            for height, bottom, colour, label in by_class
        ]

    def _draw_cells(self, options: dict[str, Any]) -> None:
        options = {"vmin": 0, "vmax": 1} | options  # one scale, so that one colour bar serves all
        self.strips_ = [
            axes.pcolormesh(p.T, **options)
            for axes, p in zip(self.axes_, self.proba_.values(), strict=True)
        ]
        for axes in self.axes_:
            axes.set_yticks(np.arange(len(self.classes_)) + 0.5, [str(c) for c in self.classes_])
        self.colorbar_ = self.figure_.colorbar(
            self.strips_[0], ax=list(self.axes_), label="probability"
        )

    def _label_axes(self) -> None:
        """Label each panel with its model, and the lowest one with the samples."""
        names = [str(name) for name in (self.rows_ if self.labels_ is None else self.labels_)]
        rotation = 90 if max(map(len, names)) > _LONGEST_TICK else 0
        at = np.arange(len(names)) + (0.0 if self.colorbar_ is None else 0.5)
        for axes, model in zip(self.axes_, self.proba_, strict=True):
            name = fill(model, _NAME_WIDTH, break_long_words=False)
            axes.set(ylabel=name, xlim=(at[0] - 0.5, at[-1] + 0.5))
            axes.set_xticks(at, [])
        self.axes_[-1].set_xticks(at, names, rotation=rotation)
        self.axes_[-1].set_xlabel("sample" if self.labels_ is None else "true class of the sample")


def _read_rows(rows: ArrayLike | None, n_rows: int) -> IntArray:
    if rows is None:
        return np.arange(min(_N_SHOWN, n_rows))
    numbers = np.asarray(rows)
    # a boolean mask would pass as the numbers 0 and 1
    whole = numbers.ndim == 1 and numbers.size > 0 and numbers.dtype.kind in "iu"
    if not whole or numbers.min() < 0 or numbers.max() >= n_rows:
        raise ValueError(f"rows={rows!r}; pass positions between 0 and {n_rows - 1}, (n_shown,).")
    return numbers.astype(np.intp)
