"""One-dimensional predictions: unnamed for the second class, named for the class of that name."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    SoftTargetClassifier,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 2))
Y = np.where(X[:, 0] > 0, "spam", "ham")
PROBA = LogisticRegression().fit(X, Y).predict_proba(X)
LOG_ODDS = np.log(PROBA[:, 1] / PROBA[:, 0])
STUDENTS = {
    "logistic": DistilledLogisticRegression(imitation=1.0),
    "tree": SoftTargetClassifier(DecisionTreeRegressor(max_depth=3), imitation=1.0),
    "boosting": DistilledBoostingClassifier(imitation=1.0),
    "network": DistilledNeuralClassifier(imitation=1.0, max_epochs=20, lr=0.05, random_state=0),
}


def pandas_series(values, name):
    return pd.Series(values, name=name)


def polars_series(values, name):
    return pl.Series(name, values)


@pytest.mark.parametrize("series", [pandas_series, polars_series])
@pytest.mark.parametrize("name", STUDENTS)
def test_each_class_by_its_name(series, name):
    student = STUDENTS[name]
    for label, p, log_odds in zip(("ham", "spam"), PROBA.T, (-LOG_ODDS, LOG_ODDS), strict=True):
        assert student.fit(X, Y, teacher_proba=series(p, label)).score(X, Y) > 0.9
        assert student.fit(X, Y, teacher_logits=series(log_odds, label)).score(X, Y) > 0.9


@pytest.mark.parametrize("labels", [[0, 1], [0.0, 1.0], ["0", "1"], [False, True]])
def test_names_that_are_spelt_otherwise(labels):
    """A name matches a class as the name of a column does."""
    y = np.array(labels)[(Y == "spam").astype(int)]
    expected = DistilledLogisticRegression().fit(X, y, teacher_proba=PROBA).coef_
    for k, label in enumerate(labels):
        for name in (label, str(label)):
            student = DistilledLogisticRegression()
            student.fit(X, y, teacher_proba=pd.Series(PROBA[:, k], name=name))
            np.testing.assert_allclose(student.coef_, expected, rtol=1e-9)


@pytest.mark.parametrize("unnamed", [PROBA[:, 1], pd.Series(PROBA[:, 1]), pl.Series(PROBA[:, 1])])
def test_without_a_name_it_is_the_second_class(unnamed):
    expected = DistilledLogisticRegression().fit(X, Y, teacher_proba=PROBA).coef_
    student = DistilledLogisticRegression().fit(X, Y, teacher_proba=unnamed)
    np.testing.assert_allclose(student.coef_, expected, rtol=1e-9)


@pytest.mark.parametrize("series", [pandas_series, polars_series])
@pytest.mark.parametrize("argument", ["teacher_proba", "teacher_logits"])
def test_any_other_name_gives_both_readings(series, argument):
    message = (
        rf"{argument} is one-dimensional and named 'score'.*name it 'spam', or pass .to_numpy\(\), "
        "if it stands for 'spam'; name it 'ham' if"
    )
    with pytest.raises(ValueError, match=message):
        DistilledLogisticRegression().fit(X, Y, **{argument: series(PROBA[:, 1], "score")})


def test_a_search_keeps_the_name():
    search = GridSearchCV(DistilledLogisticRegression(imitation=1.0), {"C": [1.0]})
    search.fit(X, Y, teacher_proba=pd.DataFrame(PROBA, columns=["ham", "spam"])["ham"])
    assert search.best_score_ > 0.95
