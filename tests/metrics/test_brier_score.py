from inspect import signature

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from sklearn_distill.metrics import brier_score


def test_definition_by_a_plain_loop():
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(3), size=20), rng.permutation(np.arange(20) % 3)
    total = sum((p[i, k] - (y[i] == k)) ** 2 for i in range(20) for k in range(3))
    assert brier_score(y, p) == pytest.approx(total / 20, rel=1e-13)
    assert brier_score(y, p, scale_by_half=True) == pytest.approx(total / 40, rel=1e-13)


def test_two_classes_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    p, y, w = rng.uniform(size=30), np.array(["no", "yes"])[np.arange(30) % 2], rng.uniform(size=30)
    expected = brier_score_loss(y, p, sample_weight=w, pos_label="yes")
    assert brier_score(y, p, sample_weight=w) == pytest.approx(expected, rel=1e-13)
    assert brier_score(y, p, sample_weight=w, scale_by_half=False) == pytest.approx(2 * expected)


@pytest.mark.skipif(
    "scale_by_half" not in signature(brier_score_loss).parameters,
    reason="brier_score_loss takes several classes from scikit-learn 1.7 on",
)
@pytest.mark.parametrize("scale_by_half", ["auto", True, False])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_several_classes_agree_with_scikit_learn(n_classes, scale_by_half):
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(n_classes), size=30), np.arange(30) % n_classes
    expected = brier_score_loss(y, p, labels=range(n_classes), scale_by_half=scale_by_half)
    score = brier_score(y, p, scale_by_half=scale_by_half)
    assert score == pytest.approx(expected, rel=1e-13)


def test_range():
    assert brier_score([0, 1, 2], np.eye(3)) == 0
    assert brier_score([1, 2, 0], np.eye(3)) == 2
    assert brier_score([1, 0], np.eye(2)) == 1


def test_class_that_does_not_occur():
    assert brier_score(["a"], [[0.6, 0.0, 0.4]], labels=["a", "b", "c"]) == pytest.approx(0.32)


def test_scale_by_half_out_of_range():
    with pytest.raises(ValueError, match="scale_by_half='yes'"):
        brier_score([0, 1], [0.1, 0.2], scale_by_half="yes")
