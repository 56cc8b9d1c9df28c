"""Plot histograms of the predicted probabilities of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike, NDArray

from sklearn_distill._typing import MatrixLike
from sklearn_distill.inspection._aligned_proba import ProbaLike, align_proba, predict_by_model
from sklearn_distill.inspection._drawing import axes_for
from sklearn_distill.inspection._prediction_histogram import (
    Histogram,
    count_predictions,
    read_bins,
    select_probabilities,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import StepPatch
    from sklearn.base import BaseEstimator

_PANEL_HEIGHT = 2.2


class PredictionHistogramDisplay:
    """Histograms of the predicted probabilities of one or several models, in the same axes.

    The histogram is of the probability of `label`. By default that is the second of two classes;
    of more classes it is the largest probability. If the true classes are passed, each has a panel
    of its own. The legend shows the degree of uncertainty,
    ``unc = mean_i ½ ‖p_i − onehot(argmax_k p_ik)‖²``, of the panel's samples. Create one with
    :meth:`from_estimator` or :meth:`from_predictions`; :meth:`plot` plots it again.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them by name
        Predicted probabilities of one or several models for the same samples.
    y : array-like of shape (n_samples,), default=None
        True classes, for one panel per class; None puts all samples in one panel.
    label : int, str or other, default=None
        The class whose probability is plotted; None is the second of two classes, and the most
        probable one of more.
    bins : int or array-like of shape (n_bins + 1,), default=20
        Number of equal bins between 0 and 1, or their edges.
    classes : array-like of shape (n_classes,), default=None
        The class of each column; None takes the columns of a DataFrame, else the sorted labels of
        `y`, else 0, 1, ….

    Attributes
    ----------
    histograms_ : list of Histogram
        The plotted data, by true class, then model: ``name``, ``label`` (the class, or None),
        ``heights`` (shares of the class's samples), ``edges``, ``uncertainty`` and ``n_rows``.
    value_name_ : str
        Label of the horizontal axis: which probability is plotted.
    axes_ : ndarray of shape (n_panels,)
        Axes of the plot, one for each true class.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    patches_ : list of StepPatch
        The outline of each histogram.

    Raises
    ------
    ValueError
        If `y_proba` is not valid, rows or classes do not fit, `label` is none of the classes, or
        `bins` is not valid.

    References
    ----------
    Biryukova, "Knowledge distillation on the example of binary classification", distribution of
    predictions.

    Examples
    --------
    >>> display = PredictionHistogramDisplay.from_predictions(
    ...     {"teacher": [0.1, 0.2, 0.9, 1.0], "student": [0.3, 0.4, 0.6, 0.7]}, bins=2
    ... )
    >>> display.histograms_[0].heights.tolist()
    [0.5, 0.5]
    >>> [round(histogram.uncertainty, 3) for histogram in display.histograms_]
    [0.015, 0.125]
    """

    axes_: NDArray[Any]
    figure_: Figure
    patches_: list[StepPatch]

    def __init__(
        self,
        *,
        y_proba: ProbaLike,
        y: ArrayLike | None = None,
        label: Any = None,
        bins: int | ArrayLike = 20,
        classes: ArrayLike | None = None,
    ) -> None:
        models = align_proba(y_proba, y, classes)
        values, self.value_name_ = select_probabilities(models, label)
        self.histograms_ = count_predictions(models, values, read_bins(bins))

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator | Mapping[str, BaseEstimator],
        X: MatrixLike,
        y: ArrayLike | None = None,
        *,
        label: Any = None,
        bins: int | ArrayLike = 20,
        ax: Axes | Sequence[Axes] | NDArray[Any] | None = None,
        **patch_kw: Any,
    ) -> Self:
        """Plot the predicted probabilities of fitted classifiers.

        Parameters
        ----------
        estimator : fitted classifier with predict_proba, or dict of them by name
            All predict the same X; for a teacher with other features use
            :meth:`from_predictions`.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples, preferably a test set that no model was fitted on.
        y : array-like of shape (n_samples,), default=None
            True classes, for one panel per class.
        label : int, str or other, default=None
            The class whose probability is plotted.
        bins : int or array-like of shape (n_bins + 1,), default=20
            Number of equal bins between 0 and 1, or their edges.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on, one for each true class; None creates a figure.
        **patch_kw : dict
            Keyword arguments of the outlines, passed to ``Axes.stairs``.

        Returns
        -------
        PredictionHistogramDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If a model has no predict_proba, or `y`, `label`, `bins` or `ax` do not fit.
        """
        y_proba = predict_by_model(estimator, X)
        return cls.from_predictions(y_proba, y, label=label, bins=bins, ax=ax, **patch_kw)

    @classmethod
    def from_predictions(
        cls,
        y_proba: ProbaLike,
        y: ArrayLike | None = None,
        *,
        label: Any = None,
        bins: int | ArrayLike = 20,
        classes: ArrayLike | None = None,
        ax: Axes | Sequence[Axes] | NDArray[Any] | None = None,
        **patch_kw: Any,
    ) -> Self:
        """Plot given probabilities.

        Parameters
        ----------
        y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them
            Predicted probabilities of one model, or of several by name.
        y : array-like of shape (n_samples,), default=None
            True classes, for one panel per class.
        label : int, str or other, default=None
            The class whose probability is plotted.
        bins : int or array-like of shape (n_bins + 1,), default=20
            Number of equal bins between 0 and 1, or their edges.
        classes : array-like of shape (n_classes,), default=None
            The class of each column; None takes the columns of a DataFrame, else the sorted labels
            of `y`, else 0, 1, ….
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on, one for each true class; None creates a figure.
        **patch_kw : dict
            Keyword arguments of the outlines, passed to ``Axes.stairs``.

        Returns
        -------
        PredictionHistogramDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If `y_proba` is not valid, or another argument does not fit it.
        """
        display = cls(y_proba=y_proba, y=y, label=label, bins=bins, classes=classes)
        return display.plot(ax=ax, **patch_kw)

    def plot(self, ax: Axes | Sequence[Axes] | NDArray[Any] | None = None, **patch_kw: Any) -> Self:
        """Plot the histograms.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on, one for each true class; None creates a figure.
        **patch_kw : dict
            Keyword arguments of the outlines, such as ``linewidth``.

        Returns
        -------
        self
            With ``axes_``, ``figure_`` and ``patches_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is not one axes for each true class.
        """
        panels = list(dict.fromkeys(histogram.label for histogram in self.histograms_))
        height = _PANEL_HEIGHT if len(panels) > 1 else None
        self.axes_ = axes_for(ax, len(panels), height)
        self.figure_ = self.axes_[0].figure
        panel_axes = dict(zip(panels, self.axes_, strict=True))
        self.patches_ = [
            _draw(panel_axes[histogram.label], histogram, patch_kw)
            for histogram in self.histograms_
        ]
        for label, axes in panel_axes.items():
            _label_axes(axes, label)
        # the axes of a new figure share x, so the lowest is labelled; given ones need not
        for axes in self.axes_[-1:] if ax is None else self.axes_:
            axes.set_xlabel(self.value_name_)
        return self


def _draw(axes: Axes, histogram: Histogram, options: dict[str, Any]) -> StepPatch:
    label = f"{histogram.name} (unc {histogram.uncertainty:.4f})"
    patch = axes.stairs(histogram.heights, histogram.edges, **{"label": label} | options)
    colour: Any = patch.get_edgecolor()
    # a faint area of the outline's colour: the models overlap
    patch.set(fill=True, facecolor=(*colour[:3], 0.2 * colour[3]))
    return patch


def _label_axes(axes: Axes, label: Any) -> None:
    axes.set(xlim=(0, 1), ylabel="share of samples")
    if label is not None:
        axes.set_title(f"true class {label}", fontsize="medium")
    axes.legend(fontsize="small")
