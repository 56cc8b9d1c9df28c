import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der, rosen_hess

from sklearn_distill.solvers import newton_cg


class Rosenbrock:
    def value_and_gradient(self, w):
        return rosen(w), rosen_der(w)

    def hessian_operator(self, w):
        H = rosen_hess(w)
        return lambda v: H @ v


class Quadratic:
    def __init__(self, condition, n=30):
        rng = np.random.default_rng(0)
        Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
        self.H = Q @ np.diag(np.geomspace(1, condition, n)) @ Q.T
        self.b = rng.normal(size=n)

    def value_and_gradient(self, w):
        return float(0.5 * w @ self.H @ w - self.b @ w), self.H @ w - self.b

    def hessian_operator(self, w):
        return lambda v: self.H @ v


class Saddle:
    """w₀² − w₁² + w₁⁴: indefinite at the start, minima at w₁ = ±1/√2."""

    def value_and_gradient(self, w):
        return float(w[0] ** 2 - w[1] ** 2 + w[1] ** 4), np.array(
            [2 * w[0], -2 * w[1] + 4 * w[1] ** 3]
        )

    def hessian_operator(self, w):
        return lambda v: np.array([2, -2 + 12 * w[1] ** 2]) * v


class Flat:
    """Bounded below but without a minimiser: log(1 + exp(-w))."""

    def value_and_gradient(self, w):
        e = np.exp(-w[0])
        return float(np.log1p(e)), np.array([-e / (1 + e)])

    def hessian_operator(self, w):
        e = np.exp(-w[0])
        return lambda v: e / (1 + e) ** 2 * v


@pytest.mark.parametrize("start", [[-1.2, 1.0], [3.0, -4.0], [0.0, 0.0, 0.0, 5.0]])
def test_rosenbrock(start):
    solution = newton_cg(Rosenbrock(), np.array(start), tol=1e-9, max_iter=200)
    assert solution.converged
    np.testing.assert_allclose(solution.w, 1, atol=1e-7)


@pytest.mark.parametrize("condition", [1, 1e2, 1e4])
def test_quadratic(condition):
    problem = Quadratic(condition)
    # wᵀHw is rounded by so much of it, in another way on each processor
    precision = condition * np.finfo(np.float64).eps
    solution = newton_cg(problem, np.zeros(30), tol=1e-8, max_iter=50, precision=precision)
    assert solution.converged
    expected = np.linalg.solve(problem.H, problem.b)
    np.testing.assert_allclose(solution.w, expected, atol=1e-6)


def test_leaves_a_saddle_for_a_minimum():
    solution = newton_cg(Saddle(), np.array([1.0, 1e-3]), tol=1e-9, max_iter=100)
    np.testing.assert_allclose(np.abs(solution.w), [0, np.sqrt(0.5)], atol=1e-7)


def test_never_goes_up():
    values = []
    newton_cg(
        Rosenbrock(),
        np.array([-1.2, 1.0]),
        tol=1e-9,
        max_iter=200,
        progress=lambda n_iter, value, gradient_norm: values.append(value),
    )
    assert (np.diff(values) <= 0).all()


def test_max_iter_is_reported_as_not_converged():
    solution = newton_cg(Rosenbrock(), np.array([-1.2, 1.0]), tol=1e-9, max_iter=3)
    assert not solution.converged
    assert solution.n_iter == 3
    assert solution.gradient_norm == np.abs(rosen_der(solution.w)).max()


def test_a_tolerance_below_rounding_ends():
    solution = newton_cg(Quadratic(1e4), np.zeros(30), tol=1e-30, max_iter=1000)
    assert not solution.converged
    assert solution.n_iter < 50


def test_no_minimiser_still_ends():
    solution = newton_cg(Flat(), np.zeros(1), tol=1e-8, max_iter=100)
    assert solution.converged


def test_starts_at_the_solution():
    solution = newton_cg(Rosenbrock(), np.ones(3), tol=1e-9, max_iter=10)
    assert solution.converged
    assert solution.n_iter == 0


def test_agrees_with_scipy():
    problem = Rosenbrock()
    expected = minimize(rosen, [0.5, 2.0], jac=rosen_der, method="L-BFGS-B", tol=1e-14)
    solution = newton_cg(problem, np.array([0.5, 2.0]), tol=1e-9, max_iter=100)
    np.testing.assert_allclose(solution.w, expected.x, atol=1e-5)
