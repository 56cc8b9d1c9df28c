import numpy as np
import pytest

from sklearn_distill.datasets import make_teacher_probabilities
from tests.datasets.calibration import worst_deviation


def test_shapes_and_rows_that_sum_to_one() -> None:
    bunch = make_teacher_probabilities(50, 4, 5, random_state=0)
    assert bunch.data.shape == (50, 4)
    assert bunch.teacher_proba.shape == (50, 5)
    assert bunch.coef.shape == (4, 5)
    assert bunch.target.dtype == np.int64
    np.testing.assert_allclose(bunch.teacher_proba.sum(axis=1), 1)


def test_probabilities_are_the_softmax_of_the_scores() -> None:
    bunch = make_teacher_probabilities(20, random_state=0)
    odds = np.exp(bunch.data @ bunch.coef)
    np.testing.assert_allclose(bunch.teacher_proba, odds / odds.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_labels_are_drawn_from_the_probabilities(n_classes: int) -> None:
    bunch = make_teacher_probabilities(20000, 3, n_classes, random_state=0)
    for k in range(n_classes):
        assert worst_deviation(bunch.target == k, bunch.teacher_proba[:, k]) < 4


def test_weights_and_columns_are_standard_normal() -> None:
    bunch = make_teacher_probabilities(2000, 50, 40, random_state=0)
    for values in (bunch.data, bunch.coef):
        assert abs(values.mean()) < 4 / np.sqrt(values.size)
        assert abs(values.var() - 1) < 4 * np.sqrt(2 / values.size)


def test_seed_decides() -> None:
    one, same, other = (make_teacher_probabilities(30, random_state=seed) for seed in (1, 1, 2))
    for entry in one:
        np.testing.assert_array_equal(one[entry], same[entry])
        assert not np.array_equal(one[entry], other[entry])


def test_given_coefficients_give_the_same_problem() -> None:
    train = make_teacher_probabilities(30, 4, 2, random_state=0)
    test = make_teacher_probabilities(10, coef=train.coef, random_state=1)
    np.testing.assert_array_equal(test.coef, train.coef)
    assert test.data.shape == (10, 4)
    assert not np.isin(test.data, train.data).any()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"n_samples": 0}, "n_samples"),
        ({"n_features": 0}, "n_features"),
        ({"n_classes": 1}, "n_classes"),
        ({"coef": np.ones((3, 1))}, "coef"),
        ({"coef": np.full((3, 2), np.nan)}, "coef"),
        ({"coef": np.ones(3)}, "2D array"),
    ],
)
def test_bad_argument_is_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        make_teacher_probabilities(**options)
