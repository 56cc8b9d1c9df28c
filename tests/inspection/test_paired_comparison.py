"""The verdict: the sign of the interval, and undecided if too few samples differ."""

import numpy as np
import pandas as pd
import pytest

from sklearn_distill.inspection.bootstrap import can_decide, compare_paired, verdict


def compare(difference, weight=None, **options):
    baseline = pd.DataFrame({"accuracy": np.zeros(len(difference))})
    distilled = baseline + np.reshape(difference, (-1, 1))
    s = np.ones(len(difference)) if weight is None else np.asarray(weight)
    options = {"n_bootstrap": 300, "confidence_level": 0.95, "random_state": 0, **options}
    return compare_paired(baseline, distilled, s, **options).loc["accuracy"]


@pytest.mark.parametrize(
    ("metric", "low", "high", "expected"),
    [
        ("accuracy", 0.1, 0.2, "helps"),
        ("accuracy", -0.2, -0.1, "hurts"),
        ("cross_entropy", 0.1, 0.2, "hurts"),
        ("brier", -0.2, -0.1, "helps"),
        ("brier", -0.1, 0.1, "undecided"),
        ("accuracy", 0.0, 0.1, "undecided"),
        ("accuracy", -0.1, 0.0, "undecided"),
        ("accuracy", 0.0, 0.0, "undecided"),
    ],
)
def test_sign(metric, low, high, expected):
    assert verdict(metric, low, high) == expected


@pytest.mark.parametrize(("n_differing", "expected"), [(5, "undecided"), (6, "helps")])
def test_few_differing_samples_cannot_decide(n_differing, expected):
    comparison = compare(np.arange(500) < n_differing)
    assert comparison["low"] > 0  # the percentile interval alone would decide
    assert comparison["verdict"] == expected


def test_samples_without_weight_cannot_decide():
    difference, weight = np.arange(500) < 8, np.arange(500) >= 4
    assert compare(difference, weight)["verdict"] == "undecided"


@pytest.mark.parametrize(("level", "least"), [(0.5, 2), (0.9, 5), (0.95, 6), (0.99, 8)])
def test_least_number_of_differing_samples(level, least):
    assert [bool(can_decide(np.ones((m, 1)), level)[0]) for m in (least - 1, least)] == [0, 1]


def test_false_positive_rate_is_below_the_level():
    rng = np.random.default_rng(0)
    wrong = sum(
        compare(rng.choice([-1, 0, 1], 100, p=[0.1, 0.8, 0.1]), random_state=run)["verdict"]
        != "undecided"
        for run in range(200)
    )
    assert wrong / 200 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
