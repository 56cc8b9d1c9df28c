"""The predictions of the prior, the teacher and the students for the test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import BoolArray, FloatArray, MatrixLike
from sklearn_distill._validation.numbers import as_floats, check_same_length
from sklearn_distill._validation.plausible_prediction import (
    sample_predictions,
    warn_if_implausible_prediction,
)
from sklearn_distill._validation.plausible_teacher import sample_teacher, warn_if_implausible
from sklearn_distill.inspection._model_proba import ModelProba, predict_proba_of
from sklearn_distill.inspection._score import Prediction
from sklearn_distill.inspection._several_labels import (
    label_prior,
    label_test_set,
    predict_labels,
    read_label_teacher,
    training_prior,
)
from sklearn_distill.inspection._test_set import (
    TestSet,
    class_test_set,
    number_test_set,
    read_soft_labels,
)
from sklearn_distill.inspection.intervals import sums_by_unit
from sklearn_distill.targets import Labels, Teachers

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

RESERVED = ("prior", "teacher", "baseline")


@dataclass(frozen=True, eq=False)
class ModelNumbers:
    """The predictions of a regressor, as :class:`ModelProba` for a classifier.

    Parameters
    ----------
    name : str
        The argument that they come from.
    values : ndarray of shape (n_samples, n_outputs)
        Predictions, NaN where one is missing.
    model : estimator or None
        The fitted model; None where only predictions were passed.
    """

    name: str
    values: FloatArray
    model: BaseEstimator | None = None

    @property
    def present(self) -> BoolArray:
        """Mask of the rows whose prediction is not missing."""
        return np.asarray(np.isfinite(self.values).all(axis=1))


Model: TypeAlias = ModelProba | ModelNumbers


def name_students(distilled: BaseEstimator | Mapping[str, BaseEstimator]) -> dict[str, Any]:
    """Return the distilled students by name.

    Parameters
    ----------
    distilled : estimator, or dict of them by name
        A single one is called "distilled".

    Returns
    -------
    dict of str to estimator
        One student or more.

    Raises
    ------
    ValueError
        If there is none, or one has the name of another row of the report.
    """
    if not isinstance(distilled, Mapping):
        return {"distilled": distilled}
    students = {str(name): model for name, model in distilled.items()}
    taken = sorted(students.keys() & {*RESERVED})
    if not students or taken:
        raise ValueError(
            f"distilled has the names {list(students)}; pass one student or more, by names other "
            f"than {list(RESERVED)}."
        )
    return students


def predict(
    model: Any, X: MatrixLike, name: str, is_class: bool, *, has_labels: bool = False
) -> Model:
    """Predict the test rows by a fitted model.

    Parameters
    ----------
    model : estimator
        A fitted classifier with predict_proba, or a regressor.
    X : array-like of shape (n_samples, n_features)
        Test samples, with the features of the model.
    name : str
        What error messages call the model.
    is_class : bool
        Whether it is a classifier.
    has_labels : bool, default=False
        Whether it is a classifier of several labels.

    Returns
    -------
    ModelProba or ModelNumbers
        The predictions.
    """
    if has_labels:
        return predict_labels(model, X, name)
    if is_class:
        return predict_proba_of(model, X, name)
    values = as_floats(model.predict(X), f"{name}.predict")
    return ModelNumbers(name, values.reshape(len(values), -1), model)


def read_teacher(
    proba: ArrayLike | None,
    numbers: ArrayLike | None,
    classes: ArrayLike | None,
    student: Model,
    n_labels: int = 0,
) -> Model:
    """Read a teacher's precomputed predictions, some of which may be missing.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes) or (n_samples,), or None
        Probabilities of a classification.
    numbers : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        Predictions of a regression.
    classes : array-like of shape (n_classes,) or None
        The class of each column of `proba`.
    student : ModelProba or ModelNumbers
        The student, whose classes unnamed columns have.
    n_labels : int, default=0
        Number of labels of classifiers of several labels.

    Returns
    -------
    ModelProba or ModelNumbers
        The predictions.

    Raises
    ------
    ValueError
        If they are not for this kind of student, or have another number of rows.
    """
    teacher: Model
    if n_labels:
        assert isinstance(student, ModelProba)
        teacher = read_label_teacher(proba, student, n_labels)
    elif isinstance(student, ModelProba) and proba is not None:
        teacher = read_soft_labels(proba, classes, student.classes, "teacher_proba")
    elif isinstance(student, ModelNumbers) and numbers is not None:
        values = as_floats(numbers, "teacher_prediction")
        teacher = ModelNumbers("teacher_prediction", values.reshape(len(values), -1))
    else:
        kind = (
            ("classifiers", "teacher_proba")
            if isinstance(student, ModelProba)
            else ("regressors", "teacher_prediction")
        )
        raise ValueError(
            f"the students are {kind[0]}: pass the teacher's predictions as {kind[1]}."
        )
    check_same_length(teacher.name, len(teacher.present), "X", len(student.present))
    if not teacher.present.any():
        raise ValueError(f"{teacher.name}: every row is missing; leave some rows with numbers.")
    return teacher


def read_truth(
    y: ArrayLike | None,
    teacher: Model,
    models: list[Model],
    sample_weight: ArrayLike | None,
    groups: ArrayLike | None,
    n_labels: int = 0,
) -> TestSet:
    """Return the true values of the test rows; without `y` they are the teacher's predictions.

    Parameters
    ----------
    y : array-like or None
        Labels, soft labels or numbers, some of which may be missing.
    teacher : ModelProba or ModelNumbers
        The teacher's predictions.
    models : list of ModelProba or of ModelNumbers
        The predictions of all models, whose classes are compared.
    sample_weight, groups : array-like of shape (n_samples,) or None
        Weights, and groups of dependent samples.
    n_labels : int, default=0
        Number of labels of classifiers of several labels.

    Returns
    -------
    TestSet
        The truth.
    """
    if n_labels:
        assert isinstance(teacher, ModelProba)
        return label_test_set(y, teacher, n_labels, sample_weight, groups)
    if isinstance(teacher, ModelProba):
        proba = [model for model in models if isinstance(model, ModelProba)]
        return class_test_set(teacher if y is None else y, proba, sample_weight, groups)
    numbers = teacher.values if y is None else y
    return number_test_set(numbers, len(teacher.values), sample_weight, groups)


def align(model: Model, test: TestSet) -> Prediction:
    """Return a model's predictions over the classes of the test set.

    Parameters
    ----------
    model : ModelProba or ModelNumbers
        The predictions.
    test : TestSet
        The truth, with all classes.

    Returns
    -------
    Prediction
        The predictions; 0 for a class that the model does not know.
    """
    if isinstance(model, ModelProba):
        assert test.classes is not None
        return Prediction(model.align(test.classes), model.proba, ~model.present)
    return Prediction(model.values, model.values, ~model.present)


def read_prior(y_train: ArrayLike, student: Model, n_labels: int = 0) -> Model:
    """Return the constant prediction that training rows suggest.

    Parameters
    ----------
    y_train : array-like of shape (n_train,), (n_train, n_classes) or (n_train, n_outputs)
        Labels, some of which may be missing, soft labels or numbers.
    student : ModelProba or ModelNumbers
        A student, whose kind and number of test rows it has.
    n_labels : int, default=0
        Number of labels of classifiers of several labels.

    Returns
    -------
    ModelProba or ModelNumbers
        Class frequencies, or the mean, in every test row.

    Raises
    ------
    ValueError
        If there is no value, or these are not of the student's kind.
    """
    n_train = len(np.asarray(y_train))
    if not n_train:
        raise ValueError("y_train has no values; pass y_train=None.")
    n_rows = len(student.present)
    if n_labels:
        return training_prior(y_train, n_rows, n_labels)
    if isinstance(student, ModelProba):
        uniform = np.full((n_train, len(student.classes)), 1 / len(student.classes))
        models = [ModelProba(student.name, student.classes, uniform)]
        train = class_test_set(y_train, models, None, None, name="y_train")
        assert train.classes is not None
        return ModelProba("y_train", train.classes, prior(train).values[:1].repeat(n_rows, axis=0))
    train = number_test_set(y_train, n_train, None, None, name="y_train")
    if train.y.shape[1] != student.values.shape[1]:
        raise ValueError(
            f"y_train has {train.y.shape[1]} outputs and {student.name} predicts "
            f"{student.values.shape[1]}; pass one column for each output."
        )
    return ModelNumbers("y_train", prior(train).values[:1].repeat(n_rows, axis=0))


def warn_if_implausible_here(teacher: Prediction, test: TestSet, name: str) -> None:
    """Warn if the teacher's predictions for the test rows cannot be what the user meant.

    Parameters
    ----------
    teacher : Prediction
        The teacher's predictions.
    test : TestSet
        The truth.
    name : str
        The argument that they come from, or the name of the teacher.

    Warns
    -----
    ImplausibleTeacherWarning
        As in the fits of students.
    """
    compared = ~teacher.missing[test.rows]
    rows, y = test.rows[compared], test.y[compared]
    if test.classes is None:
        what = name if name == "teacher_prediction" else f"{name}.predict"
        warn_if_implausible_prediction(sample_predictions(y, teacher.values[rows]), what)
    elif len(np.unique(rows)) == len(rows):  # a soft label has no class to agree with
        what = name if name == "teacher_proba" else f"{name}.predict_proba"
        with np.errstate(divide="ignore"):
            teachers = Teachers(np.log(teacher.values[rows].T[None]))
        labels = Labels(y, len(test.classes))
        sample = sample_teacher(labels, teachers, is_proba=True)
        warn_if_implausible(sample, np.array(test.classes, dtype=object), what)


def prior(test: TestSet) -> Prediction:
    """Return the best constant prediction for these rows: class frequencies, or the mean.

    Parameters
    ----------
    test : TestSet
        The truth.

    Returns
    -------
    Prediction
        The same for every row.
    """
    if test.n_labels:
        return label_prior(test)
    if test.classes is not None:
        constant = sums_by_unit(test.y, test.w, len(test.classes))
    else:
        constant = test.w @ test.y
    values = np.tile(constant, (test.n_rows, 1))
    return Prediction(values, values, np.zeros(test.n_rows, dtype=bool))


def teacher_as_truth(teacher: Prediction, s: FloatArray, classes: list[Any] | None) -> TestSet:
    """Return the teacher's predicted classes or numbers as the truth of the fidelity.

    Parameters
    ----------
    teacher : Prediction
        The teacher's predictions.
    s : ndarray of shape (n_rows,)
        Sample weights.
    classes : list or None
        The classes of the test set.

    Returns
    -------
    TestSet
        The rows with a prediction and a positive weight.
    """
    rows = np.flatnonzero(~teacher.missing & (s > 0))
    values = teacher.values[rows]
    y = values if classes is None else values.argmax(axis=1)
    return TestSet(rows, y, s[rows], np.arange(len(rows)), len(s), classes)
