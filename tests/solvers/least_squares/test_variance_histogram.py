"""The median of variances in bins is that of the variances, in any order of merging."""

from functools import reduce

import numpy as np
import pytest

from sklearn_distill.solvers.least_squares._variance_histogram import VarianceHistogram


@pytest.mark.parametrize("n", [1, 2, 101, 1000])
def test_it_is_numpy_s_median_to_the_width_of_a_bin(n):
    variances = np.exp(3 * np.random.default_rng(n).normal(size=n))
    histogram = VarianceHistogram.of(variances, None)
    np.testing.assert_allclose(histogram.median, np.median(variances), rtol=1.4e-3)
    assert histogram.weight == n


def test_few_different_variances_have_their_exact_median():
    assert VarianceHistogram.of(np.full(7, 0.3), None).median == pytest.approx(0.3, rel=1e-15)
    assert VarianceHistogram.of(np.array([1.0, 5.0, 9.0, 2.0]), None).median == 3.5


def test_a_weight_is_a_number_of_repetitions():
    rng = np.random.default_rng(0)
    variances, times = np.exp(rng.normal(size=40)), rng.integers(0, 4, size=40)
    weighted = VarianceHistogram.of(variances[times > 0], times[times > 0].astype(float))
    repeated = VarianceHistogram.of(np.repeat(variances, times), None)
    assert weighted.median == pytest.approx(repeated.median, rel=1e-14)


def test_parts_merge_in_any_order():
    rng = np.random.default_rng(1)
    variances, weight = np.exp(rng.normal(size=300)), rng.uniform(size=300)
    whole = VarianceHistogram.of(variances, weight)
    parts = [VarianceHistogram.of(variances[i::7], weight[i::7]) for i in range(7)]
    for order in (parts, parts[::-1]):
        merged = reduce(VarianceHistogram.merge, order)
        assert merged.median == pytest.approx(whole.median, rel=1e-14)
        assert np.array_equal(merged.bins, whole.bins)


def test_its_size_is_that_of_the_range_not_of_the_rows():
    variances = np.random.default_rng(2).uniform(1, 4, size=100_000)
    assert len(VarianceHistogram.of(variances, None).bins) <= 2 * 512 + 1
