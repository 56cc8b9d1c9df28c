"""ONNX files: onnxruntime predicts what the model predicts."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
)
from sklearn_distill.deployment import to_onnx

lightgbm = pytest.importorskip("lightgbm", reason="the extra boosting is not installed")
xgboost = pytest.importorskip("xgboost", reason="the extra boosting is not installed")
pytest.importorskip("skl2onnx", reason="the extra onnx is not installed")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4)).astype(np.float32)
S = np.exp(2 * X[:, :3])
S /= S.sum(axis=1, keepdims=True)
Y = np.array(["a", "b", "c"])[S.argmax(axis=1)]
NUMBERS = X @ [1.0, 2.0, 0.0, -1.0] + 0.3 * RNG.normal(size=150)
TREE = DecisionTreeRegressor(max_depth=3, random_state=0)

CLASSIFIERS = {
    "logistic": DistilledLogisticRegression(),
    "scaled": make_pipeline(StandardScaler(), DistilledLogisticRegression()),
    "tree": SoftTargetClassifier(TREE),
    "forest": SoftTargetClassifier(RandomForestRegressor(3, random_state=0)),
    "entropy": SoftTargetClassifier(DecisionTreeClassifier(criterion="entropy", max_depth=3)),
    "boosting": DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=5)),
    "lightgbm": DistilledBoostingClassifier(lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)),
    "xgboost": DistilledBoostingClassifier(xgboost.XGBClassifier(n_estimators=5)),
    "network": DistilledNeuralClassifier(hidden_layer_sizes=(5,), max_epochs=2, random_state=0),
}
REGRESSORS = {
    "linear": PrivilegedLinearRegression(),
    "tree": SoftTargetRegressor(TREE),
    "boosting": DistilledBoostingRegressor(),
    "lightgbm": DistilledBoostingRegressor(lightgbm.LGBMRegressor(n_estimators=5, verbose=-1)),
    "xgboost": DistilledBoostingRegressor(xgboost.XGBRegressor(n_estimators=5)),
    "network": DistilledNeuralRegressor(hidden_layer_sizes=(5,), max_epochs=2, random_state=0),
}

# torch's exporter uses deprecated functions of torch and Python
torch_warns = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def probabilities_of_file(path, rows):
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes())
    return session.run(None, {"X": rows})[-1]


@torch_warns
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(name, n_classes, tmp_path):
    student = CLASSIFIERS[name]
    teacher = S if n_classes == 3 else np.column_stack([S[:, 0], 1 - S[:, 0]])
    y = Y if n_classes == 3 else np.where(S[:, 0] > 0.5, "a", "b")
    step = "distilledlogisticregression__" if name == "scaled" else ""
    student.fit(X, y, **{f"{step}teacher_proba": teacher})
    path = tmp_path / "student.onnx"
    difference = to_onnx(student, path, X)
    assert difference < 1e-6
    proba = student.predict_proba(X)
    of_file = probabilities_of_file(path, X)
    assert abs(of_file - proba).max() == pytest.approx(difference, abs=1e-9)


@torch_warns
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name, tmp_path):
    student = REGRESSORS[name].fit(X, NUMBERS, teacher_prediction=NUMBERS + 0.1 * X[:, 0])
    assert to_onnx(student, tmp_path / "student.onnx", X) < 1e-5


def test_a_pair_predicts_from_the_regular_features(tmp_path):
    pair = TeacherStudentClassifier(
        HistGradientBoostingClassifier(max_iter=5),
        DistilledLogisticRegression(),
        privileged_features=[3],
    ).fit(X, Y)
    assert to_onnx(pair, tmp_path / "pair.onnx", X[:, :3]) < 1e-6


def test_a_frame_has_an_input_for_each_column(tmp_path):
    frame = pd.DataFrame({"size": X[:, 0].astype(float), "colour": np.where(X[:, 1] > 0, "r", "g")})
    encoder = make_column_transformer((StandardScaler(), ["size"]), (OneHotEncoder(), ["colour"]))
    model = make_pipeline(encoder, DistilledLogisticRegression())
    model.fit(frame, Y, distilledlogisticregression__teacher_proba=S)
    assert to_onnx(model, tmp_path / "model.onnx", frame) < 1e-6


def test_a_large_difference_is_said(tmp_path):
    features = 1e8 + X.astype(float)  # float32 has no digit left for X
    student = make_pipeline(StandardScaler(), DistilledLogisticRegression())
    student.fit(features, Y, distilledlogisticregression__teacher_proba=S)
    with pytest.warns(UserWarning, match="differ by up to .* more digits than float32 has"):
        assert to_onnx(student, tmp_path / "student.onnx", features) > 0.1


def test_a_student_of_a_frame_has_one_input(tmp_path):
    frame = pd.DataFrame(X, columns=list("abcd"))
    student = DistilledLogisticRegression().fit(frame, Y, teacher_proba=S)
    path = tmp_path / "student.onnx"
    for rows in (None, frame):
        assert student.to_onnx(path, rows) < 1e-6
        of_file = probabilities_of_file(path, X)
        np.testing.assert_allclose(of_file, student.predict_proba(frame), atol=1e-6)


@pytest.mark.parametrize(
    ("step", "rows"),
    [
        (CountVectorizer(), [f"w{word}" for word in Y]),
        (StandardScaler(), pd.DataFrame(X, columns=list("abcd"))),
    ],
    ids=["texts", "columns"],
)
def test_rows_that_cannot_be_drawn_are_asked_for(step, rows, tmp_path):
    student = SoftTargetClassifier(make_pipeline(step, TREE)).fit(rows, Y, teacher_proba=S)
    with pytest.raises(ValueError, match=r"X=None: which values .* pass some of its rows as X"):
        student.to_onnx(tmp_path / "student.onnx")


def test_an_unfitted_student_is_not_exported(tmp_path):
    with pytest.raises(NotFittedError):
        DistilledLogisticRegression().to_onnx(tmp_path / "student.onnx")


@torch_warns
@pytest.mark.slow  # torch exports a network in seconds
def test_a_network_of_words_takes_texts_of_any_length(tmp_path):
    from sklearn_distill.nets import BiLSTM

    words = RNG.integers(1, 20, size=(60, 7))
    words[:30, 4:] = 0
    words[3] = 0
    sizes = {"module__n_words": 20, "module__embedding_size": 6, "module__hidden_size": 5}
    student = DistilledNeuralClassifier(
        BiLSTM, **sizes, module__n_layers=2, max_epochs=1, imitation=0, random_state=0
    ).fit(words, np.arange(60) % 2)
    path = tmp_path / "student.onnx"
    assert student.to_onnx(path, words) < 1e-6
    padded = np.pad(words, ((0, 0), (0, 3)))
    for rows, expected in [
        (padded, student.predict_proba(words)),
        (words[:1], student.predict_proba(words[:1])),
        (words[:30, :4], student.predict_proba(words[:30])),
    ]:
        np.testing.assert_allclose(probabilities_of_file(path, rows), expected, atol=1e-6)


def test_catboost_writes_its_own_file(tmp_path):
    catboost = pytest.importorskip("catboost", reason="catboost is not installed")
    student = DistilledBoostingRegressor(
        catboost.CatBoostRegressor(iterations=3, allow_writing_files=False)
    ).fit(X, NUMBERS, teacher_prediction=NUMBERS)
    with pytest.raises(TypeError, match="CatBoost writes ONNX itself"):
        to_onnx(student, tmp_path / "student.onnx", X)


@pytest.mark.parametrize("regressor", [Ridge(), KNeighborsRegressor()])
def test_no_file_where_the_predictions_would_be_others(regressor, tmp_path):
    student = SoftTargetClassifier(regressor).fit(X, Y, teacher_proba=S)
    with pytest.raises(TypeError, match="only around its trees and forests"):
        to_onnx(student, tmp_path / "student.onnx", X)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_converter_is_named(tmp_path):
    code = (
        "import sys; sys.modules['skl2onnx'] = None\n"
        "import numpy as np\n"
        "from sklearn_distill import DistilledLogisticRegression\n"
        "from sklearn_distill.deployment import to_onnx\n"
        "X = np.eye(3); model = DistilledLogisticRegression(imitation=0).fit(X, [0, 1, 1])\n"
        "to_onnx(model, 'file.onnx', X)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'needs skl2onnx: pip install "sklearn-distill[onnx]"' in run.stderr
