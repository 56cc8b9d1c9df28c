"""The leaderboard: nothing leaks, the choice is corrected for, and a run can be limited."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy.stats import t
from sklearn import config_context
from sklearn.datasets import make_classification, make_regression
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
)
from sklearn_distill.inspection import _fold_runs, compare_students
from sklearn_distill.inspection._entries import default_students, make_entries
from sklearn_distill.inspection._fold_scores import SplitSizes, choose
from sklearn_distill.inspection._timed_students import permute_within_class, smooth_labels

FAST = {"cv": 3, "n_repeats": 1, "random_state": 0, "scoring": "log_loss"}
KINDS = {"prior", "teacher", "tree", "tree: baseline", "plain"}


def small_tree(**options):
    return SoftTargetClassifier(DecisionTreeRegressor(max_depth=2), **options)


def students():
    return {"tree": small_tree(), "plain": LogisticRegression()}


def fast_grid(*names):
    return {name: {} for name in names or ["tree"]}


@pytest.fixture(scope="module")
def data():
    return make_classification(240, 5, n_informative=3, class_sep=1.5, random_state=0)


@pytest.fixture(scope="module")
def board(data):
    teacher = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5)
    return compare_students(teacher, students(), *data, **FAST, param_grid=fast_grid())


def test_form(board):
    assert set(board.table.index) == KINDS
    assert list(board.table.index[-2:]) == ["teacher", "prior"]
    assert board.table["n_folds"].eq(3).all()
    assert board.table["log_loss"].iloc[:3].is_monotonic_increasing
    assert board.not_run == []
    assert board.scores.shape == (3, 5)
    html = board._repr_html_()
    assert "tree: baseline" in html
    assert "log_loss" in str(board)
    assert board.headline.startswith("Best of 3 students") or "prior" in board.headline


def test_scores_are_those_of_models_that_are_refitted_in_each_fold(data):
    X, y = data
    splits = list(KFold(3, shuffle=True, random_state=1).split(X))
    plain = LogisticRegression()
    scores = compare_students(
        DecisionTreeClassifier(max_depth=3), {"plain": plain}, X, y, **FAST | {"cv": splits}
    ).scores["log_loss"]["plain"]
    expected = [log_loss(y[b], plain.fit(X[a], y[a]).predict_proba(X[b])) for a, b in splits]
    assert scores.tolist() == pytest.approx(expected)


def test_differences_are_paired_by_fold(board):
    by_fold, table = board.scores["log_loss"], board.table
    gain = by_fold["tree"] - by_fold["tree: baseline"]
    assert table.loc["tree", "vs_baseline"] == pytest.approx(gain.mean())
    ends = board.sizes.interval(gain)
    shown = table.loc["tree", ["vs_baseline_low", "vs_baseline_high"]].tolist()
    assert shown == pytest.approx([ends.low, ends.high])
    best = board.choose().name
    assert table.index[0] == best
    assert np.isnan(table.loc[best, "vs_best"])
    assert (table.loc[table.index[1:3], "vs_best"] >= 0).all()


def test_no_row_off_the_frontier_is_better_in_both(board):
    rows = board.table[board.table["kind"] != "prior"]
    for name, row in rows.iterrows():
        beaten = (rows["log_loss"] <= row["log_loss"]) & (
            rows["latency_p50_us"] <= row["latency_p50_us"]
        )
        beaten[name] = False
        assert row["pareto"] == (not beaten.any())


def test_best_within_limits_is_refitted_on_all_rows(board, data):
    X, y = data
    sizes = board.table["n_bytes"]
    limit = sizes["plain"]  # a logistic regression has the smallest pickle
    assert sizes[["tree", "tree: baseline"]].min() > limit
    chosen = board.best(max_bytes=limit)
    assert isinstance(chosen, LogisticRegression)
    assert chosen.predict_proba(X) == pytest.approx(LogisticRegression().fit(X, y).predict_proba(X))
    with pytest.raises(ValueError, match="no student has n_bytes of at most 10"):
        board.best(max_bytes=10)
    with pytest.raises(ValueError, match="no student has latency_p50_us"):
        board.choose(max_latency_us=1e-9)


def test_a_distilled_student_can_be_the_best(data):
    X, y = data
    board = compare_students(
        RandomForestClassifier(5), {"tree": small_tree()}, X, y, **FAST, param_grid=fast_grid()
    )
    model = board.refit("tree")
    assert type(model) is TeacherStudentClassifier
    assert model.student_.n_taught_rows_ == len(X)
    assert model.predict(X).shape == y.shape


@pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")  # random labels
def test_pure_noise_stays_at_the_base_rate():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 4)), rng.integers(0, 2, 400)
    trees = {
        f"depth {d}": SoftTargetClassifier(DecisionTreeRegressor(max_depth=d)) for d in (1, 2, 4, 8)
    }
    board = compare_students(
        DecisionTreeClassifier(), trees, X, y, **FAST | {"scoring": "accuracy", "cv": 5},
        param_grid=fast_grid(*trees), inner_cv=2,
    )  # fmt: skip
    accuracy = board.table.drop(index="prior")["accuracy"]
    assert (accuracy - 0.5).abs().max() < 3 * 0.5 / np.sqrt(400)
    assert board.headline.startswith("No student is shown to be better than the prior")
    choice = board.choose()  # of eight; on fresh rows each is right in half of the cases
    standard_error = (choice.high - choice.low) / 2 / t.ppf(0.975, 4)
    assert choice.n_students == 8
    assert abs(choice.expected - 0.5) < 2 * standard_error
    assert choice.expected < choice.score


def test_the_choice_among_students_is_corrected_for():
    # eight equally good students; the scores of folds correlate by the share of test rows, as in
    # the model of Nadeau and Bengio
    rng, sizes = np.random.default_rng(0), SplitSizes(80, 20, 0.95)
    names = [f"student {i}" for i in range(8)]
    choices = []
    for _ in range(200):
        common, own = rng.normal(size=(1, 8)), rng.normal(size=(5, 8))
        noise = np.sqrt(0.2) * common + np.sqrt(0.8) * own
        choices.append(
            choose(pd.DataFrame(noise, columns=names).assign(prior=0.0), names, 1, sizes)
        )
    own_score = np.array([choice.score for choice in choices])
    expected = np.array([choice.expected for choice in choices])
    standard_error = (
        np.array([choice.high - choice.low for choice in choices]) / 2 / t.ppf(0.975, 4)
    )
    assert own_score.mean() > 0.6
    # about a tenth of the optimism is left: some of the luck passes for differences in quality
    assert abs(expected.mean()) < 0.15 * own_score.mean()
    assert np.mean(np.abs(expected) < 2 * standard_error) > 0.85
    assert np.mean(np.abs(own_score) < 2 * standard_error) < 0.75


def test_nothing_is_corrected_where_one_student_is_clearly_best():
    sizes = SplitSizes(80, 20, 0.95)
    clear = pd.DataFrame({"a": [1.0, 1.1, 1.2], "b": [0.1, 0.3, 0.2], "prior": 0.0})
    assert choose(clear, ["a", "b"], 1, sizes).optimism == 0
    assert choose(-clear, ["b", "a"], -1, sizes).name == "a"
    assert choose(-clear, ["b", "a"], 1, sizes).name == "b"
    close = pd.DataFrame({"a": [1.0, 1.1, 1.2], "b": [1.2, 1.1, 0.9], "prior": 0.0})
    gain, loss = choose(close, ["a", "b"], 1, sizes), choose(-close, ["a", "b"], -1, sizes)
    assert 0 < gain.optimism == pytest.approx(loss.optimism)
    assert gain.expected < gain.score
    assert loss.expected > loss.score
    twice = close[["a", "a"]].set_axis(["a", "b"], axis=1).assign(prior=0.0)
    assert choose(twice, ["a", "b"], 1, sizes).optimism == pytest.approx(0, abs=1e-9)


def test_equally_good_students_are_chosen_without_a_teacher(data):
    X, y = data
    linear = DistilledLogisticRegression()
    grid = {"linear": {"imitation": [0.0]}}
    board = compare_students(
        DecisionTreeClassifier(max_depth=3), {"linear": linear}, X, y, **FAST, param_grid=grid
    )
    assert board.table.loc["linear", "vs_baseline"] == 0
    assert board.choose().name == "linear: baseline"


def test_search_is_within_the_training_rows_and_by_the_metric_that_decides(data):
    X, y = data
    board = compare_students(
        DecisionTreeClassifier(max_depth=3), {"tree": small_tree()}, X, y, **FAST,
        param_grid={"tree": {"imitation": [0.0, 0.9], "estimator__max_depth": [1, 3]}},
    )  # fmt: skip
    assert set(board.settings) == {"prior", "teacher", "tree", "tree: baseline"}
    for setting in board.settings["tree"]:
        assert set(setting) == {"imitation", "estimator__max_depth"}
    for setting in board.settings["tree: baseline"]:
        assert set(setting) == {"estimator__max_depth"}


def test_lambda_is_zero_where_the_teacher_knows_nothing():
    X = np.random.default_rng(0).normal(size=(200, 1))
    linear = DistilledLogisticRegression(C=100)
    board = compare_students(DummyClassifier(), {"linear": linear}, X, X[:, 0] > 0, **FAST)
    assert [setting["imitation"] for setting in board.settings["linear"]] == [0.0] * 3


class CountedTeacher(DecisionTreeClassifier):
    fits = 0

    def fit(self, X, y, sample_weight=None):
        CountedTeacher.fits += 1
        return super().fit(X, y, sample_weight)


def test_teachers_are_fitted_once_per_fold_and_not_once_per_student(data):
    X, y = data
    CountedTeacher.fits = 0
    three = {f"tree {i}": small_tree(imitation=i / 3) for i in (1, 2, 3)}
    compare_students(
        CountedTeacher(max_depth=3), three, X, y, **FAST, inner_cv=2, param_grid=fast_grid(*three)
    )
    assert CountedTeacher.fits == 3 * (1 + 2 + 1)  # the teacher's row, two inner folds, all rows


def test_a_run_resumes_from_memory(data, tmp_path, monkeypatch):
    X, y = data
    arguments = (CountedTeacher(max_depth=3), {"tree": small_tree()}, X, y)
    options = FAST | {"param_grid": fast_grid(), "memory": tmp_path}
    first = compare_students(*arguments, **options)
    CountedTeacher.fits = 0
    # what was run is there, however little time is left
    second = compare_students(*arguments, **options, time_limit=1e-9)
    assert CountedTeacher.fits == 0
    assert second.not_run == []
    pd.testing.assert_frame_equal(first.scores, second.scores)
    with pytest.raises(ValueError, match="memory needs an integer random_state"):
        compare_students(*arguments, **options | {"random_state": None})


def test_time_limit_says_what_was_not_run(data, monkeypatch):
    seconds = iter(range(1000))
    monkeypatch.setattr(_fold_runs, "time", lambda: next(seconds))
    X, y = data
    board = compare_students(
        DecisionTreeClassifier(max_depth=3), students(), X, y, **FAST, param_grid=fast_grid(),
        time_limit=7.5,
    )  # fmt: skip
    assert len(board.scores) == 1, "the second fold is not complete"
    assert board.not_run[0][1] == 1
    assert len(board.not_run) == 15 - 7
    assert "Not run within the time limit (of 3 folds): " in str(board)
    assert "without an interval" in board.headline
    assert board.table["low"].isna().all()
    with pytest.raises(ValueError, match="no student was fitted within it"):
        compare_students(
            DecisionTreeClassifier(max_depth=3), students(), X, y, **FAST, time_limit=0.5
        )


def test_time_limit_within_the_first_fold(data, monkeypatch):
    seconds = iter(range(1000))
    monkeypatch.setattr(_fold_runs, "time", lambda: next(seconds))
    X, y = data
    board = compare_students(
        DecisionTreeClassifier(max_depth=3), students(), X, y, **FAST, param_grid=fast_grid(),
        time_limit=4.5,
    )  # fmt: skip
    assert board.table["n_folds"].value_counts().to_dict() == {1: 4, 0: 1}
    assert "tree in fold 1, 2, 3" in str(board)
    assert set(board.plot().points_.index) == {"plain", "tree: baseline", "teacher"}


def test_metadata_routing_changes_nothing(data, board):
    teacher = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5)
    with config_context(enable_metadata_routing=True):
        routed = compare_students(teacher, students(), *data, **FAST, param_grid=fast_grid())
    pd.testing.assert_frame_equal(routed.scores, board.scores)


def test_privileged_features_are_only_the_teachers(data):
    X, y = data
    X = np.column_stack([X, y])  # the label itself
    board = compare_students(
        DecisionTreeClassifier(max_depth=3), students(), X, y, **FAST, param_grid=fast_grid(),
        privileged_features=[5],
    )  # fmt: skip
    assert board.table.loc["teacher", "log_loss"] < 1e-9
    assert board.table.loc[["tree", "tree: baseline", "plain"], "log_loss"].min() > 0.1
    assert board.refit("tree").predict(X[:, :5]).shape == y.shape


def test_unlabelled_rows_weights_and_groups(data):
    X, y = data
    some = np.where(np.arange(len(y)) % 2, y, np.nan)
    groups = np.repeat(np.arange(60), 4)
    weight = np.random.default_rng(0).uniform(1, 2, len(y))
    board = compare_students(
        DecisionTreeClassifier(max_depth=3), students(), X, some, **FAST,
        param_grid={"tree": {"imitation": [0.0, 0.5]}}, groups=groups, sample_weight=weight,
        X_unlabeled=X[:30] + 0.01,
    )  # fmt: skip
    assert board.refit("tree").student_.n_taught_rows_ == len(X) + 30
    assert np.isfinite(board.table["log_loss"]).all()


def test_a_students_own_search_gets_the_groups(data):
    X, y = data
    groups = np.repeat(np.arange(60), 4)
    linear = make_pipeline(StandardScaler(), DistilledLogisticRegressionCV(cv=GroupKFold(2)))
    board = compare_students(  # without groups this splitter raises an error
        DecisionTreeClassifier(max_depth=3), {"linear": linear}, X, y, **FAST | {"cv": 2},
        groups=groups,
    )  # fmt: skip
    assert board.table.loc[["linear", "linear: baseline"], "n_folds"].eq(2).all()


def test_a_group_is_never_trained_and_tested_on():
    # a row's features name its group, whose label is random: only a leak can be better than chance
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 4)
    X, y = rng.normal(size=(100, 3))[groups], rng.integers(0, 2, 100)[groups]
    deep = SoftTargetClassifier(DecisionTreeRegressor())
    arguments = (DecisionTreeClassifier(), {"deep": deep}, X, y)
    options = FAST | {"scoring": "accuracy", "param_grid": {"deep": {"imitation": [0.5, 1.0]}}}
    with_groups = compare_students(*arguments, **options, groups=groups)
    assert with_groups.table["accuracy"].max() < 0.5 + 3 * 0.5 / np.sqrt(100)
    leaks = compare_students(*arguments, **options | {"param_grid": {"deep": {}}})
    assert leaks.table.loc["deep", "accuracy"] > 0.9


def test_regression():
    X, y = make_regression(150, 4, noise=5.0, random_state=0)
    models = {"tree": SoftTargetRegressor(DecisionTreeRegressor(max_depth=3))}
    models |= {"linear": PrivilegedLinearRegression(), "plain": LinearRegression()}
    board = compare_students(
        LinearRegression(), models, X, y, cv=3, n_repeats=1, random_state=0,
        param_grid=fast_grid("tree", "linear"),
    )  # fmt: skip
    assert board.metric == "root_mean_squared_error"
    assert {"r2", "mean_absolute_error"} < set(board.table)
    assert board.table.loc["plain", "r2"] > 0.99
    assert board.best().predict(X).shape == y.shape
    with pytest.raises(ValueError, match="controls=True is for classifiers"):
        compare_students(LinearRegression(), models, X, y, controls=True)


@pytest.mark.parametrize("is_class", [True, False])
def test_default_students_and_their_baselines(is_class):
    chosen = default_students(is_class=is_class)
    assert list(chosen) == ["linear", "tree", "boosting", "network"]
    entries = make_entries(None, chosen, is_class=is_class, controls=False, param_grid=None)
    assert len(entries) == 2 + 2 * 4
    by_name = {entry.name: entry for entry in entries}
    assert len(by_name["tree"].settings) == (5 if is_class else 3)
    assert by_name["linear"].settings == [{}], "it chooses λ itself"
    baseline = by_name["linear: baseline"].estimator[-1].get_params()
    if is_class:
        assert (baseline["metaparameters"], baseline["imitation"]) == ("C", 0)


@pytest.mark.slow
def test_default_list():
    X, y = make_classification(200, 5, random_state=0)
    board = compare_students(RandomForestClassifier(5), None, X, y, **FAST)
    assert len(board.table) == 10
    assert board.headline


def test_controls_keep_the_predicted_class_and_the_softness():
    rng = np.random.default_rng(0)
    q = rng.dirichlet(np.ones(3), 60)
    q[7] = np.nan
    present = np.arange(60) != 7
    permuted = permute_within_class(q, 0)
    assert (permuted[present].argmax(axis=1) == q[present].argmax(axis=1)).all()
    assert np.isnan(permuted[7]).all()
    assert not np.allclose(permuted[present], q[present])
    assert np.sort(permuted[present], axis=0) == pytest.approx(np.sort(q[present], axis=0))

    classes = np.array(["ant", "bee", "cat"])
    codes = rng.integers(0, 3, 60)
    y = classes[codes].astype(object)
    y[:3] = None
    smoothed = smooth_labels(y, q, classes)
    labelled = present & (np.arange(60) > 2)
    assert (smoothed[labelled].argmax(axis=1) == codes[labelled]).all()
    mean = q[labelled, codes[labelled]].mean()
    assert smoothed[labelled, codes[labelled]] == pytest.approx(mean)
    assert smoothed[present].sum(axis=1) == pytest.approx(1)
    assert (smoothed[:3].argmax(axis=1) == q[:3].argmax(axis=1)).all()


def test_controls_are_rows_that_cannot_be_chosen(data):
    X, y = data
    board = compare_students(
        RandomForestClassifier(5), {"tree": small_tree()}, X, y, **FAST, param_grid=fast_grid(),
        controls=True,
    )  # fmt: skip
    controls = ["control: tree, permuted", "control: tree, label smoothing"]
    assert set(controls) < set(board.table.index)
    assert board.choose().n_students == 2
    scores = board.scores["log_loss"]
    assert (scores[controls].nunique(axis=1) == 2).all()
    assert not board.table.loc[controls, "pareto"].any()


def test_parallel_runs_give_the_same(data, board):
    teacher = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5)
    options = FAST | {"param_grid": fast_grid(), "n_jobs": 2}
    with parallel_config(backend="threading"):  # processes take seconds to start
        parallel = compare_students(teacher, students(), *data, **options)
    pd.testing.assert_frame_equal(parallel.scores, board.scores)


def test_plot_draws_students_teacher_and_frontier(board):
    display = board.plot()
    assert set(display.markers_) == KINDS - {"prior"}
    (line,) = display.ax_.lines
    assert len(line.get_xdata()) == board.table["pareto"].sum()
    assert not board.plot(cost="n_bytes").ax_.lines


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"students": {}}, "students has the names"),
        ({"students": {"prior": LogisticRegression()}}, "by names other than"),
        ({"param_grid": {"forest": {}}}, r"param_grid has \['forest'\]"),
        ({"students": {"s": GridSearchCV(small_tree(), {})}}, "pass the student itself"),
        ({"y": None}, "pass some"),
        ({"time_limit": 0}, "time_limit=0"),
        ({"inner_cv": 1}, "inner_cv=1"),
        ({"groups": [1, 2]}, "groups"),
    ],
)
def test_wrong_arguments(data, options, message):
    X, y = data
    arguments = {"teacher": DecisionTreeClassifier(), "students": students(), "X": X, "y": y}
    with pytest.raises(ValueError, match=message):
        compare_students(**arguments | options)


def test_a_teacher_has_to_be_a_classifier_or_a_regressor(data):
    with pytest.raises(TypeError, match="neither a classifier nor a regressor"):
        compare_students(KFold(), students(), *data)
