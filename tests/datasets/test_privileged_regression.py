import numpy as np
import pytest

from sklearn_distill.datasets import make_privileged_regression


def test_shapes() -> None:
    bunch = make_privileged_regression(30, 4, n_privileged=2, random_state=0)
    assert bunch.data.shape == (30, 4)
    assert bunch.privileged.shape == (30, 2)
    assert bunch.target.shape == bunch.expected_target.shape == (30,)
    np.testing.assert_allclose(bunch.expected_target, bunch.data @ bunch.coef)


def test_errors_have_their_variances_and_are_independent() -> None:
    n = 20000
    bunch = make_privileged_regression(
        n, 3, noise=2.0, privileged_noise=0.5, n_privileged=2, random_state=0
    )
    measured = np.column_stack([bunch.target, bunch.privileged])
    covariance = np.cov(measured - bunch.expected_target[:, np.newaxis], rowvar=False)
    np.testing.assert_allclose(np.diag(covariance), [4, 0.25, 0.25], rtol=4 * np.sqrt(2 / n))
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    assert np.abs(correlation - np.eye(3)).max() < 4 / np.sqrt(n)


def test_inverse_variances_are_the_best_weights() -> None:
    """The laws of Theorem 2: y and s weighed by σ⁻² and σ_s⁻² beat either alone."""
    bunch = make_privileged_regression(
        20000, 3, noise=2.0, privileged_noise=1.0, n_privileged=4, random_state=0
    )
    teacher = bunch.privileged.mean(axis=1)
    a, b = 1 / 2.0**2, 4 / 1.0**2
    combined = (a * bunch.target + b * teacher) / (a + b)
    errors = [np.var(s - bunch.expected_target) for s in (bunch.target, teacher, combined)]
    np.testing.assert_allclose(errors, [1 / a, 1 / b, 1 / (a + b)], rtol=0.05)


def test_no_noise_measures_the_truth() -> None:
    bunch = make_privileged_regression(10, 3, noise=0, privileged_noise=0, random_state=0)
    np.testing.assert_array_equal(bunch.target, bunch.expected_target)
    np.testing.assert_array_equal(bunch.privileged[:, 0], bunch.expected_target)


def test_seed_decides_and_given_coefficients_give_the_same_problem() -> None:
    one, same, other = (make_privileged_regression(30, random_state=seed) for seed in (1, 1, 2))
    for entry in one:
        np.testing.assert_array_equal(one[entry], same[entry])
        assert not np.array_equal(one[entry], other[entry])
    test = make_privileged_regression(40, coef=one.coef.tolist(), random_state=3)
    np.testing.assert_array_equal(test.coef, one.coef)
    assert test.data.shape == (40, 10)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"n_samples": 0}, "n_samples"),
        ({"n_features": 0}, "n_features"),
        ({"noise": -1.0}, "noise"),
        ({"privileged_noise": -1.0}, "privileged_noise"),
        ({"n_privileged": 0}, "n_privileged"),
        ({"coef": np.eye(2)}, "coef"),
    ],
)
def test_bad_argument_is_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        make_privileged_regression(**options)
