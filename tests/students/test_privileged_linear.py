"""PrivilegedLinearRegression against scikit-learn's least squares, with and without a teacher."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.linalg import LinAlgWarning
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, RANSACRegressor, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_distill import TeacherMissingWarning
from sklearn_distill.students.privileged_linear import PrivilegedLinearRegression

N, D = 60, 3
GIVEN = {"noise_variance": 2.0, "teacher_noise_variance": 0.5}


@pytest.mark.filterwarnings("ignore::sklearn_distill.TeacherMissingWarning")  # they have no teacher
@parametrize_with_checks([PrivilegedLinearRegression(), PrivilegedLinearRegression(solver="tsqr")])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(loc=2.0, size=(N, D))
    truth = X @ [1.0, -2.0, 0.5] + 4
    return X, truth + rng.normal(size=N), truth + 0.3 * rng.normal(size=N)


@pytest.fixture
def gaps(data):
    """Return the data with some labels and predictions missing."""
    X, y, s = data
    y[::3], s[1::3] = np.nan, np.nan
    return X, y, s


def same(one, other, rtol=1e-8):
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=rtol)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=rtol)
    return True


# --- scikit-learn's own regressions ---------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("with_teacher", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_without_teacher_or_imitation_it_is_linear_regression_and_ridge(
    data, weighted, fit_intercept, with_teacher, alpha
):
    X, y, s = data
    weight = np.random.default_rng(1).uniform(size=N) if weighted else None
    student = PrivilegedLinearRegression(0.0, alpha=alpha, fit_intercept=fit_intercept)
    student.fit(X, y, weight, teacher_prediction=s if with_teacher else None)
    kind = Ridge(alpha) if alpha else LinearRegression()
    plain = kind.set_params(fit_intercept=fit_intercept).fit(X, y, weight)
    assert same(student, plain)
    np.testing.assert_allclose(student.predict(X), plain.predict(X))
    assert student.score(X, y) == pytest.approx(plain.score(X, y))


@pytest.mark.parametrize("q", [1, 2])
def test_outputs_as_columns_have_linear_regression_s_shapes(data, q):
    X, y, s = data
    Y, S = np.column_stack([y, s])[:, :q], np.column_stack([s, y])[:, :q]
    plain = LinearRegression().fit(X, Y)
    student = PrivilegedLinearRegression(0.0).fit(X, Y, teacher_prediction=S)
    assert same(student, plain)
    for name in ("coef_", "intercept_"):
        assert np.shape(getattr(student, name)) == np.shape(getattr(plain, name))
    prediction, std = student.predict(X, return_std=True)
    assert prediction.shape == std.shape == plain.predict(X).shape
    assert student.coef_covariance_.shape == (q, D, D)
    assert student.noise_variance_.shape == student.teacher_noise_variance_.shape == (q,)


def test_a_column_and_a_vector_are_the_same_teacher(data):
    X, y, s = data
    flat = PrivilegedLinearRegression().fit(X, y, teacher_prediction=s[:, None])
    assert flat.coef_.shape == (D,)
    column = PrivilegedLinearRegression().fit(X, y[:, None], teacher_prediction=s)
    assert column.coef_.shape == (1, D)
    np.testing.assert_array_equal(column.coef_[0], flat.coef_)
    without_y = PrivilegedLinearRegression().fit(X, teacher_prediction=s[:, None])
    assert without_y.coef_.shape == (1, D)


def test_to_sklearn_predicts_the_same(data):
    X, y, s = data
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    for target in (y, np.column_stack([y, s])):
        student = PrivilegedLinearRegression().fit(frame, target, teacher_prediction=target + 1)
        plain = student.to_sklearn()
        assert type(plain) is LinearRegression
        np.testing.assert_allclose(plain.predict(frame), student.predict(frame), rtol=1e-12)
        plain.coef_[:] = 0
        assert student.coef_.all()
        assert plain.feature_names_in_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("alpha", [0.0, 2.0, [2.0], np.array([2.0])])
@pytest.mark.parametrize("with_teacher", [False, True])
def test_one_column_has_the_shapes_of_linear_regression_or_with_a_penalty_of_ridge(
    data, alpha, with_teacher
):
    X, y, s = data
    plain = Ridge(alpha=2.0) if np.any(alpha) else LinearRegression()
    plain.fit(X, y[:, None])
    student = PrivilegedLinearRegression(0.0, alpha=alpha)
    student.fit(X, y[:, None], teacher_prediction=s if with_teacher else None)
    assert same(student, plain)
    for name in ("coef_", "intercept_"):
        assert np.shape(getattr(student, name)) == np.shape(getattr(plain, name))
    prediction, std = student.predict(X, return_std=True)
    assert prediction.shape == std.shape == plain.predict(X).shape
    assert student.coef_covariance_.shape == (*student.coef_.shape, D)
    assert student.to_sklearn().predict(X).shape == prediction.shape


@pytest.mark.parametrize("as_list", [False, True])
def test_a_penalty_for_each_target_is_ridge_s(data, as_list):
    X, y, s = data
    Y, alpha = np.column_stack([y, s, y - s]), np.array([0.0, 5.0, 0.1])
    student = PrivilegedLinearRegression(imitation=0, alpha=alpha.tolist() if as_list else alpha)
    assert same(student.fit(X, Y), Ridge(alpha=alpha).fit(X, Y))
    one_by_one = [
        PrivilegedLinearRegression(imitation=0, alpha=a).fit(X, target)
        for a, target in zip(alpha, Y.T, strict=True)
    ]
    covariances = [one.coef_covariance_ for one in one_by_one]
    np.testing.assert_allclose(student.coef_covariance_, covariances, rtol=1e-9)
    std = np.column_stack([one.predict(X, return_std=True)[1] for one in one_by_one])
    np.testing.assert_allclose(student.predict(X, return_std=True)[1], std, rtol=1e-9)
    streamed = clone(student).partial_fit(X[:30], Y[:30]).partial_fit(X[30:], Y[30:])
    assert same(streamed, student)
    with pytest.raises(ValueError, match=r"alpha has shape \(3,\), but there are 2 targets: pass"):
        clone(student).fit(X, Y[:, :2])


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        ([1.0, -1.0], "alpha must have finite numbers that are 0 or more, got"),
        ([1.0, np.nan], "alpha must have finite numbers"),
        (["much"], "alpha must be a number or an array of numbers: could not convert"),
        ([[1.0, 2.0]], r"alpha has shape \(1, 2\)"),
    ],
)
def test_errors_of_a_penalty_for_each_target(data, alpha, message):
    X, y, s = data
    with pytest.raises(ValueError, match=message):
        PrivilegedLinearRegression(imitation=0, alpha=alpha).fit(X, np.column_stack([y, s]))


# --- rank and singular values ---------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("which", ["full", "repeated", "constant", "wide", "scales"])
def test_rank_and_singular_values_are_linear_regression_s(
    data, solver, fit_intercept, weighted, which
):
    X, y, _ = data
    X = {
        "full": X,
        "repeated": X[:, [0, 1, 1]],
        "constant": np.column_stack([X, np.full(N, 2.0)]),
        "wide": X[:3, [0, 1, 2, 0]] + np.eye(3, 4),
        "scales": X * [1e-3, 1.0, 1e6],
    }[which]
    y, n = y[: len(X)], len(X)
    weight = np.random.default_rng(1).uniform(1, 2, size=n) if weighted else None
    plain = LinearRegression(fit_intercept=fit_intercept).fit(X, y, weight)
    student = PrivilegedLinearRegression(0.0, alpha=1.0, fit_intercept=fit_intercept, solver=solver)
    student.fit(X, y, weight)  # the penalty is not a part of X
    # LinearRegression drops singular values below 1e-6 of the largest, also of badly scaled columns
    assert student.rank_ == (3 if which == "scales" else plain.rank_)
    assert student.singular_.shape == plain.singular_.shape
    scale = plain.singular_.max()
    np.testing.assert_allclose(student.singular_, plain.singular_, atol=2e-8 * scale)


def test_rank_and_singular_values_where_the_weights_of_the_outputs_differ(gaps):
    X, y, s = gaps
    Y, S = np.column_stack([y, 3 * y]), np.column_stack([s, s])
    student = PrivilegedLinearRegression().fit(X, Y, teacher_prediction=S)
    assert student.rank_ == 3
    assert student.singular_.shape == (2, 3)
    for j in range(2):
        alone = PrivilegedLinearRegression().fit(X, Y[:, j], teacher_prediction=S[:, j])
        np.testing.assert_allclose(student.singular_[j], alone.singular_, rtol=1e-9)
    known = {"noise_variance": 1.0, "teacher_noise_variance": 1.0}
    same_weights = PrivilegedLinearRegression(**known).fit(X, Y, teacher_prediction=S)
    assert same_weights.singular_.shape == (3,)


# --- float32 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_float32_stays_float32(gaps, n_outputs, weighted, make):
    X, y, s = (values.astype(np.float32) for values in gaps)
    if n_outputs == 2:
        y, s = np.column_stack([y, 2 * y]), np.column_stack([s, s])
    weight = np.ones(N, np.float32) if weighted else None
    student = PrivilegedLinearRegression().fit(make(X), y, weight, teacher_prediction=s)
    streamed = PrivilegedLinearRegression()
    for rows in (slice(0, 40), slice(40, N)):
        part = None if weight is None else weight[rows]
        streamed.partial_fit(make(X[rows]), y[rows], part, teacher_prediction=s[rows])
    for one in (student, streamed, clone(student).fit(X, y, teacher_prediction=s).solve()):
        assert one.coef_.dtype == one.intercept_.dtype == np.float32
        mean, std = one.predict(make(X), return_std=True)
        assert mean.dtype == std.dtype == np.float32
        assert one.predict(X.astype(np.float64)).dtype == np.float64
        assert one.coef_covariance_.dtype == np.float64
    assert same(streamed, student, rtol=1e-6)


def test_rows_of_both_precisions_give_float64_in_any_order(data):
    X, y, _ = data
    for first, second in ((np.float32, np.float64), (np.float64, np.float32)):
        student = PrivilegedLinearRegression(imitation=0).partial_fit(X[:30].astype(first), y[:30])
        student.partial_fit(X[30:].astype(second), y[30:])
        assert student.coef_.dtype == np.float64
    whole_numbers = PrivilegedLinearRegression(imitation=0).fit(X.astype(int), y)
    assert whole_numbers.coef_.dtype == np.float64


# --- inside scikit-learn's RANSAC -----------------------------------------------------------------


def test_ransac_is_that_of_linear_regression(data):
    X, y, _ = data
    y[:10] += 100
    ours, plain = (
        RANSACRegressor(one, min_samples=D + 1, random_state=0).fit(X, y)
        for one in (PrivilegedLinearRegression(imitation=0), LinearRegression())
    )
    np.testing.assert_array_equal(ours.inlier_mask_, plain.inlier_mask_)
    assert same(ours.estimator_, plain.estimator_)
    with pytest.raises(ValueError, match=r"min_samples.* needs to be explicitly set"):
        RANSACRegressor(PrivilegedLinearRegression(imitation=0)).fit(X, y)


# --- streaming and statistics ---------------------------------------------------------------------

CUTS = [slice(0, 1), slice(1, 3), slice(3, 30), slice(30, 31), slice(31, N)]


@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
@pytest.mark.parametrize("known", [True, False])
def test_streamed_is_whole(gaps, solver, known):
    X, y, s = gaps
    variances = {"noise_variance": 1.0, "teacher_noise_variance": 0.1} if known else {}
    streamed = PrivilegedLinearRegression(0.3, alpha=0.1, solver=solver, **variances)
    whole = clone(streamed).fit(X, y, teacher_prediction=s)
    for i, cut in enumerate(CUTS):
        if i == 1 and not known:  # labels, but too few to estimate their noise
            with pytest.warns(UserWarning, match="here a prediction counts as a label"):
                streamed.partial_fit(X[cut], y[cut], teacher_prediction=s[cut])
        else:
            streamed.partial_fit(X[cut], y[cut], teacher_prediction=s[cut])
    assert same(streamed, whole, rtol=1e-10)
    assert streamed.n_taught_rows_ == whole.n_taught_rows_ == np.isfinite(s).sum()
    np.testing.assert_allclose(streamed.coef_covariance_, whole.coef_covariance_, rtol=1e-8)


def test_fit_resets_and_partial_fit_adds(gaps):
    X, y, s = gaps
    whole = PrivilegedLinearRegression().fit(X, y, teacher_prediction=s)
    student = PrivilegedLinearRegression().fit(X + 9, y, teacher_prediction=s)
    student.fit(X[:40], y[:40], teacher_prediction=s[:40])
    assert same(student.partial_fit(X[40:], y[40:], teacher_prediction=s[40:]), whole)


def test_parameters_may_change_after_the_data(gaps):
    X, y, s = gaps
    student = PrivilegedLinearRegression(0.1).fit(X, y, teacher_prediction=s)
    new = {"imitation": 0.8, "alpha": 2.0, "teacher_noise_variance": 0.2, "fit_intercept": False}
    refitted = PrivilegedLinearRegression(**new).fit(X, y, teacher_prediction=s)
    assert same(student.set_params(**new).solve(), refitted, rtol=1e-12)


def test_statistics_of_two_students_merge(gaps):
    X, y, s = gaps
    one, other = (
        PrivilegedLinearRegression().fit(X[half], y[half], teacher_prediction=s[half])
        for half in (slice(0, 20), slice(20, N))
    )
    one.statistics_ = one.statistics_.merge(other.statistics_)
    assert same(one.solve(), PrivilegedLinearRegression().fit(X, y, teacher_prediction=s))
    assert one.n_taught_rows_ == np.isfinite(s).sum()


def test_streamed_normal_equations_warn_where_they_fail(data):
    X, y, _ = data
    X[:, 2] = X[:, 1] + 1e-7 * X[:, 2]
    with pytest.warns(
        LinAlgWarning, match="ill-conditioned or has dependent columns.*solver='tsqr'"
    ):
        PrivilegedLinearRegression(imitation=0).partial_fit(X, y)
    streamed = PrivilegedLinearRegression(imitation=0, solver="tsqr")
    streamed.partial_fit(X[:20], y[:20]).partial_fit(X[20:], y[20:])
    assert same(streamed, PrivilegedLinearRegression(imitation=0).fit(X, y), rtol=1e-6)


# --- rows and their representations ---------------------------------------------------------------


def test_weights_are_repetitions_and_order_does_not_matter(gaps):
    X, y, s = gaps
    rng = np.random.default_rng(3)
    times = rng.integers(0, 3, size=N)
    index = rng.permutation(np.repeat(np.arange(N), times))
    weighted = PrivilegedLinearRegression().fit(X, y, times, teacher_prediction=s)
    repeated = PrivilegedLinearRegression().fit(X[index], y[index], teacher_prediction=s[index])
    assert same(weighted, repeated)
    np.testing.assert_allclose(weighted.coef_covariance_, repeated.coef_covariance_)


def test_a_row_with_one_source_is_fitted_on_that_source(gaps):
    X, y, s = gaps
    student = PrivilegedLinearRegression(0.4, noise_variance=1.0, teacher_noise_variance=0.25).fit(
        X, y, teacher_prediction=s
    )
    both = ~np.isnan(y) & ~np.isnan(s)
    target = np.where(np.isnan(y), s, y)
    target[both] = (0.6 * y[both] + 0.4 * 4 * s[both]) / (0.6 + 0.4 * 4)
    weight = np.where(both, 0.6 + 0.4 * 4, np.where(np.isnan(y), 4.0, 1.0))
    assert same(student, LinearRegression().fit(X, target, weight))
    assert student.n_taught_rows_ == (~np.isnan(s)).sum()


# --- fewer rows than features ---------------------------------------------------------------------


def wide(n=20, d=60, seed=0):
    rng = np.random.default_rng(seed)
    X = 3 + rng.normal(size=(n, d))
    truth = X[:, :3].sum(axis=1)
    return X, truth + rng.normal(size=n), truth + 0.3 * rng.normal(size=n)


def smallest_coef(X, y, weight, alpha, fit_intercept):
    """Return the coefficients from an SVD, without the direction that centring takes out.

    scikit-learn's own solvers may take this singular value, which is a rounding error, for one.
    """
    if fit_intercept:
        X, y = (values - np.average(values, axis=0, weights=weight) for values in (X, y))
    root = np.sqrt(weight)
    left, singular, basis = np.linalg.svd(root[:, None] * X, full_matrices=False)
    kept = singular > 1e-12 * singular[0]
    shrunk = singular[kept] / (singular[kept] ** 2 + alpha)
    return basis[kept].T @ (shrunk * (left[:, kept].T @ (root * y)))


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 2.0])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_wide_data_are_solved_in_the_row_space(alpha, fit_intercept, weighted):
    X, y, s = wide()
    y[::3], s[1::3] = np.nan, np.nan
    weight = np.random.default_rng(1).uniform(0.5, 2, size=len(X)) if weighted else None
    student = PrivilegedLinearRegression(0.3, alpha=alpha, fit_intercept=fit_intercept, **GIVEN)
    student.fit(X, y, weight, teacher_prediction=s)
    assert student.solver_ == "row-space"
    c_y = np.where(np.isnan(y), 0, np.where(np.isnan(s), 1, 0.7))
    c_s = 4 * np.where(np.isnan(s), 0, np.where(np.isnan(y), 1, 0.3))
    target = (c_y * np.nan_to_num(y) + c_s * np.nan_to_num(s)) / (c_y + c_s)
    total = (c_y + c_s) * (1 if weight is None else weight)
    expected = smallest_coef(X, target, total, alpha, fit_intercept)
    np.testing.assert_allclose(student.coef_, expected, rtol=1e-8)


@pytest.mark.parametrize("alpha", [0.0, 1e-6])
def test_nearly_equal_rows_are_told_apart(alpha):
    X, y, _ = wide()
    X[1] = X[0] + 1e-7 * np.random.default_rng(2).normal(size=X.shape[1])
    y[1] = y[0]
    student = PrivilegedLinearRegression(0, alpha=alpha).fit(X, y)
    assert student.solver_ == "tsqr"
    expected = smallest_coef(X, y, np.ones(len(X)), alpha, True)
    np.testing.assert_allclose(student.coef_, expected, rtol=1e-6, atol=1e-8)


def test_error_bars_of_wide_data():
    """With known variances they are those of the formula."""
    X, y, s = wide()
    student = PrivilegedLinearRegression(0.3, alpha=2.0, **GIVEN).fit(X, y, teacher_prediction=s)
    centred = X - X.mean(axis=0)
    H = (0.7 + 0.3 * 4) * centred.T @ centred + 2.0 * np.eye(X.shape[1])
    inner = (0.7**2 + 0.3**2 * 4) * centred.T @ centred
    expected = 2.0 * np.linalg.inv(H) @ inner @ np.linalg.inv(H)
    np.testing.assert_allclose(student.coef_covariance_, expected, rtol=1e-8, atol=1e-12)
    assert student.rank_ == len(X) - 1


@pytest.mark.parametrize("n_parts", [2, 5])
def test_wide_data_in_parts(n_parts):
    X, y, s = wide()
    whole = PrivilegedLinearRegression(alpha=0.5, solver="tsqr", **GIVEN)
    whole.fit(X, y, teacher_prediction=s)
    parts = clone(whole)
    for rows in np.array_split(np.arange(len(X)), n_parts):
        parts.partial_fit(X[rows], y[rows], teacher_prediction=s[rows])
    assert parts.solver_ == whole.solver_ == "row-space"
    assert same(parts, whole)
    for rows in np.array_split(np.arange(len(X)), 4):  # with more rows than columns then
        for scale in (1.5, 2.0, 3.0):
            parts.partial_fit(scale * X[rows], y[rows], teacher_prediction=s[rows])
    together = np.concatenate([X] + [scale * X for scale in (1.5, 2.0, 3.0)])
    whole.fit(together, np.tile(y, 4), teacher_prediction=np.tile(s, 4))
    assert same(parts, whole, rtol=1e-7)


# --- standard deviations of the predictions, and several teachers ---------------------------------


STD = np.exp(np.random.default_rng(7).normal(size=N))


@pytest.mark.parametrize("solver", ["gram", "tsqr"])
@pytest.mark.parametrize("imitation", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_a_precise_prediction_weighs_more(gaps, solver, imitation, fit_intercept):
    X, y, s = gaps
    weight = np.random.default_rng(1).uniform(0.5, 2, size=N)
    labelled, taught = ~np.isnan(y), ~np.isnan(s)
    order = np.argsort(STD[taught])
    middle = np.searchsorted(np.cumsum(weight[taught][order]), weight[taught].sum() / 2)
    r = (STD[taught][order[middle]] / STD) ** 2  # the weighted median
    c_y = labelled * np.where(taught, 1 - imitation, 1.0)
    c_s = 4.0 * r * taught * np.where(labelled, imitation, 1.0)
    target = (c_y * np.nan_to_num(y) + c_s * np.nan_to_num(s)) / (c_y + c_s)
    plain = Ridge(0.7, fit_intercept=fit_intercept).fit(X, target, weight * (c_y + c_s))
    params = {"alpha": 0.7, "fit_intercept": fit_intercept, "solver": solver}
    student = PrivilegedLinearRegression(imitation, **GIVEN, **params)
    std = np.where(taught, STD, np.nan)
    student.fit(X, y, weight, teacher_prediction=s, teacher_std=std)
    assert same(student, plain)


def test_only_ratios_of_standard_deviations_matter(gaps):
    X, y, s = gaps
    for params in ({}, GIVEN):
        student = PrivilegedLinearRegression(**params)
        plain = clone(student).fit(X, y, teacher_prediction=s)
        assert same(student.fit(X, y, teacher_prediction=s, teacher_std=np.full(N, 3.0)), plain)
        np.testing.assert_allclose(student.coef_covariance_, plain.coef_covariance_, rtol=1e-8)
        np.testing.assert_allclose(
            student.teacher_noise_variance_, plain.teacher_noise_variance_, rtol=1e-8
        )
        scaled = clone(student).fit(X, y, teacher_prediction=s, teacher_std=300 * STD)
        assert same(student.fit(X, y, teacher_prediction=s, teacher_std=STD), scaled)


def test_estimates_and_error_bars_with_standard_deviations(gaps):
    X, y, s = gaps
    student = PrivilegedLinearRegression(0.3)
    student.fit(X, y, teacher_prediction=s, teacher_std=STD)
    labelled, taught = ~np.isnan(y), ~np.isnan(s)
    r = np.where(taught, np.median(STD[taught] ** 2) / STD**2, 1.0)
    teacher = LinearRegression().fit(X[taught], s[taught], r[taught])
    residual = (s - teacher.predict(X))[taught]
    expected = r[taught] @ residual**2 / (taught.sum() - D - 1)
    np.testing.assert_allclose(student.teacher_noise_variance_, expected, rtol=1e-3)
    ratio = student.noise_variance_ / student.teacher_noise_variance_
    # the covariance is that of a linear map of independent labels and predictions
    both = labelled & taught
    c_y = labelled * np.where(both, 0.7, 1.0)
    c_s = ratio * r * taught * np.where(both, 0.3, 1.0)
    design = np.column_stack([X, np.ones(N)])
    inverse = np.linalg.inv(design.T * (c_y + c_s) @ design)
    of_label, of_teacher = inverse @ (design.T * c_y), inverse @ (design.T * c_s)
    covariance = student.noise_variance_ * of_label @ of_label.T
    covariance += of_teacher * (student.teacher_noise_variance_ / r) @ of_teacher.T
    np.testing.assert_allclose(student.coef_covariance_, covariance[:D, :D], rtol=2e-3)


@pytest.mark.parametrize("solver", ["gram", "tsqr"])
@pytest.mark.parametrize("params", [{}, GIVEN])
def test_streamed_standard_deviations_are_whole(gaps, solver, params):
    X, y, s = gaps
    whole = PrivilegedLinearRegression(solver=solver, **params)
    whole.fit(X, y, teacher_prediction=s, teacher_std=STD)
    for order in (np.arange(4), np.arange(4)[::-1]):
        streamed = clone(whole).set_params(noise_variance=1.0, teacher_noise_variance=1.0)
        for part in order:
            rows = slice(15 * part, 15 * part + 15)
            streamed.partial_fit(
                X[rows], y[rows], teacher_prediction=s[rows], teacher_std=STD[rows]
            )
        assert same(streamed.set_params(**whole.get_params()).solve(), whole)
        np.testing.assert_allclose(streamed.coef_covariance_, whole.coef_covariance_, rtol=1e-7)


def test_calls_without_standard_deviations_have_the_median_one(gaps):
    X, y, s = gaps
    std = np.where(np.arange(N) < 30, STD, np.nan)
    std[30:] = np.sqrt(np.median(STD[:30][~np.isnan(s[:30])] ** 2))
    whole = PrivilegedLinearRegression(**GIVEN).fit(X, y, teacher_prediction=s, teacher_std=std)
    streamed = PrivilegedLinearRegression(**GIVEN)
    streamed.partial_fit(X[:30], y[:30], teacher_prediction=s[:30], teacher_std=STD[:30])
    streamed.partial_fit(X[30:], y[30:], teacher_prediction=s[30:])
    np.testing.assert_allclose(streamed.coef_, whole.coef_, rtol=2e-3)


@pytest.mark.parametrize("routing", [False, True])
def test_a_search_slices_standard_deviations(gaps, routing):
    X, y, s = gaps
    y = np.nan_to_num(y)
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(PrivilegedLinearRegression(), {"imitation": [0.2, 1.0]}, cv=KFold(3))
        search.fit(X, y, teacher_prediction=s, teacher_std=STD)
    train, test = next(KFold(3).split(X))
    student = PrivilegedLinearRegression(0.2)
    student.fit(X[train], y[train], teacher_prediction=s[train], teacher_std=STD[train])
    expected = student.score(X[test], y[test])
    np.testing.assert_allclose(search.cv_results_["split0_test_score"][0], expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher_std": np.where(np.arange(N) == 3, 0.0, STD)}, "row 3 is 0; give a positive"),
        ({"teacher_std": np.where(np.arange(N) == 5, np.nan, STD)}, "row 5 is nan; give"),
        ({"teacher_std": np.where(np.arange(N) == 5, 1e-200, STD)}, "row 5 is 1e-200; give"),
        ({"teacher_std": STD[:-1]}, r"teacher_std has shape \(59,\), X has 60 rows"),
        ({"teacher_std": STD, "teacher_prediction": None}, "teacher_std is given without"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_errors_of_standard_deviations(data, method, changes, message):
    X, y, s = data
    student = PrivilegedLinearRegression()
    with pytest.raises(ValueError, match=message):
        getattr(student, method)(X, y, **{"teacher_prediction": s} | changes)
    assert not hasattr(student, "coef_")


def test_several_teachers_are_their_mean(gaps):
    X, y, s = gaps
    teachers = np.stack([s, s + 1, np.where(np.isnan(y), s, 3 * s)], axis=1)[:, :, None]
    teachers[:10, 0] = np.nan
    mean = np.nanmean(teachers[~np.isnan(s)], axis=1)
    single = np.full((N, 1), np.nan)
    single[~np.isnan(s)] = mean
    expected = PrivilegedLinearRegression().fit(X, y, teacher_prediction=single)
    student = PrivilegedLinearRegression().fit(X, y, teacher_prediction=teachers)
    assert same(student, expected)
    assert student.n_taught_rows_ == expected.n_taught_rows_
    assert same(student.fit(X, y, teacher_prediction=teachers.tolist()), expected)
    parts = PrivilegedLinearRegression(**GIVEN)
    for rows in (slice(0, 30), slice(30, N)):
        parts.partial_fit(X[rows], y[rows], teacher_prediction=teachers[rows])
    assert same(
        parts.set_params(noise_variance="auto", teacher_noise_variance="auto").solve(), student
    )


def test_several_teachers_of_several_outputs_without_labels(data):
    X, y, s = data
    teachers = np.stack([np.column_stack([y, s]), np.column_stack([s, y])], axis=1)
    student = PrivilegedLinearRegression().fit(X, teacher_prediction=teachers)
    assert same(
        student, PrivilegedLinearRegression().fit(X, teacher_prediction=teachers.mean(axis=1))
    )
    assert student.predict(X).shape == (N, 2)


def test_a_teacher_without_predictions_is_no_teacher(data):
    X, y, s = data
    with pytest.warns(TeacherMissingWarning, match="teacher_prediction is missing"):
        missing = PrivilegedLinearRegression().fit(X, y, teacher_prediction=np.full_like(s, np.nan))
    assert same(missing, PrivilegedLinearRegression(imitation=0).fit(X, y))
    assert missing.n_taught_rows_ == 0
    assert np.isnan(missing.teacher_noise_variance_)


def test_representations(gaps):
    X, y, s = (values.astype(np.float32) for values in gaps)
    reference = PrivilegedLinearRegression().fit(
        X.astype(float), y.astype(float), teacher_prediction=s.astype(float)
    )
    frozen = X.copy()
    frozen.flags.writeable = False
    for features in (X, frozen, X.tolist(), sparse.csr_array(X), sparse.coo_matrix(X)):
        student = PrivilegedLinearRegression().fit(features, y, teacher_prediction=s)
        # float32 rows give float32 coefficients: those of float64, rounded
        assert same(student, reference, rtol=1e-8 if isinstance(features, list) else 2.0**-24)
        np.testing.assert_allclose(student.predict(features), reference.predict(X), rtol=1e-6)
        std = student.predict(features, return_std=True)[1]
        np.testing.assert_allclose(std, reference.predict(X, return_std=True)[1], rtol=1e-6)
    for frame in (pd, pl):
        columns = frame.DataFrame(dict(zip("abc", X.T, strict=True)))
        target, teacher = frame.Series(y.tolist()), frame.Series(s.tolist())
        student = PrivilegedLinearRegression()
        student.fit(columns, target, None, teacher_prediction=teacher)
        assert same(student, reference, rtol=2.0**-24)


def test_pandas_missing_values_are_missing_labels(gaps):
    X, y, s = gaps
    nullable = pd.Series(y).convert_dtypes()
    assert nullable.isna().any()
    student = PrivilegedLinearRegression().fit(X, nullable, teacher_prediction=pd.Series(s))
    assert same(student, PrivilegedLinearRegression().fit(X, y, teacher_prediction=s))


# --- error bars -----------------------------------------------------------------------------------


def test_standard_deviation_of_a_prediction(data):
    X, y, s = data
    student = PrivilegedLinearRegression().fit(X, y, teacher_prediction=s)
    _, std = student.predict(X, return_std=True)
    # far from the data the covariance of the coefficients dominates
    far = 1e6 * np.array([[1.0, 2.0, -1.0]])
    _, far_std = student.predict(far, return_std=True)
    np.testing.assert_allclose(far_std**2, far @ student.coef_covariance_ @ far[0], rtol=1e-4)
    assert (std > np.sqrt(student.noise_variance_)).all()


def test_error_bars_warn_where_digits_are_lost(data):
    X, y, _ = data
    X = np.column_stack([X, X[:, 0] + 1e-5 * X[:, 1] ** 2])
    accurate = PrivilegedLinearRegression(imitation=0).fit(X, y)
    std = accurate.predict(X, return_std=True)[1]
    streamed = PrivilegedLinearRegression(imitation=0).partial_fit(X, y)
    with pytest.warns(LinAlgWarning, match="coef_covariance_ and the standard .*solver='tsqr'"):
        np.testing.assert_allclose(streamed.predict(X, return_std=True)[1], std, rtol=1e-3)
    with pytest.warns(LinAlgWarning, match="coef_covariance_ and the standard .*solver='tsqr'"):
        streamed.coef_covariance_  # noqa: B018


def test_error_bars_cover_new_labels():
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(200):
        X = rng.normal(size=(30, 4))
        truth = X @ [1, 2, 3, 4]
        y, s = truth + rng.normal(size=30), truth + 0.5 * rng.normal(size=30)
        student = PrivilegedLinearRegression().fit(X[:20], y[:20], teacher_prediction=s[:20])
        mean, std = student.predict(X[20:], return_std=True)
        covered.append(np.abs(mean - y[20:]) <= std)
    # P(|t| ≤ 1) = 0.667 with 15 degrees of freedom; 2000 draws, 10 at a time dependent
    assert np.mean(covered) == pytest.approx(0.67, abs=0.04)


def test_too_few_rows_have_no_error_bars(data):
    X, y, _ = data
    student = PrivilegedLinearRegression(imitation=0).fit(X[:3], y[:3])
    assert np.isnan(student.coef_covariance_).all()
    assert np.isnan(student.noise_variance_)
    with pytest.raises(ValueError, match="noise_variance='auto' cannot be estimated"):
        student.predict(X, return_std=True)
    known = PrivilegedLinearRegression(imitation=0, noise_variance=1.0).fit(X[:3], y[:3])
    assert np.isfinite(known.predict(X, return_std=True)[1]).all()


def test_a_perfect_teacher_warns(data):
    X, y, _ = data
    with pytest.warns(UserWarning, match="teacher_noise_variance='auto' found a perfect fit"):
        PrivilegedLinearRegression().fit(X, y, teacher_prediction=X @ [1.0, 2.0, 3.0])


@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
@pytest.mark.parametrize("why", ["few rows", "constant teacher"])
def test_a_variance_that_cannot_be_estimated_counts_a_prediction_as_a_label(data, why, solver):
    X, y, s = data
    if why == "few rows":
        X, y, s = X[:3], y[:3], s[:3]
    else:
        s = np.full_like(s, 2.0)
    student = PrivilegedLinearRegression(0.3, alpha=0.1, solver=solver)
    equal = PrivilegedLinearRegression(
        0.3, alpha=0.1, solver=solver, noise_variance=1.0, teacher_noise_variance=1.0
    )
    equal.fit(X, y, teacher_prediction=s)
    message = "cannot be estimated: .* a prediction counts as a label does"
    with pytest.warns(UserWarning, match=message):
        student.fit(X, y, teacher_prediction=s)
    assert same(student, equal)
    with pytest.warns(UserWarning, match=message):
        assert same(student.solve(), equal)


def test_pickle_keeps_everything(gaps):
    X, y, s = gaps
    student = PrivilegedLinearRegression().fit(X[:40], y[:40], teacher_prediction=s[:40])
    copy = pickle.loads(pickle.dumps(student))
    for one in (student, copy):
        one.partial_fit(X[40:], y[40:], teacher_prediction=s[40:])
    np.testing.assert_array_equal(copy.coef_covariance_, student.coef_covariance_)


# --- routing --------------------------------------------------------------------------------------


class Spy(PrivilegedLinearRegression):
    """Checks that prediction i comes with sample i: both carry i."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_prediction=None):
        assert teacher_prediction is not None, "the teacher did not arrive"
        np.testing.assert_array_equal(np.asarray(teacher_prediction), 10 * np.asarray(X)[:, 0])
        return super().fit(X, y, sample_weight, teacher_prediction=teacher_prediction)


@pytest.fixture
def identified():
    rng = np.random.default_rng(4)
    X = np.column_stack([np.arange(N, dtype=float), rng.normal(size=(N, 2))])
    return X, rng.normal(size=N), 10 * X[:, 0]


CV = KFold(4, shuffle=True, random_state=0)
KNOWN = {"noise_variance": 1.0, "teacher_noise_variance": 1.0}


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("as_series", [False, True])
def test_grid_search_slices_the_teacher_by_row(identified, routing, as_series):
    X, y, s = identified
    teacher = pd.Series(s) if as_series else s
    with config_context(enable_metadata_routing=routing):
        grid = {"imitation": [0.0, 0.5, 1.0]}
        search = GridSearchCV(Spy(**KNOWN), grid, cv=CV, error_score="raise")
        search.fit(X, y, teacher_prediction=teacher)
    assert search.best_params_ == {"imitation": 0.0}  # this teacher is unrelated to y
    assert search.best_estimator_.n_taught_rows_ == N


def test_pipeline_and_cross_validate(identified):
    X, y, s = identified
    pipeline = make_pipeline(StandardScaler(), PrivilegedLinearRegression(**KNOWN))
    name = "privilegedlinearregression__teacher_prediction"
    reference = PrivilegedLinearRegression(**KNOWN).fit(X, y, teacher_prediction=s).predict(X)
    np.testing.assert_allclose(pipeline.fit(X, y, **{name: s}).predict(X), reference)
    with config_context(enable_metadata_routing=True):
        np.testing.assert_allclose(pipeline.fit(X, y, teacher_prediction=s).predict(X), reference)
        cross_validate(
            Spy(**KNOWN), X, y, cv=CV, params={"teacher_prediction": s}, error_score="raise"
        )


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"imitation": 1.1},
        {"imitation": -0.1},
        {"imitation": "half"},
        {"noise_variance": 0.0},
        {"noise_variance": "automatic"},
        {"teacher_noise_variance": -1.0},
        {"alpha": -1.0},
        {"fit_intercept": "yes"},
        {"solver": "svd"},
    ],
)
def test_errors_name_the_parameter(data, wrong):
    X, y, s = data
    message = f"The '{next(iter(wrong))}' parameter of PrivilegedLinearRegression"
    with pytest.raises(ValueError, match=message):
        PrivilegedLinearRegression(**wrong).fit(X, y, teacher_prediction=s)
    fitted = PrivilegedLinearRegression().fit(X, y, teacher_prediction=s).set_params(**wrong)
    with pytest.raises(ValueError, match=message):
        fitted.partial_fit(X, y, teacher_prediction=s)
    with pytest.raises(ValueError, match=message):
        fitted.solve()


def with_nan(values, *index):
    values = np.array(values)
    values[index] = np.nan
    return values


Y2 = np.ones((N, 2))


@pytest.mark.parametrize(
    ("y", "teacher", "message"),
    [
        (np.ones(N), np.ones(N - 1), f"teacher_prediction has {N - 1} rows, X has {N}"),
        (np.ones(N + 1), np.ones(N), f"y has {N + 1} rows, X has {N}.*label is missing"),
        (Y2, np.ones(N), "teacher_prediction has 1 outputs, y has 2"),
        (np.ones(N), np.ones((N, 1, 1, 1)), r"teacher_prediction has shape|dim 4"),
        (np.ones(N), np.ones((N, 3, 2)), "teacher_prediction has 2 outputs, y has 1"),
        (
            Y2,
            with_nan(Y2, 7, 1),
            "row 7 of teacher_prediction is NaN in part",
        ),
        (with_nan(Y2, 5, 0), Y2, "row 5 of y is NaN in part"),
        (with_nan(np.ones(N), [4, 9]), with_nan(np.ones(N), [9, 3, 12]), r"row 9 has neither"),
        (None, with_nan(np.ones(N), 2), "row 2 has neither"),
        (np.ones(N), np.full(N, np.inf), "teacher_prediction contains infinity"),
        (np.full(N, np.inf), np.ones(N), "y contains infinity"),
        (np.ones(N), ["much"] * N, "teacher_prediction must be an array of numbers: could not"),
        (with_nan(np.ones(N), 0), None, "Input y contains NaN"),
        (None, None, "requires y to be passed"),
    ],
)
def test_errors_of_targets(data, y, teacher, message):
    X, _, _ = data
    student = PrivilegedLinearRegression(**KNOWN)
    with pytest.raises(ValueError, match=message):
        student.fit(X, y, teacher_prediction=teacher)
    assert not hasattr(student, "n_features_in_")


def test_a_warning_that_is_an_error_leaves_the_earlier_solution(data):
    X, y, _ = data
    X = np.column_stack([X, X])
    student = PrivilegedLinearRegression(imitation=0, alpha=1.0, solver="gram").fit(X, y)
    student.set_params(alpha=0.0)
    before = dict(vars(student))
    with pytest.raises(LinAlgWarning):
        student.solve()
    assert vars(student) == before


def test_errors_leave_the_estimator_as_it_was(data):
    X, y, s = data
    student = PrivilegedLinearRegression().fit(X, y, teacher_prediction=s)
    before = dict(vars(student))
    with pytest.raises(ValueError, match="2 outputs, but earlier calls had 1: pass"):
        student.partial_fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="features"):
        student.partial_fit(X[:, :2], y)
    with pytest.raises(ValueError, match="teacher_prediction"):
        student.fit(X[:3], y[:3], teacher_prediction=s[:2])
    assert vars(student) == before


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-np.ones(N), "row 0 is -1; pass numbers that are 0 or more"),
        (np.ones(N - 1), r"sample_weight has shape \(59,\)"),
        (np.zeros(N), "non-zero"),
    ],
)
def test_errors_of_weights(data, weight, message):
    X, y, s = data
    with pytest.raises(ValueError, match=message):
        PrivilegedLinearRegression().fit(X, y, weight, teacher_prediction=s)
