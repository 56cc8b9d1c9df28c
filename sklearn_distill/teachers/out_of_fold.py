"""What a teacher answers on rows that it never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn import get_config
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import check_array
from sklearn.utils.validation import has_fit_parameter

from sklearn_distill._validation import check_classes, check_labels, check_sample_weight

__all__ = ["out_of_fold_prediction", "out_of_fold_proba"]

Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]
Ask = Callable[[Any, Any, str], NDArray[np.float64]]


def out_of_fold_proba(
    teacher: Any,
    X: Any,
    y: Any,
    cv: Any = 5,
    *,
    sample_weight: Any = None,
    groups: Any = None,
    classes: Any = None,
) -> NDArray[np.float64]:
    """Return probabilities where row i comes from a clone of the teacher that never saw row i.

    Where the teacher has no ``predict_proba``, its ``decision_function`` is read as logits: the
    log-odds of the second of two classes, else one logit a class (for SVC this is
    ``decision_function_shape="ovr"``).

    Parameters
    ----------
    teacher : classifier
        Any scikit-learn classifier; it is cloned, never fitted itself.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,)
        Labels; NaN, None and pd.NA are missing. Rows without a label teach nothing and are silent.
    cv : int, splitter or iterable of (train, test), default=5
        The folds, as in cross_val_predict; an int is stratified and does not shuffle.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows for the teacher.
    groups : array-like of shape (n_samples,) or None
        Groups for the splitter.
    classes : array-like of shape (n_classes,) or None, default=None
        The columns' classes, ascending; None takes the labels of y.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Probabilities in the order of the classes. NaN, a silent teacher, in rows that no test fold
        covers; the mean of the answers in rows that several cover; 0 for classes that y lacks.

    Raises
    ------
    ValueError
        If a teacher fails, answers NaN or lacks a class in a fold (the message names teacher and
        fold), a fold tests a row on which it trains, or an argument is not valid.
    TypeError
        If the teacher has neither ``predict_proba`` nor ``decision_function``.
    RuntimeError
        If a teacher fails in a fold with another error than a ValueError or TypeError.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = [[0], [1], [0], [1]], ["no", "yes", "no", "yes"]
    >>> out_of_fold_proba(KNeighborsClassifier(1), X, y, cv=2)
    array([[1., 0.],
           [0., 1.],
           [1., 0.],
           [0., 1.]])
    """
    X = as_table(X)
    classes_, labels = check_labels(y, X.shape[0], check_classes(classes), None)
    ask = AskProba(classes_, required=classes_[np.unique(labels.codes[labels.present])])
    splits = folds(cv, X, classes_[labels.codes], labels.present, {"groups": groups}, is_class=True)
    weight = _weight_argument(teacher, sample_weight, X.shape[0])
    return answer_out_of_fold(teacher, X, classes_[labels.codes], splits, weight, ask)


def out_of_fold_prediction(
    teacher: Any, X: Any, y: Any, cv: Any = 5, *, sample_weight: Any = None, groups: Any = None
) -> NDArray[np.float64]:
    """Return predictions where row i comes from a clone of the teacher that never saw row i.

    Parameters
    ----------
    teacher : regressor
        Any scikit-learn regressor; it is cloned, never fitted itself.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets; rows with a NaN teach nothing and are silent.
    cv : int, splitter or iterable of (train, test), default=5
        The folds, as in cross_val_predict; an int does not shuffle.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows for the teacher.
    groups : array-like of shape (n_samples,) or None
        Groups for the splitter.

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Predictions; NaN, a silent teacher, in rows that no test fold covers, and the mean of the
        answers in rows that several cover.

    Raises
    ------
    ValueError
        If a teacher fails or answers NaN in a fold (the message names teacher and fold), a fold
        tests a row on which it trains, or an argument is not valid.
    TypeError
        If the teacher raises one in a fold; the message names teacher and fold.
    RuntimeError
        If a teacher fails in a fold with any other error.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> X, y = [[0], [1], [0], [1]], [10.0, 20.0, 30.0, 40.0]
    >>> out_of_fold_prediction(KNeighborsRegressor(1), X, y, cv=2)
    array([30., 40., 10., 20.])
    """
    X = as_table(X)
    y, present = read_targets(y, X.shape[0])
    splits = folds(cv, X, y, present, {"groups": groups}, is_class=False)
    weight = _weight_argument(teacher, sample_weight, X.shape[0])
    return answer_out_of_fold(teacher, X, y, splits, weight, ask_prediction)


def answer_out_of_fold(
    teacher: Any, X: Any, y: Any, splits: Splits, fit_params: dict[str, Any], ask: Ask
) -> NDArray[np.float64]:
    """Fit a clone on each fold's training rows and ask it about the others."""
    total, count = None, np.zeros(X.shape[0])
    for k, (train, test) in enumerate(splits, start=1):
        where = f"in fold {k} of {len(splits)}"
        _check_unseen(train, test, where)
        fitted = fit_teacher(teacher, X, y, train, fit_params, where)
        answers = ask(fitted, take_rows(X, test), where)
        if total is None:
            total = np.zeros((X.shape[0], *answers.shape[1:]))
        total[test] += answers
        count[test] += 1
    if total is None:
        raise ValueError("cv gives no folds: it needs at least one split with rows to test")
    count[count == 0] = np.nan
    return total / (count if total.ndim == 1 else count[:, None])


def fit_teacher(
    teacher: Any, X: Any, y: Any, rows: NDArray[np.intp], fit_params: dict[str, Any], where: str
) -> Any:
    """Fit a clone of the teacher on some rows."""
    params = {name: _by_row(value, rows, X.shape[0]) for name, value in fit_params.items()}
    with _named_in_errors(teacher, where):
        return clone(teacher).fit(take_rows(X, rows), y[rows], **params)


@dataclass(frozen=True)
class AskProba:
    """Ask a fitted teacher for probabilities in the order of ``classes``."""

    classes: NDArray[Any]
    required: NDArray[Any]

    def __call__(self, teacher: Any, X: Any, where: str) -> NDArray[np.float64]:
        """Return (n_rows, n_classes), with 0 for a class that the teacher need not know."""
        with _named_in_errors(teacher, where):
            answers = _raw_proba(teacher, X)
        known = list(getattr(teacher, "classes_", self.classes))
        _check_answers(teacher, answers, (X.shape[0], len(known)), where)
        self._check_classes(teacher, known, where)
        aligned = np.zeros((len(answers), len(self.classes)))
        position = {label: k for k, label in enumerate(self.classes.tolist())}
        aligned[:, [position[label] for label in np.asarray(known).tolist()]] = answers
        return aligned

    def _check_classes(self, teacher: Any, known: list[Any], where: str) -> None:
        lacking = sorted(set(self.required.tolist()) - set(np.asarray(known).tolist()))
        if lacking:
            raise ValueError(
                f"teacher {_name(teacher)} {where} never saw the classes {lacking}, which y shows: "
                "use fewer folds or a stratified splitter, or drop classes with too few rows"
            )
        beyond = sorted(set(np.asarray(known).tolist()) - set(self.classes.tolist()))
        if beyond:
            raise ValueError(
                f"teacher {_name(teacher)} {where} knows the classes {beyond}, which y does not "
                "show: say classes=[...] with all of them (of a student: in its constructor)"
            )


def ask_prediction(teacher: Any, X: Any, where: str) -> NDArray[np.float64]:
    """Ask a fitted teacher for predictions."""
    with _named_in_errors(teacher, where):
        answers = np.asarray(teacher.predict(X), dtype=np.float64)
    _check_answers(teacher, answers, (X.shape[0], *answers.shape[1:]), where)
    return answers


def folds(
    cv: Any, X: Any, y: Any, present: NDArray[np.bool_], params: dict[str, Any], *, is_class: bool
) -> Splits:
    """Return the folds' training and test rows, labelled ones only."""
    check_teachable(present)
    rows = np.flatnonzero(present)
    splitter = check_cv(cv, y[rows], classifier=is_class)
    if not hasattr(cv, "split") and np.iterable(cv):  # its indices count the rows of X
        counted = [(_as_indices(train), _as_indices(test)) for train, test in splitter.split()]
        pairs = [(train[present[train]], test[present[test]]) for train, test in counted]
    else:
        given = {name: _by_row(value, rows, X.shape[0]) for name, value in params.items()}
        given = {name: value for name, value in given.items() if value is not None}
        pairs = [
            (rows[train], rows[test])
            for train, test in splitter.split(take_rows(X, rows), y[rows], **given)
        ]
    return [(train, test) for train, test in pairs if len(test)]


def fit_argument(estimator: Any, name: str) -> str | None:
    """Return how ``fit`` calls an argument: itself, ``step__name`` of a pipeline, or None."""
    steps = getattr(estimator, "steps", None)
    if not steps:
        return name if has_fit_parameter(estimator, name) else None
    inner = fit_argument(steps[-1][1], name)
    if inner is None or get_config()["enable_metadata_routing"]:  # routing knows no prefixes
        return inner
    return f"{steps[-1][0]}__{inner}"


def as_table(X: Any) -> Any:
    """Return a frame as it is and all else as a matrix, with any entries."""
    if hasattr(X, "columns") and hasattr(X, "shape"):
        return X
    return check_array(X, accept_sparse=["csr", "csc"], dtype=None, ensure_all_finite=False)


def take_rows(X: Any, rows: NDArray[np.intp]) -> Any:
    """Return some rows of a frame, matrix or array."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def read_targets(y: Any, n_rows: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers to learn and which rows have them."""
    y = check_array(
        y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y"
    )
    if len(y) != n_rows:
        raise ValueError(f"y has {len(y)} entries, X has {n_rows} rows: give one label a row")
    return y, ~np.isnan(y.reshape(n_rows, -1)).any(axis=1)


def check_teachable(present: NDArray[np.bool_]) -> None:
    """Require a label."""
    if not present.any():
        raise ValueError("y has no labels: a teacher needs some to learn from")


def _raw_proba(teacher: Any, X: Any) -> NDArray[np.float64]:
    if hasattr(teacher, "predict_proba"):
        return np.asarray(teacher.predict_proba(X), dtype=np.float64)
    if not hasattr(teacher, "decision_function"):
        raise TypeError("it has neither predict_proba nor decision_function")
    margins = np.asarray(teacher.decision_function(X), dtype=np.float64)
    if margins.ndim == 1:
        return np.stack([expit(-margins), expit(margins)], axis=1)
    return np.asarray(softmax(margins, axis=1))


def _check_answers(
    teacher: Any, answers: NDArray[np.float64], shape: tuple[int, ...], where: str
) -> None:
    if answers.shape != shape:
        raise ValueError(
            f"teacher {_name(teacher)} {where} answers with shape {answers.shape}, not {shape}"
        )
    strange = ~np.isfinite(answers.reshape(len(answers), -1)).all(axis=1)
    if strange.any():
        row = int(np.argmax(strange))
        raise ValueError(
            f"teacher {_name(teacher)} {where} answers {answers[row].tolist()} on the row {row} "
            f"that it was asked about ({int(strange.sum())} such rows): a teacher must answer "
            "with finite numbers; clean its input or take another teacher"
        )


@contextmanager
def _named_in_errors(teacher: Any, where: str) -> Iterator[None]:
    """Say in any error whose it is and in which fold."""
    try:
        yield
    except Exception as error:
        kinds = (ValueError, TypeError)
        kind = next((kind for kind in kinds if isinstance(error, kind)), RuntimeError)
        raise kind(f"teacher {_name(teacher)} failed {where}: {error}") from error


def _check_unseen(train: NDArray[np.intp], test: NDArray[np.intp], where: str) -> None:
    seen = np.intersect1d(train, test)
    if len(seen):
        raise ValueError(
            f"cv {where} tests row {int(seen[0])}, on which it trains: training and test rows must "
            "not overlap, or the teacher's answers are not out of fold"
        )


def _weight_argument(teacher: Any, sample_weight: Any, n_rows: int) -> dict[str, Any]:
    if sample_weight is None:
        return {}
    name = fit_argument(teacher, "sample_weight")
    if name is None:
        raise ValueError(f"teacher {_name(teacher)} takes no sample_weight: leave it out")
    return {name: check_sample_weight(sample_weight, n_rows)}


def _by_row(value: Any, rows: NDArray[np.intp], n_rows: int) -> Any:
    """Take the rows of what has one entry for each row; leave the rest."""
    if value is None or isinstance(value, (str, dict)) or not np.iterable(value):
        return value
    value = value if hasattr(value, "shape") else np.asarray(value)
    return take_rows(value, rows) if value.shape[:1] == (n_rows,) else value


def _as_indices(rows: Any) -> NDArray[np.intp]:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp)


def _name(teacher: Any) -> str:
    return type(teacher).__name__
