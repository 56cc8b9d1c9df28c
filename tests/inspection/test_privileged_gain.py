"""The permutation test of privileged columns: exact on noise, and it finds what helps."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import kstest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression
from sklearn_distill.datasets import make_privileged_classification
from sklearn_distill.distillers._feature_split import FeatureSplit, split_features
from sklearn_distill.inspection import compare_students, privileged_gain
from sklearn_distill.inspection._permuted_columns import permute_columns, permute_within

FAST = {"cv": 2, "inner_cv": 2, "n_permutations": 9}
STUDENT = DistilledLogisticRegression(imitation=0.7)


def problem(kind="relevant_features", n_samples=200, random_state=0):
    data = make_privileged_classification(n_samples, kind=kind, random_state=random_state)
    return np.hstack([data.data, data.privileged]), data.target


def noise(seed, n_samples=60):
    """Two regular and two privileged columns; labels depend on the first alone."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 4))
    return X, (X[:, 0] + rng.logistic(size=n_samples) > 0).astype(int)


def p_value(seed, **options):
    X, y = noise(seed)
    return privileged_gain(
        GaussianNB(),
        STUDENT,
        X,
        y,
        privileged_features=[2, 3],
        random_state=seed,
        **FAST,
        **options,
    ).p_value


@pytest.mark.parametrize(
    "options", [{"within": "prediction"}, {"within": None, "teacher_features": "privileged"}]
)
def test_p_values_of_noise_are_uniform(options):
    p = np.array([p_value(seed, **options) for seed in range(40)])
    assert set(np.rint(10 * p)) <= set(range(1, 11))
    # uniform between its ten values, p is at most uniform on (0, 1)
    jittered = p - np.random.default_rng(0).uniform(0, 0.1, len(p))
    assert kstest(jittered, "uniform").pvalue > 0.01
    assert abs((p <= 0.2).mean() - 0.2) < 3 * np.sqrt(0.2 * 0.8 / len(p))


@pytest.mark.parametrize("kind", ["relevant_features", "clean_labels"])
@pytest.mark.parametrize("within", ["prediction", None])
def test_useful_columns_are_found(kind, within):
    X, y = problem(kind)
    result = privileged_gain(
        LogisticRegression(),
        DistilledLogisticRegression(),
        X,
        y,
        privileged_features=slice(50, None),
        teacher_features="privileged",
        within=within,
        n_permutations=19,
        inner_cv=2,
        random_state=0,
    )
    assert result.p_value == 0.05
    assert 0 < result.low < result.gain < result.high
    assert result.over_baseline.value > 0
    assert result.headline.startswith("The privileged columns help the student, p = 0.05: +0.")


def test_an_accurate_teacher_may_be_useless():
    """Columns without noise say nothing about how the label depends on the noisy ones."""
    X, y = problem("clean_features")
    result = privileged_gain(
        LogisticRegression(), STUDENT, X, y, privileged_features=slice(50, None), **FAST,
        random_state=0,
    )  # fmt: skip
    means = result.scores.mean()
    assert means["teacher"] < means["baseline"]
    assert result.gain < 0
    assert result.p_value > 0.5
    assert "are not shown to help" in result.headline


def test_a_student_without_imitation_gains_nothing():
    X, y = noise(0)
    result = privileged_gain(
        GaussianNB(), DistilledLogisticRegression(imitation=0.0), X, y, privileged_features=[2],
        **FAST, random_state=0,
    )  # fmt: skip
    assert result.p_value == 1
    assert (result.permuted == result.scores["student"].to_numpy()).all()
    gains = [result.gain, result.low, result.high, result.over_baseline.value]
    assert gains == pytest.approx([0] * 4, abs=1e-15)


def test_student_baseline_and_teacher_are_those_of_compare_students():
    X, y = problem()
    options = {"privileged_features": slice(50, None), "inner_cv": 2, "random_state": 0}
    teacher = LogisticRegression()
    ours = privileged_gain(teacher, STUDENT, X, y, cv=3, n_permutations=1, **options).scores
    board = compare_students(
        teacher, {"student": STUDENT}, X, y, cv=3, scoring="log_loss", n_repeats=1,
        param_grid={"student": {}}, **options,
    )  # fmt: skip
    theirs = board.scores["log_loss"]
    for name in ("student", "teacher"):
        assert ours[name].tolist() == pytest.approx(theirs[name].tolist())
    assert ours["baseline"].tolist() == pytest.approx(theirs["student: baseline"].tolist())


def test_interval_and_p_value_are_those_of_the_docstring():
    X, y = problem("clean_labels")
    result = privileged_gain(
        LogisticRegression(), STUDENT, X, y, privileged_features=[50], scoring="accuracy",
        random_state=0, **FAST,
    )  # fmt: skip
    assert result.direction == 1
    assert result.permuted.shape == (9, 2)
    differences = result.scores["student"] - result.permuted.mean(axis=0)
    assert result.gain == pytest.approx(differences.mean())
    expected = result.sizes.interval(differences)
    assert (result.low, result.high) == pytest.approx((expected.low, expected.high))
    as_good = result.permuted.mean(axis=1) >= result.scores["student"].mean()
    assert result.p_value == pytest.approx((1 + as_good.sum()) / 10)


def test_a_lower_error_is_a_gain():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6))
    signal = X @ np.ones(6)
    s = signal + 0.1 * rng.normal(size=80)  # privileged: the target with less noise
    y = signal + 3 * rng.normal(size=80)
    result = privileged_gain(
        LinearRegression(), PrivilegedLinearRegression(0.9), np.column_stack([X, s]), y,
        privileged_features=[6], teacher_features="privileged", random_state=0, **FAST,
    )  # fmt: skip
    assert (result.metric, result.direction) == ("root_mean_squared_error", -1)
    assert result.scores["student"].mean() < result.scores["permuted"].mean()
    assert result.gain > 0
    assert result.p_value == 0.1


def test_one_seed_one_result_in_parallel_too():
    X, y = noise(0)
    results = [
        privileged_gain(
            GaussianNB(), STUDENT, X, y, privileged_features=[2], random_state=3, n_jobs=n_jobs,
            **FAST,
        ).permuted
        for n_jobs in (None, 2)
    ]  # fmt: skip
    np.testing.assert_array_equal(*results)


def test_rows_without_a_label_are_permuted_among_themselves():
    X, y = problem(n_samples=240)
    partial = np.where(np.arange(240) < 80, y, np.nan)
    options = {"privileged_features": slice(50, None), "random_state": 0} | FAST
    by_label = privileged_gain(LogisticRegression(), STUDENT, X, partial, **options)
    unlabelled = privileged_gain(
        LogisticRegression(), STUDENT, X[:80], y[:80], X_unlabeled=X[80:], **options
    )
    for result in (by_label, unlabelled):
        assert result.scores.loc[0, "student"] != result.permuted[0, 0]
    assert by_label.scores["student"].tolist() == pytest.approx(
        unlabelled.scores["student"].tolist()
    )


def test_weights_count():
    X, y = noise(0)
    weight = np.r_[np.ones(30), np.zeros(30)]
    unweighted, weighted = (
        privileged_gain(
            GaussianNB(), STUDENT, X, y, privileged_features=[2], random_state=0,
            sample_weight=s, **FAST,
        ).scores["student"]
        for s in (None, weight)
    )  # fmt: skip
    assert (weighted != unweighted).any()


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, sparse.csc_matrix, pd.DataFrame])
def test_columns_are_permuted_together_in_any_container(make):
    X = np.arange(20.0).reshape(5, 4)
    rows = np.array([1, 2, 3, 4, 0])
    features = FeatureSplit(4, np.array([1, 3]), teacher_uses_all=True)
    permuted = permute_columns(make(X), rows, features)
    dense = permuted.toarray() if sparse.issparse(permuted) else np.asarray(permuted)
    np.testing.assert_array_equal(dense[:, [0, 2]], X[:, [0, 2]])
    np.testing.assert_array_equal(dense[:, [1, 3]], X[rows][:, [1, 3]])


def test_frames_keep_names_and_types():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": pd.Categorical(["x", "y", "x"]), "c": [0.5, 1, 2]})
    rows = np.array([1, 2, 0])
    features = split_features(frame, ["b", "a"], "all")
    permuted = permute_columns(frame, rows, features)
    assert permuted.dtypes.equals(frame.dtypes)
    assert permuted["b"].tolist() == ["y", "x", "x"]
    assert permuted["a"].tolist() == [2, 3, 1]
    assert permuted["c"].tolist() == [0.5, 1, 2]
    polars = pytest.importorskip("polars")
    features = FeatureSplit(2, np.array([1]), teacher_uses_all=True)
    other = permute_columns(polars.DataFrame({"a": [1, 2, 3], "c": [4, 5, 6]}), rows, features)
    assert other["c"].to_list() == [5, 6, 4]


def test_permutations_stay_within_strata():
    strata = np.random.default_rng(0).integers(3, size=50)
    rows = permute_within(strata, np.random.default_rng(1))
    assert sorted(rows) == list(range(50))
    assert (strata[rows] == strata).all()
    assert (rows != np.arange(50)).any()


def test_plot_shows_the_permutations():
    X, y = noise(0)
    result = privileged_gain(
        GaussianNB(), STUDENT, X, y, privileged_features=[2], random_state=0, **FAST
    )
    ax = result.plot()
    assert sum(patch.get_height() for patch in ax.patches) == 9
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["columns permuted", "student", "baseline", "teacher"]
    assert result.plot(ax) is ax
    plt.close(ax.figure)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"privileged_features": None}, "privileged_features=None: pass the names"),
        ({"within": "class"}, "within='class'; pass 'prediction' or None"),
        ({"n_permutations": 0}, "n_permutations=0; pass a whole number, 1 or more"),
        ({"n_permutations": 9.0}, "n_permutations=9.0"),
        ({"inner_cv": 1}, "inner_cv=1; pass a whole number, 2 or more"),
        ({"confidence_level": 1.0}, "confidence_level=1.0"),
        ({"scoring": ["log_loss", "accuracy"]}, "has 2 metrics; pass one"),
        ({"student": LogisticRegression()}, "LogisticRegression, whose fit takes no teacher_proba"),
        ({"student": PrivilegedLinearRegression()}, "takes no teacher_proba"),
        ({"y": None}, "y=None: the students are compared by labels"),
        ({"privileged_features": [0, 1, 2, 3]}, "selects all of the 4 columns"),
    ],
)
def test_errors_name_the_argument(wrong, message):
    X, y = noise(0)
    arguments = {
        "teacher": GaussianNB(), "student": STUDENT, "X": X, "y": y, "privileged_features": [2]
    } | FAST | wrong  # fmt: skip
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        privileged_gain(**arguments)


def test_a_teacher_must_predict():
    X, y = noise(0)
    with pytest.raises(TypeError, match="neither a classifier nor a regressor"):
        privileged_gain(None, STUDENT, X, y, privileged_features=[2])
