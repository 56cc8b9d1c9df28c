"""A report on several labels: each label of each row is an entry of two classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray, IntArray, MatrixLike
from sklearn_distill._validation.label_matrix import (
    check_label_matrix,
    check_teacher_matrix,
    mean_of_teachers,
)
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.probabilities import check_proba
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.inspection._model_proba import ModelProba
from sklearn_distill.inspection._score import Prediction
from sklearn_distill.inspection._test_set import TestSet, entries_test_set
from sklearn_distill.inspection.intervals import unit_numbers
from sklearn_distill.metrics._multi_label import BINARY, label_probabilities


def predict_labels(model: Any, X: MatrixLike, name: str) -> ModelProba:
    """Predict the probability of each label of the test rows.

    Parameters
    ----------
    model : fitted classifier of several labels
        The model.
    X : array-like of shape (n_samples, n_features)
        Test samples, with the features of the model.
    name : str
        What error messages call the model.

    Returns
    -------
    ModelProba
        A row for each label of each sample.
    """
    if not hasattr(model, "predict_proba"):
        raise ValueError(f"{name} is a {type(model).__name__} without predict_proba")
    return _entries(name, label_probabilities(model, X), model)


def read_label_teacher(proba: Any, student: ModelProba, n_labels: int) -> ModelProba:
    """Read a teacher's precomputed probabilities of labels, entries of which may be missing."""
    if proba is None:
        raise ValueError(
            "the students are classifiers of several labels: pass the teacher's predictions as "
            "teacher_proba."
        )
    n_rows = len(student.proba) // n_labels
    matrix = check_teacher_matrix(proba, None, None, np.full((n_rows, n_labels), np.nan))
    assert matrix is not None
    return _entries("teacher_proba", mean_of_teachers(matrix))


def label_test_set(
    y: Any,
    teacher: ModelProba,
    n_labels: int,
    sample_weight: ArrayLike | None,
    groups: ArrayLike | None,
) -> TestSet:
    """Return the true labels; without `y` they are the teacher's probabilities.

    Parameters
    ----------
    y : array-like of shape (n_samples, n_labels) or None
        Labels, entries of which may be missing.
    teacher : ModelProba
        The teacher's predictions.
    n_labels : int
        Number of labels.
    sample_weight, groups : array-like of shape (n_samples,) or None
        Weights, and groups of dependent samples.

    Returns
    -------
    TestSet
        An entry for each label of each row; those of a row are one independent unit.
    """
    n_rows = len(teacher.proba) // n_labels
    s = np.repeat(check_sample_weight(sample_weight, n_rows), n_labels)
    unit = np.repeat(unit_numbers(groups, np.ones(n_rows)), n_labels)
    if y is None:
        q = np.where(teacher.present, teacher.proba[:, 1], np.nan)
    else:
        labels = check_label_matrix(y, n_rows)
        check_same_length("the labels of y", labels.shape[1], "the labels of the models", n_labels)
        q = labels.ravel()
    mass = np.nan_to_num(np.column_stack([1 - q, q])) * s[:, None]
    entries, k = np.nonzero(mass)
    return entries_test_set(entries, k, mass[entries, k], unit, n_labels)


def label_prior(test: TestSet) -> Prediction:
    """Return the best constant prediction: the frequency of each label.

    Parameters
    ----------
    test : TestSet
        The truth.

    Returns
    -------
    Prediction
        The same for every row.
    """
    label = test.rows % test.n_labels
    total = np.bincount(label, test.s, test.n_labels)
    ones = np.bincount(label, test.s * test.y, test.n_labels)
    frequency = np.divide(ones, total, out=np.full(test.n_labels, 0.5), where=total > 0)
    values = np.tile(np.column_stack([1 - frequency, frequency]), (test.n_rows // test.n_labels, 1))
    return Prediction(values, values, np.zeros(test.n_rows, dtype=bool))


def training_prior(y_train: Any, n_entries: int, n_labels: int) -> ModelProba:
    """Return the frequency of each label in training rows, for each entry of the test set."""
    n_train = len(np.asarray(y_train))
    labels = check_label_matrix(y_train, n_train)
    check_same_length("the labels of y_train", labels.shape[1], "those of the models", n_labels)
    known = ~np.isnan(labels)
    ones = np.nan_to_num(labels).sum(axis=0)
    frequency = np.divide(ones, known.sum(axis=0), out=np.full(n_labels, 0.5), where=known.any(0))
    return _entries("y_train", np.tile(frequency, (n_entries // n_labels, 1)))


def complete_rows(test: TestSet, entries: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the rows whose labels are all known, their labels and their weights.

    Parameters
    ----------
    test : TestSet
        The truth.
    entries : ndarray of int
        Which of its entries to read, all or none of a row.

    Returns
    -------
    rows : ndarray of shape (n_complete,)
        Row numbers.
    labels : ndarray of int of shape (n_complete, n_labels)
        Their labels.
    s : ndarray of shape (n_complete,)
        Their weights.
    """
    n_labels = test.n_labels
    matrix = np.full((test.n_rows // n_labels, n_labels), -1)
    weight = np.zeros(matrix.size)
    matrix.ravel()[test.rows[entries]] = test.y[entries]
    weight[test.rows[entries]] = test.s[entries]
    rows = np.flatnonzero((matrix >= 0).all(axis=1))
    return rows, matrix[rows], weight.reshape(matrix.shape)[rows, 0]


def _entries(name: str, p: FloatArray, model: Any = None) -> ModelProba:
    """Return probabilities of labels with a row for each entry."""
    flat = p.ravel()
    missing = np.isnan(flat)
    one = np.where(missing, 0.5, flat)
    both = check_proba(np.column_stack([1 - one, one]), name)
    found = ModelProba(name, BINARY, both, model)
    return replace(found, missing=missing) if missing.any() else found
