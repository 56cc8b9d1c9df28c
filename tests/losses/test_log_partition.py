"""Functions of a row's scores against finite differences and closed forms."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, logsumexp, softmax

from sklearn_distill.losses.log_partition import (
    OneLogit,
    OneLogitLogPartition,
    RegularizerFunction,
    SoftmaxLogPartition,
    SumOf,
)
from sklearn_distill.losses.regularizers import ContinuousCategorical, Grabovoy
from tests.helpers import central_difference

EXTREME = np.array([[-1e4, -800.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0, 1e4]])
OF_SCORES = [
    SoftmaxLogPartition(),
    RegularizerFunction(Grabovoy()),
    SumOf(SoftmaxLogPartition(), RegularizerFunction(ContinuousCategorical())),
]
FUNCTIONS = [
    *((phi, K) for phi in OF_SCORES for K in (2, 3, 5)),
    (OneLogitLogPartition(), 1),
    *((OneLogit(phi), 1) for phi in OF_SCORES),
]
every_function = pytest.mark.parametrize(
    ("phi", "n_scores"), FUNCTIONS, ids=lambda part: getattr(type(part), "__name__", None)
)


def scores(n_scores):
    return 3 * np.random.default_rng(n_scores).normal(size=(n_scores, 20))


@every_function
def test_derivatives_are_differences(phi, n_scores):
    u, v = scores(n_scores), np.random.default_rng(7).normal(size=(n_scores, 20))
    value, gradient = phi.value_and_gradient(u)
    assert value.shape == (20,)
    slope = central_difference(lambda t: phi.value_and_gradient(u + t * v)[0], 0, 1e-5)
    np.testing.assert_allclose((gradient * v).sum(axis=0), slope, atol=1e-8)
    change = central_difference(lambda t: phi.value_and_gradient(u + t * v)[1], 0, 1e-5)
    np.testing.assert_allclose(phi.curvature(u)(v), change, atol=1e-8)


@every_function
def test_arguments_are_not_modified(phi, n_scores):
    u, v = scores(n_scores), scores(n_scores)
    u.flags.writeable = v.flags.writeable = False
    phi.value_and_gradient(u)
    phi.curvature(u)(v)
    phi.curvature_diagonal(u)


@every_function
def test_curvature_diagonal_is_that_of_unit_vectors(phi, n_scores):
    u, units = scores(n_scores), np.eye(n_scores)
    expected = [phi.curvature(u)(np.tile(e[:, None], 20))[k] for k, e in enumerate(units)]
    np.testing.assert_allclose(phi.curvature_diagonal(u), expected, rtol=1e-12, atol=1e-15)


def test_softmax_is_that_of_scipy():
    u = scores(4) * 300
    value, p = SoftmaxLogPartition().value_and_gradient(u)
    np.testing.assert_allclose(value, logsumexp(u, axis=0), rtol=1e-14)
    np.testing.assert_allclose(p, softmax(u, axis=0), rtol=1e-12)


def test_one_logit_is_the_logistic_function_of_scipy():
    value, p = OneLogitLogPartition().value_and_gradient(EXTREME)
    np.testing.assert_allclose(value, -log_expit(-EXTREME[0]), rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(p, expit(EXTREME), rtol=1e-15, atol=1e-15)


def test_curvature_of_one_logit_keeps_its_digits_where_p_rounds_to_one():
    h = OneLogitLogPartition().curvature(EXTREME)(np.ones_like(EXTREME))
    np.testing.assert_allclose(h, expit(EXTREME) * expit(-EXTREME), rtol=1e-14)


def test_one_logit_is_the_second_of_two_scores_with_the_first_at_zero():
    eta, v = scores(1), scores(1)[:, ::-1]
    one, two = OneLogitLogPartition(), OneLogit(SoftmaxLogPartition())
    for a, b in zip(one.value_and_gradient(eta), two.value_and_gradient(eta), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    np.testing.assert_allclose(one.curvature(eta)(v), two.curvature(eta)(v), rtol=1e-12)
