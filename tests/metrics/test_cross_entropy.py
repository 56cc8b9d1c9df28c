import math

import numpy as np
import pytest
from sklearn.metrics import log_loss

from sklearn_distill.metrics import cross_entropy_from_proba


@pytest.fixture
def both():
    return np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 20))


def test_definition_by_a_plain_loop(both):
    s, p = both
    total = sum(s[i, k] * math.log(p[i, k]) for i in range(20) for k in range(3))
    assert cross_entropy_from_proba(s, p) == pytest.approx(-total / 20, rel=1e-13)


def test_least_at_the_truth_where_it_is_the_entropy(both):
    s, p = both
    entropy = cross_entropy_from_proba(s, s)
    assert entropy == pytest.approx(-np.mean(np.sum(s * np.log(s), axis=1)), rel=1e-13)
    divergence = np.mean(np.sum(s * np.log(s / p), axis=1))
    assert cross_entropy_from_proba(s, p) - entropy == pytest.approx(divergence, rel=1e-12)
    assert divergence > 0


def test_one_hot_truth_is_log_loss(both):
    p, y = both[1], np.arange(20) % 3
    w = np.random.default_rng(1).uniform(size=20)
    loss = cross_entropy_from_proba(np.eye(3)[y], p, sample_weight=w)
    assert loss == pytest.approx(log_loss(y, p, sample_weight=w), rel=1e-13)


def test_impossible_classes():
    assert cross_entropy_from_proba([[0, 1.0]], [[0, 1.0]]) == 0
    assert cross_entropy_from_proba([[0.1, 0.9]], [[0, 1.0]]) == math.inf
    assert cross_entropy_from_proba([1.0, 0.1], [1.0, 0.0], sample_weight=[1, 0]) == 0


def test_eps_of_log_loss():
    y, p = [0, 1, 1], [[0.0, 1.0], [0.5, 0.5], [0.25, 0.75]]
    loss = cross_entropy_from_proba(np.eye(2)[y], p, eps=np.finfo(float).eps)
    assert loss == pytest.approx(log_loss(y, p), rel=1e-13)


def test_several_classes_and_two_as_one_dimension(both):
    s, p = np.random.default_rng(0).uniform(size=(2, 9))
    two = np.column_stack([1 - p, p])
    assert cross_entropy_from_proba(s, two) == cross_entropy_from_proba(s, p)
    with pytest.raises(ValueError, match="true_proba has 2 classes and y_proba has 3"):
        cross_entropy_from_proba(s, both[1][:9])


@pytest.mark.parametrize("eps", [-0.1, 1.0, math.nan])
def test_eps_out_of_range(eps):
    with pytest.raises(ValueError, match="eps="):
        cross_entropy_from_proba([0.5], [0.5], eps=eps)
