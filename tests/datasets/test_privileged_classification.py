import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from sklearn_distill.datasets import make_privileged_classification
from tests.datasets.calibration import worst_deviation

KINDS = {"clean_labels": 1, "clean_features": 8, "relevant_features": 3}


def accuracy(train: Bunch, test: Bunch, columns: str) -> float:
    # threads cost more than they give at this size
    with threadpool_limits(1):
        model = LogisticRegression(C=10).fit(train[columns], train.target)
        return model.score(test[columns], test.target)


@pytest.mark.parametrize(("kind", "n_privileged"), KINDS.items())
def test_shapes(kind: str, n_privileged: int) -> None:
    bunch = make_privileged_classification(30, 8, kind=kind, random_state=0)
    assert bunch.data.shape == (30, 8)
    assert bunch.privileged.shape == (30, n_privileged)
    assert bunch.coef.shape == (8,)
    assert set(bunch.target) == {0, 1}
    for proba in (bunch.teacher_proba, bunch.student_proba):
        assert proba.shape == (30, 2)
        np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("noise", [0, 0.5, 2.0])
@pytest.mark.parametrize("columns", ["teacher_proba", "student_proba"])
def test_labels_follow_both_true_probabilities(kind: str, noise: float, columns: str) -> None:
    bunch = make_privileged_classification(20000, 8, kind=kind, noise=noise, random_state=0)
    assert worst_deviation(bunch.target == 1, bunch[columns][:, 1]) < 4


def test_clean_labels_are_the_margin() -> None:
    bunch = make_privileged_classification(30, 8, random_state=0)
    np.testing.assert_allclose(bunch.privileged[:, 0], bunch.data @ bunch.coef)


def test_clean_features_decide_the_label() -> None:
    bunch = make_privileged_classification(5000, 8, kind="clean_features", noise=2, random_state=0)
    np.testing.assert_array_equal(bunch.target, bunch.privileged @ bunch.coef > 0)
    np.testing.assert_array_equal(bunch.target, bunch.teacher_proba[:, 1])
    assert np.std(bunch.data - bunch.privileged) == pytest.approx(2, rel=0.02)


def test_relevant_features_are_the_columns_with_coefficients() -> None:
    bunch = make_privileged_classification(
        30, 8, kind="relevant_features", noise=0, n_relevant=2, random_state=0
    )
    relevant = np.flatnonzero(bunch.coef)
    assert len(relevant) == 2
    np.testing.assert_array_equal(bunch.privileged, bunch.data[:, relevant])
    np.testing.assert_array_equal(bunch.target, bunch.data @ bunch.coef > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_no_noise_leaves_nothing_to_the_teacher(kind: str) -> None:
    bunch = make_privileged_classification(50, 8, kind=kind, noise=0, random_state=0)
    np.testing.assert_array_equal(bunch.teacher_proba, bunch.student_proba)
    np.testing.assert_array_equal(bunch.teacher_proba[:, 1], bunch.target)


@pytest.mark.parametrize("kind", KINDS)
def test_seed_decides_and_given_coefficients_give_the_same_problem(kind: str) -> None:
    one, same, other = (
        make_privileged_classification(30, 8, kind=kind, random_state=seed) for seed in (1, 1, 2)
    )
    for entry in one:
        np.testing.assert_array_equal(one[entry], same[entry])
        assert not np.array_equal(one[entry], other[entry])
    test = make_privileged_classification(40, kind=kind, coef=one.coef, random_state=3)
    np.testing.assert_array_equal(test.coef, one.coef)
    assert test.privileged.shape == (40, KINDS[kind])


@pytest.mark.parametrize(
    ("kind", "noise", "published"),
    [
        ("clean_labels", 1, (0.96, 0.88)),
        ("clean_features", 1, (0.90, 0.68)),
        ("relevant_features", 0, (0.98, 0.89)),
    ],
)
def test_accuracies_are_those_of_the_paper(
    kind: str, noise: float, published: tuple[float, float]
) -> None:
    """Logistic regression on privileged and on regular columns, mean over a few draws."""
    scores = []
    for seed in range(4):
        train = make_privileged_classification(kind=kind, noise=noise, random_state=seed)
        test = make_privileged_classification(
            2000, kind=kind, noise=noise, coef=train.coef, random_state=100 + seed
        )
        scores.append([accuracy(train, test, columns) for columns in ("privileged", "data")])
    np.testing.assert_allclose(np.mean(scores, axis=0), published, atol=0.03)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"kind": "clean"}, "kind must be one of .*got 'clean'"),
        ({"n_samples": 0}, "n_samples"),
        ({"n_features": 0}, "n_features"),
        ({"noise": -1.0}, "noise"),
        ({"kind": "relevant_features", "n_relevant": 0}, "n_relevant"),
        ({"kind": "relevant_features", "n_features": 2}, "n_relevant"),
        ({"coef": [[1.0, 2.0]]}, "coef"),
        ({"coef": [1.0, np.inf]}, "coef"),
    ],
)
def test_bad_argument_is_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        make_privileged_classification(**options)
