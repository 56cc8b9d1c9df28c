"""What a boosted classifier and a boosted regressor have in common: the library's model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import CheckedX
from sklearn_distill._validation.random_state import seeded_clones
from sklearn_distill.students._boosting.library import BoostingLibrary, library_of, unfitted_copy
from sklearn_distill.students._boosting.validation_set import (
    BoostingTargets,
    drop_absent,
    split_off,
)
from sklearn_distill.students._estimator_student import EstimatorStudent

T = TypeVar("T", bound=BoostingTargets[Any])


class BoostedStudent(EstimatorStudent):
    """Base of students that have a boosting library's model."""

    random_state: Any

    @staticmethod
    @abstractmethod
    def _default_estimator() -> Any:
        """Return the model for ``estimator=None``."""

    def to_sklearn(self) -> Any:
        """Return the fitted model of the library, ``estimator_``.

        Returns
        -------
        estimator
            It no longer depends on this package.
        """
        check_is_fitted(self)
        return self.estimator_

    def _unfitted_estimator(self) -> Any:
        return self._default_estimator() if self.estimator is None else self.estimator

    def _prepare(
        self,
        library: BoostingLibrary,
        X: CheckedX,
        targets: T,
        held_out: Any,
        fit_params: Mapping[str, Any],
    ) -> tuple[Any, CheckedX, T, Any]:
        """Return a clone of the estimator, the rows to fit, and validation rows.

        Parameters
        ----------
        library : BoostingLibrary
            The library of the estimator.
        X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
            Features.
        targets : BoostingTargets
            The targets of the same rows.
        held_out : HeldOut, RegressionRows or None
            Validation rows of the user; without them, early stopping holds out some of the rows.
        fit_params : mapping
            Further parameters of the library's ``fit``.

        Returns
        -------
        clone : estimator
            A clone of the estimator to use up.
        X, targets : tuple
            The training rows of positive weight.
        held_out : HeldOut, RegressionRows or None
            Validation rows, if anything stops early.
        """
        X, targets = drop_absent(X, targets)
        clone, seed = self._seeded_estimator()
        fraction = library.validation_fraction(clone, X.shape[0], fit_params)
        if held_out is None and fraction is not None:
            X, targets, held_out = split_off(X, targets, fraction, seed)
        return clone, X, targets, held_out

    def _library(self) -> BoostingLibrary:
        """Return the adapter of the library of the estimator."""
        kind = "Classifier" if isinstance(self, ClassifierMixin) else "Regressor"
        return library_of(self._unfitted_estimator(), type(self).__name__, kind)

    def _validation_share(
        self, n_rows: int, n_labelled: int, strata: Any, fit_params: Mapping[str, Any]
    ) -> float | None:
        """Return which share of the labelled rows a fit holds out; None if it holds out none."""
        return self._library().validation_fraction(self._unfitted_estimator(), n_rows, fit_params)

    def _seeded_estimator(self) -> tuple[Any, Any]:
        """Return a clone of the estimator, and the seed of the validation split."""
        (clone,), seed = seeded_clones(
            self._unfitted_estimator(), 1, self.random_state, copy=unfitted_copy
        )
        if self.random_state is None:  # one seed suffices for a reproducible fit
            params = clone.get_params(deep=False)
            seed = params.get("random_state", params.get("random_seed"))  # CatBoost's name
        return clone, seed
