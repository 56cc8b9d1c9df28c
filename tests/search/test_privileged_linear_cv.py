"""A search by statistics of folds is the search that fits each setting in each fold."""

import pickle
from itertools import product

import dask.array as da
import dask.array as dask_array
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.linalg import LinAlgWarning
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import mean_squared_error, r2_score, root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import (
    ImplausibleTeacherWarning,
    PrivilegedLinearRegression,
    PrivilegedLinearRegressionCV,
    TeacherMissingWarning,
)
from sklearn_distill.search import _linear_folds
from sklearn_distill.students import _chunks

N, D = 90, 4
ALPHAS, IMITATIONS, RATIOS = [0.0, 0.3, 20.0], [0.0, 0.35, 1.0], [0.25, 4.0]
GRID = {"alphas": ALPHAS, "imitations": IMITATIONS, "noise_ratios": RATIOS}
SHUFFLED = KFold(4, shuffle=True, random_state=0)


def problem(n_outputs=1, gaps="none", n=N, d=D, scale=1.0, seed=0):
    """Return X, y and a teacher's predictions; of some rows one of the two is missing."""
    rng = np.random.default_rng(seed)
    X = (2 + rng.normal(size=(n, d))) * scale ** np.linspace(0, 1, d)
    truth = X @ rng.normal(size=(d, n_outputs)) / scale ** np.linspace(0, 1, d).mean()
    y, s = truth + rng.normal(size=truth.shape), truth + 0.3 * rng.normal(size=truth.shape)
    if gaps in ("labels", "both"):
        y[::3] = np.nan
    if gaps in ("predictions", "both"):
        s[1::3] = np.nan
    return X, y, s


def brute_force(X, y, s, splits, weight=None, std=None, score=mean_squared_error, **params):
    """Return the scores of each setting in each fold, each from a fit of its own."""
    weight = np.ones(len(X)) if weight is None else weight
    settings = list(product(params.pop("imitations"), params.pop("ratios"), params.pop("alphas")))
    scores = np.empty((len(splits), len(settings)))
    for (k, (train, test)), (i, (imitation, ratio, alpha)) in product(
        enumerate(splits), enumerate(settings)
    ):
        student = PrivilegedLinearRegression(
            imitation, noise_variance=ratio, teacher_noise_variance=1.0, alpha=alpha, **params
        )
        of_teacher = {} if s is None else {"teacher_prediction": s[train]}
        if std is not None:
            # as a fold of the search: relative to the median of the rows that it trains on
            of_teacher["teacher_std"] = std[train]
        student.fit(X[train], y[train], weight[train], **of_teacher)
        scores[k, i] = score(y[test], student.predict(X[test]), sample_weight=weight[test])
    return scores


def scores_of(search):
    names = [f"split{k}_test_score" for k in range(search.n_splits_)]
    return np.array([search.cv_results_[name] for name in names])


def labelled(splits, y, n=N):
    """Return the folds of the labelled rows, with all others in every training set."""
    rows = np.flatnonzero(~np.isnan(np.atleast_2d(y.T).T[:, 0]))
    others = np.setdiff1d(np.arange(n), rows)
    return [(np.concatenate([rows[train], others]), rows[test]) for train, test in splits]


@pytest.mark.parametrize("gaps", ["none", "labels", "predictions", "both"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("params", [{}, {"fit_intercept": False}, {"solver": "tsqr"}])
def test_scores_are_those_of_brute_force(gaps, n_outputs, weighted, params):
    X, y, s = problem(n_outputs, gaps)
    weight = np.random.default_rng(1).uniform(0.2, 2, size=N) if weighted else None
    search = PrivilegedLinearRegressionCV(**GRID, cv=SHUFFLED, **params)
    search.fit(X, y, weight, teacher_prediction=s)
    n_labelled = int((~np.isnan(y[:, 0])).sum())
    splits = labelled(list(SHUFFLED.split(np.zeros(n_labelled))), y)
    ratios = [1.0] if gaps == "none" else RATIOS
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": ratios}
    expected = -brute_force(X, y, s, splits, weight, **values, **params)
    np.testing.assert_allclose(scores_of(search), expected, rtol=1e-8)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected.mean(axis=0))
    best = int(np.argmax(expected.mean(axis=0)))
    assert search.best_index_ == best == np.argmin(search.cv_results_["rank_test_score"])
    settings = list(product(IMITATIONS, ratios, ALPHAS))
    assert (search.imitation_, search.noise_ratio_, search.alpha_) == settings[best]
    refit = PrivilegedLinearRegression(
        search.imitation_,
        noise_variance=search.noise_ratio_,
        teacher_noise_variance=1.0,
        alpha=search.alpha_,
        **params,
    ).fit(X, y, weight, teacher_prediction=s)
    np.testing.assert_allclose(search.predict(X), refit.predict(X), rtol=1e-9, atol=1e-9)
    assert search.n_taught_rows_ == refit.n_taught_rows_


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e7, 1e10])
@pytest.mark.parametrize("dependent", [None, 0.0, 1e-6])
def test_ill_conditioned_features(scale, dependent):
    """Columns of different scales, or one that depends on others, exactly or nearly."""
    X, y, s = problem(1, "both", scale=scale)
    if dependent is not None:
        noise = np.random.default_rng(5).normal(size=N)
        X = np.column_stack([X, X[:, 0] + dependent * noise])
    search = PrivilegedLinearRegressionCV(**GRID, cv=3).fit(X, y, teacher_prediction=s)
    splits = labelled(list(KFold(3).split(np.zeros(60))), y)
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": RATIOS}
    expected = -brute_force(X, y, s, splits, **values)
    np.testing.assert_allclose(scores_of(search), expected, rtol=1e-8)


def test_normal_equations_of_columns_of_different_scales():
    X, y, s = problem(1, "both", scale=1e4)
    search = PrivilegedLinearRegressionCV(**GRID, cv=3, solver="gram")
    search.fit(X, y, teacher_prediction=s)
    splits = labelled(list(KFold(3).split(np.zeros(60))), y)
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": RATIOS}
    expected = -brute_force(X, y, s, splits, **values, solver="gram")
    np.testing.assert_allclose(scores_of(search), expected, rtol=1e-8)


def test_a_nearly_exact_fit_keeps_its_digits():
    X, _, _ = problem()
    y = X @ [1.0, 2.0, 3.0, 4.0] + 1e-6 * np.random.default_rng(0).normal(size=N)
    search = PrivilegedLinearRegressionCV([0.0, 1e-9], imitations=[0], cv=5).fit(X, y)
    values = {"alphas": [0.0, 1e-9], "imitations": [0], "ratios": [1.0]}
    expected = -brute_force(X, y, None, list(KFold(5).split(X)), **values)
    np.testing.assert_allclose(scores_of(search), expected, rtol=1e-7)  # of 1e-12 of the variance


@pytest.mark.parametrize("far", [1e3, 1e6])
def test_a_large_mean_loses_no_digits(far):
    X, y, s = problem(gaps="both")
    search = PrivilegedLinearRegressionCV(**GRID).fit(X, y, teacher_prediction=s)
    moved = clone(search).fit(X + far, y + far, teacher_prediction=s + far)
    np.testing.assert_allclose(scores_of(moved), scores_of(search), rtol=1e-13 * far + 1e-9)


@pytest.mark.parametrize(
    "cv",
    [
        5,
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(4, test_size=0.3, random_state=0),
        ShuffleSplit(3, test_size=0.2, train_size=0.4, random_state=0),
        TimeSeriesSplit(4),
        PredefinedSplit(np.arange(N) % 4 - 1),
        [(np.arange(40), np.arange(40, 60)), (np.arange(50, 90), np.arange(20))],
    ],
    ids=lambda cv: type(cv).__name__,
)
def test_any_splitter(cv):
    X, y, s = problem(gaps="predictions")
    search = PrivilegedLinearRegressionCV(**GRID, cv=cv).fit(X, y, teacher_prediction=s)
    splits = KFold(5) if cv == 5 else cv
    splits = splits if isinstance(splits, list) else list(splits.split(X))
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": RATIOS}
    np.testing.assert_allclose(
        scores_of(search), -brute_force(X, y, s, splits, **values), rtol=1e-8
    )


@pytest.mark.parametrize("routing", [False, True])
def test_groups(routing):
    """A row without a label does not train where its group is tested."""
    X, y, s = problem(gaps="labels")
    groups = np.arange(N) // 5 % 6
    with config_context(enable_metadata_routing=routing):
        cv = GroupKFold(3)
        search = PrivilegedLinearRegressionCV(**GRID, cv=cv)
        search.fit(X, y, teacher_prediction=s, groups=groups)
    rows = np.flatnonzero(~np.isnan(y[:, 0]))
    splits = []
    for _, test in GroupKFold(3).split(X[rows], groups=groups[rows]):
        held_out = np.isin(groups, groups[rows[test]])
        splits.append((np.flatnonzero(~held_out), rows[test]))
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": RATIOS}
    np.testing.assert_allclose(
        scores_of(search), -brute_force(X, y, s, splits, **values), rtol=1e-8
    )


def test_standard_deviations_of_the_teacher():
    """To the width of the bins, in which the median of a fold's training rows is found."""
    X, y, s = problem(gaps="both")
    std = np.exp(np.random.default_rng(3).normal(size=N))
    search = PrivilegedLinearRegressionCV(**GRID, cv=SHUFFLED)
    search.fit(X, y, teacher_prediction=s, teacher_std=std)
    splits = labelled(list(SHUFFLED.split(np.zeros(60))), y)
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": RATIOS}
    expected = -brute_force(X, y, s, splits, std=std, **values)
    np.testing.assert_allclose(scores_of(search), expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("scoring", "score"),
    [("r2", r2_score), ("neg_root_mean_squared_error", root_mean_squared_error)],
)
def test_other_scores(scoring, score):
    X, y, s = problem(2, "predictions")
    weight = np.random.default_rng(1).uniform(0.2, 2, size=N)
    search = PrivilegedLinearRegressionCV(**GRID, scoring=scoring)
    search.fit(X, y, weight, teacher_prediction=s)
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": RATIOS}
    expected = brute_force(X, y, s, list(KFold(5).split(X)), weight, score=score, **values)
    sign = 1 if scoring == "r2" else -1
    np.testing.assert_allclose(scores_of(search), sign * expected, rtol=1e-8)


@pytest.mark.filterwarnings("ignore::sklearn_distill.TeacherMissingWarning")  # compared without
def test_without_a_teacher_it_is_ridge_cv():
    X, y, _ = problem()
    alphas = [0.1, 1.0, 10.0]
    search = PrivilegedLinearRegressionCV(alphas, cv=4, scoring="r2").fit(X, y[:, 0])
    ridge = RidgeCV(alphas, cv=4, scoring="r2").fit(X, y[:, 0])
    assert search.alpha_ == ridge.alpha_
    np.testing.assert_allclose(search.best_score_, ridge.best_score_)
    np.testing.assert_allclose(search.coef_, ridge.coef_)
    assert search.imitations_.tolist() == [0.0]
    assert search.noise_ratios_.tolist() == [1.0]


def test_without_labels_held_out_predictions_decide():
    X, _, s = problem()
    search = PrivilegedLinearRegressionCV(ALPHAS).fit(X, teacher_prediction=s[:, 0])
    splits = list(KFold(5).split(X))
    values = {"alphas": ALPHAS, "imitations": [0.0], "ratios": [1.0]}
    expected = -brute_force(X, s, None, splits, **values)
    np.testing.assert_allclose(scores_of(search), expected, rtol=1e-8)


def test_what_is_searched_depends_on_what_the_rows_have():
    for gaps, n_ratios in (("none", 1), ("labels", 3), ("predictions", 3), ("both", 3)):
        X, y, s = problem(gaps=gaps)
        search = PrivilegedLinearRegressionCV(4, imitations=3, noise_ratios=3)
        search.fit(X, y, teacher_prediction=s)
        shape = len(search.alphas_), len(search.imitations_), len(search.noise_ratios_)
        assert shape == (4, 3, n_ratios)
        assert len(search.cv_results_["params"]) == np.prod(shape)
    X, y, s = problem()
    y[::2], s[1::2] = np.nan, np.nan
    search.fit(X, y, teacher_prediction=s)  # no row has both
    assert (len(search.imitations_), len(search.noise_ratios_)) == (1, 3)


def test_default_penalties_follow_the_scale_of_the_features():
    X, y, s = problem()
    one, other = (
        PrivilegedLinearRegressionCV().fit(c * X, y, teacher_prediction=s) for c in (1.0, 1e3)
    )
    np.testing.assert_allclose(other.alphas_, 1e6 * one.alphas_)
    np.testing.assert_allclose(other.best_score_, one.best_score_, rtol=1e-7)


def test_integer_weights_are_repetitions():
    X, y, s = problem(gaps="both")
    times = np.random.default_rng(1).integers(0, 4, size=N)
    fold = np.arange(N) % 4
    weighted = PrivilegedLinearRegressionCV(**GRID, cv=PredefinedSplit(fold))
    weighted.fit(X, y, times.astype(float), teacher_prediction=s)
    rows = np.repeat(np.arange(N), times)
    repeated = PrivilegedLinearRegressionCV(**GRID, cv=PredefinedSplit(fold[rows]))
    repeated.fit(X[rows], y[rows], teacher_prediction=s[rows])
    np.testing.assert_allclose(scores_of(weighted), scores_of(repeated), rtol=1e-8)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-8)


def test_a_fold_does_not_see_its_held_out_rows():
    """The score of a fold is that of held-out noise: no better than the mean, on average."""
    rng = np.random.default_rng(0)
    losses = []
    for _ in range(20):
        X, y = rng.normal(size=(60, 30)), rng.normal(size=60)
        search = PrivilegedLinearRegressionCV([1.0], cv=5)
        search.fit(X, y, teacher_prediction=rng.normal(size=60))
        losses.append(-search.best_score_ / y.var())
    assert np.mean(losses) > 1


@pytest.mark.parametrize("cv", [4, SHUFFLED])
@pytest.mark.parametrize("solver", ["auto", "tsqr"])
def test_chunks_are_the_whole(tmp_path, monkeypatch, cv, solver):
    X, y, s = problem(2, "both")
    weight = np.random.default_rng(1).uniform(0, 2, size=N)
    whole = PrivilegedLinearRegressionCV(**GRID, cv=cv, solver=solver)
    whole.fit(X, y, weight, teacher_prediction=s)
    monkeypatch.setattr(_chunks, "MIN_CHUNKED_BYTES", 0)
    monkeypatch.setattr(_chunks, "CHUNK_BYTES", 13 * D * 8)
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", shape=X.shape)
    mapped[:] = X
    as_dask = (da.from_array(value, chunks=(17, -1)) for value in (X, y, s))
    of_weight = da.from_array(weight, chunks=17)
    for values, w in (((mapped, y, s), weight), (tuple(as_dask), of_weight)):
        chunked = clone(whole).fit(values[0], values[1], w, teacher_prediction=values[2])
        np.testing.assert_allclose(scores_of(chunked), scores_of(whole), rtol=1e-8)
        np.testing.assert_allclose(chunked.coef_, whole.coef_, rtol=1e-8)


def test_representations():
    X, y, s = problem(gaps="both")
    X = np.where(X > 2, X, 0)
    search = PrivilegedLinearRegressionCV(**GRID).fit(X, y[:, 0], teacher_prediction=s[:, 0])
    frame = pd.DataFrame(X, columns=list("abcd"))
    for same in (sparse.csr_array(X), frame, np.asfortranarray(X)):
        other = clone(search).fit(same, y[:, 0], teacher_prediction=s[:, 0])
        np.testing.assert_allclose(other.coef_, search.coef_, rtol=1e-8)
    assert other.predict(X).shape == (N,)
    assert clone(search).fit(frame, y, teacher_prediction=s).feature_names_in_.tolist() == list(
        "abcd"
    )
    single = clone(search).fit(X.astype(np.float32), y[:, 0], teacher_prediction=s[:, 0])
    assert single.coef_.dtype == np.float32
    loaded = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(loaded.predict(X), search.predict(X))
    assert isinstance(search.to_sklearn().predict(X), np.ndarray)


def test_error_bars_have_the_estimated_noise():
    X, y, s = problem(n=2000)
    search = PrivilegedLinearRegressionCV(**GRID).fit(X, y[:, 0], teacher_prediction=s[:, 0])
    assert search.noise_variance_ == pytest.approx(1.0, rel=0.1)
    assert search.teacher_noise_variance_ == pytest.approx(0.09, rel=0.1)
    _, std = search.predict(X, return_std=True)
    np.testing.assert_allclose(std, 1.0, rtol=0.1)
    # at λ the targets (1 − λ) y + λ s have variance (1 − λ)² + 0.09 λ², whatever ρ the search has
    inner = (1 - search.imitation_) ** 2 + 0.09 * search.imitation_**2
    centred = X - X.mean(axis=0)
    expected = inner * np.linalg.inv(centred.T @ centred)
    np.testing.assert_allclose(
        search.coef_covariance_, expected, rtol=0.25, atol=0.05 * expected.max()
    )


@pytest.mark.parametrize("routing", [False, True])
def test_searches_and_pipelines_around_it(routing):
    X, y, s = problem(gaps="predictions")
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            PrivilegedLinearRegressionCV(**GRID, cv=3), {"fit_intercept": [True, False]}, cv=3
        )
        search.fit(X, y[:, 0], teacher_prediction=s[:, 0])
        assert search.best_estimator_.n_taught_rows_ == 60
        prefix = "" if routing else "privilegedlinearregressioncv__"
        pipeline = make_pipeline(StandardScaler(), PrivilegedLinearRegressionCV(**GRID))
        pipeline.fit(X, y[:, 0], **{f"{prefix}teacher_prediction": s[:, 0]})
    assert pipeline.score(X, y[:, 0]) > 0.5


def test_no_teacher_warns_unless_it_is_meant():
    X, y, _ = problem()
    with pytest.warns(TeacherMissingWarning, match="only alpha is searched"):
        PrivilegedLinearRegressionCV().fit(X, y)
    PrivilegedLinearRegressionCV(imitations=[0]).fit(X, y)
    with pytest.raises(ValueError, match=r"teacher_prediction is missing \(NaN\) in every row"):
        PrivilegedLinearRegressionCV(imitations=[1]).fit(
            X, y, teacher_prediction=np.full(N, np.nan)
        )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alphas": [-1.0]}, r"alphas must be finite numbers 0 or more, got \[-1.0\]"),
        ({"alphas": []}, r"alphas has shape \(0,\)"),
        ({"alphas": [[1.0]]}, r"alphas has shape \(1, 1\)"),
        ({"imitations": [0.5, 1.5]}, r"imitations must be finite numbers in \[0, 1\]"),
        ({"noise_ratios": [0.0]}, "noise_ratios must be finite numbers above 0"),
        ({"noise_ratios": ["a"]}, "noise_ratios must be a number of values, or numbers"),
        ({"alphas": 0}, "The 'alphas' parameter of PrivilegedLinearRegressionCV"),
        ({"scoring": "neg_log_loss"}, "The 'scoring' parameter"),
        ({"cv": N + 1}, "Cannot have number of splits"),
        ({"cv": [([0, 0, 1], [2])]}, "trains on a row twice: pass its repetitions"),
        ({"cv": [([], [2])]}, "cv in fold 1 of 1 has no row with a weight to train on"),
        ({"cv": GroupKFold(3)}, "needs groups, which it did not get"),
    ],
)
def test_errors(params, message):
    X, y, s = problem()
    search = PrivilegedLinearRegressionCV(**params)
    with pytest.raises(ValueError, match=message):
        search.fit(X, y, teacher_prediction=s)
    assert not hasattr(search, "coef_")
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize("params", [{}, {"fit_intercept": False}])
def test_more_features_than_rows(params):
    X, y, s = problem(2, "labels", d=130)
    search = PrivilegedLinearRegressionCV(**GRID, cv=4, **params).fit(X, y, teacher_prediction=s)
    assert search.solver_ == "row-space"
    splits = labelled(list(KFold(4).split(np.zeros(60))), y)
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": RATIOS}
    expected = -brute_force(X, y, s, splits, **values, **params)
    np.testing.assert_allclose(scores_of(search), expected, rtol=1e-8)


class ByFirstColumn:
    """A splitter that reads X."""

    def split(self, X, y=None, groups=None):
        test = X[:, 0] > 2
        yield np.flatnonzero(~test), np.flatnonzero(test)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 1


@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
def test_features_that_do_not_vary(solver):
    """The mean is predicted, without a word on a division by zero."""
    X, y = np.full((20, 2), -5.0), np.arange(20.0)
    search = PrivilegedLinearRegressionCV([0.5, 1.0], cv=KFold(2), solver=solver)
    search.fit(X, y, teacher_prediction=y)
    np.testing.assert_allclose(search.cv_results_["split0_test_score"], -108.25)


def test_a_splitter_may_read_the_features():
    X, y, s = problem()
    search = PrivilegedLinearRegressionCV(**GRID, cv=ByFirstColumn()).fit(
        X, y, teacher_prediction=s
    )
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": [1.0]}
    expected = -brute_force(X, y, s, list(ByFirstColumn().split(X)), **values)
    np.testing.assert_allclose(scores_of(search), expected, rtol=1e-8)


def test_one_feature():
    X, y, s = problem(d=1)
    search = PrivilegedLinearRegressionCV(**GRID).fit(X, y, teacher_prediction=s)
    values = {"alphas": ALPHAS, "imitations": IMITATIONS, "ratios": [1.0]}
    expected = -brute_force(X, y, s, list(KFold(5).split(X)), **values)
    np.testing.assert_allclose(scores_of(search), expected, rtol=1e-8)


def test_unknown_parameters_of_fit():
    X, y, s = problem()
    with pytest.raises(ValueError, match="Extra parameters passed are"):
        PrivilegedLinearRegressionCV().fit(X, y, teacher_prediction=s, nonsense=1)


@pytest.mark.filterwarnings("ignore::sklearn_distill.TeacherMissingWarning")  # no teacher
def test_it_is_scored_as_a_regressor():
    X, y, _ = problem()
    found = cross_val_score(PrivilegedLinearRegressionCV([1.0]), X, y[:, 0])
    np.testing.assert_allclose(found, cross_val_score(Ridge(1.0), X, y[:, 0]))


@pytest.mark.parametrize("chunked", [False, True])
def test_predictions_of_shuffled_rows_are_noticed(chunked):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=400)
    right = y + 0.3 * rng.normal(size=400)
    as_rows = dask_array.from_array if chunked else np.asarray
    search = PrivilegedLinearRegressionCV(cv=3)
    search.fit(as_rows(X), as_rows(y), teacher_prediction=as_rows(right))  # warns of nothing
    with pytest.warns(ImplausibleTeacherWarning, match="no more than with its rows shuffled"):
        search.fit(as_rows(X), as_rows(y), teacher_prediction=as_rows(rng.permutation(right)))


def streamed(X, y, s, cuts=(50,), cv=4, groups=None, **params):
    """Return a search that gets the rows in several calls."""
    search = PrivilegedLinearRegressionCV(**GRID, cv=cv, **params)
    for rows in np.split(np.arange(len(X)), list(cuts)):
        of_rows = {} if groups is None else {"groups": groups[rows]}
        search.partial_fit(X[rows], y[rows], teacher_prediction=s[rows], **of_rows)
    return search


def assert_same_search(one, other):
    np.testing.assert_allclose(scores_of(one), scores_of(other), rtol=1e-8)
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-8)
    assert (one.alpha_, one.imitation_) == (other.alpha_, other.imitation_)


@pytest.mark.parametrize("gaps", ["none", "both"])
@pytest.mark.parametrize("cuts", [(), (50,), (20, 21, 70)])
@pytest.mark.parametrize("solver", ["auto", "tsqr"])
def test_a_stream_is_searched_as_one_fit_with_its_folds(gaps, cuts, solver):
    X, y, s = problem(2, gaps)
    present = ~np.isnan(y[:, 0])
    dealt = np.where(present, (np.cumsum(present) - 1) % 4, -1)
    search = PrivilegedLinearRegressionCV(**GRID, cv=PredefinedSplit(dealt), solver=solver)
    assert_same_search(
        streamed(X, y, s, cuts, solver=solver), search.fit(X, y, teacher_prediction=s)
    )


@pytest.mark.parametrize("names", ["numbers", "texts"])
def test_a_stream_holds_groups_out_as_a_whole(names):
    X, y, s = problem(1, "labels")
    number = np.random.default_rng(0).integers(12, size=N)
    groups = number if names == "numbers" else np.array([f"patient {g}" for g in number])
    fold = _linear_folds.folds_of_groups(groups, 3)
    assert len(set(fold)) == 3
    present = ~np.isnan(y[:, 0])
    splits = [(np.flatnonzero(fold != k), np.flatnonzero((fold == k) & present)) for k in range(3)]
    values = {"imitations": IMITATIONS, "ratios": RATIOS, "alphas": ALPHAS}
    one = streamed(X, y, s, cv=3, groups=groups)
    np.testing.assert_allclose(scores_of(one), -brute_force(X, y, s, splits, **values), rtol=1e-8)
    assert_same_search(streamed(X, y, s, (10, 60), cv=3, groups=groups), one)


def test_a_stream_without_labels_holds_predictions_out_until_there_are_some():
    X, y, s = problem()
    search = PrivilegedLinearRegressionCV([0.0, 1.0], imitations=[1], cv=3)
    search.partial_fit(X[:40], teacher_prediction=s[:40])
    assert search.n_taught_rows_ == 40
    search.partial_fit(X[40:], y[40:], teacher_prediction=s[40:])
    tests = search._stream.folds.tests
    assert sum(test.n_rows for test in tests) == N
    search.partial_fit(X, teacher_prediction=s)  # now only trained on
    assert sum(test.n_rows for test in search._stream.folds.tests) == N


def test_folds_that_have_no_row_yet_are_left_out():
    X, y, s = problem(1, "labels")
    search = PrivilegedLinearRegressionCV(**GRID, cv=40)
    groups = np.arange(N) // 6
    search.partial_fit(X[:30], y[:30], teacher_prediction=s[:30], groups=groups[:30])
    fold = _linear_folds.folds_of_groups(groups[:30], 40)
    present = ~np.isnan(y[:30, 0])
    splits = [(np.flatnonzero(fold != k), np.flatnonzero((fold == k) & present)) for k in set(fold)]
    values = {"imitations": IMITATIONS, "ratios": RATIOS, "alphas": ALPHAS}
    expected = -brute_force(X[:30], y[:30], s[:30], sorted(splits, key=str), **values)
    found = scores_of(search)
    assert 2 <= search.n_splits_ == len(splits) < 6
    np.testing.assert_allclose(np.sort(found.sum(axis=1)), np.sort(expected.sum(axis=1)), rtol=1e-8)


def test_a_refused_call_leaves_a_stream_as_it_was():
    X, y, s = problem()
    search = streamed(X, y, s)
    before = pickle.dumps(search)
    with pytest.raises(ValueError, match="in all or in none"):
        search.partial_fit(X, y, teacher_prediction=s, groups=np.arange(N))
    assert pickle.dumps(search) == before


@pytest.mark.parametrize(
    ("cv", "n_rows", "message"),
    [
        (KFold(3), N, "number of folds, 2 or more"),
        (5, 1, "1 labelled rows so far: pass two rows or more"),
    ],
    ids=["splitter", "few"],
)
def test_what_a_stream_cannot_split(cv, n_rows, message):
    X, y, s = problem()
    search = PrivilegedLinearRegressionCV(**GRID, cv=cv)
    with pytest.raises(ValueError, match=message):
        search.partial_fit(X[:n_rows], y[:n_rows], teacher_prediction=s[:n_rows])


@pytest.mark.parametrize("gaps", ["none", "both"])
def test_a_stream_goes_on_from_a_fit(gaps):
    X, y, s = problem(1, gaps)
    search = streamed(X, y, s)  # which fit resets
    search.fit(X[:50], y[:50], teacher_prediction=s[:50])
    search.partial_fit(X[50:], y[50:], teacher_prediction=s[50:])
    present = ~np.isnan(y[:, 0])
    fold = np.where(present, (np.cumsum(present) - 1) % 4, -1)
    of_fit = np.flatnonzero(present[:50])
    for k, (_, test) in enumerate(KFold(4).split(of_fit)):
        fold[of_fit[test]] = k
    whole = PrivilegedLinearRegressionCV(**GRID, cv=PredefinedSplit(fold))
    assert_same_search(search, whole.fit(X, y, teacher_prediction=s))


def test_a_stream_does_not_go_on_from_the_folds_of_a_splitter():
    X, y, s = problem()
    search = PrivilegedLinearRegressionCV(**GRID, cv=KFold(3)).fit(X, y, teacher_prediction=s)
    with pytest.raises(ValueError, match="after a fit with a splitter"):
        search.partial_fit(X, y, teacher_prediction=s)


def test_a_stream_says_that_digits_are_lost():
    X, _, _ = problem()
    y = X @ [1.0, 2.0, 3.0, 4.0] + 1e-6 * np.random.default_rng(0).normal(size=N)
    search = PrivilegedLinearRegressionCV([0.0], imitations=[0])
    with pytest.warns(LinAlgWarning, match="lose digits of the scores"):
        search.partial_fit(X, y)
