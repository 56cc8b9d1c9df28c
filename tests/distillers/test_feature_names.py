"""Features with names in ``fit`` and without in ``predict``, or the other way round."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    PrivilegedLinearRegression,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)

ARRAY, Y = load_iris(return_X_y=True)
FRAME = pd.DataFrame(ARRAY, columns=list("abcd"))
MODELS = [
    TeacherStudentClassifier(LogisticRegression(max_iter=1000), DistilledLogisticRegression()),
    TeacherStudentRegressor(Ridge(), PrivilegedLinearRegression()),
    BornAgainClassifier(DistilledLogisticRegression(), n_generations=2),
    DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=2), imitation=0),
    DistilledBoostingRegressor(HistGradientBoostingRegressor(max_iter=2), imitation=0),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    ("in_fit", "in_predict"), [(FRAME, ARRAY), (ARRAY, FRAME)], ids=["fit", "predict"]
)
def test_names_in_one_of_both_give_one_warning(model, in_fit, in_predict):
    """It names the user's estimator; that inside would warn again."""
    model.fit(in_fit, Y)
    for method in ("predict", "predict_proba", "decision_function"):
        if not hasattr(model, method):
            continue
        predict = getattr(model, method)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            predictions = predict(in_predict)
        assert [type(model).__name__ in str(one.message) for one in caught] == [True]
        np.testing.assert_allclose(predictions, predict(in_fit), rtol=1e-9, atol=1e-9)
