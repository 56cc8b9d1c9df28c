"""``imitation="auto"`` of PrivilegedLinearRegression against brute-force leave-one-out."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

from sklearn_distill import PrivilegedLinearRegression, TeacherStudentRegressor
from sklearn_distill.solvers.least_squares import (
    leave_one_out_imitation,
    leave_one_out_predictions,
)

N, D = 30, 4
RNG = np.random.default_rng(0)
X = RNG.normal(loc=2.0, size=(N, D))
TRUTH = X @ [1.0, -2.0, 0.5, 0.0]
Y = TRUTH + 2 * RNG.normal(size=N)
BIASED = TRUTH + X @ [0.5, 0.5, 0.5, 0.5] + 0.5 * RNG.normal(size=N)
EQUAL = {"noise_variance": 2.0, "teacher_noise_variance": 2.0}


def brute_force(student, features, y, s, weight):
    """Return the λ of smallest squared error on the left-out rows, of N refits for each λ."""

    def error(imitation):
        errors = []
        for i in np.flatnonzero(weight):
            rest = np.arange(len(y)) != i
            fitted = clone(student).set_params(imitation=imitation)
            fitted.fit(features[rest], y[rest], weight[rest], teacher_prediction=s[rest])
            errors.append(weight[i] * (y[i] - fitted.predict(features[[i]])[0]) ** 2)
        return np.sum(errors)

    # the error is quadratic in λ for equal variances: c + bλ + aλ²
    at_0, at_half, at_1 = error(0.0), error(0.5), error(1.0)
    a = 2 * (at_0 + at_1 - 2 * at_half)
    b = at_1 - at_0 - a
    return float(-b / (2 * a))


@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_equals_brute_force_leave_one_out(alpha, fit_intercept, weighted):
    weight = np.arange(N) % 4 + 0.5 if weighted else np.ones(N)
    weight[:2] = 0 if weighted else 1  # those rows are left out
    student = PrivilegedLinearRegression("auto", alpha=alpha, fit_intercept=fit_intercept, **EQUAL)
    student.fit(X, Y, weight, teacher_prediction=BIASED)
    expected = brute_force(student, X, Y, BIASED, weight)
    assert 0.02 < expected < 0.98
    assert student.imitation_ == pytest.approx(expected, abs=1e-8)
    same = clone(student).set_params(imitation=student.imitation_)
    same.fit(X, Y, weight, teacher_prediction=BIASED)
    np.testing.assert_allclose(student.coef_, same.coef_, rtol=1e-10)
    np.testing.assert_allclose(student.intercept_, same.intercept_, rtol=1e-10)


@pytest.mark.parametrize("variances", [{}, {"noise_variance": 1.0, "teacher_noise_variance": 0.2}])
def test_without_a_penalty_any_variances_give_the_same_fit_and_the_best_lambda(variances):
    student = PrivilegedLinearRegression("auto", **variances).fit(X, Y, teacher_prediction=BIASED)
    equal = PrivilegedLinearRegression("auto", **EQUAL).fit(X, Y, teacher_prediction=BIASED)
    np.testing.assert_allclose(student.coef_, equal.coef_, rtol=1e-10)
    rho = student.noise_variance_ / student.teacher_noise_variance_
    assert rho > 1
    assert student.imitation_ < equal.imitation_

    given = {
        "noise_variance": student.noise_variance_,
        "teacher_noise_variance": student.teacher_noise_variance_,
    }

    def error(imitation):
        total = 0.0
        for i in range(N):
            rest = np.arange(N) != i
            fitted = PrivilegedLinearRegression(imitation, **given)
            fitted.fit(X[rest], Y[rest], teacher_prediction=BIASED[rest])
            total += (Y[i] - fitted.predict(X[[i]])[0]) ** 2
        return total

    least = error(student.imitation_)
    for step in (-1e-3, 1e-3):
        assert error(student.imitation_ + step) > least


def test_the_minimum_may_lie_outside_and_is_clipped():
    def left_out(s):
        targets = np.column_stack([Y, s])
        return leave_one_out_predictions(X, targets, np.ones(N), 0.1, fit_intercept=True).T

    errors = Y - left_out(Y)[0]
    centred = X - X.mean(axis=0)
    towards = centred @ centred.T @ errors  # a teacher moved along it has less of them
    for sign, expected in ((1, 1.0), (-1, 0.0)):
        s = Y + 1e-3 * sign * towards
        u, v = left_out(s)
        unclipped = (Y - u) @ (v - u) / ((v - u) @ (v - u))
        assert not 0 < unclipped < 1
        student = PrivilegedLinearRegression("auto", alpha=0.1, **EQUAL)
        assert student.fit(X, Y, teacher_prediction=s).imitation_ == expected


def test_a_teacher_that_equals_the_labels_has_no_weight():
    assert PrivilegedLinearRegression("auto").fit(X, Y, teacher_prediction=Y).imitation_ == 0
    assert leave_one_out_imitation(Y, Y - 1, Y - 1, np.ones(N)) == 0


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_constant_and_repeated_columns_change_nothing(shift):
    wide = np.column_stack([X + shift, X[:, 0] + shift, np.full(N, 1e7)])
    student = PrivilegedLinearRegression("auto").fit(wide, Y, teacher_prediction=BIASED)
    plain = PrivilegedLinearRegression("auto").fit(X, Y, teacher_prediction=BIASED)
    assert student.imitation_ == pytest.approx(plain.imitation_, abs=1e-6)


@pytest.mark.parametrize("kind", [sparse.csr_array, np.float32], ids=["sparse", "float32"])
def test_other_kinds_of_features(kind):
    features = kind(X) if kind is sparse.csr_array else X.astype(kind)
    student = PrivilegedLinearRegression("auto").fit(features, Y, teacher_prediction=BIASED)
    plain = PrivilegedLinearRegression("auto").fit(X, Y, teacher_prediction=BIASED)
    assert student.imitation_ == pytest.approx(plain.imitation_, abs=1e-5)


def test_one_output_as_a_column():
    column = PrivilegedLinearRegression("auto").fit(
        X, Y[:, None], teacher_prediction=BIASED[:, None]
    )
    plain = PrivilegedLinearRegression("auto").fit(X, Y, teacher_prediction=BIASED)
    assert column.imitation_ == pytest.approx(plain.imitation_)
    assert column.coef_.shape == (1, D)


def test_it_is_near_what_a_search_finds_and_helps():
    rng = np.random.default_rng(1)
    gains = []
    for _ in range(40):
        features = rng.normal(size=(40, 8))
        truth = features.sum(axis=1)
        y = truth + 3 * rng.normal(size=40)
        s = truth + rng.normal(size=40)
        student = PrivilegedLinearRegression("auto").fit(features, y, teacher_prediction=s)
        baseline = PrivilegedLinearRegression(0).fit(features, y)
        errors = [np.sum((model.coef_ - 1) ** 2) for model in (baseline, student)]
        gains.append(errors[0] - errors[1])
    assert np.mean(gains) > 4 * np.std(gains, ddof=1) / np.sqrt(len(gains))


SOME = np.where(np.arange(N) == 7, np.nan, 1.0)


@pytest.mark.parametrize(
    ("parameters", "args", "message"),
    [
        ({}, {"y": Y * SOME}, "row 7 has no label"),
        ({}, {"teacher_prediction": BIASED * SOME}, "row 7 has no teacher's prediction"),
        ({}, {"teacher_prediction": None}, "row 0 has no teacher's prediction"),
        ({}, {"teacher_std": np.linspace(1, 2, N)}, "equal weight: pass no teacher_std"),
        ({}, {"teacher_weight": np.full(N, 0.5)}, "equal weight: pass no teacher_std"),
        (
            {},
            {"y": np.column_stack([Y, Y]), "teacher_prediction": np.column_stack([Y, BIASED])},
            "y has 2 outputs",
        ),
        ({"alpha": 1.0}, {}, "set to the same number"),
        ({"alpha": 1.0, "noise_variance": 1.0, "teacher_noise_variance": 2.0}, {}, "same number"),
        ({}, {"X": np.eye(N)}, "row 0 of those with a weight determines its own prediction"),
    ],
    ids=[
        "unlabelled",
        "untaught",
        "no teacher",
        "std",
        "trust",
        "outputs",
        "auto variances",
        "variances",
        "wide",
    ],
)
def test_where_it_cannot_choose_it_says_what_is_missing(parameters, args, message):
    student = PrivilegedLinearRegression("auto", **parameters)
    args = {"X": X, "y": Y, "teacher_prediction": BIASED} | args
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of variances of as many columns as rows
        with pytest.raises(ValueError, match=message):
            student.fit(**args)
    assert not hasattr(student, "coef_")


def test_parts_of_the_data_cannot_choose():
    student = PrivilegedLinearRegression("auto")
    with pytest.raises(ValueError, match="needs all rows in memory, in one call of fit"):
        student.partial_fit(X, Y, teacher_prediction=BIASED)
    assert not hasattr(student, "statistics_")
    student.fit(X, Y, teacher_prediction=BIASED)
    with pytest.raises(ValueError, match="needs all rows in memory, in one call of fit"):
        student.solve()
    assert student.set_params(imitation=student.imitation_).solve().imitation_ > 0


def test_inside_a_teacher_student_regressor_only_for_a_fitted_teacher():
    student = PrivilegedLinearRegression("auto")
    for cv in (5, None):
        model = TeacherStudentRegressor(LinearRegression(), student, cv=cv)
        with pytest.raises(ValueError, match="needs a teacher that was not fitted on y"):
            model.fit(X, Y)
    outside = LinearRegression().fit(X[:15], TRUTH[:15])
    model = TeacherStudentRegressor(outside, student, cv="prefit").fit(X[15:], Y[15:])
    assert 0 <= model.student_.imitation_ <= 1
    frozen = student.fit(X, Y, teacher_prediction=BIASED)
    assert clone(frozen).imitation == "auto"
