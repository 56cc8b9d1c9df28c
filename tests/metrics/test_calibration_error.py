import numpy as np
import pytest

from sklearn_distill.metrics import expected_calibration_error


def by_a_loop(y, p, n_bins, norm):
    """Compute eq. (3) of Guo et al. (2017) with plain loops."""
    gaps, shares = [], []
    for m in range(n_bins):
        rows = [i for i in range(len(y)) if m / n_bins < max(p[i]) <= (m + 1) / n_bins]
        if rows:
            acc = sum(p[i].argmax() == y[i] for i in rows) / len(rows)
            conf = sum(max(p[i]) for i in rows) / len(rows)
            gaps.append(abs(acc - conf))
            shares.append(len(rows) / len(y))
    means = {p_: sum(s * g**p_ for s, g in zip(shares, gaps, strict=True)) for p_ in (1, 2)}
    return {"l1": means[1], "l2": means[2] ** 0.5, "max": max(gaps)}[norm]


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
@pytest.mark.parametrize("n_bins", [1, 4, 15])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_definition_by_a_plain_loop(n_classes, n_bins, norm):
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(n_classes), size=40), np.arange(40) % n_classes
    error = expected_calibration_error(y, p, n_bins=n_bins, norm=norm)
    assert error == pytest.approx(by_a_loop(y, p, n_bins, norm), rel=1e-12)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_two_known_bins(strategy):
    # 4 rows at .6, one right: gap .35; 6 rows at .9, all right: gap .1
    y = ["b", "a", "b", "b"] + ["a"] * 6
    p = np.array([0.6] * 4 + [0.9] * 6)
    both = np.column_stack([p, 1 - p])
    error = {
        norm: expected_calibration_error(y, both, n_bins=2, strategy=strategy, norm=norm)
        for norm in ("l1", "l2", "max")
    }
    if strategy == "uniform":  # both confidences lie in (.5, 1]: 7 of 10 right at .78
        assert error == pytest.approx({"l1": 0.08, "l2": 0.08, "max": 0.08})
    else:
        l2 = (0.4 * 0.35**2 + 0.6 * 0.1**2) ** 0.5
        assert error == pytest.approx({"l1": 0.2, "l2": l2, "max": 0.35})


def test_an_edge_belongs_to_the_bin_below():
    y, p = [0, 1, 0, 0], [[0.8, 0.2], [0.8, 0.2], [0.81, 0.19], [0.81, 0.19]]
    assert expected_calibration_error(y, p, n_bins=5) == pytest.approx(0.5 * 0.3 + 0.5 * 0.19)


def test_quantile_bins_hold_equal_weight_and_ties_stay_together():
    p = np.linspace(0.51, 1, 8)
    y = np.array([1, 0, 1, 1, 0, 1, 1, 0])
    pairs = [abs(y[m : m + 2].mean() - p[m : m + 2].mean()) for m in range(0, 8, 2)]
    error = expected_calibration_error(y, p, n_bins=4, strategy="quantile")
    assert error == pytest.approx(np.mean(pairs))
    tied = expected_calibration_error([1, 0, 1, 0], [0.7] * 4, n_bins=3, strategy="quantile")
    assert tied == pytest.approx(0.2)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_calibrated_probabilities_are_near_zero_and_sharpened_ones_are_not(strategy):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), size=100_000)
    y = (rng.uniform(size=(100_000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    sharp = p**2 / (p**2).sum(axis=1, keepdims=True)
    assert expected_calibration_error(y, p, strategy=strategy) < 0.007
    assert expected_calibration_error(y, sharp, strategy=strategy) > 0.08


def test_bias_of_a_calibrated_model_is_as_the_docstring_says():
    rng, n, n_bins = np.random.default_rng(0), 1500, 15
    p = 0.8 + 1e-6 * rng.uniform(size=n)
    errors = [
        expected_calibration_error(
            rng.uniform(size=n) < p, p, n_bins=n_bins, strategy="quantile", labels=[False, True]
        )
        for _ in range(60)
    ]
    bias = np.sqrt(2 * 0.8 * 0.2 * n_bins / (np.pi * n))
    assert np.mean(errors) == pytest.approx(bias, rel=0.1)


def test_range():
    assert expected_calibration_error([0, 1], np.eye(2)) == 0
    assert expected_calibration_error([1, 0], np.eye(2)) == 1


@pytest.mark.parametrize(
    "option",
    [{"n_bins": 0}, {"n_bins": 2.5}, {"strategy": "kmeans"}, {"norm": "linf"}],
    ids=str,
)
def test_options_out_of_range(option):
    with pytest.raises(ValueError, match=f"{next(iter(option))}="):
        expected_calibration_error([0, 1], [0.2, 0.7], **option)
