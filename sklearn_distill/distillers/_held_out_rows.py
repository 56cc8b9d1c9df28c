"""Rows that the student validates on, on whose labels no teacher is fitted.

A student that stops early, or tunes λ and T while it trains, holds out some of its labelled rows.
The out-of-fold predictions for its training rows come from teachers that were fitted on the labels
of the rows held out, so that it would stop too late, and imitate too much: it would be validated on
labels that it has learnt from. Instead, these rows are held out before the first teacher is fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sklearn_distill._typing import ArrayLike, BoolArray, IntArray
from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill._validation.last_step import last_step
from sklearn_distill._validation.splits import hold_out
from sklearn_distill.distillers._student_data import StudentData

PARAM = "validation_rows"
_GIVEN = ("X_val", PARAM)  # validation rows of the user


@dataclass(frozen=True)
class OwnValidation:
    """How a student that may hold out rows takes those that it validates on.

    Parameters
    ----------
    student : estimator
        The last step of the unfitted student.
    param : str
        The name of the fit parameter ``validation_rows``, with the prefix of a pipeline.
    fit_params : mapping
        Further parameters of this step's ``fit``, by their own names.
    """

    student: Any
    param: str
    fit_params: Mapping[str, Any]

    @classmethod
    def of(cls, student: Any, fit_params: Mapping[str, Any]) -> OwnValidation | None:
        """Return it for a student that takes validation rows, and got none from the user."""
        param, last = fit_param_name(student, PARAM), last_step(student)
        own_params = {name.rpartition("__")[2]: value for name, value in fit_params.items()}
        given = any(own_params.get(name) is not None for name in _GIVEN)
        if param is None or given or not hasattr(last, "_validation_share"):
            return None
        return cls(last, param, own_params)

    def split(
        self,
        labelled: BoolArray,
        strata: IntArray | None,
        n_rows: int,
        groups: ArrayLike | None,
        seed: int,
    ) -> tuple[IntArray, IntArray] | None:
        """Return the rows to train on and those to validate on; None if the student holds out none.

        Parameters
        ----------
        labelled : ndarray of bool of shape (n_rows_of_X,)
            Rows of X that have a label.
        strata : ndarray of int of shape (n_rows_of_X,) or None
            Class numbers; None for a split that is not stratified.
        n_rows : int
            Number of rows that the student gets, including those that are not in X.
        groups : array-like of shape (n_rows_of_X,) or None
            Groups that are held out together.
        seed : int
            Seed of the split.
        """
        of_labelled = None if strata is None else strata[labelled]
        share = self.student._validation_share(
            n_rows, int(labelled.sum()), of_labelled, self.fit_params
        )
        return None if share is None else hold_out(labelled, share, strata, seed, groups)


@dataclass(frozen=True)
class HeldOutRows:
    """Rows to validate on, or none.

    Parameters
    ----------
    param : str
        The student's fit parameter that marks them.
    data : StudentData or None
        Their features, labels and parameters; without predictions.
    others : ndarray of int
        The rows that are not held out, which teachers and student are trained on.
    """

    param: str = PARAM
    data: StudentData | None = None
    others: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.intp))

    def add_to(self, data: StudentData) -> StudentData:
        """Append them to training data of the student, and mark them."""
        if self.data is None:
            return data
        n_train = len(data.y)
        missing = np.full((len(self.data.y), *data.predictions.shape[1:]), np.nan)
        joined = data.with_rows(replace(self.data, predictions=missing))
        marked = {self.param: np.arange(len(joined.y)) >= n_train}
        return replace(joined, fit_params=joined.fit_params | marked)


NO_ROWS = HeldOutRows()
