"""The plain model of a boosted student in the tools of its library: files, SHAP values, ONNX."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from sklearn_distill import DistilledBoostingClassifier
from tests.students.boosting_data import cat, data, extreme, light, needs

pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


def fitted(make, n_classes):
    """Return a student and features."""
    X, y, teacher = data(n_classes)
    return DistilledBoostingClassifier(make()).fit(X, y, teacher_proba=teacher), X


def probabilities(scores):
    """Return the probabilities of scores of shape (n_rows,) or (n_rows, n_classes)."""
    if scores.ndim == 2:
        return softmax(scores, axis=1)
    return np.stack([1 - expit(scores), expit(scores)], axis=1)


@needs("lightgbm")
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_model_file_of_lightgbm(n_classes, tmp_path):
    from lightgbm import Booster

    student, X = fitted(light, n_classes)
    student.to_sklearn().booster_.save_model(tmp_path / "model.txt")
    p = Booster(model_file=tmp_path / "model.txt").predict(X)
    p = np.stack([1 - p, p], axis=1) if n_classes == 2 else p
    np.testing.assert_allclose(p, student.predict_proba(X), rtol=1e-12)


@needs("xgboost")
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_model_file_of_xgboost(n_classes, tmp_path):
    from xgboost import XGBClassifier

    student, X = fitted(extreme, n_classes)
    student.to_sklearn().save_model(tmp_path / "model.json")
    loaded = XGBClassifier()
    loaded.load_model(tmp_path / "model.json")
    np.testing.assert_array_equal(loaded.predict_proba(X), student.estimator_.predict_proba(X))


@needs("lightgbm")
@pytest.mark.parametrize("n_classes", [2, 3])
def test_shap_values_of_lightgbm_add_up_to_the_scores(n_classes):
    student, X = fitted(light, n_classes)
    values = student.to_sklearn().predict(X, pred_contrib=True)
    scores = values.reshape(len(X), -1, X.shape[1] + 1).sum(axis=2)
    scores = scores[:, 0] if n_classes == 2 else scores
    np.testing.assert_allclose(probabilities(scores), student.predict_proba(X), atol=1e-9)


@needs("xgboost")
@pytest.mark.parametrize("n_classes", [2, 3])
def test_shap_values_of_xgboost_add_up_to_the_scores(n_classes):
    from xgboost import DMatrix

    student, X = fitted(extreme, n_classes)
    values = student.to_sklearn().get_booster().predict(DMatrix(X), pred_contribs=True)
    scores = values.sum(axis=-1)
    np.testing.assert_allclose(probabilities(scores), student.predict_proba(X), atol=1e-5)


@needs("catboost")
def test_shap_values_of_catboost_add_up_to_the_scores():
    from catboost import Pool

    student, X = fitted(cat, 2)
    values = student.to_sklearn().get_feature_importance(Pool(X), type="ShapValues")
    scores = values.sum(axis=1)
    np.testing.assert_allclose(probabilities(scores), student.predict_proba(X), atol=1e-9)


@needs("catboost")
@needs("onnxruntime")
def test_onnx_of_catboost(tmp_path):
    """Of the boosting libraries, this one writes ONNX itself."""
    from onnxruntime import InferenceSession

    student, X = fitted(cat, 2)
    path = str(tmp_path / "model.onnx")
    student.to_sklearn().save_model(path, format="onnx")
    session = InferenceSession(path, providers=["CPUExecutionProvider"])
    labels, maps = session.run(None, {"features": X.astype(np.float32)})
    p = np.array([[row[0], row[1]] for row in maps])
    np.testing.assert_allclose(p, student.predict_proba(X.astype(np.float32)), atol=1e-5)
    np.testing.assert_array_equal(student.classes_[labels], student.predict(X))
