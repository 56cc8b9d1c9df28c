"""Properties of every metric of probabilities."""

import numpy as np
import pandas as pd
import pytest

from sklearn_distill.metrics import (
    brier_score,
    cross_entropy_from_proba,
    expected_calibration_error,
    fidelity_score,
    kl_divergence_from_proba,
    max_min_gap,
    uncertainty_degree,
)


def gap_std(p, sample_weight=None):
    return max_min_gap(p, return_std=True, sample_weight=sample_weight)[1]


def quantile_calibration(y, p, labels, sample_weight=None):
    return expected_calibration_error(
        y, p, labels=labels, n_bins=4, strategy="quantile", norm="l2", sample_weight=sample_weight
    )


# name: (metric(y, q, p, labels, w)), y labels, q teacher or true probabilities, p predicted
METRICS = {
    "uncertainty_degree": lambda y, q, p, labels, w: uncertainty_degree(p, sample_weight=w),
    "max_min_gap": lambda y, q, p, labels, w: max_min_gap(p, sample_weight=w),
    "max_min_gap std": lambda y, q, p, labels, w: gap_std(p, w),
    "cross_entropy": lambda y, q, p, labels, w: cross_entropy_from_proba(q, p, sample_weight=w),
    "kl_divergence": lambda y, q, p, labels, w: kl_divergence_from_proba(
        q, p, temperature=2.0, sample_weight=w
    ),
    "brier": lambda y, q, p, labels, w: brier_score(y, p, labels=labels, sample_weight=w),
    "fidelity": lambda y, q, p, labels, w: fidelity_score(q, p, sample_weight=w),
    "fidelity to labels": lambda y, q, p, labels, w: fidelity_score(
        y, p, labels=labels, sample_weight=w
    ),
    "calibration": lambda y, q, p, labels, w: expected_calibration_error(
        y, p, labels=labels, sample_weight=w
    ),
    "calibration by quantiles": lambda y, q, p, labels, w: quantile_calibration(y, p, labels, w),
}

all_metrics = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())


@pytest.fixture(params=[2, 4], ids=["binary", "four classes"])
def case(request):
    rng, n_classes = np.random.default_rng(3), request.param
    labels = np.array(["ant", "bee", "cat", "dog"])[:n_classes]
    q, p = rng.dirichlet(np.ones(n_classes), size=(2, 60))
    return rng.choice(labels, 60), q, p, labels


@all_metrics
def test_order_of_the_samples_does_not_matter(metric, case):
    y, q, p, labels = case
    order = np.random.default_rng(0).permutation(len(y))
    w = np.random.default_rng(1).uniform(size=len(y))
    permuted = metric(y[order], q[order], p[order], labels, w[order])
    assert permuted == pytest.approx(metric(y, q, p, labels, w), rel=1e-12)


@all_metrics
def test_order_of_the_classes_does_not_matter(metric, case):
    y, q, p, labels = case
    order = np.random.default_rng(0).permutation(len(labels))[::-1]
    permuted = metric(y, q[:, order], p[:, order], labels[order], None)
    assert permuted == pytest.approx(metric(y, q, p, labels, None), rel=1e-12)


@all_metrics
def test_weights_are_repeated_samples(metric, case):
    y, q, p, labels = case
    w = np.random.default_rng(2).integers(0, 4, size=len(y))
    repeated = metric(*(np.repeat(a, w, axis=0) for a in (y, q, p)), labels, None)
    assert metric(y, q, p, labels, w) == pytest.approx(repeated, rel=1e-12)
    assert metric(y, q, p, labels, 7.5 * w) == pytest.approx(repeated, rel=1e-12)


@all_metrics
def test_weights_change_the_result(metric, case):
    y, q, p, labels = case
    w = np.arange(len(y)) ** 2 % 7
    assert abs(metric(y, q, p, labels, w) - metric(y, q, p, labels, None)) > 1e-6


@all_metrics
def test_one_dimension_is_the_second_of_two_classes(metric):
    rng = np.random.default_rng(5)
    q, p = rng.uniform(size=(2, 40))
    y, labels = rng.choice(["no", "yes"], 40), ["no", "yes"]
    columns = [np.column_stack([1 - a, a]) for a in (q, p)]
    assert metric(y, q, p, labels, None) == metric(y, *columns, labels, None)


@all_metrics
def test_kinds_of_arrays_agree(metric, case):
    y, q, p, labels = case
    expected = metric(y, q, p, labels, None)
    frames = metric(pd.Series(y), pd.DataFrame(q), pd.DataFrame(p), pd.Index(labels), None)
    lists = metric(y.tolist(), q.tolist(), p.tolist(), labels.tolist(), [1] * len(y))
    single = metric(y, q.astype("f4"), p.astype("f4"), labels, None)
    assert frames == lists == expected
    assert single == pytest.approx(expected, abs=1e-5)
    assert isinstance(single, float)


@all_metrics
def test_arguments_are_not_changed(metric, case):
    y, q, p, labels = (np.array(a) for a in case)
    for array in (y, q, p, labels):
        array.setflags(write=False)
    metric(y, q, p, labels, np.ones(len(y)))
