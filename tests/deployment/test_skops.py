"""Saving by skops, which loads no class that the reader does not trust."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    MultiLabelStudent,
    PrivilegedLinearRegression,
    PrivilegedLinearRegressionCV,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)

skops = pytest.importorskip("skops.io", reason="skops is not installed")
lightgbm = pytest.importorskip("lightgbm", reason="the extra boosting is not installed")
xgboost = pytest.importorskip("xgboost", reason="the extra boosting is not installed")

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(90, 4)), columns=list("abcd"))
S = np.exp(2 * X.to_numpy()[:, :3])
S /= S.sum(axis=1, keepdims=True)
Y = np.array(["x", "y", "z"])[S.argmax(axis=1)]
NUMBERS = X.to_numpy() @ [1.0, 2.0, 0.0, -1.0] + 0.3 * RNG.normal(size=90)
LOGISTIC = DistilledLogisticRegression()
TREE = DecisionTreeRegressor(max_depth=3)
TRUSTED = {  # those of the guide, besides this package's
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
}
CLASSIFIERS = [
    LOGISTIC,
    DistilledLogisticRegressionCV(("imitation",), cv=2),
    DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=3)),
    DistilledBoostingClassifier(lightgbm.LGBMClassifier(n_estimators=3, verbose=-1)),
    DistilledBoostingClassifier(xgboost.XGBClassifier(n_estimators=3)),
    SoftTargetClassifier(TREE),
    SoftTargetClassifier(RandomForestRegressor(3)),
]
REGRESSORS = [
    PrivilegedLinearRegression(),
    PrivilegedLinearRegressionCV(alphas=[0.1, 1.0]),
    DistilledBoostingRegressor(),
    SoftTargetRegressor(TREE),
]
META = [
    (TeacherStudentClassifier(RandomForestClassifier(3), LOGISTIC, privileged_features=["d"]), Y),
    (BornAgainClassifier(LOGISTIC, n_generations=2), Y),
    (TeacherStudentRegressor(Ridge(), PrivilegedLinearRegression()), NUMBERS),
]
CASES = [
    *((student, Y, {"teacher_proba": S}) for student in CLASSIFIERS),
    *((student, NUMBERS, {"teacher_prediction": NUMBERS + 0.1 * X["a"]}) for student in REGRESSORS),
    *((model, y, {}) for model, y in META),
    (MultiLabelStudent(LOGISTIC), (S > 0.3).astype(int), {"teacher_proba": S}),
]


@pytest.mark.parametrize(("model", "y", "params"), CASES, ids=lambda case: type(case).__name__)
def test_models_load_with_their_own_classes_trusted(model, y, params):
    saved = skops.dumps(model.fit(X, y, **params))
    untrusted = skops.get_untrusted_types(data=saved)
    foreign = {name for name in untrusted if not name.startswith("sklearn_distill.")}
    assert foreign <= TRUSTED
    loaded = skops.loads(saved, trusted=untrusted)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_regression_goes_on_after_loading():
    model = PrivilegedLinearRegression().fit(X, NUMBERS, teacher_prediction=NUMBERS + 0.1 * X["a"])
    saved = skops.dumps(model)
    loaded = skops.loads(saved, trusted=skops.get_untrusted_types(data=saved))
    np.testing.assert_array_equal(
        loaded.predict(X, return_std=True)[1], model.predict(X, return_std=True)[1]
    )
    again = {"teacher_prediction": NUMBERS}
    np.testing.assert_array_equal(
        loaded.partial_fit(X, NUMBERS, **again).coef_, model.partial_fit(X, NUMBERS, **again).coef_
    )
