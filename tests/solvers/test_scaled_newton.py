"""The scales of the columns cost Newton's method neither steps nor accuracy."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
from sklearn_distill.solvers import newton_cg, scaled_newton
from sklearn_distill.targets import LogPartitionTerm, SoftTargets

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 20))
Y = np.eye(3)[(X @ RNG.normal(size=(20, 3)) / 4 + RNG.gumbel(size=(200, 3))).argmax(axis=1)].T
SCALES = 10.0 ** RNG.uniform(-3, 3, 20)


class Counting(SoftTargetObjective):
    """An objective that counts its Hessian products."""

    n_products = 0

    def hessian_operator(self, w):
        product = super().hessian_operator(w)

        def counted(v):
            self.n_products += 1
            return product(v)

        return counted


def objective(columns, alpha=0.0):
    targets = SoftTargets(Y, (LogPartitionTerm(np.ones(200), 1.0),))
    design = as_design(columns, True)
    return Counting(RowSums(design, targets, np.ones(200)), alpha)


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_scales_make_no_difference(storage):
    plain, unscaled = objective(storage(X)), objective(storage(X * SCALES))
    stop = {"tol": np.inf, "distance_tol": 1e-7, "max_iter": 50}  # a gradient has the scales
    expected = scaled_newton(plain, plain.zeros(), **stop)
    solution = scaled_newton(unscaled, unscaled.zeros(), **stop)
    assert solution.converged
    assert unscaled.n_products == pytest.approx(plain.n_products, rel=0.1)
    W, W_expected = (one.w.reshape(3, -1)[:, :-1] for one in (solution, expected))
    np.testing.assert_allclose(W * SCALES, W_expected, atol=1e-6)


def test_far_fewer_products_than_without_the_scales():
    scaled, unscaled = objective(X * SCALES, 1e-3), objective(X * SCALES, 1e-3)
    scaled_newton(scaled, scaled.zeros(), tol=1e-6, max_iter=50)
    newton_cg(unscaled, unscaled.zeros(), tol=1e-6, max_iter=50)
    assert scaled.n_products < unscaled.n_products / 3


def test_a_column_of_zeros_keeps_its_weight():
    columns = np.column_stack([X, np.zeros(200)])
    without_scale = objective(columns)
    solution = scaled_newton(without_scale, without_scale.zeros(), tol=1e-8, max_iter=50)
    assert solution.converged
    assert (solution.w.reshape(3, -1)[:, 20] == 0).all()


def test_the_distance_is_not_underestimated():
    """The gradient falls by far more than the distance, where curvatures differ."""
    one = objective(X * SCALES)
    exact = scaled_newton(one, one.zeros(), tol=1e-13, distance_tol=1e-12, max_iter=100).w
    H = one.hessian(exact)
    for distance_tol in (1e-3, 1e-5, 1e-7):
        w = scaled_newton(one, one.zeros(), tol=1.0, distance_tol=distance_tol, max_iter=50).w
        assert np.sqrt((w - exact) @ H @ (w - exact)) <= distance_tol
