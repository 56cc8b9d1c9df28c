"""Draw how the predictions of models are distributed."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike

from sklearn_distill.inspection._drawing import axes_for
from sklearn_distill.inspection._model_probabilities import predict_models, read_models
from sklearn_distill.inspection._prediction_histogram import (
    Histogram,
    choose_values,
    count_predictions,
    read_bins,
)

_PANEL_HEIGHT = 2.2


class PredictionHistogramDisplay:
    """Drawing of how often models give which probability, over each other.

    Of two classes the probability of the second is counted, of more the largest one, or that of
    one named class. With true classes each class has a panel of its own. The legend gives the
    degree of uncertainty, ``unc = mean_i ½ ‖p_i − onehot(argmax_k p_ik)‖²``, of the panel's rows.
    Make one by :meth:`from_estimator` or :meth:`from_predictions`; :meth:`plot` draws it again.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them by name
        Probabilities of one or several models for the same rows.
    y : array-like of shape (n_samples,), default=None
        True classes, for a panel each; None counts all rows together.
    label : int, str or other, default=None
        The class whose probability is counted; None is the second of two classes, and the most
        probable one of more.
    bins : int or array-like of shape (n_bins + 1,), default=20
        Number of equal bins between 0 and 1, or their edges.
    classes : array-like of shape (n_classes,), default=None
        The class of each column; None is the columns of a DataFrame, else the sorted labels of
        `y`, else 0, 1, ….

    Attributes
    ----------
    histograms_ : list of Histogram
        The numbers, by true class, then model: ``name``, ``label`` (the class, or None),
        ``heights`` (shares of the class's rows), ``edges``, ``uncertainty`` and ``n_rows``.
    value_name_ : str
        What is counted.
    axes_ : ndarray of shape (n_panels,)
        Axes, one for each true class.
    figure_ : matplotlib Figure
        Their figure.
    patches_ : list of StepPatch
        The outline of each histogram.

    Raises
    ------
    ValueError
        If these are no probabilities, rows or classes do not fit, `label` is none of the classes,
        or `bins` are none.

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

    axes_: Any
    figure_: Any
    patches_: list[Any]

    def __init__(
        self,
        *,
        y_proba: Any,
        y: ArrayLike | None = None,
        label: Any = None,
        bins: int | ArrayLike = 20,
        classes: ArrayLike | None = None,
    ) -> None:
        models = read_models(y_proba, y, classes)
        values, self.value_name_ = choose_values(models, label)
        self.histograms_ = count_predictions(models, values, read_bins(bins))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        label: Any = None,
        bins: int | ArrayLike = 20,
        ax: Any = None,
        **patch_kw: Any,
    ) -> Self:
        """Draw what fitted classifiers predict.

        Parameters
        ----------
        estimator : fitted classifier with predict_proba, or dict of them by name
            All take the same X; for a teacher with features of its own use
            :meth:`from_predictions`.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            The rows, best such as no model was fitted on.
        y : array-like of shape (n_samples,), default=None
            True classes, for a panel each.
        label : int, str or other, default=None
            The class whose probability is counted.
        bins : int or array-like of shape (n_bins + 1,), default=20
            Number of equal bins between 0 and 1, or their edges.
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each true class; None makes a figure.
        **patch_kw : dict
            Arguments of the outlines.

        Returns
        -------
        PredictionHistogramDisplay
            The drawing.

        Raises
        ------
        ValueError
            If a model gives no probabilities, or `y`, `label`, `bins` or `ax` do not fit.
        """
        y_proba = predict_models(estimator, X)
        return cls.from_predictions(y_proba, y, label=label, bins=bins, ax=ax, **patch_kw)

    @classmethod
    def from_predictions(
        cls,
        y_proba: Any,
        y: ArrayLike | None = None,
        *,
        label: Any = None,
        bins: int | ArrayLike = 20,
        classes: ArrayLike | None = None,
        ax: Any = None,
        **patch_kw: Any,
    ) -> Self:
        """Draw given probabilities.

        Parameters
        ----------
        y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them
            Probabilities of one model, or of several by name.
        y : array-like of shape (n_samples,), default=None
            True classes, for a panel each.
        label : int, str or other, default=None
            The class whose probability is counted.
        bins : int or array-like of shape (n_bins + 1,), default=20
            Number of equal bins between 0 and 1, or their edges.
        classes : array-like of shape (n_classes,), default=None
            The class of each column; None is the columns of a DataFrame, else the sorted labels
            of `y`, else 0, 1, ….
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each true class; None makes a figure.
        **patch_kw : dict
            Arguments of the outlines.

        Returns
        -------
        PredictionHistogramDisplay
            The drawing.

        Raises
        ------
        ValueError
            If these are no probabilities, or an argument does not fit them.
        """
        display = cls(y_proba=y_proba, y=y, label=label, bins=bins, classes=classes)
        return display.plot(ax=ax, **patch_kw)

    def plot(self, ax: Any = None, **patch_kw: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each true class; None makes a figure.
        **patch_kw : dict
            Arguments of the outlines, such as ``linewidth``.

        Returns
        -------
        self
            With ``axes_``, ``figure_`` and ``patches_``.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If ``ax`` is not one axes for each true class.
        """
        panels = list(dict.fromkeys(histogram.label for histogram in self.histograms_))
        height = _PANEL_HEIGHT if len(panels) > 1 else None
        self.axes_ = axes_for(ax, len(panels), height)
        self.figure_ = self.axes_[0].figure
        axes = dict(zip(panels, self.axes_, strict=True))
        self.patches_ = [_draw(axes[one.label], one, patch_kw) for one in self.histograms_]
        for label, panel in axes.items():
            _name_axes(panel, label)
        for panel in self.axes_[-1:] if ax is None else self.axes_:
            panel.set_xlabel(self.value_name_)
        return self


def _draw(ax: Any, histogram: Histogram, options: dict[str, Any]) -> Any:
    text = f"{histogram.name} (unc {histogram.uncertainty:.4f})"
    patch = ax.stairs(histogram.heights, histogram.edges, **{"label": text} | options)
    colour = patch.get_edgecolor()
    patch.set(fill=True, facecolor=(*colour[:3], 0.2 * colour[3]))
    return patch


def _name_axes(ax: Any, label: Any) -> None:
    ax.set(xlim=(0, 1), ylabel="share of rows")
    if label is not None:
        ax.set_title(f"true class {label}", fontsize="medium")
    ax.legend(fontsize="small")
