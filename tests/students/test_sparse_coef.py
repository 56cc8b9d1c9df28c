"""Coefficients in sparse format, as those of scikit-learn's linear classifiers may be."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5))
X[:, 3:] = 0.0
Y3 = np.digitize(X[:, 0] + RNG.normal(size=60), [-0.5, 0.5])
STUDENTS = [
    DistilledLogisticRegression(imitation=0.0),
    DistilledLogisticRegressionCV("C", imitation=0.0, cv=2, max_evaluations=3),
]


@pytest.fixture(params=STUDENTS, ids=lambda student: type(student).__name__)
def student(request):
    return clone(request.param)


@pytest.mark.filterwarnings("ignore:.*max_evaluations")
@pytest.mark.parametrize("y", [Y3, Y3 > 0], ids=["three classes", "two"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, sparse.csc_array])
def test_predictions_are_the_same(student, y, container):
    student.fit(X, y)
    dense, before = student.coef_, student.predict_proba(X)
    assert student.sparsify() is student
    assert sparse.issparse(student.coef_)
    assert student.coef_.nnz < dense.size  # two features are constant
    for fitted in (student, pickle.loads(pickle.dumps(student)), student.to_sklearn()):
        assert_allclose(fitted.predict_proba(container(X)), before, rtol=1e-12)
    assert_array_equal(student.densify().coef_, dense)
    assert student.densify() is student


def test_sparse_coefficients_start_a_warm_start():
    student = DistilledLogisticRegression(imitation=0.0, warm_start=True).fit(X, Y3).sparsify()
    assert student.fit(X, Y3).n_iter_ == 0
    assert isinstance(student.coef_, np.ndarray)


def test_meta_estimators_pass_sparse_coefficients_on():
    model = BornAgainClassifier(STUDENTS[0], n_generations=1).fit(X, Y3)
    model.estimator_.sparsify()
    assert sparse.issparse(model.coef_)


def test_an_unfitted_student_has_no_coefficients():
    with pytest.raises(NotFittedError):
        DistilledLogisticRegression().sparsify()
    with pytest.raises(NotFittedError):
        DistilledLogisticRegression().densify()


def test_a_tensor_is_refused():
    torch = pytest.importorskip("torch")
    student = DistilledLogisticRegression(imitation=0.0).fit(X, Y3)
    student.coef_ = torch.asarray(student.coef_)  # as a fit under array_api_dispatch leaves it
    with pytest.raises(TypeError, match="torch tensor"):
        student.sparsify()
