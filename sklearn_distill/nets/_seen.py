"""What callbacks see of a training: X and y, as in skorch, instead of the tables of the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from skorch.callbacks import Callback, EpochScoring
from skorch.callbacks.scoring import ScoringBase
from skorch.dataset import Dataset as SkorchDataset

from sklearn_distill._typing import BoolArray
from sklearn_distill.nets._inputs import map_tensors
from sklearn_distill.nets._loader import RowTensors


def seen_by(
    name: str, callback: Callback, hook: str, arguments: dict[str, Any], use_caching: Any
) -> dict[str, Any] | None:
    """Return the arguments with which a hook of a callback is called.

    A mini-batch becomes (features, labels), a data set in memory one of skorch's. Callbacks that
    score see the rows with a label only.

    Parameters
    ----------
    name : str
        Name of the callback, for messages.
    callback : Callback
        The callback.
    hook : str
        Name of the hook.
    arguments : dict
        Arguments of the net.
    use_caching : bool or "auto"
        The net's ``use_caching``.

    Returns
    -------
    dict or None
        The arguments; None if there is nothing to score.

    Raises
    ------
    ValueError
        If a callback scores the training rows, and none has a label.
    """
    scores = isinstance(callback, ScoringBase)
    seen = dict(arguments)
    if "batch" in seen:
        return _seen_batch(seen, labelled_only=scores)
    for key in ("dataset_train", "dataset_valid"):
        if isinstance(seen.get(key), RowTensors):
            seen[key] = _seen_rows(seen[key], labelled_only=scores)
    if hook == "on_epoch_end" and isinstance(callback, EpochScoring) and callback.on_train:
        caching = callback.use_caching if use_caching == "auto" else use_caching
        if not (callback.y_trues_ if caching else len(seen["dataset_train"])):
            raise ValueError(
                f"the callback {name} scores the training rows, but none of them has a label: "
                "leave out on_train=True, and pass X_val, y_val"
            )
    return seen


def _seen_batch(arguments: dict[str, Any], *, labelled_only: bool) -> dict[str, Any] | None:
    features, _, labels = arguments["batch"][:3]
    known = None if labels is None or not labelled_only else has_label(labels)
    if known is None or known.all():
        return arguments | {"batch": (features, labels)}
    if not known.any():
        return None
    of_known = map_tensors(lambda part: part[known], features)
    seen = arguments | {"batch": (of_known, known_labels(labels, known))}
    if "y_pred" in seen:
        seen["y_pred"] = seen["y_pred"][known]
    return seen


def _seen_rows(rows: RowTensors, *, labelled_only: bool) -> SkorchDataset:
    features, labels = rows.seen()
    if labelled_only and labels is not None:
        known = has_label(labels)
        if not known.all():
            features, labels = features[known], known_labels(labels, known)
    return SkorchDataset(features, labels)


def known_labels(labels: NDArray[Any], known: Any) -> NDArray[Any]:
    """Return labels none of which is missing, as an array of their own type.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Labels, of type object if some classes are missing.
    known : ndarray of bool or int
        Which rows to return.

    Returns
    -------
    ndarray of shape (n_known,) or (n_known, n_outputs)
        Their labels.
    """
    # scikit-learn's metrics take integers in an array of objects for labels of an unknown kind
    selected = labels[known]
    return np.array(selected.tolist()) if selected.dtype == object else selected


def has_label(labels: NDArray[Any]) -> BoolArray:
    """Return which rows have a label, rather than None or NaN.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Labels.

    Returns
    -------
    ndarray of bool of shape (n_rows,)
        True for rows with a label.
    """
    missing: BoolArray = np.asarray(pd.isna(labels))
    return np.logical_not(missing if missing.ndim == 1 else missing.any(axis=1))
