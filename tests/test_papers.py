"""Quick checks of the papers' claims; docs/reproduction.md has all of them."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.metrics import cross_entropy_from_proba


@pytest.fixture(scope="module")
def distances():
    """Cross-entropy with the true probabilities in five runs, with and without a teacher."""

    def run(random_state):
        train = make_teacher_probabilities(1000, random_state=random_state)
        test = make_teacher_probabilities(1000, coef=train.coef, random_state=100 + random_state)
        student = DistilledLogisticRegression(imitation=0.75, temperature=1.0, C=np.inf)
        distilled = student.fit(train.data, train.target, teacher_proba=train.teacher_proba)
        with_teacher = distilled.predict_proba(test.data)
        without = (
            student.set_params(imitation=0).fit(train.data, train.target).predict_proba(test.data)
        )
        return [cross_entropy_from_proba(test.teacher_proba, p) for p in (with_teacher, without)]

    return np.array([run(random_state) for random_state in range(5)])


@pytest.mark.parametrize(("imitation", "expected"), [(0.5, 0.62), (0.75, 0.75)])
def test_the_published_synthetic_figures_have_half_a_teacher(imitation, expected):
    """With the teacher alone softened by 10, a cross-entropy of .618 needs λ = ½, not ¾."""
    found = []
    for seed in range(5):
        train = make_teacher_probabilities(1000, random_state=seed)
        test = make_teacher_probabilities(1000, coef=train.coef, random_state=100 + seed)
        student = DistilledLogisticRegression(
            imitation=imitation, temperature=10.0, soften_student=False, C=np.inf
        ).fit(train.data, train.target, teacher_proba=train.teacher_proba)
        found.append(log_loss(test.target, student.predict_proba(test.data)))
    assert np.mean(found) == pytest.approx(expected, abs=0.02)


def test_grabovoy_synthetic_set_is_closer_to_the_truth_with_its_teacher(distances):
    """Grabovoy and Strijov 2022 as written (T0 = 1, λ = .75), on all test samples."""
    with_teacher, without = distances.mean(axis=0)
    assert with_teacher < without
    assert (distances[:, 0] < distances[:, 1]).all()
