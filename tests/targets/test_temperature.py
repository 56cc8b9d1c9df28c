import numpy as np
import pytest
from scipy.special import softmax

from sklearn_distill.targets import soften, soften_derivative
from tests.helpers import central_difference


@pytest.fixture
def logits():
    return 3 * np.random.default_rng(0).normal(size=(4, 20))


@pytest.mark.parametrize("temperature", [1e-3, 0.5, 1.0, 3.0, 1e3])
def test_soften_is_the_softmax_of_divided_logits(logits, temperature):
    np.testing.assert_allclose(
        soften(logits, temperature), softmax(logits / temperature, axis=0), atol=1e-15
    )


def test_softened_probabilities_are_powers():
    p = np.array([[0.5], [0.3], [0.2]])
    expected = p**0.5 / (p**0.5).sum()
    np.testing.assert_allclose(soften(np.log(p), 2.0), expected, rtol=1e-14)


def test_limits():
    v = np.array([[1.0], [2.0], [-np.inf]])
    np.testing.assert_allclose(soften(v, 1e-4)[:, 0], [0, 1, 0])
    np.testing.assert_allclose(soften(v, 1e8)[:, 0], [0.5, 0.5, 0], atol=1e-8)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_derivative_is_the_finite_difference(logits, temperature):
    logits[0, :5] = -np.inf
    expected = central_difference(lambda T: soften(logits, T), temperature, 1e-5)
    actual = soften_derivative(logits, temperature)
    np.testing.assert_allclose(actual, expected, atol=1e-8)
    np.testing.assert_allclose(actual.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_array_equal(actual[0, :5], 0)


def test_a_shift_of_the_logits_changes_nothing(logits):
    np.testing.assert_allclose(soften(logits + 1e3, 2.0), soften(logits, 2.0), rtol=1e-11)


def test_a_shift_of_one_row_changes_neither_its_derivative_nor_the_others():
    """Exactly: 2^40 more is a number without rounding here, and only differences are used."""
    v = np.random.default_rng(0).integers(-16, 16, size=(4, 6)) / 4
    shift = np.array([0, 2.0**40, 0, -(2.0**40), 1, 0])
    for function in (soften, soften_derivative):
        np.testing.assert_array_equal(function(v + shift, 2.0), function(v, 2.0))
