import math

import numpy as np
import pytest
from scipy.special import softmax

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.metrics import (
    cross_entropy_from_proba,
    get_scorer,
    kl_divergence_from_proba,
)
from tests.helpers import gradient_by_differences


@pytest.fixture
def both():
    return np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 20))


@pytest.mark.parametrize("T", [0.5, 1.0, 3.0])
def test_definition_by_a_plain_loop(both, T):
    q, p = (softmax(np.log(a) / T, axis=1) for a in both)
    total = sum(q[i, k] * math.log(q[i, k] / p[i, k]) for i in range(20) for k in range(3))
    found = kl_divergence_from_proba(*both, temperature=T)
    assert found == pytest.approx(total / 20, rel=1e-12)
    assert found > 0
    assert kl_divergence_from_proba(both[0], both[0], temperature=T) == 0


def test_it_is_the_cross_entropy_minus_the_entropy_and_the_scorer(both):
    q, p = both
    excess = cross_entropy_from_proba(q, p) - cross_entropy_from_proba(q, q)
    assert kl_divergence_from_proba(q, p) == pytest.approx(excess, rel=1e-12)
    X, y = np.random.default_rng(1).normal(size=(20, 2)), np.arange(20) % 3
    student = DistilledLogisticRegression(imitation=0).fit(X, y)
    score = get_scorer("neg_teacher_kl_divergence")(student, X, teacher_proba=q)
    assert -score == pytest.approx(kl_divergence_from_proba(q, student.predict_proba(X)))


def test_the_higher_the_temperature_the_closer_they_are(both):
    found = [kl_divergence_from_proba(*both, temperature=T) for T in (0.5, 1, 2, 4, 8)]
    assert found == sorted(found, reverse=True)


def test_impossible_classes():
    assert kl_divergence_from_proba([[0, 1.0]], [[0, 1.0]], temperature=2) == 0
    assert kl_divergence_from_proba([[0, 1.0]], [[0.5, 0.5]]) == pytest.approx(math.log(2))
    assert kl_divergence_from_proba([[0.1, 0.9]], [[0, 1.0]], temperature=2) == math.inf


@pytest.mark.parametrize("T", [1.0, 2.0])
def test_full_imitation_is_d_distillation(T):
    """Gorpinich, Bakhteev and Strijov's statement: λ₁ = 0, our λ = 1, minimises this D."""
    rng = np.random.default_rng(0)
    X, logits = rng.normal(size=(60, 2)), 2 * rng.normal(size=(60, 3))
    student = DistilledLogisticRegression(imitation=1, temperature=T, C=np.inf, tol=1e-10)
    student.fit(X, np.arange(60) % 3, teacher_logits=logits)

    def distance(w):
        W, b = w[:6].reshape(3, 2), w[6:]
        p = softmax(X @ W.T + b, axis=1)
        return kl_divergence_from_proba(softmax(logits, axis=1), p, temperature=T)

    at = np.r_[student.coef_.ravel(), student.intercept_]
    slope = gradient_by_differences(lambda step: distance(at + step), np.zeros(9), 1e-5)
    assert np.abs(slope).max() < 1e-7
    for direction in rng.normal(size=(5, 9)):
        assert distance(at + 0.1 * direction) > distance(at)


@pytest.mark.parametrize("T", [0.0, -1.0, math.inf, math.nan])
def test_a_temperature_out_of_range(T):
    with pytest.raises(ValueError, match="temperature="):
        kl_divergence_from_proba([0.5], [0.5], temperature=T)


def test_other_numbers_of_classes(both):
    with pytest.raises(ValueError, match="teacher_proba has 3 classes and y_proba has 2"):
        kl_divergence_from_proba(both[0], np.full(20, 0.5))
