"""The descent in a box, on functions whose minima are known."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

from sklearn_distill.search._quasi_newton import QuadraticModel, minimise_in_box


@dataclass
class Evaluation:
    u: np.ndarray
    loss: float
    gradient: np.ndarray


def recording(value, gradient):
    path = []

    def evaluate(u):
        path.append(Evaluation(u, float(value(u)), np.asarray(gradient(u))))
        return path[-1]

    return evaluate, path


def descend(value, gradient, start, low, high, model=None, tol=1e-12, limit=200):
    evaluate, path = recording(value, gradient)
    best = minimise_in_box(
        evaluate,
        evaluate(np.array(start, dtype=float)),
        (np.array(low, dtype=float), np.array(high, dtype=float)),
        model or QuadraticModel(0.5),
        done=lambda _, predicted_gain: predicted_gain <= tol,
        max_evaluations=limit,
    )
    return best, path


A = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
B = np.array([1.0, -2.0, 3.0])


def parabola(u):
    return u @ A @ u / 2 - B @ u


def parabola_gradient(u):
    return A @ u - B


@pytest.mark.parametrize("high", [[9, 9, 9], [0.5, 9, 9], [0.5, 9, 1.5], [0, 0, 0]])
def test_a_parabola_of_known_curvature_takes_one_step(high):
    best, path = descend(
        parabola,
        parabola_gradient,
        [-1, -1, -1],
        [-5] * 3,
        high,
        QuadraticModel(100.0, A),
        tol=1e-9,
    )
    free = minimize(
        parabola, [-1] * 3, jac=parabola_gradient, bounds=[(-5, h) for h in high], tol=1e-14
    )
    np.testing.assert_allclose(best.u, free.x, atol=1e-6)
    assert len(path) == 2


def test_the_curvature_of_a_parabola_is_found():
    best, path = descend(parabola, parabola_gradient, [-1, -1, -1], [-50] * 3, [50] * 3)
    np.testing.assert_allclose(best.u, np.linalg.solve(A, B), atol=1e-5)
    assert len(path) < 25


def test_a_curved_valley():
    best, path = descend(rosen, rosen_der, [-1.2, 1], [-5, -5], [5, 5], tol=1e-14)
    np.testing.assert_allclose(best.u, [1, 1], atol=1e-5)
    assert len(path) < 80
    assert best.loss == min(point.loss for point in path)


def test_a_valley_that_leaves_the_box():
    best, _ = descend(rosen, rosen_der, [-1.2, 1], [-5, -5], [0.5, 5], tol=1e-14)
    np.testing.assert_allclose(best.u, [0.5, 0.25], atol=1e-5)


def test_every_point_is_in_the_box_and_no_step_leaves_the_trust_region():
    _, path = descend(rosen, rosen_der, [0.5, 0.5], [0.2, 0.1], [0.8, 0.9], QuadraticModel(0.05))
    points = np.array([point.u for point in path])
    assert (points >= [0.2, 0.1]).all()
    assert (points <= [0.8, 0.9]).all()
    assert np.abs(points[1] - points[0]).max() <= 0.05 + 1e-12


def test_curvature_that_is_not_positive_is_made_positive():
    model = QuadraticModel(1.0, np.diag([-2.0, 0.0]))
    assert np.linalg.eigvalsh(model.B).min() > 0
    model.update(np.array([1.0, 0.0]), np.array([-5.0, 0.0]))  # bends down
    assert np.linalg.eigvalsh(model.B).min() > 0


def test_updated_curvature_explains_the_last_step():
    model, d, y = QuadraticModel(1.0, np.eye(2)), np.array([1.0, 2.0]), np.array([3.0, 1.0])
    model.update(d, y)
    np.testing.assert_allclose(model.B @ d, y)


def test_a_poor_step_shortens_the_next_one():
    model = QuadraticModel(1.0, np.eye(2))
    model.update_radius(np.array([1.0, 0.0]), gain=-1.0, predicted=1.0, shrink=0.2)
    assert model.radius == pytest.approx(0.2)
    model.update_radius(np.array([0.2, 0.0]), gain=0.9, predicted=1.0, shrink=0.2)
    assert model.radius == pytest.approx(0.4)


def test_a_descent_ends_at_a_corner_of_the_box():
    best, path = descend(np.sum, np.ones_like, [0, 0], [0, 0], [1, 1])
    assert len(path) == 1
    np.testing.assert_array_equal(best.u, [0, 0])


def test_a_point_without_a_gradient_ends_the_descent():
    best, path = descend(np.sum, lambda u: np.full_like(u, np.nan), [0.5], [0], [1])
    assert len(path) == 1
    np.testing.assert_array_equal(best.u, [0.5])


def test_a_trial_without_a_gradient_does_not_change_the_model():
    def gradient(u):
        return rosen_der(u) if u[0] < 0.9 else np.full(2, np.nan)

    best, path = descend(rosen, gradient, [0.5, 0.5], [0, 0], [2, 2], limit=50)
    assert best.loss <= path[0].loss
