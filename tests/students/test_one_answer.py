"""The answer is the minimum, at the default tol, whatever representation, scale and precision."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.losses import SoftTargetObjective


def data(n_classes, d, *, scaled, n=300):
    rng = np.random.default_rng(n_classes + d)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < 0.5)
    logits = X @ rng.normal(size=(d, n_classes))
    y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    y[:n_classes] = range(n_classes)
    if not scaled:
        X = X * 10.0 ** rng.uniform(-2, 2, d)
    return X, y, rng.integers(1, 4, n)


# a sparse X of 130 columns is not made dense
@pytest.mark.parametrize(
    ("n_classes", "d", "scaled"),
    [
        (2, 6, True),
        (5, 6, True),
        (10, 6, False),
        (2, 6, False),
        (2, 130, True),
        (5, 130, True),
        (2, 130, False),
        (5, 130, False),
    ],
)
@pytest.mark.parametrize("C", [1.0, 100.0, 1e4])
def test_dense_sparse_weighted_and_repeated_rows_agree(n_classes, d, scaled, C):
    X, y, n_copies = data(n_classes, d, scaled=scaled)
    student = DistilledLogisticRegression(imitation=0, C=C)
    expected = student.fit(X, y, n_copies).predict_proba(X)
    X_copies, y_copies = np.repeat(X, n_copies, axis=0), np.repeat(y, n_copies)
    for fit_args in (
        (sparse.csr_array(X), y, n_copies),
        (sparse.csc_array(X), y, n_copies),
        (X_copies, y_copies),
        (sparse.csr_array(X_copies), y_copies),
        (X[::-1], y[::-1], n_copies[::-1]),
    ):
        proba = student.fit(*fit_args).predict_proba(X)
        np.testing.assert_allclose(proba, expected, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("C", [1.0, 1e4])
def test_the_default_tolerance_reaches_the_minimum(n_classes, C):
    X, y, _ = data(n_classes, 12, scaled=True)
    proba = DistilledLogisticRegression(imitation=0, C=C).fit(X, y).predict_proba(X)
    exact = LogisticRegression(C=C, tol=1e-12, solver="newton-cholesky").fit(X, y)
    np.testing.assert_allclose(proba, exact.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("C", [1.0, 100.0])
def test_float32_ends_where_rounding_hides_further_progress(C):
    """Unscaled: the gradient's rounding error is above tol."""
    X, y = load_breast_cancer(return_X_y=True)
    student = DistilledLogisticRegression(imitation=0, C=C, max_iter=1000)
    expected = student.fit(X, y).predict_log_proba(X)[np.arange(len(y)), y].mean()
    student.fit(X.astype(np.float32), y)
    assert student.n_iter_[0] < 100
    log_proba = student.predict_log_proba(X.astype(np.float32))[np.arange(len(y)), y].mean()
    assert log_proba == pytest.approx(expected, rel=1e-3)  # of coefficients rounded to float32


def test_a_small_gradient_far_from_the_minimum_is_not_the_end():
    X, y, _ = data(2, 6, scaled=True)
    student = DistilledLogisticRegression(imitation=0).fit(X, y)
    student.set_params(max_iter=int(student.n_iter_[0]) - 1)
    with pytest.warns(ConvergenceWarning, match="before the probabilities were as near"):
        student.fit(X, y)


def test_without_a_penalty_more_iterations_are_never_worse():
    """Repeated rows: weights of the null space grow until the objective is a rounding error."""
    rng = np.random.default_rng(5193)
    n_classes, n = int(rng.choice([2, 3, 4, 6])), int(rng.integers(4, 60))
    d, _ = int(rng.choice([5, 10, 20, 30])), rng.choice(4)
    X = rng.normal(size=(n, d))
    X = X[rng.integers(0, max(2, n // 3), n)]
    y = rng.permutation(np.arange(n) % n_classes)
    losses = []
    for max_iter in (30, 200):
        student = DistilledLogisticRegression(imitation=0, C=np.inf, tol=1e-10, max_iter=max_iter)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            student.fit(X, y)
        losses.append(-student.predict_log_proba(X)[np.arange(n), y].mean())
    assert losses[1] <= losses[0] + 1e-6
    assert losses[1] <= np.log(n_classes) + 1e-6


@pytest.mark.parametrize("n_classes", [2, 3])
def test_wide_data_need_no_gram_matrix_of_the_columns(n_classes, monkeypatch):
    hessian_at_zero = SoftTargetObjective.hessian_at_zero

    def small(self):
        assert self.n_columns <= 60
        return hessian_at_zero(self)

    monkeypatch.setattr(SoftTargetObjective, "hessian_at_zero", small)
    X = np.random.default_rng(0).normal(size=(60, 4000))
    student = DistilledLogisticRegression(imitation=0).fit(X, np.arange(60) % n_classes)
    assert student.solver_ == "row-space"
    expected = LogisticRegression(tol=1e-10).fit(X, np.arange(60) % n_classes)
    np.testing.assert_allclose(student.predict_proba(X), expected.predict_proba(X), atol=1e-6)
