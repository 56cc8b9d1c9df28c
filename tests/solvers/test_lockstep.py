import numpy as np
import pytest
from scipy.special import expit

from sklearn_distill.solvers import DiagonalFactor, KroneckerFactor, Pairs, lbfgs_in_lockstep


class Logistic:
    """Sums of log(1 + exp(-x w)) with a penalty, of several functions with other rows."""

    def __init__(self, n_functions=4, n=60, d=8, alpha=0.01, scales=1.0):
        rng = np.random.default_rng(0)
        self.X = rng.normal(size=(n_functions, n, d)) * scales
        self.alpha = alpha
        self.n_evaluations = np.zeros(n_functions, dtype=int)

    def value_and_gradient(self, W, which):
        self.n_evaluations[which] += 1
        Z = np.einsum("fnd,fd->fn", self.X[which], W)
        values = np.logaddexp(0, -Z).mean(axis=1) + 0.5 * self.alpha * (W**2).sum(axis=1)
        R = -expit(-Z) / Z.shape[1]
        return values, np.einsum("fn,fnd->fd", R, self.X[which]) + self.alpha * W


def identity(problem):
    return DiagonalFactor(np.ones(problem.X.shape[2]))


def until(tol):
    return lambda which, W, G, steps, distances: distances <= tol


def minimise(problem, **options):
    n, _, d = problem.X.shape
    options = {"is_done": until(1e-9), "max_iter": 200, **options}
    pairs = options.pop("pairs", None) or Pairs(n, memory=10)
    factor = options.pop("factor", None) or identity(problem)
    start = options.pop("start", np.zeros((n, d)))
    return lbfgs_in_lockstep(problem, start, factor, pairs, **options)


def gradients(problem, W):
    return problem.value_and_gradient(W, np.arange(len(W)))[1]


@pytest.mark.parametrize("scales", [1.0, np.geomspace(0.1, 30, 8)], ids=["even", "uneven"])
def test_every_function_is_minimised(scales):
    problem = Logistic(scales=scales)
    progress = minimise(problem)
    assert progress.done.all()
    np.testing.assert_allclose(gradients(problem, progress.W), 0, atol=1e-7)
    values, G = problem.value_and_gradient(progress.W, np.arange(4))
    np.testing.assert_array_equal(progress.values, values)
    np.testing.assert_array_equal(progress.G, G)


def test_a_function_does_not_depend_on_the_others():
    problem, alone = Logistic(), Logistic()
    alone.X = problem.X[2:3]
    together = minimise(problem).W[2]
    np.testing.assert_allclose(minimise(alone).W[0], together, atol=1e-8)


def test_those_that_are_done_are_evaluated_no_more():
    problem = Logistic()
    start = minimise(problem).W
    start[1] += 1.0
    problem.n_evaluations[:] = 0
    progress = minimise(problem, start=start, is_done=until(1e-6))
    assert progress.n_iter > 2
    np.testing.assert_array_equal(problem.n_evaluations[[0, 2, 3]], 1)
    np.testing.assert_array_equal(progress.W[[0, 2, 3]], start[[0, 2, 3]])


def test_the_hessian_as_factor_makes_newtons_steps():
    problem = Logistic(n_functions=1, alpha=1.0)
    p = expit(problem.X[0] @ minimise(problem).W[0])
    H = problem.X[0].T @ ((p * (1 - p))[:, None] * problem.X[0]) / len(p) + np.eye(8)
    problem.n_evaluations[:] = 0
    with_hessian = minimise(problem, factor=KroneckerFactor(H)).n_iter
    assert with_hessian < minimise(problem).n_iter


def test_earlier_steps_serve_another_penalty():
    problem, pairs = Logistic(alpha=0.01), Pairs(4, memory=10)
    start = minimise(problem, pairs=pairs).W
    problem.alpha = 0.003
    pairs.add_penalty(np.full((4, 8), -0.007))
    again = minimise(problem, start=start, pairs=pairs).n_iter
    assert again < minimise(problem, start=start).n_iter


def test_it_goes_on_from_its_progress():
    problem = Logistic()
    pairs = Pairs(4, memory=10)
    progress = minimise(problem, max_iter=3, pairs=pairs)
    assert not progress.done.any()
    assert progress.n_iter == 3
    progress = minimise(problem, progress=progress, pairs=pairs)
    assert progress.done.all()
    assert progress.n_iter == minimise(problem).n_iter


def test_a_function_without_a_lower_point_stalls_alone():
    class Stuck(Logistic):
        def value_and_gradient(self, W, which):
            values, G = super().value_and_gradient(W, which)
            # a gradient that promises a decrease, which no step finds
            G[which == 1] = 1.0
            values[which == 1] = np.abs(W[which == 1]).sum(axis=1)
            return values, G

    progress = minimise(Stuck())
    np.testing.assert_array_equal(progress.done, [True, False, True, True])
    np.testing.assert_array_equal(progress.W[1], 0)


def test_values_that_are_not_finite_shorten_the_step():
    class Wall(Logistic):
        def value_and_gradient(self, W, which):
            values, G = super().value_and_gradient(W, which)
            return np.where(np.abs(W).max(axis=1) > 2.0, np.inf, values), G

    problem = Wall(alpha=0.1)
    progress = minimise(problem, factor=DiagonalFactor(np.full(8, 1e-3)))  # far too long steps
    assert progress.done.all()
    np.testing.assert_allclose(gradients(problem, progress.W), 0, atol=1e-7)
