"""Default networks as scikit-learn's perceptrons: the same predictions, in files without torch."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor
from sklearn_distill.deployment import to_onnx, to_sklearn
from sklearn_distill.nets import MLP

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4)).astype(np.float32)
S = np.exp(2 * X[:, :3])
S /= S.sum(axis=1, keepdims=True)
Y = np.array(["a", "b", "c"])[np.argmax(X[:, :3] + 0.5 * RNG.normal(size=(120, 3)), axis=1)]
TWO, S_TWO = np.where(Y == "a", "a", "b"), np.column_stack([S[:, 0], S[:, 1] + S[:, 2]])
NUMBERS = 1e3 + 50 * X @ [1.0, 2.0, 0.0, -1.0]
NETWORK = {"hidden_layer_sizes": (4, 3), "max_epochs": 3, "random_state": 0}
CLASSIFIERS = {
    "three classes": ({}, Y, S),
    "two classes": ({}, TWO, S_TWO),
    "log-odds": ({"module": MLP, "module__n_outputs": 1}, TWO, S_TWO),
    "no hidden layer": ({"hidden_layer_sizes": ()}, Y, S),
    "dropout": ({"module__dropout": 0.5}, Y, S),
    "labels": ({}, (S > 0.3).astype(int), S),
}
REGRESSORS = {
    "standardised": ({}, NUMBERS),
    "as they are": ({"normalize_y": False}, NUMBERS / 100),
    "two outputs": ({}, np.column_stack([NUMBERS, -NUMBERS])),
}


def of_defaults(params):
    """Return the parameters of a network; a module of the user has no hidden_layer_sizes."""
    sizes = {} if "module" in params else NETWORK
    return {"max_epochs": 3, "random_state": 0} | sizes | params


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(name):
    params, y, proba = CLASSIFIERS[name]
    student = DistilledNeuralClassifier(**of_defaults(params)).fit(X, y, teacher_proba=proba)
    plain = student.to_sklearn()
    assert type(plain).__name__ == "MLPClassifier"
    np.testing.assert_allclose(plain.predict_proba(X), student.predict_proba(X), atol=2e-7)
    np.testing.assert_array_equal(plain.predict(X), student.predict(X))


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name):
    params, y = REGRESSORS[name]
    student = DistilledNeuralRegressor(**NETWORK | params).fit(X, y, teacher_prediction=y)
    plain = student.to_sklearn()
    np.testing.assert_allclose(plain.predict(X), student.predict(X), rtol=1e-6)
    assert plain.score(X, y) == pytest.approx(student.score(X, y), abs=1e-6)


def test_columns_keep_their_names():
    frame = pd.DataFrame(X, columns=list("abcd"))
    student = DistilledNeuralClassifier(**NETWORK).fit(frame, Y, teacher_proba=S)
    plain = to_sklearn(student)
    assert plain.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        plain.predict(frame.rename(columns={"a": "e"}))


def test_a_pipeline_with_its_preprocessing_is_one_onnx_file(tmp_path):
    pytest.importorskip("skl2onnx", reason="the extra onnx is not installed")
    pipeline = make_pipeline(StandardScaler(), DistilledNeuralClassifier(**NETWORK))
    pipeline.fit(X, Y, distilledneuralclassifier__teacher_proba=S)
    assert to_onnx(pipeline, tmp_path / "model.onnx", X) < 1e-6
    assert type(to_sklearn(pipeline)[-1]).__name__ == "MLPClassifier"


class OtherForward(MLP):
    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize(
    ("module", "rows", "message"),
    [
        (OtherForward, X, "predictions of a OtherForward, only of the default network"),
        (MLP(4, 3), X.reshape(-1, 2, 2), "no table of floats"),
    ],
)
def test_what_has_no_equal_is_an_error(module, rows, message):
    student = DistilledNeuralClassifier(module, max_epochs=1).fit(rows, Y, teacher_proba=S)
    with pytest.raises(TypeError, match=message):
        student.to_sklearn()
