"""The score of a fold's student on its validation samples, by any scorer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill.students import DistilledLogisticRegression
from sklearn_distill.students._coefficients import coefficients


@dataclass(frozen=True)
class FoldScorer:
    """A scorer with the validation samples of a fold.

    Parameters
    ----------
    scorer : callable
        A scorer: called with a fitted student, X and y; the larger, the better.
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Features of all samples.
    rows : ndarray of int of shape (n_rows,)
        Numbers of the validation samples, which are copied while they are scored.
    y : ndarray of shape (n_rows,) or None
        Their labels; None without any.
    params : dict
        Further arguments of the scorer: weights, or a teacher's predictions.
    classes : ndarray of shape (n_classes,)
        All classes, in ascending order.
    fit_intercept : bool
        Whether the student has an intercept.
    """

    scorer: Callable[..., float]
    X: CheckedX
    rows: IntArray
    y: NDArray[Any] | None
    params: dict[str, Any]
    classes: NDArray[Any]
    fit_intercept: bool

    def score(self, w: FloatArray, active: BoolArray) -> float:
        """Return the score of the student with weights w of the active classes.

        Raises
        ------
        ValueError
            If the score is not a finite number.
        """
        n_columns = self.X.shape[1] + self.fit_intercept
        student = DistilledLogisticRegression()
        student.coef_, student.intercept_ = coefficients(
            w.reshape(-1, n_columns), active, self.fit_intercept
        )
        student.classes_ = self.classes
        student.n_features_in_ = self.X.shape[1]
        score = float(self.scorer(student, self.X[self.rows], self.y, **self.params))
        if not np.isfinite(score):
            raise ValueError(
                f"scoring={self.scorer} gave {score} on a fold's {len(self.rows)} validation "
                "samples: settings are compared by finite scores; use fewer folds or another scorer"
            )
        return score
