"""Properties of all regularisers."""

import pickle

import numpy as np
import pytest

from sklearn_distill.losses.regularizers import (
    ContinuousCategorical,
    Grabovoy,
    Regularizer,
    make_regularizer,
)
from tests.losses.regularizers.reference import hard_scores

REGULARIZERS = [Grabovoy(), ContinuousCategorical()]
CONVEX = [(r, n_classes) for r in REGULARIZERS for n_classes in (2, 3, 10) if r.convex(n_classes)]
every_case = pytest.mark.parametrize("n_classes", [2, 3, 4, 10])
every_regularizer = pytest.mark.parametrize("r", REGULARIZERS, ids=repr)


def scores(n_classes: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    spreads = 10.0 ** rng.uniform(-2, 1.5, size=40)
    return rng.normal(size=(n_classes, 40)) * spreads


def softmax_hessian(u: np.ndarray) -> np.ndarray:
    p = np.exp(u - u.max(axis=0))
    p /= p.sum(axis=0)
    return np.eye(len(u))[:, :, None] * p - p[:, None] * p


def smallest_eigenvalue(hessian: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(np.moveaxis(hessian, 2, 0))[:, 0]


@every_regularizer
@every_case
def test_gradient_is_the_difference_quotient(r: Regularizer, n_classes: int) -> None:
    u, h = scores(n_classes), 1e-4
    gradient = r.gradient(u)
    for k, e in enumerate(np.eye(n_classes)[:, :, None] * h):
        # Fourth order: the quotient's own error stays below 1e-9.
        wide, narrow = r.value(u + 2 * e) - r.value(u - 2 * e), r.value(u + e) - r.value(u - e)
        quotient = (8 * narrow - wide) / (12 * h)
        np.testing.assert_allclose(gradient[k], quotient, rtol=1e-6, atol=1e-9)


@every_regularizer
@every_case
def test_hessian_product_is_the_difference_quotient(r: Regularizer, n_classes: int) -> None:
    u, h = scores(n_classes), 1e-4
    v = np.random.default_rng(1).normal(size=u.shape)
    wide = r.gradient(u + 2 * h * v) - r.gradient(u - 2 * h * v)
    narrow = r.gradient(u + h * v) - r.gradient(u - h * v)
    quotient = (8 * narrow - wide) / (12 * h)
    np.testing.assert_allclose(r.hessian_product(u, v), quotient, rtol=1e-6, atol=1e-9)


@every_regularizer
@every_case
def test_hessian_is_symmetric_and_gives_the_products(r: Regularizer, n_classes: int) -> None:
    u = hard_scores(n_classes).T
    v = np.random.default_rng(1).normal(size=u.shape)
    hessian = r.hessian(u)
    size = np.abs(hessian).max(axis=(0, 1))
    np.testing.assert_allclose(hessian / size, hessian.swapaxes(0, 1) / size, atol=1e-11)
    products = np.einsum("kln,ln->kn", hessian, v)
    np.testing.assert_allclose(r.hessian_product(u, v) / size, products / size, atol=1e-11)


@every_regularizer
@every_case
def test_value_and_gradient_are_value_and_gradient(r: Regularizer, n_classes: int) -> None:
    u = scores(n_classes)
    value, gradient = r.value_and_gradient(u)
    np.testing.assert_array_equal(value, r.value(u))
    np.testing.assert_array_equal(gradient, r.gradient(u))


@every_regularizer
@every_case
def test_a_shift_of_all_scores_changes_nothing(r: Regularizer, n_classes: int) -> None:
    u = scores(n_classes)
    v = np.random.default_rng(1).normal(size=u.shape)
    np.testing.assert_allclose(r.value(u + 7.25), r.value(u), rtol=1e-12)
    np.testing.assert_allclose(r.gradient(u).sum(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(r.hessian_product(u, v).sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(r.hessian_product(u, np.ones_like(u)), 0, atol=1e-13)


@every_regularizer
@every_case
def test_permuted_classes_permute_the_result(r: Regularizer, n_classes: int) -> None:
    u, order = scores(n_classes), np.random.default_rng(2).permutation(n_classes)
    v = np.random.default_rng(1).normal(size=u.shape)
    np.testing.assert_allclose(r.value(u[order]), r.value(u), rtol=1e-13)
    np.testing.assert_allclose(r.gradient(u[order]), r.gradient(u)[order], atol=1e-13)
    product = r.hessian_product(u, v)
    np.testing.assert_allclose(r.hessian_product(u[order], v[order]), product[order], atol=1e-12)


@every_regularizer
@every_case
def test_near_ties_are_near_the_tie(r: Regularizer, n_classes: int) -> None:
    tied = np.repeat(np.array([0.0, 1.0, 40.0]), 2)[:n_classes, None] * np.ones((1, 30))
    tied = np.concatenate([tied, np.zeros((n_classes - len(tied), 30))])
    u = tied + 1e-9 * np.random.default_rng(3).normal(size=tied.shape)
    v = np.random.default_rng(1).normal(size=u.shape)
    np.testing.assert_allclose(r.value(u), r.value(tied), atol=1e-7)
    np.testing.assert_allclose(r.gradient(u), r.gradient(tied), atol=1e-7)
    np.testing.assert_allclose(r.hessian_product(u, v), r.hessian_product(tied, v), atol=1e-7)


@every_regularizer
@every_case
@pytest.mark.parametrize("spread", [1e3, 1e4, 1e6])
def test_certainty_is_finite(r: Regularizer, n_classes: int, spread: float) -> None:
    u = -spread * (1 - np.eye(n_classes))  # every class once at probability 1
    v = np.random.default_rng(1).normal(size=u.shape)
    value, gradient = r.value_and_gradient(u)
    for result in (value, gradient, r.hessian_product(u, v), r.hessian(u)):
        assert np.isfinite(result).all()
    np.testing.assert_allclose(value, value[0], rtol=1e-14)


@every_regularizer
@every_case
def test_the_result_has_the_dtype_of_the_scores(r: Regularizer, n_classes: int) -> None:
    u = scores(n_classes).astype(np.float32)
    v = np.ones_like(u) * np.arange(n_classes, dtype=np.float32)[:, None]
    single = (r.value(u), r.gradient(u), *r.value_and_gradient(u))
    single += (r.hessian_product(u, v), r.hessian(u))
    u, v = u.astype(np.float64), v.astype(np.float64)
    double = (r.value(u), r.gradient(u), *r.value_and_gradient(u))
    double += (r.hessian_product(u, v), r.hessian(u))
    for low, high in zip(single, double, strict=True):
        assert (low.dtype, high.dtype) == (np.float32, np.float64)
        np.testing.assert_array_equal(low, high.astype(np.float32))


@every_regularizer
def test_rows_are_independent(r: Regularizer) -> None:
    u = np.random.default_rng(0).normal(size=(3, 30_000))  # several tiles
    value, gradient = r.value_and_gradient(u)
    product = r.hessian_product(u, u[::-1])
    for rows in (slice(0, 1), slice(10_900, 10_950), slice(29_999, 30_000), slice(0, 0)):
        np.testing.assert_allclose(r.value(u[:, rows]), value[rows], rtol=1e-14)
        np.testing.assert_allclose(r.gradient(u[:, rows]), gradient[:, rows], atol=1e-14)
        part = r.hessian_product(u[:, rows], u[::-1, rows])
        np.testing.assert_allclose(part, product[:, rows], atol=1e-14)


@pytest.mark.parametrize(("r", "n_classes"), CONVEX)
def test_cross_entropy_plus_r_is_convex_where_it_says_so(r: Regularizer, n_classes: int) -> None:
    u = np.concatenate([scores(n_classes), hard_scores(n_classes).T], axis=1)
    hessian = softmax_hessian(u) + r.hessian(u)
    size = np.abs(hessian).max(axis=(0, 1))
    # J(p) rounds to ~1e-16 where it cancels against r's Hessian of the same size.
    assert (smallest_eigenvalue(hessian) >= -1e-12 * size - 1e-15).all()


@every_regularizer
def test_it_has_no_state(r: Regularizer) -> None:
    assert pickle.loads(pickle.dumps(r)) == r == type(r)()


def test_names() -> None:
    assert make_regularizer(None) is None
    assert make_regularizer("grabovoy") == Grabovoy()
    assert make_regularizer("continuous_categorical") == ContinuousCategorical()


@pytest.mark.parametrize("name", ["l2", "", 1, ["grabovoy"]])
def test_an_unknown_name_is_an_error_that_lists_the_names(name: str) -> None:
    message = "regularizer must be None or one of 'grabovoy', 'continuous_categorical'; got "
    with pytest.raises(ValueError, match=message):
        make_regularizer(name)
