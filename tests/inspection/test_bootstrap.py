import numpy as np
import pytest

from sklearn_distill.inspection import bootstrap, paired_bootstrap


def test_interval_covers_the_true_difference_at_its_level():
    rng, n, n_runs, level = np.random.default_rng(0), 200, 800, 0.9
    true, covered = np.array([0.3, 1.0, 0.1]), np.zeros(3)
    for run in range(n_runs):
        d = np.column_stack(
            [
                rng.normal(0.3, 2.0, n),
                rng.exponential(1.0, n),  # skewed, as differences of cross-entropies are
                rng.choice([-1, 0, 1], n, p=[0.05, 0.8, 0.15]),  # of accuracies
            ]
        )
        low, high = paired_bootstrap(d, n_bootstrap=300, confidence_level=level, random_state=run)
        covered += (low <= true) & (true <= high)
    three_sd = 3 * np.sqrt(level * (1 - level) / n_runs)
    # the coverage of percentile intervals of 200 samples is about .01 too small
    assert np.abs(covered / n_runs - (level - 0.01)).max() < three_sd


def test_large_samples_give_the_normal_interval():
    d = np.random.default_rng(0).normal(0.5, 2.0, size=2000)
    low, high = paired_bootstrap(d, n_bootstrap=2000, random_state=0)
    half = 1.96 * d.std() / np.sqrt(2000)
    assert low[0] == pytest.approx(d.mean() - half, abs=0.1 * half)
    assert high[0] == pytest.approx(d.mean() + half, abs=0.1 * half)


def test_large_weights_of_few_samples_widen_it():
    rng = np.random.default_rng(0)
    d, w = rng.normal(size=1000), np.where(np.arange(1000) < 50, 100.0, 1.0)
    low, high = paired_bootstrap(d, sample_weight=w, n_bootstrap=2000, random_state=0)
    mean = np.average(d, weights=w)
    half = 1.96 * np.sqrt(np.sum(w**2 * (d - mean) ** 2)) / w.sum()  # delta method
    assert (high - low)[0] / 2 == pytest.approx(half, rel=0.1)


def test_all_columns_share_the_resamples():
    d = np.random.default_rng(0).normal(size=40)
    low, high = paired_bootstrap(np.column_stack([d, 2 * d, -d]), random_state=0)
    assert low == pytest.approx([low[0], 2 * low[0], -high[0]])
    assert high == pytest.approx([high[0], 2 * high[0], -low[0]])


@pytest.mark.parametrize("value", [0.0, 2.5])
def test_equal_differences_have_no_width(value):
    w = np.random.default_rng(0).uniform(size=30)
    low, high = paired_bootstrap(np.full((30, 2), value), sample_weight=w, random_state=0)
    assert low == pytest.approx([value] * 2, rel=1e-12, abs=0)
    assert high == pytest.approx([value] * 2, rel=1e-12, abs=0)


def test_samples_of_weight_zero_are_ignored():
    d, w = np.random.default_rng(0).normal(size=30), np.arange(30) % 2
    weighted = paired_bootstrap(d, sample_weight=w, random_state=0)
    selected = paired_bootstrap(d[w > 0], random_state=0)
    assert np.array_equal(weighted, selected)


def test_chunks_and_seeds(monkeypatch):
    d = np.random.default_rng(0).normal(size=30)
    whole = np.array(paired_bootstrap(d, random_state=1))
    assert np.array_equal(whole, paired_bootstrap(d, random_state=1))
    assert not np.array_equal(whole, paired_bootstrap(d, random_state=2))
    monkeypatch.setattr(bootstrap, "_CHUNK", 70)
    assert np.array(paired_bootstrap(d, random_state=1)) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"differences": [0.0, np.nan]}, "differences: row 1 is"),
        ({"differences": [[[0.0]]]}, "differences has shape"),
        ({"differences": []}, "differences has shape"),
        ({"sample_weight": [1.0]}, "sample_weight has shape"),
        ({"n_bootstrap": 0}, "n_bootstrap=0"),
        ({"n_bootstrap": 10.0}, "n_bootstrap=10"),
        ({"confidence_level": 95}, "confidence_level=95"),
    ],
    ids=str,
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(**{"differences": [0.0, 1.0], **options})
