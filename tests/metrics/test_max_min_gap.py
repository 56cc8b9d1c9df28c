import numpy as np
import pytest

from sklearn_distill.metrics import max_min_gap


def test_definition_by_a_plain_loop():
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=25)
    gaps = [max(row) - min(row) for row in p.tolist()]
    mean = sum(gaps) / 25
    std = (sum((gap - mean) ** 2 for gap in gaps) / 25) ** 0.5
    assert max_min_gap(p) == pytest.approx(mean, rel=1e-13)
    assert max_min_gap(p, return_std=True) == pytest.approx((mean, std), rel=1e-13)


def test_range():
    assert max_min_gap(np.full((4, 5), 0.2), return_std=True) == (0, 0)
    assert max_min_gap(np.eye(5), return_std=True) == (1, 0)
    assert max_min_gap([0.5, 1.0, 0.0], return_std=True) == pytest.approx((2 / 3, 2**0.5 / 3))


def test_labels_are_ignored():
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=9)
    assert max_min_gap(["a"] * 9, p) == max_min_gap(p)
