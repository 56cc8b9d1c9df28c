"""The paper's fourth term."""

import numpy as np
import pytest

from sklearn_distill.losses.regularizers import Grabovoy
from tests.losses.regularizers.test_regularizers import (
    scores,
    smallest_eigenvalue,
    softmax_hessian,
)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_value_is_minus_the_fourth_term(n_classes: int) -> None:
    u = scores(n_classes) / 4
    log_g = np.log(np.exp(u) / np.exp(u).sum(axis=0))
    fourth_term = (log_g + np.log(-log_g)).sum(axis=0)
    np.testing.assert_allclose(Grabovoy().value(u), -fourth_term, rtol=1e-9)


def test_certainty_has_the_limit_of_the_formula() -> None:
    # p_t = 1 up to e^{-a}: −log ℓ_t = a, the other losses are a.
    spread = np.array([20.0, 29.0, 31.0, 36.0, 40.0, 700.0, 744.0, 746.0, 800.0, 1e4])
    u = np.stack([np.zeros_like(spread), -spread])
    np.testing.assert_allclose(Grabovoy().value(u), 2 * spread - np.log(spread), rtol=1e-9)
    np.testing.assert_allclose(Grabovoy().gradient(u)[0], 2 - 1 / spread, rtol=1e-8)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_value_is_at_least_the_number_of_classes(n_classes: int) -> None:
    u = scores(n_classes)
    assert Grabovoy().bounded_below
    assert (Grabovoy().value(u) >= n_classes).all()


def test_three_classes_are_not_convex_even_with_the_cross_entropy() -> None:
    assert Grabovoy().convex(2)
    assert not Grabovoy().convex(3)
    # Class 0 is certain: −log ℓ_0 → u_0 − lse(u_1, u_2), concave along (0, 1, −1).
    u, v = np.array([[30.0], [0.0], [0.0]]), np.array([[0.0], [1.0], [-1.0]])
    hessian = softmax_hessian(u) + Grabovoy().hessian(u)
    curvature = np.einsum("kn,kln,ln->n", v, hessian, v)
    np.testing.assert_allclose(curvature, -1 + 2 / 30**2, rtol=1e-10)
    assert smallest_eigenvalue(hessian)[0] < -0.4


def test_two_classes_are_convex_without_the_cross_entropy() -> None:
    eta = np.concatenate([-np.logspace(4, -6, 200), np.logspace(-6, 4, 200)])
    u = np.stack([np.zeros_like(eta), eta])
    assert (Grabovoy().hessian(u)[1, 1] > 0).all()
