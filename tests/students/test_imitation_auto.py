"""``imitation="auto"`` of PrivilegedLinearRegression against brute-force leave-one-out."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import (
    ImplausibleTeacherWarning,
    PrivilegedLinearRegression,
    PrivilegedLinearRegressionCV,
    TeacherStudentRegressor,
)
from sklearn_distill.solvers.least_squares import (
    leave_one_out_imitation,
    leave_one_out_predictions,
)
from sklearn_distill.teachers import out_of_fold_prediction

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


def test_folds_of_one_row_are_leaving_one_out():
    by_fold = np.where(np.eye(N, dtype=bool), np.nan, BIASED)
    for student in (
        PrivilegedLinearRegression("auto"),
        PrivilegedLinearRegression("auto", alpha=2.0, fit_intercept=False, **EQUAL),
    ):
        weight = np.arange(N) % 3 + 0.5
        by_row = clone(student).fit(X, Y, weight, teacher_prediction=BIASED)
        student.fit(X, Y, weight, teacher_prediction=BIASED, fold_teacher_prediction=by_fold)
        assert student.imitation_ == pytest.approx(by_row.imitation_, abs=1e-10)
        np.testing.assert_allclose(student.coef_, by_row.coef_, rtol=1e-9)


def test_the_predictions_of_a_fold_are_those_it_is_trained_on():
    rng = np.random.default_rng(0)
    fold = np.arange(N) % 3
    by_fold = TRUTH + X @ [0.2, 0.2, 0.2, 0.2] + 2 * rng.normal(size=(3, N))
    student = PrivilegedLinearRegression("auto", alpha=1.0, **EQUAL)

    def error(imitation):
        total = 0.0
        for k in range(3):
            train, test = fold != k, fold == k
            fitted = clone(student).set_params(imitation=imitation)
            fitted.fit(X[train], Y[train], teacher_prediction=by_fold[k, train])
            total += np.sum((Y[test] - fitted.predict(X[test])) ** 2)
        return total

    at_0, at_half, at_1 = error(0.0), error(0.5), error(1.0)
    a = 2 * (at_0 + at_1 - 2 * at_half)
    expected = (at_0 + a - at_1) / (2 * a)
    assert 0.02 < expected < 0.98
    by_fold[fold == np.arange(3)[:, None]] = np.nan
    student.fit(X, Y, teacher_prediction=BIASED, fold_teacher_prediction=by_fold)
    assert student.imitation_ == pytest.approx(expected, abs=1e-8)
    column = clone(student).fit(
        X,
        Y[:, None],
        teacher_prediction=BIASED[:, None],
        fold_teacher_prediction=by_fold[:, :, None],
    )
    assert column.imitation_ == pytest.approx(expected, abs=1e-8)


ODD = np.where(np.arange(N) % 2, np.nan, BIASED)


@pytest.mark.parametrize(
    ("imitation", "by_fold", "message"),
    [
        (0.5, [ODD, ODD], "fold_teacher_prediction with imitation=0.5: only imitation='auto'"),
        ("auto", ODD, "has the shape"),
        ("auto", [ODD[:-1]], r"has the shape \(1, 29\)"),
        ("auto", [ODD, BIASED], "a fold without any, or with all predictions"),
        ("auto", [ODD, np.full(N, np.nan)], "a fold without any, or with all predictions"),
        ("auto", [np.where(np.isnan(ODD), ODD, np.inf)], "has infinite values"),
    ],
)
def test_wrong_predictions_by_fold(imitation, by_fold, message):
    student = PrivilegedLinearRegression(imitation)
    with pytest.raises(ValueError, match=message):
        student.fit(X, Y, teacher_prediction=BIASED, fold_teacher_prediction=by_fold)


def test_a_fold_in_another_order_is_noticed():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 3))
    s = features.sum(axis=1)
    y = s + 0.5 * rng.normal(size=120)
    by_fold = np.where(np.arange(120) % 2 == np.arange(2)[:, None], np.nan, s)
    by_fold[1] = -by_fold[1]
    student = PrivilegedLinearRegression("auto")
    with pytest.warns(ImplausibleTeacherWarning, match="fold_teacher_prediction"):
        student.fit(features, y, teacher_prediction=s, fold_teacher_prediction=by_fold)


class TestInATeacherStudentRegressor:
    """λ from teachers that know no label of the fold that is left out."""

    def test_it_is_the_choice_of_nested_folds(self):
        folds = KFold(4)
        model = TeacherStudentRegressor(Ridge(), PrivilegedLinearRegression("auto"), cv=folds)
        model.fit(X, Y)
        splits = list(folds.split(X))
        y, u, v = [], [], []
        for train, test in splits:
            s = np.empty(N)
            for _, other in splits:
                rest = np.setdiff1d(train, other)
                s[other] = Ridge().fit(X[rest], Y[rest]).predict(X[other])
            y.append(Y[test])
            u.append(LinearRegression().fit(X[train], Y[train]).predict(X[test]))
            v.append(LinearRegression().fit(X[train], s[train]).predict(X[test]))
        share = leave_one_out_imitation(*map(np.concatenate, (y, u, v)), np.ones(N))
        student = model.student_
        rho = student.noise_variance_ / student.teacher_noise_variance_
        assert student.imitation_ == pytest.approx(share / (share + rho * (1 - share)), abs=1e-9)

    def test_in_a_pipeline_and_with_weights(self):
        student = make_pipeline(StandardScaler(), PrivilegedLinearRegression("auto"))
        weight = np.arange(N) % 3 + 0.5
        inside = TeacherStudentRegressor(LinearRegression(), student).fit(X, Y, weight)
        alone = clone(inside).set_params(student=student[-1])
        scaled = StandardScaler().fit_transform(X)
        alone.fit(scaled, Y, weight)
        assert inside.student_[-1].imitation_ == pytest.approx(alone.student_.imitation_, abs=1e-9)

    @pytest.mark.parametrize("cv", [2, None])
    def test_without_nested_folds_it_is_an_error(self, cv):
        model = TeacherStudentRegressor(
            LinearRegression(), PrivilegedLinearRegression("auto"), cv=cv
        )
        with pytest.raises(ValueError, match="needs a teacher that was not fitted on the labels"):
            model.fit(X, Y)

    def test_a_fitted_teacher_needs_no_folds(self):
        outside = LinearRegression().fit(X[:15], TRUTH[:15])
        student = PrivilegedLinearRegression("auto")
        model = TeacherStudentRegressor(outside, student, cv="prefit").fit(X[15:], Y[15:])
        s = outside.predict(X[15:])
        alone = clone(student).fit(X[15:], Y[15:], teacher_prediction=s)
        assert model.student_.imitation_ == alone.imitation_

    def test_on_noise_it_does_not_beat_the_labels_mean(self):
        # teacher and student know nothing of random labels; out-of-fold predictions leak them
        rng = np.random.default_rng(0)
        gains, nested, leaky = [], [], []
        for _ in range(24):
            features, y = rng.normal(size=(60, 8)), rng.normal(size=60)
            teacher, student = (
                RandomForestRegressor(20, random_state=0),
                PrivilegedLinearRegression(),
            )
            student.set_params(imitation="auto", **EQUAL)
            model = TeacherStudentRegressor(teacher, student, cv=4).fit(features, y)
            test, y_test = rng.normal(size=(2000, 8)), rng.normal(size=2000)
            errors = (model.predict(test) - y_test) ** 2
            gains.append(np.mean((y.mean() - y_test) ** 2 - errors))
            nested.append(model.student_.imitation_)
            s = out_of_fold_prediction(teacher, features, y, cv=4)
            leaky.append(clone(student).fit(features, y, teacher_prediction=s).imitation_)
        assert np.mean(gains) < 2 * np.std(gains, ddof=1) / np.sqrt(len(gains))
        assert np.mean(nested) < np.mean(leaky) - 0.05

    def test_it_is_near_the_choice_of_a_search(self):
        rng = np.random.default_rng(1)
        by_auto, by_search = [], []
        for _ in range(10):
            features, hidden = rng.normal(size=(80, 6)), rng.normal(size=80)
            y = features.sum(axis=1) + 3 * hidden + 0.5 * rng.normal(size=80)
            both = np.column_stack([features, hidden])
            for chosen, student in (
                (by_auto, PrivilegedLinearRegression("auto", **EQUAL)),
                (
                    by_search,
                    PrivilegedLinearRegressionCV([0.0], imitations=101, noise_ratios=[1.0]),
                ),
            ):
                model = TeacherStudentRegressor(Ridge(), student, privileged_features=[6])
                chosen.append(model.fit(both, y).student_.imitation_)
        np.testing.assert_allclose(by_auto, by_search, atol=0.02)
