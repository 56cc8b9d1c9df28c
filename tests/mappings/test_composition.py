"""f∘φ: a teacher of one domain, asked through a map about another."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_distill import DistilledLogisticRegression, TeacherStudentClassifier
from sklearn_distill.teachers import out_of_fold_proba


@pytest.fixture
def mapped_teacher(phi, teacher):
    return make_pipeline(FrozenEstimator(phi), FrozenEstimator(teacher))


@pytest.fixture
def student():
    return DistilledLogisticRegression(imitation=0.5)


def probabilities(scores):
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def test_frozen_steps_stay_fitted_in_a_clone(mapped_teacher, phi, teacher, domains):
    copy = clone(mapped_teacher)
    expected = teacher.predict(phi.transform(domains.X_unseen))
    np.testing.assert_array_equal(copy.predict(domains.X_unseen), expected)
    # nor does fitting change them: φ needs no X_source, f no labels of the source domain
    copy.fit(domains.X[:20], domains.y[:20])
    np.testing.assert_array_equal(copy.predict(domains.X_unseen), expected)


def test_the_map_answers_for_rows_of_the_target_domain(mapped_teacher, domains):
    says = out_of_fold_proba(mapped_teacher, domains.X, domains.y)
    scores = mapped_teacher.decision_function(domains.X)
    np.testing.assert_allclose(says, probabilities(scores), atol=1e-12)


@pytest.mark.parametrize("cv", [2, "prefit", None])
def test_teacher_student_owns_the_composition(mapped_teacher, student, domains, cv):
    """Frozen, it says the same in all folds, so that how it is asked makes no difference."""
    both = TeacherStudentClassifier(mapped_teacher, student, cv=cv).fit(domains.X, domains.y)
    says = probabilities(mapped_teacher.decision_function(domains.X))
    alone = clone(student).fit(domains.X, domains.y, teacher_proba=says)
    np.testing.assert_allclose(both.student_.coef_, alone.coef_, atol=1e-10)
    score = cross_val_score(both, domains.X, domains.y, cv=2)
    assert score.shape == (2,)
    assert score.min() > 0.7


def test_rows_without_labels_learn_from_the_source_domain(mapped_teacher, student, domains):
    """No label of the target domain beside those that φ was fitted with, and 0.1 is chance."""
    both = TeacherStudentClassifier(mapped_teacher, student, cv="prefit")
    both.fit(domains.X_unseen)
    assert both.score(domains.X_unseen, domains.y_unseen) > 0.9
