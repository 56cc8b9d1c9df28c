"""What an estimator asks of a boosting library, and which library its model is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

from numpy.typing import NDArray
from sklearn.base import clone

from sklearn_distill._optional import import_boosting
from sklearn_distill._typing import CheckedX, FloatArray
from sklearn_distill.losses import ScoreLoss

# share of the rows that early stopping holds out in libraries that leave the split to their user
VALIDATION_FRACTION = 0.1


@dataclass(frozen=True)
class HeldOut:
    """Validation rows, which the library watches while it trains.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features.
    loss : ScoreLoss
        The loss of these rows, whose mean is to fall.
    """

    X: CheckedX
    loss: ScoreLoss


@dataclass(frozen=True)
class ClassificationTask:
    """What a library is to fit.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features of the training rows, as the user passed them.
    loss : ScoreLoss
        The loss of these rows.
    classes : ndarray of shape (n_classes,)
        Class labels in ascending order.
    held_out : HeldOut or None
        Validation rows, if there are any.
    fit_params : mapping
        Further parameters of the library's ``fit``.
    """

    X: CheckedX
    loss: ScoreLoss
    classes: NDArray[Any]
    held_out: HeldOut | None
    fit_params: Mapping[str, Any]


@dataclass(frozen=True)
class RegressionRows:
    """Rows of a regression.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features, as the user passed them.
    y : ndarray of shape (n_rows,)
        Targets.
    weight : ndarray of shape (n_rows,) or None
        Weights; None for none.
    """

    X: CheckedX
    y: FloatArray
    weight: FloatArray | None


@dataclass(frozen=True)
class RegressionTask:
    """What a library's regressor is to fit, with its own loss.

    Parameters
    ----------
    train : RegressionRows
        The training rows; some may be repeated, with another target.
    n_rows : int
        Number of different training rows.
    held_out : RegressionRows or None
        Validation rows, if there are any.
    fit_params : mapping
        Further parameters of the library's ``fit``.
    """

    train: RegressionRows
    n_rows: int
    held_out: RegressionRows | None
    fit_params: Mapping[str, Any]


class BoostingLibrary(Protocol):
    """An adapter of one library: a module with these functions."""

    def check_classifier(self, estimator: Any, fit_params: Mapping[str, Any]) -> None:
        """Raise a ValueError for what would be silently wrong with targets that are no labels."""

    def validation_fraction(
        self, estimator: Any, n_rows: int, fit_params: Mapping[str, Any]
    ) -> float | None:
        """Return the share of the rows to hold out, or None if nothing stops early."""

    def fit_classifier(self, estimator: Any, task: ClassificationTask) -> Any:
        """Return the library's plain fitted classifier; ``estimator`` is a clone to use up."""

    def check_regressor(self, estimator: Any, fit_params: Mapping[str, Any]) -> None:
        """Raise a ValueError for what a regressor on mixed targets cannot use."""

    def has_squared_error(self, estimator: Any) -> bool:
        """Return whether the regressor's loss is the squared error, so that targets can be mixed.

        Raises a ValueError for a loss that is not the library's own.
        """

    def fit_regressor(self, estimator: Any, task: RegressionTask) -> Any:
        """Return the library's plain fitted regressor; ``estimator`` is a clone to use up."""


# by names, so that a library is imported by its users only
_HOMES = {
    ("sklearn", "HistGradientBoosting"): "hist_gradient_boosting",
    ("lightgbm", "LGBM"): "lightgbm",
    ("xgboost", "XGB"): "xgboost",
    ("catboost", "CatBoost"): "catboost",
}


def library_of(estimator: Any, who: str, kind: str) -> BoostingLibrary:
    """Return the adapter of the library that a model is of.

    Parameters
    ----------
    estimator : estimator
        An unfitted model.
    who : str
        Name of the caller's class, for the message.
    kind : {"Classifier", "Regressor"}
        What the model has to be.

    Returns
    -------
    BoostingLibrary
        The adapter.

    Raises
    ------
    TypeError
        If the model is of none of the supported classes; a subclass is not one.
    ImportError
        If the library is not installed; the message has the pip command.
    """
    cls = type(estimator)
    library = cls.__module__.partition(".")[0]
    home = _HOMES.get((library, cls.__name__.removesuffix(kind)))
    if home is None or not cls.__name__.endswith(kind):
        names = ", ".join(f"{prefix}{kind}" for _, prefix in _HOMES)
        raise TypeError(
            f"{who} boosts one of {names} (or None for the first), got estimator={estimator!r}: "
            f"SoftTarget{kind} takes any regressor"
        )
    if library != "sklearn":
        import_boosting(library, who)
    module = import_module(f"sklearn_distill.students._boosting.{home}")
    return cast("BoostingLibrary", module)


def by_class(scores: FloatArray) -> FloatArray:
    """Return scores of shape (n_rows,) or (n_rows, n_scores) as (n_scores, n_rows)."""
    return scores[None, :] if scores.ndim == 1 else scores.T


def unfitted_copy(estimator: Any) -> Any:
    """Return what scikit-learn's ``clone`` returns, also of a CatBoost model with a list.

    CatBoost copies the list once more, which ``clone`` takes for a mistake.
    """
    params = estimator.get_params(deep=False)
    return type(estimator)(**{name: clone(one, safe=False) for name, one in params.items()})
