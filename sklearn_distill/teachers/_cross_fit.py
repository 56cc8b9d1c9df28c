"""Fit clones of a teacher on the training rows of folds, and predict their test rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import CheckedX, IntArray
from sklearn_distill._validation.fit_params import clone_without_teacher
from sklearn_distill._validation.indexing import take_params, take_rows
from sklearn_distill._validation.numbers import shorten
from sklearn_distill._validation.splits import Splits
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.losses import probabilities
from sklearn_distill.teachers._encoded_labels import fit_on_any_labels

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

Predict: TypeAlias = Callable[[Any, CheckedX, str], NDArray[np.float64]]  # fitted teacher, X, where
FoldPredictions: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64] | None]  # test, extra


@dataclass(frozen=True, repr=False)  # a cache stores the repr, of samples a slow one
class FoldFit:
    """The rows on which a clone of the teacher is fitted, and those that it predicts.

    Parameters
    ----------
    train : ndarray of shape (n_train,)
        Rows of X on which the clone is fitted.
    test : ndarray of shape (n_test,)
        Rows of X that the clone predicts.
    where : str
        How error messages refer to the fold: "in fold 1 of 5".
    extra : matrix, frame or None
        Samples that are not in X and that the clone predicts, too.
    """

    train: IntArray
    test: IntArray
    where: str
    extra: CheckedX | None = None


def fold_fits(splits: Splits) -> list[FoldFit]:
    """Return one fit for each fold."""
    return [
        FoldFit(train, test, f"in fold {k} of {len(splits)}")
        for k, (train, test) in enumerate(splits, start=1)
    ]


@contextmanager
def name_teacher_in_errors(teacher: BaseEstimator, where: str) -> Iterator[None]:
    """Add the teacher's class and the fold to the message of any error."""
    try:
        yield
    except Exception as error:
        # other errors' constructors may need more than a message
        kinds = (ValueError, TypeError)
        kind = next((kind for kind in kinds if isinstance(error, kind)), RuntimeError)
        raise kind(f"teacher {class_name(teacher)} failed {where}: {error}") from error


def class_name(estimator: BaseEstimator) -> str:
    """Return the name of the estimator's class."""
    return type(estimator).__name__


@dataclass(frozen=True)
class PredictAligned:
    """Class-aligned ``predict_proba``: the columns follow ``classes``, not the teacher's own order.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class of each column.
    required : ndarray of shape (n_required,)
        Classes that the teacher must have been fitted on; any other may be missing and gets
        probability 0.
    """

    classes: NDArray[Any]
    required: NDArray[Any]

    def __call__(self, teacher: BaseEstimator, X: CheckedX, where: str) -> NDArray[np.float64]:
        """Return probabilities of shape (n_rows, n_classes)."""
        with name_teacher_in_errors(teacher, where):
            proba = _predict_proba(teacher, X)
        teacher_classes = np.asarray(getattr(teacher, "classes_", self.classes)).tolist()
        _check_predictions(teacher, proba, (X.shape[0], len(teacher_classes)), where)
        self._check_classes(teacher, teacher_classes, where)
        aligned = np.zeros((len(proba), len(self.classes)))
        position = {label: k for k, label in enumerate(self.classes.tolist())}
        aligned[:, [position[label] for label in teacher_classes]] = proba
        return aligned

    def in_fold(self, labels: NDArray[Any]) -> PredictAligned:
        """Return how a teacher predicts that was fitted on these labels only."""
        # as in cross_val_predict, a class that a fold does not train on gets probability 0
        return PredictAligned(self.classes, np.intersect1d(self.required, labels))

    def _check_classes(
        self, teacher: BaseEstimator, teacher_classes: list[Any], where: str
    ) -> None:
        known, required = set(teacher_classes), set(self.required.tolist())
        if required and not known & required:
            raise ValueError(
                f"teacher {class_name(teacher)} predicts the classes "
                f"{shorten(teacher_classes)}, and y has the labels {shorten(sorted(required))}: "
                "pass y with the labels that the teacher was fitted on, not encoded ones"
            )
        # else it would silently give them probability 0
        missing = sorted(required - known)
        if missing:
            raise ValueError(
                f"teacher {class_name(teacher)} was not fitted on the classes {shorten(missing)}, "
                "which y contains: fit it on samples of all classes, or leave out the samples of "
                "these"
            )
        unknown = sorted(set(teacher_classes) - set(self.classes.tolist()))
        if unknown:
            raise ValueError(
                f"teacher {class_name(teacher)} {where} predicts the classes {unknown}, which y "
                "does not contain: pass classes=[...] with all of them (of a student: to its "
                "constructor)"
            )


def predict_finite(teacher: BaseEstimator, X: CheckedX, where: str) -> NDArray[np.float64]:
    """Return the predictions of a fitted regressor, all of them finite."""
    with name_teacher_in_errors(teacher, where):
        predictions = np.asarray(teacher.predict(X), dtype=np.float64)
    # the number of outputs is whatever the teacher predicts
    _check_predictions(teacher, predictions, (X.shape[0], *predictions.shape[1:]), where)
    return predictions


def _predict_proba(teacher: BaseEstimator, X: CheckedX) -> NDArray[np.float64]:
    if hasattr(teacher, "predict_proba"):
        return np.asarray(teacher.predict_proba(X), dtype=np.float64)
    if not hasattr(teacher, "decision_function"):
        raise TypeError("it has neither predict_proba nor decision_function")
    margins = np.asarray(teacher.decision_function(X), dtype=np.float64)
    return probabilities(margins)


def _check_predictions(
    teacher: BaseEstimator, predictions: NDArray[np.float64], shape: tuple[int, ...], where: str
) -> None:
    if predictions.shape != shape:
        raise ValueError(
            f"teacher {class_name(teacher)} {where} predicts an array of shape "
            f"{predictions.shape}, not {shape}"
        )
    # NaN means a missing prediction further on, and must not come from a failed teacher
    not_finite = ~np.isfinite(predictions.reshape(len(predictions), -1)).all(axis=1)
    if not_finite.any():
        row = int(np.argmax(not_finite))
        raise ValueError(
            f"teacher {class_name(teacher)} {where} predicts {predictions[row].tolist()} for row "
            f"{row} of those passed to it ({int(not_finite.sum())} such rows): a teacher's "
            "predictions must be finite; clean its input or use another teacher"
        )


def fit_teacher(
    teacher: BaseEstimator,
    X: CheckedX,
    y: NDArray[Any],
    train: IntArray,
    fit_params: dict[str, Any],
    where: str,
) -> Any:
    """Return a clone of the teacher, fitted on the training rows."""
    params = take_params(fit_params, train, X.shape[0])
    with name_teacher_in_errors(teacher, where):
        unfitted = clone_without_teacher(teacher, params)  # a student may be a teacher, too
        return fit_on_any_labels(unfitted, take_rows(X, train), y[train], params)


def fit_and_predict(
    teacher: BaseEstimator,
    X: CheckedX,
    y: NDArray[Any],
    folds: list[FoldFit],
    fit_params: dict[str, Any],
    predict: Predict,
) -> list[FoldPredictions]:
    """Return, for each fold, the predictions of its test rows and of its extra samples."""
    return [_fit_and_predict_fold(teacher, X, y, fold, fit_params, predict) for fold in folds]


def _fit_and_predict_fold(
    teacher: BaseEstimator,
    X: CheckedX,
    y: NDArray[Any],
    fold: FoldFit,
    fit_params: dict[str, Any],
    predict: Predict,
) -> FoldPredictions:
    fitted = fit_teacher(teacher, X, y, fold.train, fit_params, fold.where)
    if isinstance(predict, PredictAligned):
        predict = predict.in_fold(y[fold.train])
    predictions = predict(fitted, take_rows(X, fold.test), fold.where)
    return predictions, None if fold.extra is None else predict(fitted, fold.extra, fold.where)


def warn_of_unseen_classes(name: str, classes: NDArray[Any], labels: list[NDArray[Any]]) -> None:
    """Warn of classes of y that a fold does not train on, and so predicts probability 0 for.

    Parameters
    ----------
    name : str
        What is fitted, for the message.
    classes : ndarray of shape (n_classes,)
        The classes of y.
    labels : list of ndarray
        For each fold, the labels that it trains on.
    """
    unseen = {k: np.setdiff1d(classes, of_fold) for k, of_fold in enumerate(labels, start=1)}
    folds = [k for k, missing in unseen.items() if len(missing)]
    if folds:
        missing = shorten(unseen[folds[0]].tolist())
        warn_user(
            f"{name} is not fitted on the classes {missing} in fold {folds[0]} of {len(labels)} "
            f"({len(folds)} such), and predicts probability 0 for them there: use a "
            "stratified splitter or fewer folds, or leave out classes with too few samples",
        )


def mean_by_row(
    tests: list[IntArray], predictions: list[NDArray[np.float64]], n_rows: int
) -> NDArray[np.float64]:
    """Average the folds' predictions row by row; NaN, a missing prediction, in untested rows."""
    total = np.zeros((n_rows, *predictions[0].shape[1:]))
    count = np.zeros(n_rows)
    for test, of_fold in zip(tests, predictions, strict=True):
        total[test] += of_fold
        count[test] += 1
    count[count == 0] = np.nan  # 0 / NaN is NaN and, unlike 0 / 0, gives no warning
    return total / (count if total.ndim == 1 else count[:, None])
