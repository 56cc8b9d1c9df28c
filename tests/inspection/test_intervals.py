"""Intervals cover the true difference at their level, whatever the differences look like."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import xlogy
from scipy.stats import t

from sklearn_distill.inspection import paired_interval, split_interval
from sklearn_distill.inspection.intervals import Difference, can_decide

rng = np.random.default_rng


def choice(probabilities):
    return lambda seed, n: rng(seed).choice([-1.0, 0.0, 1.0], n, p=probabilities)


DIFFERENCES = {
    "normal": (lambda seed, n: rng(seed).normal(0.3, 2.0, n), 0.3),
    "skewed": (lambda seed, n: rng(seed).exponential(1.0, n), 1.0),
    "heavy tails": (lambda seed, n: rng(seed).standard_t(3, n), 0.0),
    "accuracies": (choice([0.05, 0.8, 0.15]), 0.1),
    "equal accuracies": (choice([0.1, 0.8, 0.1]), 0.0),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_coverage_at_50_samples(name):
    draw, true = DIFFERENCES[name]
    covered = 0
    for seed in range(500):
        low, high = paired_interval(draw(seed, 50))
        covered += low[0] <= true <= high[0]
    # 93 to 97 %, and two standard errors of the simulation
    assert 0.93 - 0.02 < covered / 500 < 0.97 + 0.02


def test_without_skewness_and_long_tails_it_is_that_of_student():
    d = np.linspace(-1, 1, 41) + 0.2
    low, high = paired_interval(d)
    half = t.ppf(0.975, 40) * d.std(ddof=1) / np.sqrt(41)
    assert low[0] == pytest.approx(0.2 - half)
    assert high[0] == pytest.approx(0.2 + half)


def test_skewness_lengthens_the_side_of_the_rare_differences():
    low, high = paired_interval(np.repeat([0.0, 2.5], [45, 5]))
    assert high[0] - 0.25 > 1.2 * (0.25 - low[0])


@pytest.mark.parametrize(("losses", "gains"), [(2, 12), (0, 7), (5, 5), (20, 3)])
def test_the_ends_are_the_differences_that_the_score_test_just_accepts(losses, gains):
    n = 50
    ends = paired_interval(np.repeat([-1.0, 0.0, 1.0], [losses, n - losses - gains, gains]))

    def z(delta):
        """Return (d − δ) / its standard error at the most likely shares of difference δ."""

        def minus_log_likelihood(q):  # q: share of losses
            shares = np.array([q, q + delta, 1 - 2 * q - delta])
            return -np.sum(xlogy([losses, gains, n - losses - gains], shares))

        bounds = (max(0, -delta) + 1e-9, (1 - delta) / 2 - 1e-9)
        q = minimize_scalar(minus_log_likelihood, bounds=bounds, options={"xatol": 1e-9}).x
        return ((gains - losses) / n - delta) / np.sqrt((2 * q + delta - delta**2) / n)

    assert [z(end[0]) for end in ends] == pytest.approx([1.96, -1.96], abs=2e-3)


def test_accuracies_that_never_differ_have_a_width():
    low, high = paired_interval(np.zeros(50))
    end = 1.96**2 / (50 + 1.96**2)
    assert (low[0], high[0]) == pytest.approx((-end, end), rel=1e-3)


def test_large_samples_give_the_normal_interval():
    d = rng(0).normal(0.5, 2.0, size=2000)
    low, high = paired_interval(d)
    half = 1.96 * d.std() / np.sqrt(2000)
    assert low[0] == pytest.approx(d.mean() - half, abs=0.02 * half)
    assert high[0] == pytest.approx(d.mean() + half, abs=0.02 * half)


def test_large_weights_of_few_samples_widen_it():
    d, w = rng(0).normal(size=1000), np.where(np.arange(1000) < 50, 100.0, 1.0)
    low, high = paired_interval(d, sample_weight=w)
    mean = np.average(d, weights=w)
    half = 1.96 * np.sqrt(np.sum(w**2 * (d - mean) ** 2)) / w.sum()  # delta method
    assert (high - low)[0] / 2 == pytest.approx(half, rel=0.1)


@pytest.mark.parametrize("name", ["normal", "accuracies"])
def test_a_group_of_equal_samples_counts_as_one(name):
    d = DIFFERENCES[name][0](0, 60)
    of_groups = paired_interval(np.repeat(d, 5), groups=np.repeat(np.arange(60), 5))
    assert np.ravel(of_groups) == pytest.approx(np.ravel(paired_interval(d)), rel=1e-9)


def test_weights_of_all_samples_do_not_matter_by_their_scale():
    d = DIFFERENCES["accuracies"][0](0, 60)
    scaled = paired_interval(d, sample_weight=np.full(60, 7.0))
    assert np.ravel(scaled) == pytest.approx(np.ravel(paired_interval(d)))


def test_columns_are_separate_and_have_signs():
    d = rng(0).exponential(size=40)
    low, high = paired_interval(np.column_stack([d, 2 * d, -d]))
    assert low == pytest.approx([low[0], 2 * low[0], -high[0]])
    assert high == pytest.approx([high[0], 2 * high[0], -low[0]])


def test_equal_differences_have_no_width():
    w = rng(0).uniform(size=30)
    low, high = paired_interval(np.full((30, 2), 2.5), sample_weight=w)
    assert low == pytest.approx([2.5] * 2, rel=1e-12)
    assert high == pytest.approx([2.5] * 2, rel=1e-12)


def test_samples_of_weight_zero_are_ignored():
    d, w = rng(0).normal(size=30), np.arange(30) % 2
    groups = np.arange(30) // 4
    for given in (None, groups):
        weighted = paired_interval(d, sample_weight=w, groups=given)
        chosen = None if given is None else given[w > 0]
        assert np.array_equal(weighted, paired_interval(d[w > 0], groups=chosen))


def test_one_sample_has_no_interval():
    low, high = paired_interval([0.5])
    assert (low[0], high[0]) == (-np.inf, np.inf)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"differences": [0.0, np.nan]}, "differences: row 1 is"),
        ({"differences": [[[0.0]]]}, "differences has shape"),
        ({"differences": []}, "differences has shape"),
        ({"sample_weight": [1.0]}, "sample_weight has shape"),
        ({"groups": [1.0]}, "groups has shape"),
        ({"confidence_level": 95}, "confidence_level=95"),
    ],
    ids=str,
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        paired_interval(**{"differences": [0.0, 1.0], **options})


def test_splits_widen_the_interval_of_independent_values():
    d = rng(0).normal(size=10)
    low, high = split_interval(d, n_train=12120, n_test=3000)
    half = t.ppf(0.975, 9) * d.std(ddof=1) * np.sqrt(1 / 10 + 3000 / 12120)
    assert (low, high) == pytest.approx((d.mean() - half, d.mean() + half))


@pytest.mark.parametrize("options", [{"differences": [1.0]}, {"n_train": 0}, {"n_test": 0}])
def test_splits_that_say_nothing(options):
    with pytest.raises(ValueError, match="pass the differences of two splits or more"):
        split_interval(**{"differences": [1.0, 2.0], "n_train": 3, "n_test": 1, **options})


@pytest.mark.parametrize(
    ("low", "high", "sign"), [(0.1, 0.2, 1), (-0.2, -0.1, -1), (-0.1, 0.1, 0), (0.0, 0.1, 0)]
)
def test_sign(low, high, sign):
    assert Difference(0.0, low, high).sign() == sign
    assert Difference(0.0, low, high).with_zero().sign() == 0


@pytest.mark.parametrize(("level", "least"), [(0.5, 2), (0.9, 5), (0.95, 6), (0.99, 8)])
def test_least_number_of_differing_samples(level, least):
    assert [can_decide(m, level) for m in (least - 1, least)] == [False, True]
