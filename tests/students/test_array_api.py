"""Students of torch tensors equal those of NumPy arrays, and X stays on its device.

SciPy reads SCIPY_ARRAY_API when it is imported, and scikit-learn dispatches only if it is set: the
last test runs the others in a separate process.
"""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import get_tags

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    PrivilegedLinearRegressionCV,
    SoftTargetClassifier,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.losses import tensor_design
from sklearn_distill.solvers import subsampling
from sklearn_distill.solvers.least_squares import tensor_regression_data

torch = pytest.importorskip("torch")

from tests.like_gpu import LikeGPU  # noqa: E402

DISPATCHES = os.environ.get("SCIPY_ARRAY_API") == "1"
RNG = np.random.default_rng(0)
N, D = 900, 12
X = RNG.normal(size=(N, D))
SCORES = X @ RNG.normal(size=(D, 4))
PROBA = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
Y = np.array([RNG.choice(4, p=p) for p in PROBA])
WITHOUT_PREDICTION = np.arange(N) % 3 == 0
WEIGHT = RNG.uniform(0.0, 2.0, N)
PRECISION = {torch.float64: 1e-6, torch.float32: 1e-3}


@pytest.fixture
def dispatch():
    pytest.importorskip("sklearn", minversion="1.9", reason="before 1.9 less of it dispatches")
    if not DISPATCHES:
        pytest.skip("SCIPY_ARRAY_API=1 was not set before SciPy was imported")
    with sklearn.config_context(array_api_dispatch=True):
        yield


@pytest.fixture
def small_tiles(monkeypatch):
    """Split the rows of a tensor into several tiles, and solve on a subsample first."""
    monkeypatch.setattr(tensor_design, "TILE_BYTES", 0)
    monkeypatch.setattr(subsampling, "MIN_ENTRIES", 0)
    monkeypatch.setattr(tensor_regression_data, "_TILE_SIZE", 250 * (D + 5))


def tensor(values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype)


def classes_and_teacher(n_classes):
    """Return labels, a third of them missing, and probabilities, another third of them missing."""
    proba = PROBA if n_classes == 4 else PROBA[:, :2] / PROBA[:, :2].sum(axis=1, keepdims=True)
    y = np.where(np.arange(N) % 3 == 1, np.nan, Y % n_classes)
    return y, np.where(WITHOUT_PREDICTION[:, None], np.nan, proba)


def outputs_and_teacher(n_outputs):
    y = SCORES[:, :n_outputs] + RNG.normal(size=(N, n_outputs))
    teacher = SCORES[:, :n_outputs] + 0.3 * RNG.normal(size=(N, n_outputs))
    y[1::3], teacher[WITHOUT_PREDICTION] = np.nan, np.nan
    return (y[:, 0], teacher[:, 0]) if n_outputs == 1 else (y, teacher)


def assert_close(tensors, arrays, atol):
    for one, other in zip(tensors, arrays, strict=True):
        assert isinstance(one, torch.Tensor)
        assert one.shape == np.shape(other)
        np.testing.assert_allclose(one.numpy(), other, atol=atol)


PARAMS = {
    "plain": {},
    "temperature": {"temperature": 2.5, "imitation": 0.8},
    "T²": {"temperature": 2.5, "t_squared": True, "fit_intercept": False},
    "balanced": {"class_weight": "balanced"},
    "regularizer": {"regularizer": "grabovoy", "C": 0.01},
    "newton": {"solver": "newton-cg", "temperature": 1.5},
}


@pytest.mark.parametrize("dtype", PRECISION)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_the_same_classifier(params, n_classes, dtype, dispatch, small_tiles):
    y, proba = classes_and_teacher(n_classes)
    tol = 1e-9 if dtype is torch.float64 else 2e-5  # gradients of float32 scores round at 1e-5
    expected = DistilledLogisticRegression(tol=1e-9, **params)
    expected.fit(X, y, WEIGHT, teacher_proba=proba)
    student = DistilledLogisticRegression(tol=tol, **params)
    rows = tensor(X, dtype)
    student.fit(rows, tensor(y), tensor(WEIGHT), teacher_proba=tensor(proba))
    assert student.coef_.dtype == student.intercept_.dtype == dtype
    assert student.coef_.device == student.n_iter_.device == rows.device
    assert_close(
        [student.coef_, student.intercept_],
        [expected.coef_, expected.intercept_],
        PRECISION[dtype],
    )
    assert student.n_taught_rows_ == expected.n_taught_rows_
    methods = ("decision_function", "predict_proba", "predict_log_proba")
    assert_close(
        [getattr(student, name)(rows) for name in methods],
        [getattr(expected, name)(X) for name in methods],
        20 * PRECISION[dtype],
    )
    assert {getattr(student, name)(rows).dtype for name in methods} == {dtype}


@pytest.mark.parametrize("dtype", PRECISION)
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
@pytest.mark.parametrize("params", [{}, {"fit_intercept": False, "alpha": 2.0}])
def test_the_same_regression(params, solver, n_outputs, dtype, dispatch, small_tiles):
    y, teacher = outputs_and_teacher(n_outputs)
    expected = PrivilegedLinearRegression(0.3, solver=solver, **params)
    expected.fit(X, y, WEIGHT, teacher_prediction=teacher)
    student = clone(expected)
    rows = tensor(X, dtype)
    student.fit(rows, tensor(y), tensor(WEIGHT), teacher_prediction=tensor(teacher))
    assert student.coef_.dtype == student.intercept_.dtype == dtype
    tolerance = 1e-9 if dtype is torch.float64 else 1e-5
    assert_close(
        [student.coef_, student.intercept_], [expected.coef_, expected.intercept_], tolerance
    )
    assert_close(
        student.predict(rows, return_std=True), expected.predict(X, return_std=True), 30 * tolerance
    )
    for name in ("noise_variance_", "teacher_noise_variance_", "coef_covariance_"):
        wanted = getattr(expected, name)
        np.testing.assert_allclose(
            getattr(student, name), wanted, atol=1e-6 * np.abs(wanted).max(), err_msg=name
        )


@pytest.mark.parametrize("solver", ["gram", "tsqr"])
def test_the_same_regression_with_standard_deviations(solver, dispatch, small_tiles):
    y, teacher = outputs_and_teacher(2)
    std = np.exp(np.random.default_rng(3).normal(size=len(X)))
    expected = PrivilegedLinearRegression(0.3, solver=solver)
    expected.fit(X, y, WEIGHT, teacher_prediction=teacher, teacher_std=std)
    student = clone(expected)
    student.fit(
        tensor(X),
        tensor(y),
        tensor(WEIGHT),
        teacher_prediction=tensor(teacher),
        teacher_std=tensor(std),
    )
    assert_close([student.coef_, student.intercept_], [expected.coef_, expected.intercept_], 1e-9)


@pytest.mark.parametrize("cv", [3, KFold(3, shuffle=True, random_state=0)])
def test_the_same_search_of_a_regression(cv, dispatch, small_tiles):
    y, teacher = outputs_and_teacher(2)
    expected = PrivilegedLinearRegressionCV(cv=cv).fit(X, y, WEIGHT, teacher_prediction=teacher)
    student = clone(expected)
    student.fit(tensor(X), tensor(y), tensor(WEIGHT), teacher_prediction=tensor(teacher))
    assert student.best_index_ == expected.best_index_
    assert_close([student.coef_, student.intercept_], [expected.coef_, expected.intercept_], 1e-9)


def nearly_dependent(spread):
    """Return features of which two differ by so little, far from the origin."""
    return np.column_stack([X, X[:, 0] + spread * np.sin(10 * SCORES[:, 0])]) + 3.0


@pytest.mark.parametrize("spread", [3e-5, 1e-8])
def test_ill_conditioned_features(spread, dispatch, small_tiles):
    near, coef = nearly_dependent(spread), np.arange(1.0, D + 2)
    known = {"imitation": 0, "noise_variance": 1.0, "teacher_noise_variance": 1.0}
    student = PrivilegedLinearRegression(**known).fit(tensor(near), near @ coef)
    assert student.statistics_.kind.__name__ == "Root"
    np.testing.assert_allclose(student.coef_, coef, atol=1e-13 / spread)
    normal = PrivilegedLinearRegression(solver="gram", **known)
    if spread == 3e-5:
        normal.fit(tensor(near), near @ coef)
        assert np.abs(normal.coef_.numpy() - coef).max() > 10 * 1e-13 / spread


def test_rows_that_come_in_parts(dispatch):
    y, teacher = outputs_and_teacher(1)
    whole = PrivilegedLinearRegression().fit(X, y, teacher_prediction=teacher)
    student = PrivilegedLinearRegression()
    for rows in (slice(0, 400), slice(400, N)):
        student.partial_fit(tensor(X[rows]), y[rows], teacher_prediction=teacher[rows])
    assert_close([student.coef_, student.intercept_], [whole.coef_, whole.intercept_], 1e-9)
    again, solved = whole.set_params(alpha=5.0).solve(), student.set_params(alpha=5.0).solve()
    assert_close([solved.coef_, solved.intercept_], [again.coef_, again.intercept_], 1e-9)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_x_stays_on_its_device(n_classes, dispatch, small_tiles):
    y, proba = classes_and_teacher(n_classes)
    n_scores = 1 if n_classes == 2 else n_classes
    rows = tensor(X)
    with LikeGPU() as gpu:
        student = DistilledLogisticRegression(temperature=2.0, solver="lbfgs")
        student.fit(rows, tensor(y), tensor(WEIGHT), teacher_proba=tensor(proba))
        read, per_pass = gpu.brought[:3], gpu.brought[3:]
        student.predict(rows)
        student.predict_proba(rows)
    assert sorted(read) == sorted([(N,), (N,), (N, n_classes)])
    n_coarse = len(subsampling.spread_rows(N, subsampling.ROWS_PER_COLUMN * (D + 1)))
    scores = {(n_scores, size) for size in (256, N % 256, n_coarse)}
    assert set(per_pass) == scores | {(n_scores, D), (D, D), (D,)}
    assert gpu.brought == read + per_pass, "predictions of numbers copy nothing"


@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
def test_x_of_a_regression_stays_on_its_device(solver, dispatch, small_tiles):
    y, teacher = outputs_and_teacher(3)
    rows = tensor(nearly_dependent(3e-5) if solver == "auto" else X)  # "auto" takes both
    n_columns = 1 + rows.shape[1] + 2 * 3
    with LikeGPU() as gpu:
        student = PrivilegedLinearRegression(solver=solver)
        student.fit(rows, tensor(y), teacher_prediction=tensor(teacher))
        read, fitted = gpu.brought[:2], gpu.brought[2:]
        student.predict(rows)
        assert gpu.brought == read + fitted, "a prediction copies nothing"
        student.predict(rows, return_std=True)
    assert read == [(N, 3), (N, 3)]
    assert max(max(shape) for shape in fitted) == n_columns, "nothing of the length of X"
    assert {len(shape) for shape in gpu.brought[2 + len(fitted) :]} == {1}, "numbers of rows"


def test_labels_come_as_scikit_learn_gives_them(dispatch):
    rows = tensor(X)
    for y in (Y, tensor(Y, torch.int64), np.array(list("abcd"))[Y], Y % 2, Y > 1):
        student = DistilledLogisticRegression(imitation=0).fit(rows, y, teacher_proba=None)
        plain = LogisticRegression(max_iter=500).fit(rows, y)
        predicted, expected = student.predict(rows), plain.predict(rows)
        assert type(predicted) is type(expected)
        assert predicted.dtype == expected.dtype
        assert np.mean(np.asarray(predicted) == np.asarray(expected)) > 0.98
        assert student.score(rows, y) == pytest.approx(plain.score(rows, y), abs=0.02)


@pytest.mark.parametrize("name", ["teacher_proba", "teacher_logits"])
def test_a_teacher_of_any_kind(name, dispatch):
    proba = PROBA if name == "teacher_proba" else np.log(PROBA)
    fits = [
        DistilledLogisticRegression(tol=1e-8).fit(tensor(X), Y, **{name: values})
        for values in (proba, tensor(proba), tensor(proba).requires_grad_())
    ]
    assert torch.equal(fits[0].coef_, fits[1].coef_)
    assert torch.equal(fits[0].coef_, fits[2].coef_)
    rough = tensor(np.log(PROBA), torch.bfloat16)
    student = DistilledLogisticRegression().fit(tensor(X), teacher_logits=rough, y=Y)
    assert torch.allclose(student.coef_, fits[0].coef_, atol=0.05)


def test_a_warm_start_from_tensors(dispatch):
    student = DistilledLogisticRegression(imitation=0, warm_start=True, tol=1e-6)
    student.fit(tensor(X), Y)
    student.fit(tensor(X), Y)
    assert int(student.n_iter_) == 0
    with sklearn.config_context(array_api_dispatch=False):
        student.fit(X, Y)
    assert int(student.n_iter_[0]) == 0
    assert isinstance(student.coef_, np.ndarray)


def test_half_and_whole_numbers_become_float64(dispatch):
    for dtype in (torch.float16, torch.int32):
        whole = tensor(10 * X, dtype)
        student = DistilledLogisticRegression(imitation=0, C=0.01).fit(whole, Y)
        assert student.coef_.dtype == torch.float64
        expected = DistilledLogisticRegression(imitation=0, C=0.01).fit(whole.double().numpy(), Y)
        assert_close([student.coef_], [expected.coef_], 1e-3)


def test_copies_and_plain_models(dispatch):
    rows = tensor(X)
    classifier = DistilledLogisticRegression().fit(rows, Y, teacher_proba=PROBA)
    y, teacher = outputs_and_teacher(3)
    regression = PrivilegedLinearRegression().fit(rows, y, teacher_prediction=teacher)
    for student, kind in ((classifier, LogisticRegression), (regression, LinearRegression)):
        again = pickle.loads(pickle.dumps(student))
        assert torch.equal(again.predict(rows), student.predict(rows))
        assert not hasattr(clone(student), "coef_")
        plain = student.to_sklearn()
        assert type(plain) is kind
        assert torch.allclose(plain.predict(rows), student.predict(rows))
        plain.coef_ += 1
        assert not torch.allclose(plain.coef_, student.coef_)
    assert torch.allclose(
        classifier.to_sklearn().predict_proba(rows), classifier.predict_proba(rows)
    )


def test_moved_to_numpy_as_scikit_learn_does_it(dispatch):
    move_estimator_to = pytest.importorskip("sklearn.utils._array_api").move_estimator_to
    y, teacher = outputs_and_teacher(3)
    classifier = DistilledLogisticRegression().fit(tensor(X), Y, teacher_proba=PROBA)
    regression = PrivilegedLinearRegression().fit(tensor(X), y, teacher_prediction=teacher)
    for student in (classifier, regression):
        moved = move_estimator_to(student, np, "cpu")
        np.testing.assert_allclose(moved.predict(X), student.predict(tensor(X)), atol=1e-12)
    moved.predict(X, return_std=True)


def test_a_tensor_is_an_array_without_dispatch():
    y, proba = classes_and_teacher(4)
    expected = DistilledLogisticRegression().fit(X, y, WEIGHT, teacher_proba=proba)
    student = DistilledLogisticRegression()
    student.fit(tensor(X), tensor(y), tensor(WEIGHT), teacher_proba=tensor(proba))
    np.testing.assert_array_equal(student.coef_, expected.coef_)
    np.testing.assert_array_equal(student.predict_proba(tensor(X)), expected.predict_proba(X))
    targets, teacher = outputs_and_teacher(3)
    regression = PrivilegedLinearRegression()
    regression.fit(tensor(X), tensor(targets), teacher_prediction=tensor(teacher))
    expected = PrivilegedLinearRegression().fit(X, targets, teacher_prediction=teacher)
    np.testing.assert_array_equal(regression.coef_, expected.coef_)
    assert isinstance(regression.predict(tensor(X)), np.ndarray)


class OtherArray:
    def __array_namespace__(self):
        raise NotImplementedError


STUDENTS = {
    "classifier": (DistilledLogisticRegression(imitation=0), Y),
    "regression": (PrivilegedLinearRegression(imitation=0), SCORES[:, 0]),
}


@pytest.fixture(params=STUDENTS.values(), ids=STUDENTS)
def student_and_y(request):
    student, y = request.param
    return clone(student), y


def test_unsupported_arrays(student_and_y, dispatch):
    student, y = student_and_y
    with pytest.raises(
        TypeError, match=r"OtherArray: besides NumPy arrays.*torch.from_dlpack\(X\)"
    ):
        student.fit(OtherArray(), y)
    with pytest.raises(TypeError, match=r"layout torch.sparse_coo: pass X.to_dense\(\)"):
        student.fit(tensor(X).to_sparse(), y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        student.fit(tensor(np.where(X > 2, np.nan, X)), y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        student.fit(tensor(X), y[:-1])
    assert not hasattr(student, "coef_")


def test_features_must_be_on_the_device_of_fit(student_and_y, dispatch):
    student, y = student_and_y
    student.fit(tensor(X), y)
    message = "fitted on a torch tensor on cpu, but X is a NumPy array: pass X as in fit"
    with pytest.raises(ValueError, match=message):
        student.predict(X)
    with (
        sklearn.config_context(array_api_dispatch=False),
        pytest.raises(ValueError, match="with array_api_dispatch=True if that was a torch tensor"),
    ):
        student.predict(tensor(X))
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 12"):
        student.predict(tensor(X[:, :3]))
    student.fit(X, y)
    with pytest.raises(ValueError, match="fitted on a NumPy array, but X is a torch tensor"):
        student.predict(tensor(X))


def test_a_prediction_has_the_precision_of_its_features(student_and_y, dispatch):
    student, y = student_and_y
    student.fit(tensor(X), y)
    score = getattr(student, "decision_function", student.predict)
    assert score(tensor(X, torch.float32)).dtype == torch.float32
    assert torch.allclose(score(tensor(X, torch.float32)), score(tensor(X)).float(), atol=1e-4)


def test_another_device_needs_dispatch(student_and_y):
    student, y = student_and_y
    message = r"on meta: call sklearn.set_config\(array_api_dispatch=True\) .* or pass X.cpu\(\)"
    with pytest.raises(TypeError, match=message):
        student.fit(tensor(X).to("meta"), y)


def test_lists_and_sparse_matrices_under_dispatch(student_and_y, dispatch):
    student, y = student_and_y
    student.fit(X.tolist(), y)
    assert isinstance(student.coef_, np.ndarray)
    student.fit(sparse.csr_array(X), tensor(y))
    assert isinstance(student.predict(sparse.csr_array(X)), np.ndarray)


def test_the_search_does_not_accept_tensors(dispatch):
    with pytest.raises(TypeError, match="DistilledLogisticRegressionCV does not accept"):
        DistilledLogisticRegressionCV().fit(tensor(X), Y, teacher_proba=PROBA)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("other", ["torch", "numpy"])
def test_scikit_learn_checks(student_and_y, dtype, other, dispatch):
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    place = pytest.importorskip("sklearn.utils._array_api").NamespaceAndDevice
    student, _ = student_and_y
    assert get_tags(student).array_api_support
    name = type(student).__name__
    if other == "torch":
        checks.check_array_api_input(name, student, "torch", "cpu", dtype, check_values=True)
    else:
        checks.check_array_api_mixed_inputs(
            name,
            student,
            X_ns_and_device=place("torch", "cpu"),
            other_ns_and_device=place("numpy", None),
            check_values=True,
        )


TREE = DecisionTreeRegressor(max_depth=3, random_state=0)
CONVERTING = {
    "any regressor": SoftTargetClassifier(TREE, imitation=0.0),
    "teacher and student": TeacherStudentClassifier(
        RandomForestClassifier(3, random_state=0), DistilledLogisticRegression(), cv=2
    ),
    "numbers": TeacherStudentRegressor(TREE, PrivilegedLinearRegression(), cv=2),
    "generations": BornAgainClassifier(DistilledLogisticRegression(), n_generations=2),
    "network": DistilledNeuralClassifier(imitation=0.0, max_epochs=1, random_state=0),
    "network of numbers": DistilledNeuralRegressor(imitation=0.0, max_epochs=1, random_state=0),
}


@pytest.mark.parametrize("estimator", CONVERTING.values(), ids=CONVERTING)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_other_estimators_convert_tensors(estimator, dtype, dispatch):
    """Scikit-learn's trees take no tensors, networks compute on their own device."""
    rows, y = tensor(X, dtype), torch.tensor(Y)
    of_tensors = clone(estimator).fit(rows, y).predict(rows)
    assert isinstance(of_tensors, np.ndarray)
    of_arrays = clone(estimator).fit(rows.numpy(), Y).predict(rows.numpy())
    np.testing.assert_allclose(of_tensors, of_arrays)


@pytest.mark.skipif(DISPATCHES, reason="this is the separate process")
def test_the_other_tests_under_dispatch():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    run = subprocess.run(
        command,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert "was not set" not in run.stdout
