"""scikit-learn's histogram boosting with a loss or validation rows of our own.

Its private methods take them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from sklearn_distill._typing import CheckedX, FloatArray
from sklearn_distill.losses import ScoreLoss

_Rows: TypeAlias = tuple[CheckedX, FloatArray, FloatArray | None]


def fit_hist_gradient_boosting(
    estimator: HistGradientBoostingClassifier,
    X: CheckedX,
    loss: ScoreLoss,
    classes: NDArray[Any],
    held_out: tuple[CheckedX, Callable[[FloatArray], float]] | None,
    *,
    early_stopping: bool,
) -> HistGradientBoostingClassifier:
    """Fit trees that minimise a loss of the scores.

    Parameters
    ----------
    estimator : HistGradientBoostingClassifier
        Unfitted, with the parameters of the trees.
    X : array-like or DataFrame of shape (n_rows, n_features)
        Features of the training rows.
    loss : ScoreLoss
        The loss of the same rows.
    classes : ndarray of shape (n_classes,)
        Class labels in ascending order.
    held_out : tuple of (X_val, metric) or None
        Features of the validation rows, and the function of their scores, of shape (n_scores,
        n_rows), whose value is to fall. None monitors the loss of the training rows.
    early_stopping : bool
        Whether to monitor at all.

    Returns
    -------
    HistGradientBoostingClassifier
        A plain fitted one, without training data: its ``predict_proba`` needs no loss of ours.
    """
    params = estimator.get_params(deep=False)
    boosting = _ScoreBoosting(
        **params | {"early_stopping": early_stopping, "validation_fraction": None}
    )
    boosting.prepare(loss, classes, held_out)
    boosting.fit(X, np.zeros(loss.n_rows), sample_weight=loss.weight)
    return boosting.to_plain(params)


def fit_hist_gradient_regression(
    estimator: HistGradientBoostingRegressor,
    train: _Rows,
    held_out: _Rows | None,
    *,
    early_stopping: bool,
) -> HistGradientBoostingRegressor:
    """Fit a regressor with its own loss, which it also watches on the validation rows.

    Parameters
    ----------
    estimator : HistGradientBoostingRegressor
        Unfitted, with the parameters of the trees.
    train : tuple of (X, y, sample_weight)
        Training rows.
    held_out : tuple of (X, y, sample_weight) or None
        Validation rows. None monitors the loss of the training rows.
    early_stopping : bool
        Whether to monitor at all.

    Returns
    -------
    HistGradientBoostingRegressor
        A plain fitted one, without the validation rows.
    """
    params = estimator.get_params(deep=False)
    boosting = _NumberBoosting(
        **params | {"early_stopping": early_stopping, "validation_fraction": None}
    )
    boosting._held_out = held_out
    X, y, weight = train
    boosting.fit(X, y, sample_weight=weight)
    plain = HistGradientBoostingRegressor()
    vars(plain).update(boosting.plain_state() | params)
    return plain


class _HeldOutScores:
    """The scores of validation rows, which grow with the trees."""

    _held_out: Any

    def plain_state(self) -> dict[str, Any]:
        """Return the fitted attributes of the library's own class."""
        return {name: value for name, value in vars(self).items() if name not in _OURS}

    def _update_validation_scores(self, X_val: CheckedX) -> None:
        """Add the newest trees to the scores of the validation rows."""
        model: Any = self
        bins = model._bin_mapper
        if not model._predictors:
            features = model._preprocess_X(X_val, reset=False)
            self._val_rows = np.ascontiguousarray(bins.transform(features))
            self._val_scores = np.repeat(model._baseline_prediction, len(self._val_rows), axis=0)
            return
        for k, tree in enumerate(model._predictors[-1]):
            self._val_scores[:, k] += tree.predict_binned(
                self._val_rows, bins.missing_values_bin_idx_, n_threads=bins.n_threads
            )


_OURS = ("_score_loss", "_class_labels", "_held_out", "_val_rows", "_val_scores")


class _NumberBoosting(_HeldOutScores, HistGradientBoostingRegressor):
    """The library's training with another validation set; its ``fit`` takes one from 1.7 on."""

    def _check_early_stopping_loss(
        self,
        raw_predictions: FloatArray,
        y_train: FloatArray,
        sample_weight_train: FloatArray | None,
        *_: Any,
        n_threads: int = 1,
        **__: Any,
    ) -> bool:
        """Record the loss before the first and after each iteration; return whether to stop."""
        loss = self._loss(y_train, raw_predictions, sample_weight_train, n_threads=n_threads)
        self.train_score_.append(-loss)
        if self._held_out is None:
            return bool(self._should_stop(self.train_score_))
        X, y, weight = self._held_out
        self._update_validation_scores(X)
        loss = self._loss(self._encode_y(y), self._val_scores, weight, n_threads=n_threads)
        self.validation_score_.append(-loss)
        return bool(self._should_stop(self.validation_score_))


class _ScoreBoosting(_HeldOutScores, HistGradientBoostingClassifier):
    """The library's training with another loss and another validation set.

    The labels that ``fit`` gets are ignored, and it holds out no rows: the loss knows the targets
    of all training rows by their position.
    """

    def prepare(
        self,
        loss: ScoreLoss,
        classes: NDArray[Any],
        held_out: tuple[CheckedX, Callable[[FloatArray], float]] | None,
    ) -> None:
        self._score_loss = _LibraryLoss(loss)
        self._class_labels = classes
        self._held_out = held_out

    def to_plain(self, params: dict[str, Any]) -> HistGradientBoostingClassifier:
        """Return the fitted model with the library's own class, loss and parameters."""
        plain = HistGradientBoostingClassifier()
        vars(plain).update(self.plain_state() | params)
        plain._loss = plain._get_loss(sample_weight=None)
        return plain

    def _encode_y(self, y: Any) -> NDArray[np.float64]:
        self.classes_ = self._class_labels
        self.n_trees_per_iteration_ = self._score_loss.loss.n_scores
        return np.asarray(y)

    def _get_loss(self, sample_weight: Any) -> Any:
        return self._score_loss

    def _check_early_stopping_loss(self, raw_predictions: Any, **_: Any) -> bool:
        """Record the loss before the first and after each iteration; return whether to stop."""
        self.train_score_.append(-self._score_loss.loss.mean(raw_predictions.T))
        if self._held_out is None:
            return bool(self._should_stop(self.train_score_))
        self._update_validation_scores(self._held_out[0])
        self.validation_score_.append(-self._held_out[1](self._val_scores.T))
        return bool(self._should_stop(self.validation_score_))


class _LibraryLoss:
    """A loss with those methods of scikit-learn's private losses that the training calls."""

    constant_hessian = False
    differentiable = True

    def __init__(self, loss: ScoreLoss) -> None:
        self.loss = loss

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> FloatArray:
        """Return the scores of the best constant model."""
        return self.loss.start()

    def init_gradient_and_hessian(
        self, n_samples: int, dtype: Any, order: Any
    ) -> tuple[FloatArray, FloatArray]:
        """Return empty arrays of shape (n_samples, n_scores)."""
        shape = (n_samples, self.loss.n_scores)
        return np.empty(shape, dtype, order), np.empty(shape, dtype, order)

    def gradient_hessian(
        self,
        y_true: Any,
        raw_prediction: FloatArray,
        sample_weight: Any,
        gradient_out: FloatArray,
        hessian_out: FloatArray,
        n_threads: int,
    ) -> None:
        """Write the derivatives, which the row weights multiply already."""
        self.loss.derivatives(raw_prediction.T, gradient_out.T, hessian_out.T)
