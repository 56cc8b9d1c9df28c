import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from sklearn_distill.metrics import fidelity_score


@pytest.fixture
def both():
    return np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 50))


def test_definition_by_a_plain_loop(both):
    q, p = both
    same = sum(q[i].argmax() == p[i].argmax() for i in range(50))
    assert fidelity_score(q, p) == same / 50
    assert fidelity_score(p, p) == 1


@pytest.mark.parametrize("labels", [["x", "y", "z"], [5, 6, 7], [0.0, 1.0, 2.0], [0, 1, 2]])
def test_teacher_labels(both, labels):
    q, p = both
    y_teacher = np.array(labels)[q.argmax(axis=1)]
    assert fidelity_score(y_teacher, p) == fidelity_score(y_teacher, p, labels=labels)
    assert fidelity_score(y_teacher, p, labels=labels) == fidelity_score(q, p)


def test_it_is_accuracy_against_the_teacher(both):
    q, p = both
    accuracy = accuracy_score(q.argmax(axis=1), p.argmax(axis=1))
    assert fidelity_score(q, p) == pytest.approx(accuracy)


def test_one_dimension_with_fractions_is_a_probability():
    assert fidelity_score([0.0, 0.5, 0.9, 1.0], [0.1, 0.2, 0.3, 0.6]) == 0.75
    assert fidelity_score([0.0, 1.0, 1.0], [0.1, 0.2, 0.6]) == pytest.approx(2 / 3)


def test_ties_go_to_the_first_class():
    assert fidelity_score([[0.5, 0.5]], [[1.0, 0.0]]) == 1
    assert fidelity_score([0.5], [0.4]) == 1


def test_other_classes():
    with pytest.raises(ValueError, match="y_teacher has 3 classes and y_proba has 2"):
        fidelity_score(np.eye(3), [0.1, 0.2, 0.3])
