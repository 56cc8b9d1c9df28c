"""The log-normaliser against quadrature, closed forms and matrix exponentials."""

from decimal import Decimal, localcontext
from math import lgamma

import numpy as np
import pytest
from scipy.special import gammainc

from sklearn_distill.losses.regularizers import ContinuousCategorical, _many_classes
from sklearn_distill.losses.regularizers.continuous_categorical import TILE_ENTRIES, _tiles
from tests.losses.regularizers.reference import (
    REFERENCE_ROUNDING,
    divided_difference_in_decimals,
    hard_scores,
    log_divided_difference,
    mean_by_divided_differences,
    moments_by_quadrature,
)
from tests.losses.regularizers.test_regularizers import softmax_hessian


def softmax(u: np.ndarray) -> np.ndarray:
    p = np.exp(u - u.max(axis=0))
    return p / p.sum(axis=0)


def lse(u: np.ndarray) -> np.ndarray:
    return u.max(axis=0) + np.log(np.exp(u - u.max(axis=0)).sum(axis=0))


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("spread", [0.0, 1e-5, 1.0, 10.0])
def test_value_gradient_and_hessian_are_moments_on_the_simplex(
    n_classes: int, spread: float
) -> None:
    u = spread * np.random.default_rng(n_classes).normal(size=(n_classes, 1))
    log_normaliser, mean, covariance = moments_by_quadrature(u[:, 0])
    value, gradient = ContinuousCategorical().value_and_gradient(u)
    np.testing.assert_allclose(value, log_normaliser, rtol=1e-12)
    np.testing.assert_allclose(gradient + softmax(u), mean[:, None], rtol=1e-12)
    hessian = ContinuousCategorical().hessian(u) + softmax_hessian(u)
    np.testing.assert_allclose(hessian[:, :, 0], covariance, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("n_classes", [2, 3, 5, 10, 20, 40])
@pytest.mark.parametrize("spread", [1.0, 30.0, 1000.0])
def test_value_is_the_closed_form_in_many_digits(n_classes: int, spread: float) -> None:
    u = spread * np.random.default_rng(n_classes).normal(size=(n_classes, 1))
    log_mass = float(divided_difference_in_decimals(u[:, 0]).ln())
    np.testing.assert_allclose(ContinuousCategorical().value(u) + lse(u), log_mass, rtol=1e-14)


@pytest.mark.parametrize("n_classes", [2, 3, 5, 12])
def test_ties_clusters_and_spreads_are_matrix_exponentials(n_classes: int) -> None:
    u = hard_scores(n_classes)
    u = u - u.max(axis=1, keepdims=True)
    expected = log_divided_difference(u) - lse(u.T)
    np.testing.assert_allclose(
        ContinuousCategorical().value(u.T), expected, rtol=REFERENCE_ROUNDING
    )
    mean = (ContinuousCategorical().gradient(u.T) + softmax(u.T)).T
    np.testing.assert_allclose(
        mean, mean_by_divided_differences(u), rtol=REFERENCE_ROUNDING, atol=1e-15
    )


def test_the_general_formula_is_the_closed_one_for_two_classes() -> None:
    eta = np.concatenate([[0.0, -1e-300], np.logspace(-12, 4, 97), -np.logspace(-1, 1, 50)])
    u = np.stack([np.zeros_like(eta), eta])
    v = np.stack([np.zeros_like(eta), np.ones_like(eta)])
    r = ContinuousCategorical()
    value, gradient = _many_classes.value_and_gradient(u)
    np.testing.assert_allclose(r.value(u), value, rtol=1e-13)
    np.testing.assert_allclose(r.gradient(u), gradient, rtol=1e-11, atol=1e-15)
    products = _many_classes.hessian_product(u, v)
    np.testing.assert_allclose(r.hessian_product(u, v), products, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(r.hessian(u), _many_classes.hessian(u), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("eta", [1e-3, 0.1, 0.3, 0.49, 0.4999, 0.5, 0.51, 0.7, 1.0, 5.0, 30.0])
def test_two_classes_keep_thirteen_digits_beside_the_cancelled_poles(eta: float) -> None:
    with localcontext() as context:
        context.prec = 60
        x = Decimal(eta)
        sinh, cosh = ((x.exp() - sign * (-x).exp()) / 2 for sign in (1, -1))
        slope, curvature = 1 / sinh - 1 / x, 1 / x**2 - cosh / sinh**2
    u, v = np.array([[0.0], [eta]]), np.array([[0.0], [1.0]])
    r = ContinuousCategorical()
    np.testing.assert_allclose(r.gradient(u)[1], float(slope), rtol=5e-14)
    np.testing.assert_allclose(r.hessian_product(u, v)[1], float(curvature), rtol=5e-13)


@pytest.mark.parametrize("n_classes", [2, 3, 10, 100, 1000])
def test_equal_scores_give_the_volume_of_the_simplex(n_classes: int) -> None:
    value, gradient = ContinuousCategorical().value_and_gradient(np.zeros((n_classes, 1)))
    np.testing.assert_allclose(value, -lgamma(n_classes) - np.log(n_classes), rtol=1e-13)
    np.testing.assert_allclose(gradient, 0, atol=1e-14)


@pytest.mark.parametrize("n_classes", [3, 10])
def test_certainty_has_independent_exponential_margins(n_classes: int) -> None:
    # Far below the top score, s_k is exponential with rate Δ: mean 1/Δ, variance 1/Δ².
    for spread in (1e3, 1e4):
        u = np.where(np.arange(n_classes) == 1, 0.0, -spread)[:, None]
        value, gradient = ContinuousCategorical().value_and_gradient(u)
        np.testing.assert_allclose(value, -(n_classes - 1) * np.log(spread), rtol=1e-13)
        np.testing.assert_allclose(np.delete(gradient, 1) * spread, 1, rtol=1e-12)
        hessian = ContinuousCategorical().hessian(u)[:, :, 0] * spread**2
        np.testing.assert_allclose(np.delete(np.diag(hessian), 1), 1, rtol=1e-10)
        np.testing.assert_allclose(hessian[1, 1], n_classes - 1, rtol=1e-10)
        # A shift of v changes nothing, although it is 1/variance times what it may change.
        v = np.where(np.arange(n_classes) == 0, 8.0, 7.0)[:, None]
        product = ContinuousCategorical().hessian_product(u, v)[:, 0] * spread**2
        np.testing.assert_allclose(product[:2], [1, -1], rtol=1e-10)


@pytest.mark.parametrize("n_classes", [3, 20, 200, 1000])
@pytest.mark.parametrize("gap", [0.3, 0.6, 1.0, 1.5, 3.0])  # in classes; about 1 is hardest
def test_one_class_above_equal_ones_has_an_incomplete_gamma_mass(
    n_classes: int, gap: float
) -> None:
    # The shares of the other classes are exponential with rate g, given that their sum is below 1.
    g = gap * n_classes
    u = np.full((n_classes, 1), -g)
    u[0] = 0
    log_mass = np.log(gammainc(n_classes - 1, g)) - (n_classes - 1) * np.log(g)
    np.testing.assert_allclose(ContinuousCategorical().value(u) + lse(u), log_mass, atol=1e-10)


def test_r_alone_is_concave_where_all_scores_tie() -> None:
    # Cov(s) = (I − 11ᵀ/K)/(K(K+1)) is smaller than J(p) = (I − 11ᵀ/K)/K.
    hessian = ContinuousCategorical().hessian(np.zeros((4, 1)))[:, :, 0]
    np.testing.assert_allclose(hessian, (np.eye(4) - 0.25) * (1 / 20 - 1 / 4), rtol=1e-12)


def test_convex_is_true_for_any_number_of_classes() -> None:
    """So that test_regularizers.py tests the convexity of its sum with the cross-entropy."""
    assert all(ContinuousCategorical().convex(n_classes) for n_classes in (2, 3, 10))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_loss_of_a_certain_target_is_unbounded_below(n_classes: int) -> None:
    assert not ContinuousCategorical().bounded_below
    u = np.zeros((n_classes, 3))
    u[0] = [1e2, 1e4, 1e6]
    loss = lse(u) - u[0] + ContinuousCategorical().value(u)
    np.testing.assert_allclose(loss, -(n_classes - 1) * np.log(u[0]), rtol=1e-13)


@pytest.mark.parametrize("n_classes", [2, 3, 1000, 2 * TILE_ENTRIES])
def test_tiles_are_consecutive_and_cover_all_rows(n_classes: int) -> None:
    n_rows = 3 * max(1, TILE_ENTRIES // n_classes)
    tiles = list(_tiles(np.broadcast_to(0.0, (n_classes, n_rows))))
    assert len(tiles) == 3
    numbers = np.concatenate([np.arange(n_rows)[rows] for rows in tiles])
    np.testing.assert_array_equal(numbers, np.arange(n_rows))


def test_the_printed_constant_of_theorem_1_does_not_normalise():
    g, K = np.array([0.5, 0.3, 0.2]), 3
    log_integral, _, _ = moments_by_quadrature(np.log(g))
    printed = (-1) ** K * K ** (K / 2) / 2 ** (K * (K - 1) / 2) * np.prod(g * np.log(g))
    assert printed * np.exp(log_integral) == pytest.approx(0.0041, abs=5e-5)
