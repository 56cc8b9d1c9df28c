"""Values over λ and T: given as arrays, found by a search, or predicted by refitted students."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone

from sklearn_distill._typing import FloatArray, MatrixLike, TargetLike
from sklearn_distill._validation.missing_teacher import check_search_params
from sklearn_distill._validation.numbers import list_values
from sklearn_distill.inspection._trajectory import check_temperature

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

NAMES = ("imitation", "temperature")


@dataclass(frozen=True)
class Settings:
    """A value for each evaluated setting of λ and T.

    Parameters
    ----------
    imitation, temperature : ndarray of shape (n_settings,)
        λ, and T > 0, of each setting.
    values : ndarray of shape (n_settings,)
        A loss, score or probability; NaN where it is missing.
    """

    imitation: FloatArray
    temperature: FloatArray
    values: FloatArray

    @property
    def grid(self) -> pd.DataFrame | None:
        """The values by λ (rows) and T (columns) if the settings form a full grid, else None.

        Examples
        --------
        >>> λ, T = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 1.0, 2.0, 2.0])
        >>> Settings(λ, T, np.arange(4.0)).grid.to_numpy().tolist()
        [[0.0, 2.0], [1.0, 3.0]]
        """
        rows, columns = np.unique(self.imitation), np.unique(self.temperature)
        if min(len(rows), len(columns)) < 2 or len(rows) * len(columns) != len(self.values):
            return None
        table = pd.DataFrame(vars(self))
        # the right number of settings, but one comes twice and another is missing
        if table.duplicated(list(NAMES)).any():
            return None
        return table.pivot(index="imitation", columns="temperature", values="values")


def cell_edges(centres: FloatArray) -> FloatArray:
    """Return the edges of cells around ascending centres; the outer cells end at their centres.

    Examples
    --------
    >>> cell_edges(np.array([0.0, 1.0, 4.0])).tolist()
    [0.0, 0.5, 2.5, 4.0]
    """
    middles = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([centres[:1], middles, centres[-1:]])


def read_settings(imitation: ArrayLike, temperature: ArrayLike, values: ArrayLike) -> Settings:
    """Check settings and their values.

    Parameters
    ----------
    imitation : array-like of shape (n_imitation,) or (n_settings,)
        Values of λ.
    temperature : array-like of shape (n_temperature,) or (n_settings,)
        Values of T > 0.
    values : array-like of shape (n_imitation, n_temperature) or (n_settings,)
        A grid, or one value for each setting; NaN where it is missing.

    Returns
    -------
    Settings
        One entry for each value.

    Raises
    ------
    ValueError
        If shapes do not fit, λ is not finite or T not above 0.
    """
    lam, T, V = (np.array(a, dtype=np.float64) for a in (imitation, temperature, values))
    expected = (*lam.shape, *T.shape) if V.ndim == 2 else lam.shape
    if V.ndim not in {1, 2} or V.shape != expected or (V.ndim == 1 and T.shape != V.shape):
        raise ValueError(
            f"values has shape {V.shape}, with imitation {lam.shape} and temperature {T.shape}: "
            "pass (n_imitation, n_temperature) for a grid, or three arrays of one length"
        )
    # "ij": λ varies along the rows of values, T along its columns
    if V.ndim == 2:
        lam, T = (axis.ravel() for axis in np.meshgrid(lam, T, indexing="ij"))
    _check_settings(lam, T, "imitation")
    return Settings(lam, T, V.ravel())


def read_path(path: pd.DataFrame | ArrayLike) -> pd.DataFrame:
    """Check the path of a search over λ and T.

    Parameters
    ----------
    path : DataFrame or array-like of shape (n_evaluations, 2)
        λ and T in the order of evaluation; a DataFrame may also have a column stage.

    Returns
    -------
    DataFrame
        Columns imitation, temperature and stage; "descent" where the path has no stages.

    Raises
    ------
    ValueError
        If a column is missing, λ is not finite or T not above 0.
    """
    table = path if isinstance(path, pd.DataFrame) else _as_table(path)
    missing = [name for name in NAMES if name not in table]
    if missing:
        raise ValueError(f"path lacks the columns {missing}, it has {list(table)}")
    table = table.assign(stage=table.get("stage", "descent"))
    lam, T = (table[name].to_numpy(np.float64) for name in NAMES)
    _check_settings(lam, T, "path's imitation")
    return table[[*NAMES, "stage"]]


def _as_table(path: ArrayLike) -> pd.DataFrame:
    array = np.asarray(path, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"path has shape {array.shape}; pass (n_evaluations, 2): λ and T")
    return pd.DataFrame(array, columns=list(NAMES))


def _check_settings(imitation: FloatArray, temperature: FloatArray, name: str) -> None:
    if not np.isfinite(imitation).all():
        raise ValueError(f"{name} must be finite")
    check_temperature(temperature)


def evaluated_settings(search: BaseEstimator, name: str = "search") -> Settings:
    """Return the settings that a search evaluated, with their mean scores.

    A score that is a negative loss ("neg_…", or of a search of the package) becomes the loss. Of
    settings with the same λ and T the best score counts, whatever their other hyperparameters.

    Parameters
    ----------
    search : fitted search
        A search with ``cv_results_``.
    name : str
        The argument's name, for error messages.

    Returns
    -------
    Settings
        Each pair of λ and T once.

    Raises
    ------
    ValueError
        If it has no ``cv_results_``, or did not vary both λ and T.
    """
    results = getattr(search, "cv_results_", None)
    if results is None:
        raise ValueError(
            f"{name} is a {type(search).__name__} without cv_results_: pass a fitted "
            "DistilledLogisticRegressionCV, GridSearchCV or RandomizedSearchCV"
        )
    table = pd.DataFrame({key: _evaluated(results, key, name) for key in NAMES})
    table["score"] = np.asarray(results[_score_key(search)], dtype=np.float64)
    # larger scores are better, so the sign of a loss changes after the maximum
    best = table.groupby(list(NAMES), as_index=False)["score"].max()
    sign = -1.0 if _is_loss(search) else 1.0
    lam, T = (best[key].to_numpy() for key in NAMES)
    return Settings(lam, T, sign * best["score"].to_numpy())


def best_setting(search: BaseEstimator) -> tuple[float, float]:
    """Return (λ, T) of the best setting."""
    params = search.cv_results_["params"][search.best_index_]
    lam, T = (float(params[full_name(params, key, "search")]) for key in NAMES)
    return lam, T


def _is_loss(search: BaseEstimator) -> bool:
    return _scoring_name(search).startswith("neg_")


def score_name(search: BaseEstimator) -> str:
    """Return the name of the score or loss of a search, for the colour bar."""
    return scoring_label(_scoring_name(search))


def scoring_label(scoring: str) -> str:
    """Return the name of a scorer's score or loss, for the colour bar.

    Examples
    --------
    >>> scoring_label("neg_log_loss")
    'cross-validated log loss'
    """
    words = scoring.removeprefix("neg_").replace("_", " ")
    return f"cross-validated {words}" if words else "cross-validated score"


def _scoring_name(search: BaseEstimator) -> str:
    if isinstance(getattr(search, "refit", None), str):  # of several metrics, the one that selects
        return str(search.refit)
    scoring = getattr(search, "scoring", None)
    if scoring is None and hasattr(search, "path_"):  # the searches of the package minimise it
        return "neg_log_loss"
    return scoring if isinstance(scoring, str) else str(getattr(scoring, "name", ""))


def _score_key(search: BaseEstimator) -> str:
    several = getattr(search, "multimetric_", False)
    return f"mean_test_{_scoring_name(search) if several else 'score'}"


def _evaluated(results: Mapping[str, Any], key: str, name: str) -> FloatArray:
    params = {column.removeprefix("param_") for column in results if column.startswith("param_")}
    return np.asarray(results[f"param_{full_name(params, key, name)}"], dtype=np.float64)


def full_name(params: Iterable[str], key: str, name: str) -> str:
    """Return the parameter's name, with the steps of a pipeline before it.

    Parameters
    ----------
    params : iterable of str
        Names of the parameters that were searched.
    key : {"imitation", "temperature"}
        The parameter.
    name : str
        Name of the search, for the error message.

    Returns
    -------
    str
        One of the names.

    Raises
    ------
    ValueError
        If none or several of them are the parameter.
    """
    # a pipeline prefixes its steps: student__imitation
    found = [param for param in params if param.split("__")[-1] == key]
    if len(found) != 1:
        raise ValueError(
            f"{name} tried {sorted(params)}, {len(found)} of them {key!r}: the plot needs one "
            "imitation and one temperature"
        )
    return found[0]


def probability_grid(
    student: BaseEstimator,
    X: MatrixLike,
    y: TargetLike,
    *,
    row: ArrayLike,
    label: Any,
    imitation: ArrayLike,
    temperature: ArrayLike,
    fit_params: dict[str, Any] | None = None,
) -> FloatArray:
    """Fit a student at each point of a grid and predict the probability of a class for a sample.

    Parameters
    ----------
    student : estimator
        The student, which is cloned for each fit.
    X, y : array-like
        Training samples and labels.
    row : array-like of shape (n_features,)
        The features of the sample.
    label : int, str or other
        The class whose probability is predicted.
    imitation : array-like of shape (n_imitation,)
        Values of λ.
    temperature : array-like of shape (n_temperature,)
        Values of T > 0.
    fit_params : dict, default=None
        Arguments of ``fit``, such as the teacher's predictions.

    Returns
    -------
    ndarray of shape (n_imitation, n_temperature)
        Probability of `label` at each λ (rows) and T (columns).

    Raises
    ------
    ValueError
        If `label` is none of the student's classes, or `fit_params` has no teacher.
    """
    fit_params = fit_params or {}
    check_search_params("the grid", student, ["imitation", "temperature"], fit_params)
    sample = np.asarray(row)[None]

    def probability(lam: float, T: float) -> float:
        fitted = clone(student).set_params(imitation=lam, temperature=T)
        fitted.fit(X, y, **fit_params)
        known = np.flatnonzero(fitted.classes_ == label)
        if not len(known):
            raise ValueError(
                f"label={label!r} is none of the classes {list_values(fitted.classes_)}"
            )
        return float(fitted.predict_proba(sample)[0, known[0]])

    temperatures = np.ravel(temperature).tolist()
    return np.array(
        [[probability(lam, T) for T in temperatures] for lam in np.ravel(imitation).tolist()]
    )
