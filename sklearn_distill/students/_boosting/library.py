"""What an estimator asks of a boosting library, and which library its model is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from sklearn_distill._optional import import_boosting
from sklearn_distill._typing import CheckedX, FloatArray
from sklearn_distill._validation.numbers import list_values
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
class BoostingTask:
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
class NumberRows:
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
    train : NumberRows
        The training rows; some may be repeated, with another target.
    n_rows : int
        Number of different training rows.
    held_out : NumberRows or None
        Validation rows, if there are any.
    fit_params : mapping
        Further parameters of the library's ``fit``.
    """

    train: NumberRows
    n_rows: int
    held_out: NumberRows | None
    fit_params: Mapping[str, Any]


class BoostingLibrary(Protocol):
    """An adapter of one library: a module with these functions."""

    def check_parameters(self, estimator: Any, fit_params: Mapping[str, Any]) -> None:
        """Raise a ValueError for what would be silently wrong with targets that are no labels."""

    def validation_fraction(
        self, estimator: Any, n_rows: int, fit_params: Mapping[str, Any]
    ) -> float | None:
        """Return the share of the rows to hold out, or None if nothing stops early."""

    def fit_task(self, estimator: Any, task: BoostingTask) -> Any:
        """Return the library's plain fitted classifier; ``estimator`` is a clone to use up."""

    def check_regressor(self, estimator: Any, fit_params: Mapping[str, Any]) -> None:
        """Raise a ValueError for what a regressor on mixed targets cannot use."""

    def has_squared_error(self, estimator: Any) -> bool:
        """Return whether the regressor's loss is the squared error, so that targets can be mixed.

        Raises a ValueError for a loss that is not the library's own.
        """

    def fit_regression(self, estimator: Any, task: RegressionTask) -> Any:
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


def unfitted_copy(estimator: Any) -> Any:
    """Return what scikit-learn's ``clone`` returns, also of a CatBoost model with a list.

    CatBoost copies the list once more, which ``clone`` takes for a mistake.
    """
    params = estimator.get_params(deep=False)
    return type(estimator)(**{name: clone(one, safe=False) for name, one in params.items()})


def refuse_params(params: Mapping[str, Any], neutral: Mapping[str, Any], why: str) -> None:
    """Require that parameters of a library have a value without effect.

    Parameters
    ----------
    params : mapping
        All parameters of the library's model.
    neutral : mapping
        For each refused parameter, a tuple of the values that are allowed.
    why : str
        What to do instead, for the message.

    Raises
    ------
    ValueError
        If a parameter has another value; the message names it.
    """
    for name, allowed in neutral.items():
        value = params.get(name, allowed[0])
        if not any(value is one or value == one for one in allowed):
            raise ValueError(f"estimator has {name}={value!r}: {why}")


WEIGHTS = (
    "its labels are not those of y, on which such weights depend; pass class_weight= to the "
    "student, or sample_weight= to fit"
)
NO_CLASSES = "a regression has no classes, whose weights it would set; leave it out"
OBJECTIVE = "the student has its own objective, the cross-entropy; leave it out"


def refuse_own_loss(name: str, loss: Any) -> None:
    """Raise a ValueError if a regressor's loss has no name: it may ignore the weights."""
    if loss is not None and not isinstance(loss, str):
        raise ValueError(
            f"estimator has {name}={loss!r}, which may ignore the weights of the two targets of a "
            "row: pass the name of one of the library's own losses"
        )


def refuse_fit_params(
    fit_params: Mapping[str, Any], accepted: Any = None, *, takes_metric: bool = False
) -> None:
    """Refuse parameters of ``fit`` that the student sets itself, or that the library lacks.

    Parameters
    ----------
    fit_params : mapping
        Further parameters of ``fit``.
    accepted : collection of str or None
        Names that the library takes; None for no check.
    takes_metric : bool, default=False
        Whether the library may have an ``eval_metric`` of the user.

    Raises
    ------
    TypeError
        If there is such a parameter; the message names it.
    """
    for name in fit_params:
        if name in _OURS and not (takes_metric and name == "eval_metric"):
            raise TypeError(f"fit got {name}=: {_OURS[name]}")
        if accepted is not None and name not in accepted:
            raise TypeError(
                f"fit got an unexpected keyword argument {name!r}; the library takes "
                f"{list_values(np.array(sorted(accepted)))}"
                if len(accepted)
                else f"fit got an unexpected keyword argument {name!r}"
            )


_VALIDATION = "pass X_val=, y_val= and sample_weight_val="
_START = "the scores start at the best constant; init_model= or xgb_model= continues a model"
_OURS = {
    "eval_set": _VALIDATION,
    "eval_names": _VALIDATION,
    "eval_sample_weight": _VALIDATION,
    "sample_weight_eval_set": _VALIDATION,
    "eval_class_weight": _VALIDATION,
    "eval_init_score": _VALIDATION,
    "base_margin_eval_set": _VALIDATION,
    "eval_X": _VALIDATION,
    "eval_y": _VALIDATION,
    "eval_metric": "the metric is the cross-entropy of the validation rows",
    "init_score": _START,
    "base_margin": _START,
    "baseline": _START,
}
