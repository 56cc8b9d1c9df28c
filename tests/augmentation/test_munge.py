"""Munge against the algorithm written row by row, and what its rows may be."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics.pairwise import nan_euclidean_distances

from sklearn_distill.augmentation import munge


def numbers(n=200, random_state=0):
    rng = np.random.default_rng(random_state)
    X = rng.normal(size=(n, 3)) @ [[1.0, 0.8, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 50.0]]
    return X + np.array([0.0, 10.0, -3.0])


def table(n=100):
    rng = np.random.default_rng(0)
    X = numbers(n)
    return pd.DataFrame(
        {
            "real": X[:, 0],
            "single": X[:, 1].astype(np.float32),
            "count": np.rint(X[:, 2]).astype(np.int16),
            "nullable": pd.array(np.rint(X[:, 2]), dtype="Int64"),
            "word": rng.choice(["a", "b", None], size=n),
            "kind": pd.Categorical(rng.choice(["x", "y"], size=n), categories=["y", "x", "z"]),
            "flag": rng.random(n) < 0.5,
            "code": rng.integers(5, size=n),
        }
    )


def nearest_different(X, categorical=()):
    """Find e' for each row by the distance as it is defined."""
    X = np.asarray(X, dtype=float)
    continuous = [a for a in range(X.shape[1]) if a not in categorical]
    scale = X[:, continuous].std(axis=0)
    found = []
    for e in X:
        d = (((X - e)[:, continuous] / np.where(scale > 0, scale, 1)) ** 2).sum(axis=1)
        d += 2 * (X[:, list(categorical)] != e[list(categorical)]).sum(axis=1)
        d[(e == X).all(axis=1)] = np.inf
        found.append(X[d.argmin()])
    return np.array(found)


def rows_of(X):
    return {tuple(row) for row in np.asarray(X).tolist()}


def test_p_0_returns_the_rows_each_equally_often():
    X = numbers(30)
    new = munge(X, 75, p=0.0, random_state=0)
    _, times = np.unique(np.r_[X, new], axis=0, return_counts=True)
    assert len(times) == 30
    assert set(times - 1) == {2, 3}


@pytest.mark.parametrize("categorical", [[], [1]])
def test_without_noise_p_1_is_the_nearest_neighbour(categorical):
    X = numbers(60)
    X[:, 1] = np.rint(X[:, 1])
    new = munge(X, 60, p=1.0, s=np.inf, categorical_features=categorical, random_state=0)
    expected = nearest_different(X, categorical)
    np.testing.assert_allclose(np.sort(new, axis=0), np.sort(expected, axis=0))
    assert rows_of(new) == rows_of(expected)


def test_a_large_s_comes_close_to_that():
    X = numbers()
    near, exact = (munge(X, 99, p=0.7, s=s, random_state=3) for s in (1e9, np.inf))
    np.testing.assert_allclose(near, exact, atol=1e-5)


def test_a_feature_is_normal_around_the_neighbour_with_probability_p():
    X = np.array([[0.0], [4.0]])
    new = munge(X, 40_000, p=0.3, s=2.0, random_state=0).ravel()
    assert np.isin(new, [0.0, 4.0]).mean() == pytest.approx(0.7, abs=0.01)
    changed = new[~np.isin(new, [0.0, 4.0])]
    one, other = np.abs(changed), np.abs(changed - 4)
    near = np.minimum(one, other)  # σ = 4 / 2 folds the tails of both
    assert changed.mean() == pytest.approx(2.0, abs=0.1)
    assert changed.var() == pytest.approx(2.0**2 + 2.0**2, rel=0.03)
    assert near.min() > 0


def test_mean_and_spread_stay_near_the_data():
    X = numbers(1000)
    new = munge(X, 5000, p=0.5, s=1.0, random_state=0)
    np.testing.assert_allclose(new.mean(axis=0), X.mean(axis=0), atol=0.1 * X.std(axis=0).max())
    np.testing.assert_allclose((new.mean(axis=0) - X.mean(axis=0)) / X.std(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(new.std(axis=0) / X.std(axis=0), 1, atol=0.15)
    assert np.corrcoef(new.T)[0, 1] == pytest.approx(np.corrcoef(X.T)[0, 1], abs=0.1)


def test_only_e_is_updated_and_X_is_not():
    X = numbers(50)
    before = X.copy()
    X.flags.writeable = False
    munge(X, 100, random_state=0)
    np.testing.assert_array_equal(X, before)


def test_categories_come_from_the_row_or_its_neighbour():
    X = np.array([[0.0, 5.0], [0.1, 7.0], [9.0, 1.0], [9.1, 2.0]])
    new = munge(X, 400, p=0.5, s=1.0, categorical_features=[1], random_state=0)
    left = np.isin(new[:, 1], [5.0, 7.0])
    assert set(new[:, 1]) == {1.0, 2.0, 5.0, 7.0}
    assert (new[left, 0] < 4).all()
    assert (new[~left, 0] > 4).all()


@pytest.mark.parametrize("given", [[1, 2], [False, True, True], np.array([2, 1])], ids=str)
def test_ways_to_name_the_categorical(given):
    X = numbers(40)
    X[:, 1:] = np.rint(X[:, 1:])
    new = munge(X, 80, categorical_features=given, random_state=0)
    expected = munge(pd.DataFrame(X, columns=list("abc")), 80, categorical_features=["b", "c"],
                     random_state=0)  # fmt: skip
    np.testing.assert_array_equal(new, expected.to_numpy())
    assert set(new[:, 1]) <= set(X[:, 1])
    assert not set(new[:, 0]) <= set(X[:, 0])


def test_frames_keep_names_types_and_categories():
    X = table()
    new = munge(X, 250, categorical_features=["word", "kind", "flag", "code"], random_state=0)
    pd.testing.assert_series_equal(new.dtypes, X.dtypes)
    assert list(new.index) == list(range(250))
    for name in ("word", "kind", "flag", "code"):
        assert (
            set(new[name].fillna("?")) <= set(X[name].fillna("?"))
            if name == "word"
            else set(new[name]) <= set(X[name])
        )
    assert set(munge(X, 250, random_state=0)["kind"]) <= {"x", "y"}, "found without being named"


def test_polars():
    X = table()[["real", "count", "word", "flag"]]
    word = [None if pd.isna(w) else w for w in X["word"]]
    frame = pl.DataFrame({name: X[name].to_numpy() for name in X} | {"word": word})
    new = munge(frame, 50, random_state=0)
    assert isinstance(new, pl.DataFrame)
    assert new.schema == frame.schema
    expected = munge(X, 50, random_state=0)
    np.testing.assert_array_equal(new["real"].to_numpy(), expected["real"].to_numpy())
    assert new["word"].to_list() == [None if pd.isna(w) else w for w in expected["word"]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
def test_numpy_types_are_kept(dtype):
    X = np.array([[0, 255], [3, 250], [9, 0], [11, 7]], dtype=dtype)
    new = munge(X, 500, p=1.0, s=0.5, random_state=0)
    assert new.dtype == dtype
    assert new.shape == (500, 2)


def test_random_state_decides():
    X = numbers(40)
    np.testing.assert_array_equal(munge(X, 50, random_state=1), munge(X, 50, random_state=1))
    assert not np.array_equal(munge(X, 50, random_state=1), munge(X, 50, random_state=2))


def test_a_constant_feature_stays_constant():
    X = np.column_stack([numbers(40), np.full(40, 0.1)])
    assert (munge(X, 100, random_state=0)[:, 3] == 0.1).all()


def test_copies_of_a_row_have_a_different_neighbour():
    X = np.repeat([[0.0, 0.0], [1.0, 2.0], [7.0, 7.0]], 5, axis=0)
    new = munge(X, 15, p=1.0, s=np.inf, random_state=0)
    np.testing.assert_allclose(np.sort(new, axis=0), np.sort(nearest_different(X), axis=0))


def test_lists_and_strings():
    words = [["a", "b"], ["a", "c"], ["d", "c"]]
    new = munge(words, 20, random_state=0)
    assert set(new[:, 0]) <= {"a", "d"}
    assert set(new[:, 1]) <= {"b", "c"}


def with_missing(n=60, random_state=1):
    X = numbers(n)
    X[np.random.default_rng(random_state).random(X.shape) < 0.2] = np.nan
    return X


def test_the_distance_ignores_missing_entries():
    X = with_missing()
    standardised = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    distance = nan_euclidean_distances(standardised)
    np.fill_diagonal(distance, np.inf)
    near = X[np.where(np.isnan(distance), np.inf, distance).argmin(axis=1)]
    expected = np.where(np.isnan(X) | np.isnan(near), X, near)
    new = munge(X, 60, p=1.0, s=np.inf, random_state=0)
    np.testing.assert_array_equal(sorted(map(str, new)), sorted(map(str, expected)))


def test_a_feature_missing_in_either_row_is_copied():
    X = np.array([[0.0, np.nan], [1.0, 5.0]])
    new = munge(X, 2000, p=0.5, s=2.0, random_state=0)
    missing = np.isnan(new[:, 1])
    assert missing.sum() == 1000
    assert (new[~missing, 1] == 5.0).all(), "no number is computed from one that is missing"
    assert len(np.unique(new[:, 0])) > 500, "the other feature changes as ever"


def test_entries_are_missing_in_the_same_combinations():
    X = with_missing()
    new = munge(X, 120, random_state=0)
    patterns, counts = np.unique(np.isnan(X), axis=0, return_counts=True)
    of_new = np.unique(np.isnan(new), axis=0, return_counts=True)
    np.testing.assert_array_equal(of_new[0], patterns)
    np.testing.assert_array_equal(of_new[1], 2 * counts)


def test_copies_of_a_row_with_a_missing_entry_have_a_different_neighbour():
    X = np.repeat([[0.0, np.nan], [1.0, 2.0]], 5, axis=0)
    new = munge(X, 10, p=1.0, s=np.inf, random_state=0)
    assert np.isnan(new[:, 1]).sum() == 5
    assert (new[np.isnan(new[:, 1]), 0] == 1).all()


def test_a_column_and_a_row_without_any_entry():
    X = np.column_stack([with_missing(), np.full(60, np.nan)])
    X[3] = np.nan
    new = munge(X, 120, random_state=0)
    assert np.isnan(new[:, 3]).all()
    assert np.isfinite(new[:, :3]).any(axis=0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "Float64", "Int64"])
def test_missing_entries_keep_their_type(dtype):
    series = pd.Series(np.rint(numbers(40)[:, 2])).where(np.arange(40) % 4 > 0)
    frame = pd.DataFrame({"a": series.astype(dtype), "b": numbers(40)[:, 0]})
    new = munge(frame, 200, random_state=0)
    assert new["a"].dtype == dtype
    assert new["a"].isna().mean() == 0.25


def test_nulls_of_polars_stay_null():
    a = [None if k % 4 == 0 else k for k in range(40)]
    frame = pl.DataFrame({"a": a, "b": [None if x is None else x / 2 for x in a]})
    frame = frame.with_columns(c=pl.Series(np.where(np.arange(40) % 3, 1.0, np.nan)))
    new = munge(frame, 200, random_state=0)
    assert new.schema == frame.schema
    assert new["a"].null_count() > 0
    assert new["b"].null_count() > 0
    assert not new["b"].is_nan().any()
    assert new["c"].is_nan().any()
    assert new["c"].null_count() == 0


LARGE = 2**60 + 1000 * np.arange(20) + 1  # float64 has steps of 256 there


@pytest.mark.parametrize(
    "X",
    [
        np.column_stack([LARGE, LARGE[::-1]]),
        np.column_stack([LARGE, LARGE[::-1]]).astype(np.uint64) + np.uint64(2**63),
        pd.DataFrame({"id": LARGE, "nullable": pd.array(LARGE, dtype="Int64")}),
        pl.DataFrame({"id": LARGE, "back": LARGE[::-1]}),
    ],
    ids=["int64", "uint64", "pandas", "polars"],
)
def test_large_integers_are_copied_exactly(X):
    assert rows_of(munge(X, 20, p=0.0, random_state=0)) == rows_of(X)
    assert rows_of(munge(X, 20, p=1.0, s=np.inf, random_state=0)) <= rows_of(X)
    mixed = np.asarray(munge(X, 200, p=0.5, s=np.inf, random_state=0))
    for a, column in enumerate(np.asarray(X).T):
        assert set(mixed[:, a].tolist()) <= set(column.tolist())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("kind", ["array", "pandas", "polars"])
def test_new_numbers_stay_in_the_range_of_their_type(dtype, kind):
    largest = np.finfo(dtype).max
    X = np.array([[-largest, 1], [largest, 2], [0, 3], [largest / 2, 1]], dtype)
    make = {"array": np.asarray, "pandas": pd.DataFrame, "polars": pl.DataFrame}[kind]
    new = np.asarray(munge(make(X), 400, p=1.0, s=1e-3, random_state=0))
    assert new.dtype == dtype
    assert np.isfinite(new).all()
    assert (np.abs(new[:, 0]) == largest).any()


def test_a_factor_changes_no_neighbour():
    X = numbers(50)
    expected = munge(X, 50, p=1.0, s=np.inf, random_state=0)
    for factor in (2.0**-600, 2.0**600):
        new = munge(factor * X, 50, p=1.0, s=np.inf, random_state=0)
        np.testing.assert_array_equal(new, factor * expected)


@pytest.mark.parametrize(
    ("X", "arguments", "message"),
    [
        (numbers(1), {}, r"X has 1 row\(s\), of which 1 different"),
        (np.ones((5, 2)), {}, r"X has 5 row\(s\), of which 1 different"),
        (numbers(5), {"p": -0.1}, "p must be"),
        (numbers(5), {"p": np.nan}, "p must be"),
        (numbers(5), {"s": 0.0}, "s must be"),
        (numbers(5), {"n_samples": 0}, "n_samples must be"),
        (numbers(5), {"n_samples": 2.5}, "n_samples must be"),
        (numbers(5), {"categorical_features": [3]}, "categorical_features: X has no feature 3"),
        (numbers(5), {"categorical_features": [-1]}, "categorical_features: X has no feature -1"),
        (numbers(5), {"categorical_features": ["a"]}, "categorical_features: X has no feature 'a'"),
        (numbers(5), {"categorical_features": [True]}, "categorical_features is a mask of 1"),
        (table(), {"categorical_features": ["kind"]}, "X: feature 'word' is not numeric"),
        (np.array([[1.0, np.inf], [0, 1]]), {}, "X: feature 1 is inf in row 0"),
        (numbers(5)[:, 0], {}, "Expected 2D array"),
        (pd.DataFrame(numbers(5), columns=["a", "a", "b"]), {}, "columns of the same name"),
    ],
)
def test_wrong_input(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        munge(X, **({"n_samples": 3} | arguments))
