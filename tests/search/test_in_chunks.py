"""Searches on an X in chunks: a Dask array, or a large file of integers."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.search import DistilledLogisticRegressionCV
from sklearn_distill.students import _chunks
from tests.search.problems import make_problem

PARAMS = {
    "descent": {},
    "newton-cg": {"solver": "newton-cg", "max_evaluations": 3},
    "balanced": {"metaparameters": ("imitation",), "class_weight": "balanced"},
    "average": {"metaparameters": ("imitation",), "refit": False},
    "grid": {"metaparameters": "C", "method": "grid", "grid": 3},
    "float32": {"metaparameters": ("imitation",), "tol": 1e-5},
}


def in_chunks(X, sizes=((40, 15, 35), (4,))):
    return pytest.importorskip("dask.array").from_array(X, chunks=sizes)


def search(**params):
    params = {"cv": 3, "tol": 1e-7, "max_iter": 1000, **params}
    return DistilledLogisticRegressionCV(**params)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("name", PARAMS)
def test_a_dask_array_is_an_array(K, name):
    X, y, logits, weight = make_problem(K, n=90, d=4)
    weight[:5] = 0
    if name == "float32":
        X = X.astype(np.float32)
    expected = search(**PARAMS[name]).fit(X, y, weight, teacher_logits=logits)
    found = search(**PARAMS[name]).fit(in_chunks(X), y, weight, teacher_logits=logits)
    tol = 1e-5 if name == "float32" else 1e-6
    assert found.best_score_ == pytest.approx(expected.best_score_, abs=tol)
    np.testing.assert_allclose(found.predict_proba(X), expected.predict_proba(X), atol=100 * tol)
    assert found.coef_.dtype == X.dtype
    assert (found.path_["passes"] > 0).all()
    np.testing.assert_allclose(
        np.asarray(found.predict_proba(in_chunks(X))), found.predict_proba(X), atol=1e-6
    )


def test_labels_and_predictions_in_chunks():
    X, y, logits, weight = make_problem(3, n=90, d=4)
    params = {"metaparameters": ("imitation",)}
    expected = search(**params).fit(X, y, weight, teacher_logits=logits)
    found = search(**params).fit(
        in_chunks(X),
        in_chunks(y, (30,)),
        in_chunks(weight, (45,)),
        teacher_logits=in_chunks(logits, (50, -1, -1)),
    )
    assert found.imitation_ == pytest.approx(expected.imitation_, abs=1e-4)


def test_a_splitter_that_permutes_the_validation_rows():
    X, y, logits, weight = make_problem(3, n=90, d=4)
    y = np.where(np.isnan(y), 0.0, y)
    rng = np.random.default_rng(0)
    order = rng.permutation(90)
    folds = [(order[30:], order[:30]), (order[:60], order[60:])]
    params = {"metaparameters": ("imitation",), "cv": folds}
    expected = search(**params).fit(X, y, weight, teacher_logits=logits)
    found = search(**params).fit(in_chunks(X), y, weight, teacher_logits=logits)
    assert found.best_score_ == pytest.approx(expected.best_score_, abs=1e-6)


def test_sparse_chunks():
    da = pytest.importorskip("dask.array")
    X, y, logits, weight = make_problem(2, n=90, d=4)
    X[np.abs(X) < 0.5] = 0
    blocks = da.from_array(X, chunks=(30, -1)).map_blocks(sparse.csr_array)
    params = {"metaparameters": ("imitation",)}
    expected = search(**params).fit(X, y, weight, teacher_logits=logits)
    found = search(**params).fit(blocks, y, weight, teacher_logits=logits)
    assert found.best_score_ == pytest.approx(expected.best_score_, abs=1e-6)


def test_a_file_of_integers(tmp_path, monkeypatch):
    monkeypatch.setattr(_chunks, "MIN_CHUNKED_BYTES", 0)
    monkeypatch.setattr(_chunks, "CHUNK_BYTES", 200)
    X, y, logits, weight = make_problem(2, n=90, d=4)
    np.save(tmp_path / "X.npy", np.round(3 * X).astype(np.int16))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    params = {"metaparameters": ("imitation",)}
    found = search(**params).fit(X, y, weight, teacher_logits=logits)
    expected = search(**params).fit(np.array(X), y, weight, teacher_logits=logits)
    assert found.best_score_ == pytest.approx(expected.best_score_, abs=1e-6)
    assert found.coef_.dtype == np.float64


def test_an_error_says_where_the_rows_are():
    X, y, logits, weight = make_problem(2, n=90, d=4)
    X[60] = np.nan
    with pytest.raises(ValueError, match="from row 55 of X"):
        search().fit(in_chunks(X), y, weight, teacher_logits=logits)


def test_a_scorer_is_given_rows():
    X, y, logits, weight = make_problem(2, n=90, d=4)
    params = {"method": "grid", "grid": 2, "metaparameters": "C", "scoring": "accuracy"}
    expected = search(**params).fit(X, y, weight, teacher_logits=logits).scores_
    found = search(**params).fit(in_chunks(X), y, weight, teacher_logits=logits).scores_
    np.testing.assert_allclose(found, expected)
