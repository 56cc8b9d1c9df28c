"""A neural student of a target in any unit."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_distill.students import DistilledNeuralRegressor


class ScaledNetworkRegressor(DistilledNeuralRegressor):
    """A network fitted on standardised labels and predictions of the teacher.

    Attributes
    ----------
    center_, scale_ : float
        Mean and standard deviation of the labels.
    """

    # without the arguments that the experiment does not pass
    def fit(self, X: Any, y: Any, *, teacher_prediction: Any = None) -> Self:  # type: ignore[override]
        """Fit the network.

        Parameters
        ----------
        X : matrix of shape (n_samples, n_features)
            Features.
        y : ndarray of shape (n_samples,)
            Labels; NaN is missing.
        teacher_prediction : ndarray of shape (n_samples,), default=None
            Predictions of the teacher.

        Returns
        -------
        self
            The fitted network.
        """
        self.center_ = float(np.nanmean(y))
        self.scale_ = float(np.nanstd(y)) or 1.0
        return super().fit(
            X, self._standardised(y), teacher_prediction=self._standardised(teacher_prediction)
        )

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict in the unit of the labels.

        Parameters
        ----------
        X : matrix of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions.
        """
        return np.asarray(super().predict(X)) * self.scale_ + self.center_

    def _standardised(self, values: Any) -> Any:
        return None if values is None else (np.asarray(values) - self.center_) / self.scale_
