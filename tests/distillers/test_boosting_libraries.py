"""Teachers of the boosting libraries, if these are installed."""

import pytest
from sklearn.datasets import make_classification, make_regression

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression
from sklearn_distill.distillers import TeacherStudentClassifier, TeacherStudentRegressor

LIBRARIES = [("xgboost", "XGB"), ("lightgbm", "LGBM")]


@pytest.mark.parametrize(("library", "prefix"), LIBRARIES)
def test_boosting_teachers(library, prefix):
    module = pytest.importorskip(library, reason="the extra boosting is not installed")
    X, y = make_classification(200, n_informative=4, n_classes=3, random_state=0)
    booster = getattr(module, f"{prefix}Classifier")(n_estimators=5)
    model = TeacherStudentClassifier(booster, DistilledLogisticRegression(), random_state=0)
    assert model.fit(X, y).student_.n_taught_rows_ == 200
    assert model.teacher_.random_state is not None
    X, y = make_regression(200, 5, noise=5.0, random_state=0)
    regressor = getattr(module, f"{prefix}Regressor")(n_estimators=5)
    model = TeacherStudentRegressor(regressor, PrivilegedLinearRegression())
    assert model.fit(X, y).score(X, y) > 0.9
