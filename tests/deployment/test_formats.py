"""Each student in each format; files load in a process without this package (skops: test_skops)."""

import io
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    MultiLabelStudent,
    PrivilegedLinearRegression,
    PrivilegedLinearRegressionCV,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.deployment import to_sklearn

lightgbm = pytest.importorskip("lightgbm", reason="the extra boosting is not installed")
xgboost = pytest.importorskip("xgboost", reason="the extra boosting is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4)).astype(np.float32).astype(float)  # the same in a file's float32
S = np.exp(2 * X[:, :3])
S /= S.sum(axis=1, keepdims=True)
Y = np.array(["a", "b", "c"])[np.argmax(X[:, :3] + 0.5 * RNG.normal(size=(120, 3)), axis=1)]
NUMBERS = X @ [1.0, 2.0, 0.0, -1.0] + 0.3 * RNG.normal(size=120)
LOGISTIC = DistilledLogisticRegression()
LINEAR = PrivilegedLinearRegression()
TREE = DecisionTreeRegressor(max_depth=3, random_state=0)
NETWORK = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
FOREST = RandomForestClassifier(5, random_state=0)

PROBA = {"teacher_proba": S}
LABELS = (S > 0.3).astype(int)
FEW = {"n_estimators": 3}
CLASSIFIERS = {
    "logistic": LOGISTIC,
    "logistic CV": DistilledLogisticRegressionCV(("imitation",), cv=2),
    "boosting": DistilledBoostingClassifier(),
    "LightGBM": DistilledBoostingClassifier(lightgbm.LGBMClassifier(**FEW, verbose=-1)),
    "XGBoost": DistilledBoostingClassifier(xgboost.XGBClassifier(**FEW)),
    "tree": SoftTargetClassifier(TREE),
    "extra tree": SoftTargetClassifier(ExtraTreeRegressor(max_depth=3, random_state=0)),
    "entropy tree": SoftTargetClassifier(DecisionTreeClassifier(criterion="entropy", max_depth=3)),
    "forest": SoftTargetClassifier(RandomForestRegressor(3, random_state=0)),
    "extra trees": SoftTargetClassifier(ExtraTreesRegressor(3, random_state=0)),
    "pipeline": SoftTargetClassifier(make_pipeline(StandardScaler(), TREE)),
}
REGRESSORS = {
    "linear": LINEAR,
    "linear CV": PrivilegedLinearRegressionCV(alphas=[0.1, 1.0]),
    "boosted numbers": DistilledBoostingRegressor(),
    "LightGBM numbers": DistilledBoostingRegressor(lightgbm.LGBMRegressor(**FEW, verbose=-1)),
    "XGBoost numbers": DistilledBoostingRegressor(xgboost.XGBRegressor(**FEW)),
    "tree of numbers": SoftTargetRegressor(TREE),
}
TOGETHER = {
    "pair": (TeacherStudentClassifier(FOREST, LOGISTIC, privileged_features=[3]), Y),
    "pair of trees": (TeacherStudentClassifier(FOREST, SoftTargetClassifier(TREE)), Y),
    "pair of numbers": (TeacherStudentRegressor(Ridge(), LINEAR), NUMBERS),
    "generations": (BornAgainClassifier(LOGISTIC, n_generations=2), Y),
}
CASES = {
    **{name: (student, Y, PROBA) for name, student in CLASSIFIERS.items()},
    **{name: (student, NUMBERS, {}) for name, student in REGRESSORS.items()},
    **{name: (model, y, {}) for name, (model, y) in TOGETHER.items()},
    "labels": (MultiLabelStudent(LOGISTIC), LABELS, PROBA),
    "labels by trees": (MultiLabelStudent(SoftTargetClassifier(TREE)), LABELS, PROBA),
    "labels by boosting": (MultiLabelStudent(DistilledBoostingClassifier()), LABELS, PROBA),
}
NETWORKS = {
    "network": (DistilledNeuralClassifier(**NETWORK), Y, PROBA),
    "network of numbers": (DistilledNeuralRegressor(**NETWORK), NUMBERS, {}),
}

CODE = """
import pickle, sys
sys.modules["sklearn_distill"] = None
import onnxruntime
rows, models, files = pickle.load(sys.stdin.buffer)
found = {}
for name, model in models.items():
    predict = getattr(model, "predict_proba", model.predict)
    found[name, "to_sklearn"] = predict(rows[name])
for name, content in files.items():
    x = onnxruntime.InferenceSession(content).run(None, {"X": rows[name].astype("float32")})[-1]
    found[name, "ONNX"] = x
pickle.dump(found, sys.stdout.buffer)
"""


def fit(case):
    model, y, params = case
    if y is NUMBERS and not isinstance(model, TeacherStudentRegressor):
        params = {"teacher_prediction": NUMBERS + 0.1 * X[:, 0]}
    return model.fit(X, y, **params)


def predictions(model, rows):
    return getattr(model, "predict_proba", model.predict)(rows)


def student_rows(model):
    return model.student_features(X) if hasattr(model, "student_features") else X


def predictions_without_this_package(rows, models, files):
    """Return what a process predicts that cannot import the package; one for all models."""
    given = pickle.dumps((rows, models, files))
    run = subprocess.run([sys.executable, "-c", CODE], input=given, capture_output=True, check=True)
    return pickle.loads(run.stdout)


@pytest.fixture(scope="module")
def fitted():
    return {name: fit(case) for name, case in CASES.items()}


@pytest.fixture(scope="module")
def found(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    rows, files = {name: student_rows(model) for name, model in fitted.items()}, {}
    for name, model in fitted.items():
        assert model.to_onnx(folder / name) < 2e-6  # on rows that it draws
        files[name] = (folder / name).read_bytes()
    models = {name: to_sklearn(model) for name, model in fitted.items()}
    return predictions_without_this_package(rows, models, files)


@pytest.mark.parametrize("file_format", ["to_sklearn", "ONNX"])
@pytest.mark.parametrize("name", CASES)
def test_a_process_without_this_package_predicts_the_same(name, file_format, fitted, found):
    model = fitted[name]
    expected = predictions(model, student_rows(model))
    of_process = found[name, file_format].reshape(expected.shape)
    np.testing.assert_allclose(of_process, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", [*CASES, *NETWORKS])
def test_joblib(name, fitted):
    model = fitted[name] if name in fitted else fit(NETWORKS[name])
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    np.testing.assert_array_equal(predictions(joblib.load(file), X), predictions(model, X))


def test_networks_by_to_sklearn_without_this_package():
    models = {name: fit(case) for name, case in NETWORKS.items()}
    plain = {name: to_sklearn(model) for name, model in models.items()}
    of_process = predictions_without_this_package(dict.fromkeys(models, X), plain, {})
    for name, model in models.items():
        np.testing.assert_allclose(of_process[name, "to_sklearn"], predictions(model, X), atol=1e-6)


@pytest.mark.slow  # torch exports a network in seconds
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_networks_by_onnx_without_this_package(tmp_path):
    models = {name: fit(case) for name, case in NETWORKS.items()}
    network = DistilledNeuralClassifier(**NETWORK)
    models["pair"] = TeacherStudentClassifier(FOREST, network, privileged_features=[3]).fit(X, Y)
    for name, model in models.items():
        assert model.to_onnx(tmp_path / name) < 2e-6
    rows = {name: student_rows(model) for name, model in models.items()}
    files = {name: (tmp_path / name).read_bytes() for name in models}
    of_process = predictions_without_this_package(rows, {}, files)
    for name, model in models.items():
        expected = predictions(model, rows[name])
        np.testing.assert_allclose(
            of_process[name, "ONNX"].reshape(expected.shape), expected, atol=2e-6
        )
