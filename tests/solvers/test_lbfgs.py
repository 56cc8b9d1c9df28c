import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from sklearn_distill.solvers import KroneckerFactor, lbfgs
from sklearn_distill.solvers._line_search import line_search


class Quadratic:
    def __init__(self, condition=1e6, n=30):
        rng = np.random.default_rng(0)
        Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
        self.H = Q @ np.diag(np.geomspace(1, condition, n)) @ Q.T
        self.b = rng.normal(size=n)
        self.n_evaluations = 0

    def value_and_gradient(self, w):
        self.n_evaluations += 1
        return float(0.5 * w @ self.H @ w - self.b @ w), self.H @ w - self.b


class Rosenbrock:
    def value_and_gradient(self, w):
        return rosen(w), rosen_der(w)


def identity(v):
    return v


def test_exact_preconditioner_is_newtons_step():
    problem = Quadratic()
    solution = lbfgs(problem, np.zeros(30), KroneckerFactor(problem.H).solve, tol=1e-8, max_iter=10)
    assert solution.converged
    assert solution.n_iter <= 2
    np.testing.assert_allclose(solution.w, np.linalg.solve(problem.H, problem.b), atol=1e-9)


def test_good_preconditioner_needs_few_steps():
    problem = Quadratic()
    L = np.linalg.cholesky(problem.H)
    E = np.random.default_rng(1).normal(size=(30, 30)) / 30
    near = L @ (np.eye(30) + 0.5 * (E + E.T)) @ L.T
    good = lbfgs(problem, np.zeros(30), KroneckerFactor(near).solve, tol=1e-6, max_iter=500)
    none = lbfgs(problem, np.zeros(30), identity, tol=1e-6, max_iter=500)
    assert good.converged
    assert good.n_iter < 0.2 * none.n_iter


def test_without_a_preconditioner_it_is_lbfgs():
    solution = lbfgs(Rosenbrock(), np.array([-1.2, 1.0, 1.0]), identity, tol=1e-8, max_iter=200)
    assert solution.converged
    np.testing.assert_allclose(solution.w, 1, atol=1e-7)


def test_max_iter_is_reported_as_not_converged():
    solution = lbfgs(Rosenbrock(), np.array([-1.2, 1.0]), identity, tol=1e-9, max_iter=3)
    assert (solution.converged, solution.n_iter) == (False, 3)


def test_a_tolerance_below_rounding_ends():
    problem = Quadratic(1e3)
    solution = lbfgs(
        problem, np.zeros(30), KroneckerFactor(problem.H).solve, tol=1e-30, max_iter=10_000
    )
    assert not solution.converged
    assert problem.n_evaluations < 200


def test_progress_is_called_after_each_step():
    calls = []
    solution = lbfgs(
        Rosenbrock(),
        np.array([-1.2, 1.0]),
        identity,
        tol=1e-8,
        max_iter=100,
        progress=lambda *step: calls.append(step),
    )
    assert [step[0] for step in calls] == list(range(1, solution.n_iter + 1))
    assert calls[-1][1:] == (solution.value, solution.gradient_norm)


class TestLineSearch:
    def test_finds_a_wolfe_point_from_short_and_long_steps(self):
        w = np.array([-1.2, 1.0])
        for length in (1e-6, 1.0, 1e3):
            value, gradient = rosen(w), rosen_der(w)
            direction = -length * gradient
            point, new_value, new_gradient = line_search(
                Rosenbrock(), w, direction, value, gradient
            )
            slope = gradient @ direction
            assert new_value < value
            assert new_gradient @ direction >= 0.9 * slope
            np.testing.assert_array_equal(new_gradient, rosen_der(point))

    def test_a_direction_that_does_not_descend(self):
        w = np.array([-1.2, 1.0])
        for direction in (rosen_der(w), np.zeros(2), np.full(2, np.nan)):
            assert line_search(Rosenbrock(), w, direction, rosen(w), rosen_der(w)) is None


class TestFactor:
    def test_solves_for_every_part(self):
        rng = np.random.default_rng(0)
        B = rng.normal(size=(10, 4))
        A = B.T @ B
        v = rng.normal(size=12)
        expected = np.linalg.solve(A, v.reshape(3, 4).T).T.ravel()
        np.testing.assert_allclose(KroneckerFactor(A).solve(v), expected, rtol=1e-6)

    def test_scales_do_not_matter(self):
        scale = np.geomspace(1e-12, 1e12, 4)
        v = np.ones(4)
        actual = KroneckerFactor(np.diag(scale)).solve(v)
        np.testing.assert_allclose(actual, v / scale, rtol=1e-6)

    def test_constant_and_zero_columns(self):
        X = np.column_stack([np.arange(5.0), np.ones(5), np.ones(5), np.zeros(5)])
        assert np.isfinite(KroneckerFactor(X.T @ X).solve(np.ones(4))).all()

    @pytest.mark.parametrize("A", [-np.eye(2), np.full((2, 2), np.nan), [[1.0, 2.0], [2.0, 1.0]]])
    def test_a_matrix_without_a_factor(self, A):
        with pytest.raises(np.linalg.LinAlgError):
            KroneckerFactor(np.array(A))
