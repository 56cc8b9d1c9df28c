"""Draw the class probabilities of some objects, one model below another."""

from __future__ import annotations

from textwrap import fill
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.inspection._drawing import axes_for, class_colours
from sklearn_distill.inspection._model_probabilities import predict_models, read_models

_N_SHOWN = 20
_PANEL_HEIGHT = 1.4
_LEGEND_WIDTH = 60  # letters, about the width of a figure
_NAME_WIDTH = 16  # letters, about the height of a panel
_LONGEST_TICK = 3  # letters, about the width of a bar
_KINDS = ("bars", "cells")


class ProbabilityStripDisplay:
    """Drawing of the class probabilities of some objects: columns are objects, rows are models.

    Each object is a stacked bar of its classes, or a column of coloured cells. Make one by
    :meth:`from_estimator` or :meth:`from_predictions`; :meth:`plot` draws it again.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them by name
        Probabilities of one or several models for the same rows; the true ones may be among them.
    y : array-like of shape (n_samples,), default=None
        True classes, written below the objects.
    rows : array-like of int of shape (n_objects,), default=None
        Positions of the objects, in the order of drawing; None is the first 20.
    classes : array-like of shape (n_classes,), default=None
        The class of each column; None is the columns of a DataFrame, else the sorted labels of
        `y`, else 0, 1, ….

    Attributes
    ----------
    rows_ : ndarray of shape (n_objects,)
        Positions of the objects.
    classes_ : list
        Class labels.
    proba_ : dict of str to ndarray of shape (n_objects, n_classes)
        The numbers, by model.
    labels_ : list or None
        True class of each object.
    axes_ : ndarray of shape (n_models,)
        Axes, one for each model.
    figure_ : matplotlib Figure
        Their figure.
    strips_ : list of list of BarContainer, or list of QuadMesh
        By model a container of bars for each class, or its cells.
    colorbar_ : matplotlib Colorbar or None
        The colour bar of the cells.

    Raises
    ------
    ValueError
        If these are no probabilities, rows or classes do not fit, or `rows` are no positions.

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

    axes_: Any
    figure_: Any
    strips_: list[Any]
    colorbar_: Any

    def __init__(
        self,
        *,
        y_proba: Any,
        y: ArrayLike | None = None,
        rows: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> None:
        models = read_models(y_proba, y, classes)
        self.rows_ = _read_rows(rows, models.n_rows)
        shown = models.take(self.rows_)
        self.classes_, self.proba_, self.labels_ = shown.classes, shown.by_model, shown.y

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        rows: ArrayLike | None = None,
        kind: str = "bars",
        ax: Any = None,
        **strip_kw: Any,
    ) -> Self:
        """Draw what fitted classifiers say of some objects.

        Parameters
        ----------
        estimator : fitted classifier with predict_proba, or dict of them by name
            All take the same X; for a teacher with features of its own, and for true
            probabilities, use :meth:`from_predictions`.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            The objects, those of `rows` among them.
        y : array-like of shape (n_samples,), default=None
            True classes, written below the objects.
        rows : array-like of int of shape (n_objects,), default=None
            Positions of the objects; None is the first 20.
        kind : {"bars", "cells"}, default="bars"
            Stacked bars, or a coloured cell for each class.
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each model; None makes a figure.
        **strip_kw : dict
            Arguments of the bars or cells.

        Returns
        -------
        ProbabilityStripDisplay
            The drawing.

        Raises
        ------
        ValueError
            If a model gives no probabilities, or an argument does not fit.
        """
        y_proba = predict_models(estimator, X)
        return cls.from_predictions(y_proba, y, rows=rows, kind=kind, ax=ax, **strip_kw)

    @classmethod
    def from_predictions(
        cls,
        y_proba: Any,
        y: ArrayLike | None = None,
        *,
        rows: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        kind: str = "bars",
        ax: Any = None,
        **strip_kw: Any,
    ) -> Self:
        """Draw given probabilities.

        Parameters
        ----------
        y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them
            Probabilities of one model, or of several by name.
        y : array-like of shape (n_samples,), default=None
            True classes, written below the objects.
        rows : array-like of int of shape (n_objects,), default=None
            Positions of the objects; None is the first 20.
        classes : array-like of shape (n_classes,), default=None
            The class of each column; None is the columns of a DataFrame, else the sorted labels
            of `y`, else 0, 1, ….
        kind : {"bars", "cells"}, default="bars"
            Stacked bars, or a coloured cell for each class.
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each model; None makes a figure.
        **strip_kw : dict
            Arguments of the bars or cells.

        Returns
        -------
        ProbabilityStripDisplay
            The drawing.

        Raises
        ------
        ValueError
            If these are no probabilities, or an argument does not fit them.
        """
        display = cls(y_proba=y_proba, y=y, rows=rows, classes=classes)
        return display.plot(ax=ax, kind=kind, **strip_kw)

    def plot(self, ax: Any = None, *, kind: str = "bars", **strip_kw: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each model; None makes a figure.
        kind : {"bars", "cells"}, default="bars"
            Stacked bars, or a coloured cell for each class.
        **strip_kw : dict
            Arguments of the bars, such as ``width``, or of the cells, such as ``cmap``.

        Returns
        -------
        self
            With ``axes_``, ``figure_``, ``strips_`` and ``colorbar_``.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If `kind` is unknown, or `ax` not one axes for each model.
        """
        if kind not in _KINDS:
            raise ValueError(f"kind={kind!r}; pass one of {_KINDS}.")
        self.axes_ = axes_for(ax, len(self.proba_), _PANEL_HEIGHT)
        self.figure_ = self.axes_[0].figure
        self.colorbar_ = None
        draw = self._draw_bars if kind == "bars" else self._draw_cells
        draw(strip_kw)
        self._name_axes()
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
        n_columns = max(1, min(len(self.classes_), _LEGEND_WIDTH // (longest + 4)))
        above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "frameon": False}
        self.axes_[0].legend(ncols=n_columns, fontsize="small", columnspacing=1, **above)

    def _stack(self, axes: Any, p: FloatArray, colours: Any, options: dict[str, Any]) -> list[Any]:
        """Draw one class upon another."""
        at, below = np.arange(len(p)), np.cumsum(p, axis=1) - p
        own = [{"color": c, "label": str(k)} for c, k in zip(colours, self.classes_, strict=True)]
        return [
            axes.bar(at, height, bottom=bottom, **{"width": 0.9} | one | options)
            for height, bottom, one in zip(p.T, below.T, own, strict=True)
        ]

    def _draw_cells(self, options: dict[str, Any]) -> None:
        options = {"vmin": 0, "vmax": 1} | options
        self.strips_ = [
            axes.pcolormesh(p.T, **options)
            for axes, p in zip(self.axes_, self.proba_.values(), strict=True)
        ]
        for axes in self.axes_:
            axes.set_yticks(np.arange(len(self.classes_)) + 0.5, [str(c) for c in self.classes_])
        self.colorbar_ = self.figure_.colorbar(
            self.strips_[0], ax=list(self.axes_), label="probability"
        )

    def _name_axes(self) -> None:
        """Write the models beside the panels and the objects below the last one."""
        names = [str(name) for name in (self.rows_ if self.labels_ is None else self.labels_)]
        rotation = 90 if max(map(len, names)) > _LONGEST_TICK else 0
        at = np.arange(len(names)) + (0.0 if self.colorbar_ is None else 0.5)
        for axes, model in zip(self.axes_, self.proba_, strict=True):
            name = fill(model, _NAME_WIDTH, break_long_words=False)
            axes.set(ylabel=name, xlim=(at[0] - 0.5, at[-1] + 0.5))
            axes.set_xticks(at, [])
        self.axes_[-1].set_xticks(at, names, rotation=rotation)
        self.axes_[-1].set_xlabel("object" if self.labels_ is None else "true class of the object")


def _read_rows(rows: ArrayLike | None, n_rows: int) -> IntArray:
    if rows is None:
        return np.arange(min(_N_SHOWN, n_rows))
    positions = np.asarray(rows)
    whole = positions.ndim == 1 and positions.size > 0 and positions.dtype.kind in "iu"
    if not whole or positions.min() < 0 or positions.max() >= n_rows:
        raise ValueError(f"rows={rows!r}; pass positions between 0 and {n_rows - 1}, (n_objects,).")
    return positions.astype(np.intp)
