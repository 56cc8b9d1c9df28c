import numpy as np
import pytest

from sklearn_distill.metrics import uncertainty_degree


def test_definition_by_a_plain_loop():
    p = np.random.default_rng(0).dirichlet([0.5, 1, 2, 1], size=30)
    total = 0.0
    for row in p:
        sure = [1.0 if k == row.argmax() else 0.0 for k in range(4)]
        total += 0.5 * sum((a - b) ** 2 for a, b in zip(row, sure, strict=True))
    assert uncertainty_degree(p) == pytest.approx(total / 30, rel=1e-13)


def test_two_classes_are_biryukovas():
    p = np.append(np.random.default_rng(0).uniform(size=50), [0.0, 0.5, 1.0])
    unc = np.mean((p - (p > 0.5)) ** 2)
    assert uncertainty_degree(p) == pytest.approx(unc, rel=1e-14)
    assert uncertainty_degree(np.column_stack([1 - p, p])) == pytest.approx(unc, rel=1e-14)


@pytest.mark.parametrize("n_classes", [1, 2, 3, 10])
def test_range(n_classes):
    top = 0.5 * (1 - 1 / n_classes)
    assert uncertainty_degree(np.full((5, n_classes), 1 / n_classes)) == pytest.approx(top)
    assert uncertainty_degree(np.eye(n_classes)) == 0
    p = np.random.default_rng(0).dirichlet(np.ones(n_classes), size=200)
    assert all(0 <= uncertainty_degree(row[None]) <= top + 1e-12 for row in p)


def test_labels_are_ignored():
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=9)
    assert uncertainty_degree(np.arange(9) % 3, p) == uncertainty_degree(p)
    assert uncertainty_degree(y_proba=p) == uncertainty_degree(None, p) == uncertainty_degree(p)
