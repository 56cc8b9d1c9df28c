"""Probabilities of scores: as the definition in long double, for any finite or infinite score."""

import numpy as np
import pytest

from sklearn_distill.losses import log_probabilities, probabilities

MARGINS = np.array([-np.inf, -745.0, -40.0, -1.0, 0.0, 1e-9, 3.0, 40.0, 700.0, np.inf])


def softmax_in_long_double(scores):
    z = scores.astype(np.longdouble)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_classes_are_precise_however_small(dtype):
    margins = MARGINS.astype(dtype)
    halves = np.clip(margins / 2, -5e3, 5e3)  # ∞ − ∞ has no value
    tiny = np.finfo(dtype).tiny  # below it, numbers lose digits
    p = probabilities(margins)
    assert p.dtype == dtype
    exact = softmax_in_long_double(np.stack([-halves, halves], axis=1))
    np.testing.assert_allclose(p, exact, rtol=8 * np.finfo(dtype).eps, atol=tiny)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_any_scores(dtype):
    rng = np.random.default_rng(0)
    scores = (100 * rng.normal(size=(50, 4))).astype(dtype)
    scores[0, 2] = -np.inf  # a class without mass
    kept = scores.copy()
    p = probabilities(scores)
    eps, tiny = np.finfo(dtype).eps, np.finfo(dtype).tiny
    np.testing.assert_allclose(p, softmax_in_long_double(scores), rtol=400 * eps, atol=tiny)
    assert p.dtype == dtype
    assert (scores == kept).all()


@pytest.mark.parametrize("scores", [MARGINS, np.array([[0.0, 1.0, -800.0], [5.0, -np.inf, 2.0]])])
def test_logarithms_are_those_of_the_probabilities(scores):
    p = probabilities(scores)
    is_normal = p > 1e-300
    log_p = log_probabilities(scores)
    np.testing.assert_allclose(log_p[is_normal], np.log(p[is_normal]), rtol=1e-12, atol=1e-15)
    assert (log_p[~is_normal] < np.log(1e-300)).all()
