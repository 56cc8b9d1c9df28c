"""Histograms of the predicted probabilities of models."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill._validation.numbers import as_floats
from sklearn_distill.inspection._aligned_proba import AlignedProba
from sklearn_distill.metrics import uncertainty_degree


@dataclass(frozen=True, eq=False)
class Histogram:
    """The histogram of one model's predicted probabilities.

    Parameters
    ----------
    name : str
        Name of the model.
    label : object or None
        The true class of the samples; None where all samples are counted together.
    heights : ndarray of shape (n_bins,)
        Share of the samples in each bin.
    edges : ndarray of shape (n_bins + 1,)
        Edges of the bins, ascending from 0 to 1.
    uncertainty : float
        :func:`~sklearn_distill.metrics.uncertainty_degree` of these samples.
    n_rows : int
        Number of samples.
    """

    name: str
    label: Any
    heights: FloatArray
    edges: FloatArray
    uncertainty: float
    n_rows: int


def read_bins(bins: int | ArrayLike) -> FloatArray:
    """Return the edges of bins.

    Parameters
    ----------
    bins : int or array-like of shape (n_bins + 1,)
        A number of equal bins between 0 and 1, or edges.

    Returns
    -------
    ndarray of shape (n_bins + 1,)
        Edges, ascending from 0 to 1.

    Raises
    ------
    ValueError
        If there are no bins, or the edges do not ascend from 0 to 1.

    Examples
    --------
    >>> read_bins(4).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    if isinstance(bins, Integral) and bins >= 1:
        return np.linspace(0.0, 1.0, int(bins) + 1)
    edges = as_floats(bins, "bins")
    ascends = edges.ndim == 1 and edges.size > 1 and bool((np.diff(edges) > 0).all())
    if not ascends or (edges[0], edges[-1]) != (0, 1):
        raise ValueError(
            f"bins={bins!r}; pass a whole number, 1 or more, or edges that ascend from 0 to 1."
        )
    return edges


def select_probabilities(
    models: AlignedProba, label: Any = None
) -> tuple[dict[str, FloatArray], str]:
    """Return one probability of each sample, and its name.

    Parameters
    ----------
    models : AlignedProba
        The predicted probabilities of the models.
    label : object, default=None
        The class to select; None is the second of two classes, and the most probable one of more.

    Returns
    -------
    values : dict of str to ndarray of shape (n_samples,)
        The selected probabilities of each model.
    name : str
        Their name, for the axis.

    Raises
    ------
    ValueError
        If no model knows the class.
    """
    if label is None and len(models.classes) != 2:
        return {name: p.max(axis=1) for name, p in models.by_model.items()}, "largest probability"
    label = models.classes[1] if label is None else label
    if label not in models.classes:
        raise ValueError(f"label={label!r} is none of the classes {models.classes}.")
    k = models.classes.index(label)
    return {name: p[:, k] for name, p in models.by_model.items()}, f"probability of {label}"


def count_predictions(
    models: AlignedProba, values: dict[str, FloatArray], edges: FloatArray
) -> list[Histogram]:
    """Count the predictions of each model in bins, for each true class if these are known.

    Parameters
    ----------
    models : AlignedProba
        The predicted probabilities of the models.
    values : dict of str to ndarray of shape (n_samples,)
        The probabilities to count, by model.
    edges : ndarray of shape (n_bins + 1,)
        Edges of the bins, ascending from 0 to 1.

    Returns
    -------
    list of Histogram
        In the order of classes, then of models.
    """
    return [
        _count(name, label, values[name][rows], p[rows], edges)
        for label, rows in _rows_by_class(models).items()
        for name, p in models.by_model.items()
    ]


def _rows_by_class(models: AlignedProba) -> dict[Any, IntArray]:
    """Return the row numbers of each true class; all under None if the classes are not known."""
    if models.y is None:
        return {None: np.arange(models.n_rows)}
    rows: dict[Any, list[int]] = {label: [] for label in models.classes}
    for i, label in enumerate(models.y):
        rows[label].append(i)
    return {label: np.array(i) for label, i in rows.items() if i}


def _count(
    name: str, label: Any, values: FloatArray, p: FloatArray, edges: FloatArray
) -> Histogram:
    # shares and not counts, so that classes of different size can be compared;
    # rounding may put a probability just above 1, where there is no bin
    heights = np.histogram(np.clip(values, 0, 1), edges)[0] / len(values)
    return Histogram(name, label, heights, edges, uncertainty_degree(p), len(values))
