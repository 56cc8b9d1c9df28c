"""The folds on which every trial of a study is scored."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
    process_routing,
)

from sklearn_distill._typing import ArrayLike, CheckedX, IntArray
from sklearn_distill._validation.indexing import n_samples
from sklearn_distill._validation.labelled_rows import has_label
from sklearn_distill._validation.splits import Splits, draw_splits
from sklearn_distill.model_selection import LabeledKFold

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


class OneFold:
    """A splitter of one fold, with the metadata requests of the splitter that drew it.

    With it, :func:`~sklearn.model_selection.cross_val_score` scores a single fold, with all of its
    slicing and routing of metadata.

    Parameters
    ----------
    splitter : splitter
        The splitter of all folds.
    train, test : ndarray of int
        Row numbers of the fold.
    """

    def __init__(self, splitter: Any, train: IntArray, test: IntArray) -> None:
        self.splitter = splitter
        self.train = train
        self.test = test

    def split(
        self, X: CheckedX, y: Any = None, **params: Any
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield the fold."""
        yield self.train, self.test

    def get_n_splits(self, X: CheckedX = None, y: Any = None, **params: Any) -> int:
        """Return 1."""
        return 1

    def get_metadata_routing(self) -> Any:
        """Return the requests of the splitter of all folds."""
        return get_routing_for_object(self.splitter)


def fixed_folds(
    cv: Any,
    estimator: BaseEstimator,
    X: CheckedX,
    y: Any,
    *,
    scorers: list[Any],
    params: dict[str, Any],
    groups: ArrayLike | None,
) -> list[OneFold]:
    """Return the folds, drawn once.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        The folds, as in :func:`~sklearn.model_selection.cross_validate`. Where labels are missing,
        an int is the number of folds of labelled rows.
    estimator : estimator
        If it is a classifier, an int ``cv`` is stratified.
    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Features of the samples to split.
    y : array-like of shape (n_samples,) or None
        Labels of the samples to split.
    scorers : list of callable or None
        The scorers, which may request some of the parameters if metadata routing is enabled.
    params : dict
        Parameters; with metadata routing, those that the splitter requests are passed to it.
    groups : array-like of shape (n_samples,) or None
        Groups for the splitter, without metadata routing.

    Returns
    -------
    list of OneFold
        The folds, in the splitter's order.

    Raises
    ------
    ValueError
        If the splitter draws other folds in each call, or no fold.
    """
    splitter = _splitter(cv, y, n_samples(X), stratify=is_classifier(estimator))
    split_params = _split_params(splitter, estimator, scorers, params, groups)
    # a second draw shows whether other processes would get the same folds
    splits, again = (draw_splits(splitter, X, y, split_params) for _ in range(2))
    if not splits:
        raise ValueError("cv gives no folds: it needs at least one split")
    if not _are_equal(splits, again):
        raise ValueError(
            f"cv={cv!r} draws other folds each time, so trials and processes would disagree: give "
            "it a fixed int random_state"
        )
    return [OneFold(splitter, train, test) for train, test in splits]


def _splitter(cv: Any, y: Any, n_rows: int, *, stratify: bool) -> Any:
    """Return the splitter; an int is of folds whose test rows have a label, if some have one."""
    if (
        (cv is None or isinstance(cv, Integral))
        and y is not None
        and not has_label(y, n_rows).all()
    ):
        return LabeledKFold(5 if cv is None else int(cv), stratify=stratify)
    return check_cv(cv, y, classifier=stratify)


def _split_params(
    splitter: Any,
    estimator: BaseEstimator,
    scorers: list[Any],
    params: dict[str, Any],
    groups: ArrayLike | None,
) -> dict[str, Any]:
    """Return the parameters of the splitter's split."""
    if not get_config()["enable_metadata_routing"]:
        return {"groups": groups}
    if groups is not None:
        raise ValueError(
            "groups is given with metadata routing enabled: pass it in params, as "
            "params={'groups': groups}"
        )
    # estimator and scorers too: routing rejects parameters that no object requests
    router = (
        MetadataRouter(owner="distillation_objective")
        .add(splitter=splitter, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        .add(estimator=estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
    )
    for i, scoring in enumerate(scorers):
        scorer = check_scoring(estimator, scoring=scoring)
        mapping = MethodMapping().add(caller="fit", callee="score")
        router.add(method_mapping=mapping, **{f"scorer{i}": scorer})
    return dict(process_routing(router, "fit", **params)["splitter"]["split"])


def _are_equal(splits: Splits, other_splits: Splits) -> bool:
    return len(splits) == len(other_splits) and all(
        np.array_equal(rows, other_rows)
        for split, other_split in zip(splits, other_splits, strict=True)
        for rows, other_rows in zip(split, other_split, strict=True)
    )
