import numpy as np
import pytest

from sklearn_distill.losses import RowSums
from sklearn_distill.losses.design import DenseDesign
from sklearn_distill.targets import LogPartitionTerm, SoftTargets, TargetTangent

REGULARIZERS = [None, "grabovoy", "continuous_categorical"]


def sums_of(design, *kinds, K=3):
    """Sums of random targets with a term of each kind (temperature, regularizer)."""
    rng = np.random.default_rng(K)
    terms = tuple(LogPartitionTerm(rng.uniform(1, 2, design.n_rows), *kind) for kind in kinds)
    return RowSums(design, SoftTargets(rng.uniform(size=(K, design.n_rows)), terms), np.ones(5))


def weights_for(sums, seed=0):
    return np.random.default_rng(seed).normal(size=(sums.n_scores, sums.n_columns))


def every_sum(sums):
    W, V = weights_for(sums), weights_for(sums, seed=1)
    value, gradient = sums.value_and_gradient(W)
    yield from (value, gradient, sums.hessian_operator(W)(V), sums.hessian(W))
    yield from (sums.hessian_blocks(W), sums.gram_at_zero(), *sums.class_moments(W))


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize("K", [2, 3])
def test_rows_without_a_term_add_nothing_to_the_convex_part(X, K):
    """A chunk whose rows have no weight has no term."""
    for total in every_sum(sums_of(DenseDesign(X, True), K=K)):
        np.testing.assert_array_equal(total, 0)


@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_class_moments_are_those_of_the_blocks(X, regularizer):
    sums = sums_of(DenseDesign(X, True), (1.0, None), (2.0, regularizer), K=4)
    W = weights_for(sums)
    curvature, moments, spread = sums.class_moments(W)
    blocks = sums.hessian_blocks(W)
    np.testing.assert_allclose(moments, blocks[:, -1], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(curvature, blocks[:, -1, -1], rtol=1e-10)
    np.testing.assert_allclose(spread, blocks.sum(axis=0), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_a_term_of_twice_the_weight_is_two_terms(X, K, regularizer):
    one = sums_of(DenseDesign(X, True), (1.5, regularizer), K=K)
    twice = RowSums(one.design, SoftTargets(one.targets.linear, 2 * one.targets.terms), one.weight)
    for single, double in zip(every_sum(one), every_sum(twice), strict=True):
        np.testing.assert_allclose(double, 2 * np.asarray(single), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("length", [1e-46, 1e45])
def test_float32_holds_products_with_vectors_beyond_its_range(X, K, length):
    """Adjoints of a separable fold may be of any size, and products are linear."""
    sums = sums_of(DenseDesign(X.astype(np.float32), True), (1.5, None), K=K)
    W, V = weights_for(sums), weights_for(sums, seed=1)
    hessian = sums.hessian_operator(W)
    np.testing.assert_allclose(hessian(length * V) / length, hessian(V), rtol=1e-5)
    linear = sums.targets.linear
    tangent = TargetTangent(SoftTargets(linear, ()), SoftTargets(np.cos(linear), ()))
    (unscaled,), (scaled,) = (sums.tangents_along(W, A, [tangent]) for A in (V, length * V))
    assert scaled / length == pytest.approx(unscaled, rel=1e-5)


class StrictDesign(DenseDesign):
    """A design that requires factors of the dtype of X: others would convert X."""

    def pull_back(self, R, rows):
        assert R.dtype == self.dtype
        return super().pull_back(R, rows)

    def gram(self, weight, rows):
        assert weight.dtype == self.dtype
        return super().gram(weight, rows)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_sums_have_the_precision_of_X_but_are_added_in_double(X, K, regularizer):
    kinds = [(1.0, None), (2.5, regularizer)]
    single = sums_of(StrictDesign(X.astype(np.float32), True), *kinds, K=K)
    double = sums_of(StrictDesign(X, True), *kinds, K=K)
    for low, high in zip(every_sum(single), every_sum(double), strict=True):
        # the blocks become factors, which need no more digits
        is_of_blocks = np.ndim(low) == 3
        assert np.asarray(low).dtype == (np.float32 if is_of_blocks else np.float64)
        np.testing.assert_allclose(low, high, rtol=1e-4, atol=1e-5)


def test_regularizers_and_weight_are_those_of_the_targets(X):
    sums = sums_of(DenseDesign(X, True), (1.0, None), (2.0, "grabovoy"), (3.0, "grabovoy"))
    assert sums.regularizers == {None, "grabovoy"}
    assert sums.take(slice(1, 3)).weight_sum == 2
    assert isinstance(sums.weight_sum, float)
