"""Labels, predictions and weights of a boosted regressor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill._validation.indexing import take_any_rows
from sklearn_distill._validation.targets import check_regression_outputs
from sklearn_distill.students._boosting.library import RegressionRows
from sklearn_distill.targets import RegressionMixture


@dataclass(frozen=True)
class RegressionTargets:
    """What the rows of a regression are fitted on, or watched for.

    Parameters
    ----------
    mixture : RegressionMixture
        Labels and predictions of one output.
    weight : ndarray of shape (n_rows,) or None
        Sample weights; None for none.
    """

    mixture: RegressionMixture
    weight: FloatArray | None

    @classmethod
    def of_labels(cls, y_val: Any, n_rows: int, weight: FloatArray | None) -> Self:
        """Check the labels of validation rows, each of which needs one."""
        labels, _ = check_regression_outputs("y_val", y_val, n_rows)
        if labels is None or np.isnan(labels).any() or labels.shape[1] != 1:
            raise ValueError("y_val must give a number for each row: the validation loss needs it")
        return cls(RegressionMixture.of(labels, None, 0.0), weight)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.mixture.labels)

    def take(self, rows: IntArray) -> Self:
        """Return the targets of some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        return replace(self, mixture=self.mixture.take(rows), weight=weight)

    def strata(self, fraction: float) -> tuple[BoolArray, None]:
        """Return which rows may be held out: the labelled ones or, if there are none, all."""
        labelled = self.mixture.labelled
        return labelled if labelled.any() else ~labelled, None

    def held_out(self, X: CheckedX) -> RegressionRows:
        """Return these rows as validation rows, of labels or, without a label, of predictions."""
        of_labels = replace(self.mixture, imitation=0.0)
        return replace(self, mixture=of_labels).rows(X, squared_error=True)

    def rows(self, X: CheckedX, *, squared_error: bool) -> RegressionRows:
        """Return rows of one target, whose loss is that of the labels and of the predictions.

        Parameters
        ----------
        X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
            Features.
        squared_error : bool
            Whether the loss is the squared error, of which a row needs one target, the mean. For
            another loss, a row with both targets is there twice.

        Returns
        -------
        RegressionRows
            Rows, targets and weights.
        """
        if squared_error:
            target, share = self.mixture.mean()
            return RegressionRows(X, target[:, 0], _product(self.weight, share))
        rows, target, share = self.mixture.copies()
        if len(rows) == self.n_rows and (np.diff(rows) > 0).all():
            return RegressionRows(X, target[:, 0], _product(self.weight, share))
        weight = None if self.weight is None else self.weight[rows]
        return RegressionRows(take_any_rows(X, rows), target[:, 0], _product(weight, share))


def _product(weight: FloatArray | None, share: FloatArray | None) -> FloatArray | None:
    if weight is None or share is None:
        return share if weight is None else weight
    return weight * share
