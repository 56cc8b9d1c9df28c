"""Fit one row of a leaderboard on some rows of X; λ, T and other settings are searched inside."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill._validation.indexing import take_rows
from sklearn_distill._validation.labelled_rows import label_values
from sklearn_distill._validation.random_state import seeded_clones
from sklearn_distill.distillers import TeacherStudentClassifier, TeacherStudentRegressor
from sklearn_distill.distillers._feature_split import FeatureSplit
from sklearn_distill.inspection._entries import Entry, Setting, groups_param
from sklearn_distill.inspection._report_models import Model, align, predict, read_truth
from sklearn_distill.inspection._scoring import Metric
from sklearn_distill.inspection._timed_students import (
    PermutedTeacher,
    SmoothedLabels,
    TimedClassifier,
    TimedRegressor,
)
from sklearn_distill.model_selection import LabeledKFold

_TAUGHT = ("distilled", "permuted", "label smoothing")


@dataclass(frozen=True, eq=False)
class ComparisonData:
    """All rows of a leaderboard.

    Parameters
    ----------
    X : matrix or frame of shape (n_rows, n_features)
        All features.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Labels, some of which may be missing.
    present : ndarray of bool of shape (n_rows,)
        Rows with a label.
    weight : ndarray of shape (n_rows,) or None
        Sample weights.
    groups : ndarray of shape (n_rows,) or None
        Groups of dependent rows.
    unlabeled : matrix or frame or None
        Unlabelled rows.
    features : FeatureSplit
        Privileged and regular features.
    is_class : bool
        Whether the models are classifiers.
    """

    X: CheckedX
    y: NDArray[Any]
    present: BoolArray
    weight: FloatArray | None
    groups: NDArray[Any] | None
    unlabeled: Any
    features: FeatureSplit
    is_class: bool

    def features_of(self, entry: Entry, rows: IntArray) -> CheckedX:
        """Return the features that a row of the leaderboard predicts from."""
        X = take_rows(self.X, rows)
        if entry.kind == "teacher":
            return self.features.for_teacher(X)
        # teacher-student estimators select the student's features themselves
        return self.features.for_student(X) if entry.kind == "baseline" else X

    def take(self, name: str, rows: IntArray) -> dict[str, Any]:
        """Return the weight or the groups of some rows as a keyword argument, if there are any."""
        values = {"sample_weight": self.weight, "groups": self.groups}[name]
        return {} if values is None else {name: values[rows]}


@dataclass(frozen=True, eq=False)
class FitOptions:
    """How the rows of a leaderboard are fitted.

    Parameters
    ----------
    teacher : estimator
        The teacher.
    metric : Metric
        The metric that decides.
    inner_cv : int
        Number of folds of the search and of the teacher's out-of-fold predictions.
    seed : int
        Seed of folds and models.
    """

    teacher: Any
    metric: Metric
    inner_cv: int
    seed: int

    @property
    def splitter(self) -> LabeledKFold:
        """The inner folds."""
        return LabeledKFold(self.inner_cv, shuffle=True, random_state=self.seed)


@dataclass(frozen=True, eq=False)
class EntryFit:
    """A fitted row of the leaderboard.

    Parameters
    ----------
    model : estimator
        The fitted model.
    seconds : float
        Time to fit it with its chosen setting; of a student without the teacher.
    setting : dict
        The chosen setting.
    """

    model: Any
    seconds: float
    setting: Setting


def fit_entry(
    entry: Entry,
    data: ComparisonData,
    rows: IntArray,
    options: FitOptions,
    memory: Any,
    *,
    timed: bool = True,
) -> EntryFit:
    """Choose the setting of a row of the leaderboard by inner folds, and fit it.

    Parameters
    ----------
    entry : Entry
        The row of the leaderboard.
    data : ComparisonData
        All rows of X.
    rows : ndarray of int
        The rows to fit on.
    options : FitOptions
        Teacher, folds and seed.
    memory : joblib.Memory
        Caches the teachers, which all students share.
    timed : bool, default=True
        Whether the time of the student is measured; if not, the model has its public class.

    Returns
    -------
    EntryFit
        The fitted model.
    """
    # weights and groups are passed by name: which estimators request them does not matter
    with config_context(enable_metadata_routing=False):
        setting = entry.settings[0]
        if len(entry.settings) > 1:
            setting = _best_setting(entry, data, rows, options, memory)
        return _fit(entry, setting, data, rows, options, memory, timed=timed)


def _best_setting(
    entry: Entry, data: ComparisonData, rows: IntArray, options: FitOptions, memory: Any
) -> Setting:
    groups = data.take("groups", rows)
    splits = list(options.splitter.split(rows[:, None], data.y[rows], **groups))
    values = np.array(
        [
            [
                _score(
                    entry, _fit(entry, s, data, rows[a], options, memory).model, data, rows[b],
                    options.metric,
                )
                for s in entry.settings
            ]
            for a, b in splits
        ]
    )  # fmt: skip
    defined = ~np.isnan(values).any(axis=1)
    if not defined.any():
        raise ValueError(
            f"scoring: {options.metric.name} is not defined on the folds in which the settings of "
            f"{entry.name!r} are searched; pass another metric first, or a smaller inner_cv."
        )
    return entry.settings[int(values[defined].mean(axis=0).argmax())]


def _score(entry: Entry, model: Any, data: ComparisonData, rows: IntArray, metric: Metric) -> float:
    predicted = predict_entry(entry, model, data, rows)
    weight = data.weight[rows] if data.weight is not None else None
    test = read_truth(data.y[rows], predicted, [predicted], weight, None)
    return metric.direction * metric.score(align(predicted, test), test).value


def predict_entry(entry: Entry, model: Any, data: ComparisonData, rows: IntArray) -> Model:
    """Return the predictions of a fitted row of the leaderboard.

    Parameters
    ----------
    entry : Entry
        The row of the leaderboard.
    model : estimator
        Its fitted model.
    data : ComparisonData
        All rows of X.
    rows : ndarray of int
        The rows to predict.

    Returns
    -------
    ModelProba or ModelNumbers
        The predictions.
    """
    return predict(model, data.features_of(entry, rows), entry.name, data.is_class)


def _fit(
    entry: Entry,
    setting: Setting,
    data: ComparisonData,
    rows: IntArray,
    options: FitOptions,
    memory: Any,
    *,
    timed: bool = True,
) -> EntryFit:
    estimator = clone(entry.estimator).set_params(**setting)
    if entry.kind not in _TAUGHT:
        return _fit_on_labels(entry, estimator, setting, data, rows, options.seed)
    model = _distiller(entry.kind, data.is_class, timed=timed)(
        options.teacher,
        estimator,
        privileged_features=data.features.privileged.tolist() or None,
        teacher_features="all" if data.features.teacher_uses_all else "privileged",
        cv=options.splitter,
        memory=memory,
        keep_teacher=False,
        random_state=options.seed,
    )
    own_groups, groups = groups_param(estimator), data.take("groups", rows)
    # unlabelled rows, which the student gets too, have no group
    if own_groups is not None and groups and data.unlabeled is None:
        groups[f"student__{own_groups}"] = groups["groups"]
    model.fit(
        take_rows(data.X, rows),
        data.y[rows],
        X_unlabeled=None if data.unlabeled is None else (data.unlabeled,),
        **data.take("sample_weight", rows),
        **groups,
    )
    return EntryFit(model, getattr(model, "student_seconds_", np.nan), setting)


def _distiller(kind: str, is_class: bool, *, timed: bool) -> Any:
    if not is_class:
        return TimedRegressor if timed else TeacherStudentRegressor
    if kind == "distilled":
        return TimedClassifier if timed else TeacherStudentClassifier
    return PermutedTeacher if kind == "permuted" else SmoothedLabels


def _fit_on_labels(
    entry: Entry,
    estimator: Any,
    setting: Setting,
    data: ComparisonData,
    rows: IntArray,
    seed: int,
) -> EntryFit:
    labelled = rows[data.present[rows]]
    (model,), _ = seeded_clones(estimator, 1, seed)
    names = {"sample_weight": fit_param_name(model, "sample_weight"), "groups": groups_param(model)}
    if data.weight is not None and names["sample_weight"] is None and entry.kind == "baseline":
        raise ValueError(
            f"student {entry.student!r}, a {type(model).__name__}, takes no sample_weight: leave "
            "it out or take another student."
        )
    params = {
        param: data.take(name, labelled)[name]
        for name, param in names.items()
        if param is not None and data.take(name, labelled)
    }
    X, y = data.features_of(entry, labelled), label_values(data.y[labelled])
    start = perf_counter()
    model.fit(X, y, **params)
    return EntryFit(model, perf_counter() - start, setting)
