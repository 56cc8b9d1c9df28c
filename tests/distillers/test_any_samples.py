"""Texts, images and other samples that are no tables reach the estimators inside as they are."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    PrivilegedLinearRegression,
)
from sklearn_distill.distillers import (
    BornAgainClassifier,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.teachers import out_of_fold_prediction, out_of_fold_proba

RNG = np.random.default_rng(0)
LABELS = np.array(["bug", "feature", "other"])
Y = LABELS[np.arange(90) % 3]
TEXTS = [
    " ".join([*RNG.choice([f"{y}{i}" for i in range(6)], 2), *RNG.choice(list("uvwxyz"), 3)])
    for y in Y
]
TEACHER = make_pipeline(TfidfVectorizer(), MultinomialNB())
STUDENT = make_pipeline(TfidfVectorizer(), DistilledLogisticRegression())
CONTAINERS = [
    TEXTS,
    tuple(TEXTS),
    np.array(TEXTS),
    np.array(TEXTS, dtype=object),
    pd.Series(TEXTS, index=np.arange(90)[::-1]),
    pl.Series(TEXTS),
]
KINDS = ["list", "tuple", "strings", "objects", "pandas", "polars"]


@pytest.mark.parametrize("texts", CONTAINERS, ids=KINDS)
def test_texts(texts):
    expected = cross_val_predict(TEACHER, TEXTS, Y, method="predict_proba")
    np.testing.assert_allclose(out_of_fold_proba(TEACHER, texts, Y), expected)
    model = TeacherStudentClassifier(TEACHER, STUDENT).fit(texts, Y)
    proba = {"distilledlogisticregression__teacher_proba": expected}
    student = clone(STUDENT).fit(TEXTS, Y, **proba)
    np.testing.assert_allclose(model.predict_proba(texts), student.predict_proba(TEXTS))
    assert not hasattr(model, "n_features_in_")
    again = BornAgainClassifier(STUDENT, n_generations=2, cv=3).fit(texts, Y)
    assert again.score(texts, Y) == student.score(TEXTS, Y) == 1


def test_texts_without_labels_and_in_a_search():
    model = TeacherStudentClassifier(TEACHER, STUDENT, cv=3)
    model.fit(TEXTS[:60], Y[:60], X_unlabeled=TEXTS[60:])
    assert model.student_[-1].n_taught_rows_ == 90
    series = pd.Series(TEXTS)
    model.fit(series[:60], Y[:60], X_unlabeled=series[60:])
    assert model.student_[-1].n_taught_rows_ == 90
    some = np.where(np.arange(90) % 4, Y.astype(object), None)
    assert model.fit(TEXTS, some).student_[-1].n_taught_rows_ == 90
    grid = {"student__distilledlogisticregression__imitation": [0.2, 0.8]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(TEXTS, Y)
    assert search.score(TEXTS, Y) == 1
    validated = BornAgainClassifier(STUDENT, n_generations=2)
    validated.fit(TEXTS[:60], Y[:60], X_val=TEXTS[60:], y_val=Y[60:])
    assert validated.generations_["validation_accuracy"].iloc[-1] > 0.8


def test_regression_of_texts():
    numbers = np.array([len(text) for text in TEXTS], dtype=float)
    teacher = make_pipeline(TfidfVectorizer(), DecisionTreeRegressor(random_state=0))
    expected = out_of_fold_prediction(teacher, np.array(TEXTS), numbers)
    np.testing.assert_array_equal(out_of_fold_prediction(teacher, TEXTS, numbers), expected)
    dense = FunctionTransformer(lambda X: X.toarray())
    known = PrivilegedLinearRegression(noise_variance=1.0, teacher_noise_variance=1.0, alpha=0.1)
    student = make_pipeline(TfidfVectorizer(), dense, known)
    model = TeacherStudentRegressor(teacher, student).fit(TEXTS, numbers)
    assert model.predict(TEXTS).shape == (90,)


def test_dictionaries_and_rows_of_different_lengths():
    rows = [dict.fromkeys(text.split(), 1) for text in TEXTS]
    teacher = make_pipeline(DictVectorizer(), MultinomialNB())
    student = make_pipeline(DictVectorizer(), DistilledLogisticRegression())
    assert TeacherStudentClassifier(teacher, student).fit(rows, Y).score(rows, Y) == 1
    words = [text.split() for text in TEXTS]
    words[0] = words[0][:4]
    joined = FunctionTransformer(lambda X: [" ".join(row) for row in X])
    model = TeacherStudentClassifier(make_pipeline(joined, TEACHER), make_pipeline(joined, STUDENT))
    assert model.fit(words, Y).score(words, Y) == 1


def test_images():
    images = RNG.normal(size=(60, 1, 4, 4)).astype("float32")
    y = (images.mean(axis=(1, 2, 3)) > 0).astype(int)
    network = DistilledNeuralClassifier(
        hidden_layer_sizes=(8,), max_epochs=30, lr=0.05, random_state=0
    )
    flat = make_pipeline(FunctionTransformer(lambda X: X.reshape(len(X), -1)), network)
    model = TeacherStudentClassifier(flat, flat, cv=3).fit(images, y, X_unlabeled=images[:5])
    assert model.score(images, y) > 0.8
    assert model.n_features_in_ == 1
    proba = out_of_fold_proba(flat, images, y, cv=3)
    np.testing.assert_allclose(proba, out_of_fold_proba(flat[-1], images.reshape(60, 16), y, cv=3))
    with pytest.raises(ValueError, match=r"X_unlabeled has rows of shape \(1, 2, 2\), X has rows"):
        model.fit(images, y, X_unlabeled=images[:, :, :2, :2])


def test_texts_have_no_privileged_features():
    model = TeacherStudentClassifier(TEACHER, STUDENT, privileged_features=[0])
    with pytest.raises(ValueError, match="selects all of the 1 columns of X"):
        model.fit(TEXTS, Y)


def test_a_table_after_texts_and_texts_after_a_table():
    frame = pd.DataFrame({"a": np.arange(90.0) % 3, "b": 1.0})
    model = TeacherStudentClassifier(TEACHER, STUDENT).fit(TEXTS, Y)
    plain = DistilledLogisticRegression()
    assert model.set_params(teacher=plain, student=plain).fit(frame, Y).n_features_in_ == 2
    model.set_params(teacher=TEACHER, student=STUDENT).fit(TEXTS, Y)
    assert not hasattr(model, "n_features_in_")
    assert not hasattr(model, "feature_names_in_")
    assert model.score(TEXTS, Y) == 1


def test_the_estimators_inside_refuse_what_they_cannot_take():
    with pytest.raises(ValueError, match="teacher MultinomialNB failed in fold 1 of 5"):
        TeacherStudentClassifier(MultinomialNB(), STUDENT).fit(TEXTS, Y)
