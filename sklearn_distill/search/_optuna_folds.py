"""The folds on which every trial of a study is scored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


class OneFold:
    """A splitter of one fold, which asks for the parameters that the whole splitter asks for.

    So a fold is scored by scikit-learn's own cross-validation, with all of its routing.

    Parameters
    ----------
    splitter : splitter
        The splitter of all folds.
    train, test : ndarray
        The fold's rows.
    """

    def __init__(self, splitter: Any, train: Any, test: Any) -> None:
        self.splitter = splitter
        self.train = train
        self.test = test

    def split(self, X: Any, y: Any = None, **params: Any) -> Iterator[tuple[Any, Any]]:
        """Yield the fold."""
        yield self.train, self.test

    def get_n_splits(self, X: Any = None, y: Any = None, **params: Any) -> int:
        """Return 1."""
        return 1

    def get_metadata_routing(self) -> Any:
        """Return what the whole splitter asks for."""
        return get_routing_for_object(self.splitter)


def fixed_folds(
    cv: Any, estimator: Any, X: Any, y: Any, *, scoring: Any, params: dict[str, Any], groups: Any
) -> list[OneFold]:
    """Return the folds, drawn once.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As in ``cross_validate``.
    estimator : estimator
        A classifier's int ``cv`` is stratified.
    X, y : table, labels
        What is split.
    scoring : str, callable or None
        With metadata routing, scorers may take some of the parameters.
    params, groups : dict, array-like or None
        Parameters, of which metadata routing gives the splitter its own; groups without it.

    Returns
    -------
    list of OneFold
        In the splitter's order.

    Raises
    ------
    ValueError
        If the splitter draws other folds when asked again, or gives none.
    """
    splitter = check_cv(cv, y, classifier=is_classifier(estimator))
    asked = _split_params(splitter, estimator, scoring, params, groups)
    pairs, again = (list(splitter.split(X, y, **asked)) for _ in range(2))
    if not pairs:
        raise ValueError("cv gives no folds: it needs at least one split")
    if not _equal(pairs, again):
        raise ValueError(
            f"cv={cv!r} draws other folds each time, so trials and processes would disagree: give "
            "it a fixed int random_state"
        )
    return [OneFold(splitter, train, test) for train, test in pairs]


def _split_params(
    splitter: Any, estimator: Any, scoring: Any, params: dict[str, Any], groups: Any
) -> dict[str, Any]:
    if not get_config()["enable_metadata_routing"]:
        return {"groups": groups}
    if groups is not None:
        raise ValueError(
            "groups came with metadata routing enabled: put them into params, as "
            "params={'groups': groups}"
        )
    scorer = check_scoring(estimator, scoring=scoring)
    router = (
        MetadataRouter(owner="distillation_objective")
        .add(splitter=splitter, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        .add(estimator=estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
        .add(scorer=scorer, method_mapping=MethodMapping().add(caller="fit", callee="score"))
    )
    return dict(process_routing(router, "fit", **params)["splitter"]["split"])


def _equal(folds: list[Any], others: list[Any]) -> bool:
    return len(folds) == len(others) and all(
        np.array_equal(rows, other_rows)
        for fold, other in zip(folds, others, strict=True)
        for rows, other_rows in zip(fold, other, strict=True)
    )
