"""A student fitted on chunks of rows is the student fitted on all rows at once."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    PrivilegedLinearRegression,
)
from sklearn_distill.students import _chunks

da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)
N, D = 3000, 6
X = RNG.normal(size=(N, D))
SCORES = X @ RNG.normal(size=(D, 4))
PROBA = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
Y = np.array(list("abcd"))[[RNG.choice(4, p=p) for p in PROBA]]
WITHOUT_PREDICTION = np.arange(N) % 3 == 0
WEIGHT = RNG.uniform(0.0, 2.0, N)


def as_dask(values):
    return None if values is None else da.from_array(values, chunks=700)


@pytest.fixture
def on_disk(tmp_path, monkeypatch):
    """Return X as a memory map that is read in chunks of 500 rows."""
    monkeypatch.setattr(_chunks, "MIN_CHUNKED_BYTES", 0)
    monkeypatch.setattr(_chunks, "CHUNK_BYTES", 500 * D * 8)
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", shape=X.shape)
    mapped[:] = X
    return mapped


def labels_and_teacher(n_classes):
    """Return labels and a teacher's probabilities, some of each missing."""
    proba = PROBA if n_classes == 4 else PROBA[:, :2] / PROBA[:, :2].sum(axis=1, keepdims=True)
    of_two = np.where(np.random.default_rng(1).random(N) < proba[:, 1], "b", "a")
    y = (Y if n_classes == 4 else of_two).astype(object)
    y[1::3] = None
    return y, np.where(WITHOUT_PREDICTION[:, None], np.nan, proba)


PARAMS = {
    "plain": {},
    "temperature": {"temperature": 2.5, "C": 0.01},
    "T²": {"temperature": 2.5, "t_squared": True, "fit_intercept": False},
    "balanced": {"class_weight": "balanced"},
    "weights of classes": {"class_weight": {"a": 3.0}},
    "regularizer": {"regularizer": "grabovoy", "C": 0.01},
    "newton": {"solver": "newton-cg", "temperature": 1.5},
}


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_the_same_student(params, n_classes, on_disk):
    y, proba = labels_and_teacher(n_classes)
    expected = DistilledLogisticRegression(tol=1e-8, **params)
    expected.fit(X, y, WEIGHT, teacher_proba=proba)
    chunked = DistilledLogisticRegression(tol=1e-8, **params)
    for rows, values in ((da.from_array(X, chunks=(900, 4)), as_dask), (on_disk, lambda v: v)):
        chunked.fit(rows, values(y), values(WEIGHT), teacher_proba=values(proba))
        np.testing.assert_allclose(chunked.coef_, expected.coef_, atol=1e-7)
        np.testing.assert_allclose(chunked.intercept_, expected.intercept_, atol=1e-7)
        assert chunked.n_taught_rows_ == expected.n_taught_rows_
        assert chunked.classes_.tolist() == expected.classes_.tolist()
        assert chunked.n_features_in_ == D
        # the data is small, and in memory is fitted as such
        in_chunks = {"newton-cholesky": "lbfgs"}.get(expected.solver_, expected.solver_)
        assert chunked.solver_ == in_chunks


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_precision_is_kept(dtype):
    rows = (10 * X).astype(dtype)
    expected = DistilledLogisticRegression().fit(rows, Y, teacher_proba=PROBA)
    chunked = DistilledLogisticRegression().fit(
        da.from_array(rows, chunks=500), Y, teacher_proba=PROBA
    )
    assert chunked.coef_.dtype == expected.coef_.dtype
    np.testing.assert_allclose(chunked.coef_, expected.coef_, rtol=1e-3)


def test_sparse_chunks_and_named_columns():
    """Labels come from the names of the teacher's columns where y has none."""
    rows = sparse.random(N, 40, density=0.1, format="csr", random_state=0)
    teacher = pd.DataFrame(PROBA, columns=list("dcba"))
    expected = DistilledLogisticRegression(tol=1e-8).fit(rows, teacher_proba=teacher)
    parts = [rows[i : i + 1000] for i in range(0, N, 1000)]
    delayed = [da.from_delayed(_delayed(part), part.shape, dtype=float) for part in parts]
    chunked = DistilledLogisticRegression(tol=1e-8)
    chunked.fit(da.concatenate(delayed), teacher_proba=teacher)
    assert chunked.classes_.tolist() == list("abcd")
    np.testing.assert_allclose(chunked.coef_, expected.coef_, atol=1e-6)


def _delayed(value):
    from dask import delayed

    return delayed(lambda: value)()


@pytest.mark.parametrize("n_outputs", [None, 2])
@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
@pytest.mark.parametrize("scale", [1.0, 1e5])
def test_the_same_regression(on_disk, n_outputs, solver, scale):
    """Also where the condition number requires refinement, or QR factorisations."""
    columns = scale ** np.linspace(0, 1, D)
    t = SCORES[:, 0] if n_outputs is None else SCORES[:, :n_outputs]
    y = t + RNG.normal(size=t.shape)
    y[::5], s = np.nan, t + 0.3 * RNG.normal(size=t.shape)
    s[1::5] = np.nan
    options = {"noise_variance": 1.0, "teacher_noise_variance": 0.3, "solver": solver}
    on_disk *= columns
    expected = PrivilegedLinearRegression(**options).fit(
        np.array(on_disk), y, WEIGHT, teacher_prediction=s
    )
    chunked = PrivilegedLinearRegression(**options)
    for rows, values in ((as_dask(np.array(on_disk)), as_dask), (on_disk, lambda v: v)):
        chunked.fit(rows, values(y), values(WEIGHT), teacher_prediction=values(s))
        np.testing.assert_allclose(
            chunked.coef_ * columns, expected.coef_ * columns, rtol=1e-9, atol=1e-10
        )
        np.testing.assert_allclose(chunked.coef_covariance_, expected.coef_covariance_, rtol=1e-6)
        assert chunked.n_taught_rows_ == expected.n_taught_rows_


@pytest.mark.parametrize("known", [False, True])
def test_standard_deviations_and_several_teachers_of_a_regression(on_disk, known):
    t = SCORES[:, 0]
    y = t + RNG.normal(size=N)
    y[::5] = np.nan
    teachers = (t[:, None] + RNG.normal(size=(N, 3)))[:, :, None]
    teachers[::4, 1], teachers[1::5] = np.nan, np.nan
    std = np.where(np.arange(N) % 5 == 1, np.nan, np.exp(RNG.normal(size=N)))
    options = {"noise_variance": 1.0, "teacher_noise_variance": 0.3} if known else {}
    expected = PrivilegedLinearRegression(**options)
    expected.fit(np.array(on_disk), y, WEIGHT, teacher_prediction=teachers, teacher_std=std)
    chunked = PrivilegedLinearRegression(**options)
    for X, values in ((as_dask(np.array(on_disk)), as_dask), (on_disk, lambda v: v)):
        teacher = {"teacher_prediction": values(teachers), "teacher_std": values(std)}
        chunked.fit(X, values(y), values(WEIGHT), **teacher)
        np.testing.assert_allclose(chunked.coef_, expected.coef_, rtol=1e-8)
        np.testing.assert_allclose(
            chunked.teacher_noise_variance_, expected.teacher_noise_variance_, rtol=1e-8
        )
    std[7] = -1
    with pytest.raises(ValueError, match=r"teacher_std: row \d is -1"):
        chunked.fit(on_disk, y, teacher_prediction=teachers, teacher_std=std)


def test_predictions_of_a_dask_array_are_lazy():
    student = DistilledLogisticRegression().fit(X, Y, teacher_proba=PROBA)
    regression = PrivilegedLinearRegression(imitation=0).fit(X, SCORES[:, 0] + RNG.normal(size=N))
    rows = da.from_array(X, chunks=(900, 4))
    for predict in (
        student.predict,
        student.predict_proba,
        student.predict_log_proba,
        student.decision_function,
        regression.predict,
        lambda rows: regression.predict(rows, return_std=True)[1],
    ):
        predictions, expected = predict(rows), predict(X)
        assert isinstance(predictions, da.Array)
        assert (predictions.shape, predictions.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_array_equal(predictions.compute(), expected)


def broken(values, row, value):
    values = values.copy()
    values[row] = value
    return values


DASK = da.from_array(X, chunks=900)
ERRORS = {
    "length": (DASK, {"y": Y[1:]}, r"y has shape \(2999,\), X has 3000 rows"),
    "columns": (DASK, {"y": Y, "teacher_proba": PROBA[:, :3]}, "teacher_proba has 3 columns"),
    "X": (as_dask(broken(X, 2000, np.nan)), {"y": Y}, r"X contains NaN.*from row 1400 of X"),
    "label": (
        DASK,
        {"y": broken(Y.astype(object), 1000, None)},
        r"row 100 has neither.*from row 900 of X",
    ),
    "teacher": (
        DASK,
        {"y": Y, "teacher_proba": broken(PROBA, 1000, 1.0)},
        r"teacher_proba: row 100 .*from row 900 of X",
    ),
    "one class": (DASK, {"y": np.full(N, "a")}, "only one class: 'a'"),
    "no classes": (DASK, {"teacher_proba": PROBA}, "pass classes"),
    "weights": (DASK, {"y": Y, "sample_weight": np.zeros(N)}, "leave no row any weight"),
    "no rows": (DASK[:0], {"y": Y[:0]}, "0 sample"),
    "flat": (DASK[:, 0], {"y": Y}, "Expected 2D array"),
    "unknown length": (DASK[DASK[:, 0] > 0], {"y": Y}, "compute_chunk_sizes"),
}


@pytest.mark.parametrize(("rows", "fit_params", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(rows, fit_params, message):
    student = DistilledLogisticRegression()
    with pytest.raises(ValueError, match=message):
        student.fit(rows, **fit_params)
    assert vars(student) == vars(DistilledLogisticRegression())


def test_errors_of_regression():
    student = PrivilegedLinearRegression(imitation=0)
    with pytest.raises(ValueError, match="both are None"):
        student.fit(DASK)
    with pytest.raises(ValueError, match=r"row 100 has neither.*from row 900"):
        student.fit(DASK, broken(SCORES[:, 0], 1000, np.nan))
    assert vars(student) == vars(PrivilegedLinearRegression(imitation=0))


def test_dask_labels_need_a_dask_X(on_disk):
    with pytest.raises(TypeError, match="y is a Dask array and X a memmap: pass both"):
        DistilledLogisticRegression(imitation=0).fit(on_disk, as_dask(Y))


def test_zero_weights_in_a_chunk_are_rows_left_out():
    weight = np.where(np.arange(N) < 900, 0.0, 1.0)
    student = DistilledLogisticRegression(tol=1e-8)
    student.fit(DASK, Y, weight, teacher_proba=PROBA)
    expected = DistilledLogisticRegression(tol=1e-8)
    expected.fit(X[900:], Y[900:], teacher_proba=PROBA[900:])
    np.testing.assert_allclose(student.coef_, expected.coef_, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("params", [{}, {"fit_intercept": False}, {"regularizer": "grabovoy"}])
@pytest.mark.parametrize("of", ["labels", "teacher", "weights", "both"])
def test_one_class_has_all_the_mass(on_disk, n_classes, params, of):
    classes = np.arange(n_classes)
    y, proba = np.zeros(N, int), np.tile(np.eye(n_classes)[0], (N, 1))
    given = {"y": y, "teacher_proba": proba}
    if of in ("labels", "teacher"):
        given.pop({"labels": "teacher_proba", "teacher": "y"}[of])
    if of == "weights":
        given = {"y": np.arange(N) % 2, "sample_weight": (np.arange(N) % 2 == 0).astype(float)}
    options = {"classes": classes, "imitation": 0.5 if "teacher_proba" in given else 0} | params
    expected = DistilledLogisticRegression(**options).fit(X, **given)
    for rows in (DASK, on_disk):
        student = DistilledLogisticRegression(**options).fit(rows, **given)
        np.testing.assert_array_equal(student.coef_, expected.coef_)
        np.testing.assert_array_equal(student.intercept_, expected.intercept_)
        assert student.predict_proba(X[:2])[:, 0].tolist() == [1, 1]


def test_weights_that_are_all_zero_are_an_error(on_disk):
    for rows, weight in (
        (DASK, np.zeros(N)),
        (DASK, da.zeros(N, chunks=700)),
        (on_disk, np.zeros(N)),
    ):
        with pytest.raises(ValueError, match="leave no row any weight"):
            DistilledLogisticRegression().fit(rows, Y, weight, teacher_proba=PROBA)
        with pytest.raises(ValueError, match="Sample weights must contain at least one non-zero"):
            PrivilegedLinearRegression().fit(rows, X[:, 0], weight, teacher_prediction=X[:, 1])


def test_chunks_that_a_filter_leaves_empty():
    mask = (X[:, 0] > 0) & (np.arange(N) >= 1200)  # of two chunks no row is left
    as_mask, nothing = da.from_array(mask, chunks=700), da.zeros(N, chunks=700, dtype=bool)
    rows, y = da.from_array(X, chunks=(700, -1))[as_mask], as_dask(Y)[as_mask]
    student = DistilledLogisticRegression().fit(X, Y, teacher_proba=PROBA)
    noisy = RNG.normal(size=(2, N)) + X[:, 0]
    regression = PrivilegedLinearRegression().fit(X, noisy[0], teacher_prediction=noisy[1])
    predictions = [
        (student.predict_proba(rows), student.predict_proba(X[mask])),
        (student.predict(rows), student.predict(X[mask])),
        *zip(
            regression.predict(rows, return_std=True),
            regression.predict(X[mask], return_std=True),
            strict=True,
        ),
    ]
    for lazy, expected in predictions:
        np.testing.assert_array_equal(lazy.compute(), expected)
    none_left = da.from_array(X, chunks=(700, -1))[nothing]
    assert student.predict_proba(none_left).compute().shape == (0, 4)
    assert regression.predict(none_left).compute().shape == (0,)
    known = rows.compute_chunk_sizes()
    with pytest.raises(ValueError, match=r"y has chunks of unknown length: call compute_chunk_s"):
        student.fit(known, y, teacher_proba=PROBA[mask])
    student.fit(known, y.compute_chunk_sizes(), teacher_proba=PROBA[mask])
    expected = DistilledLogisticRegression().fit(X[mask], Y[mask], teacher_proba=PROBA[mask])
    np.testing.assert_allclose(student.coef_, expected.coef_, atol=1e-6)


def test_a_small_memory_map_is_an_array(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", shape=X.shape)
    mapped[:] = X
    assert not _chunks.is_chunked(mapped)
    assert _chunks.is_chunked(DASK)


@pytest.mark.parametrize(
    "params", [{}, {"method": "grid", "grid": 2, "scoring": "accuracy"}], ids=["loss", "scorer"]
)
def test_a_search_in_chunks_is_that_on_an_array(on_disk, params):
    options = {"cv": 3, "metaparameters": ("imitation",), "tol": 1e-7, **params}
    expected = DistilledLogisticRegressionCV(**options).fit(X, Y, teacher_proba=PROBA)
    for rows in (DASK, on_disk):
        search = DistilledLogisticRegressionCV(**options).fit(rows, Y, teacher_proba=PROBA)
        np.testing.assert_allclose(search.coef_, expected.coef_, atol=1e-5)
        assert search.best_score_ == pytest.approx(expected.best_score_, abs=1e-6)
    with pytest.raises(ValueError, match="X contains NaN"):
        search.fit(broken(on_disk, 2000, np.nan), Y, teacher_proba=PROBA)
