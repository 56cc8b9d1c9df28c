"""A trial's score is that of cross_val_score, with any sampler, storage or pruner."""

import pickle

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import MedianPruner, ThresholdPruner
from optuna.samplers import GridSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FixedTrial, TrialState
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import DistilledLogisticRegression, DistilledNeuralClassifier
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.search.distillation_objective import distillation_objective
from tests.students.test_routing import N, fingerprint, spy
from tests.test_imports import run_python
from tests.test_without_torch import MISSING

SPACE = {"imitation": FloatDistribution(0, 1), "temperature": FloatDistribution(0.5, 8, log=True)}
PARAMS = {"imitation": 0.7, "temperature": 2.0}
FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)


@pytest.fixture(autouse=True)
def _quiet():
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(verbosity)


@pytest.fixture(scope="module")
def data():
    return make_teacher_probabilities(60, random_state=0)


def student(**parameters):
    return DistilledLogisticRegression(classes=[0, 1, 2], **parameters)


def objective_of(data, estimator=None, space=SPACE, **options):
    options = {"params": {"teacher_proba": data.teacher_proba}, "cv": FOLDS} | options
    options = {"scoring": "neg_log_loss"} | options
    return distillation_objective(estimator or student(), data.data, data.target, space, **options)


def maximize(**options):
    return optuna.create_study(direction="maximize", **options)


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", get_scorer("accuracy")])
def test_score_is_that_of_cross_val_score(data, scoring):
    objective = objective_of(data, scoring=scoring)
    scores = cross_val_score(
        student(**PARAMS),
        data.data,
        data.target,
        params={"teacher_proba": data.teacher_proba},
        cv=FOLDS,
        scoring=scoring,
    )
    trial = FixedTrial(PARAMS)
    assert objective(trial) == scores.mean()
    assert trial.user_attrs["fold_scores"] == scores.tolist()


SAMPLERS = {
    "random": lambda: RandomSampler(seed=0),
    "tpe": lambda: TPESampler(seed=0, n_startup_trials=3),
    "grid": lambda: GridSampler({"imitation": [0.0, 1.0], "temperature": [1.0, 4.0]}, seed=0),
}
STORAGES = {
    "memory": lambda folder: InMemoryStorage(),
    "sqlite": lambda folder: RDBStorage(f"sqlite:///{folder}/study.db"),
    "journal": lambda folder: JournalStorage(JournalFileBackend(f"{folder}/study.log")),
}


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_any_sampler_and_storage(data, tmp_path, sampler, storage):
    objective = objective_of(data)
    study = maximize(sampler=SAMPLERS[sampler](), storage=STORAGES[storage](tmp_path))
    study.optimize(objective, n_trials=4)
    values = [trial.value for trial in study.trials]
    assert values == [objective(FixedTrial(trial.params)) for trial in study.trials]
    assert [np.mean(trial.user_attrs["fold_scores"]) for trial in study.trials] == values
    assert study.best_value == max(values)
    if sampler == "grid":
        candidates = {
            (trial.params["imitation"], trial.params["temperature"]) for trial in study.trials
        }
        assert len(candidates) == 4


def test_intermediate_values_are_running_means(data):
    study = maximize(sampler=RandomSampler(seed=0))
    study.optimize(objective_of(data), n_trials=1)
    [trial] = study.trials
    scores = trial.user_attrs["fold_scores"]
    means = [np.mean(scores[: k + 1]) for k in range(4)]
    assert list(trial.intermediate_values.values()) == pytest.approx(means, rel=1e-15)
    assert list(trial.intermediate_values) == [0, 1, 2, 3]


def test_a_pruned_trial_has_fewer_folds(data):
    study = maximize(sampler=RandomSampler(seed=0), pruner=MedianPruner(n_startup_trials=3))
    study.optimize(objective_of(data), n_trials=25)
    by_state = {state: study.get_trials(states=(state,)) for state in TrialState}
    pruned, complete = by_state[TrialState.PRUNED], by_state[TrialState.COMPLETE]
    assert len(pruned) >= 5
    assert len(pruned) + len(complete) == 25
    for trial in pruned:
        assert len(trial.user_attrs["fold_scores"]) == len(trial.intermediate_values) < 4
    assert {len(trial.user_attrs["fold_scores"]) for trial in complete} == {4}


def test_a_trial_is_not_pruned_after_its_last_fold(data):
    """A pruner is not asked after the last fold, where pruning would save nothing."""
    never_good_enough = ThresholdPruner(lower=1.0, n_warmup_steps=3)
    study = maximize(sampler=RandomSampler(seed=0), pruner=never_good_enough)
    study.optimize(objective_of(data), n_trials=2)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 2


@pytest.fixture
def numbered():
    """Return data whose features and teacher's predictions identify the sample."""
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arange(N), rng.normal(size=(N, 2))])
    second = fingerprint(np.arange(N))
    teacher = np.column_stack([(1 - second) / 2, second, (1 - second) / 2])
    return X, rng.permutation(np.arange(N) % 3), teacher


def spy_in(in_pipeline, routing):
    estimator = make_pipeline("passthrough", spy()) if in_pipeline else spy()
    space = {("spy__" if in_pipeline else "") + name: values for name, values in SPACE.items()}
    name = "spy__teacher_proba" if in_pipeline and not routing else "teacher_proba"
    return estimator, space, name


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_teacher_rows_follow_their_samples(numbered, in_pipeline, routing, n_jobs):
    """Routing is that of the configuration when the objective was created, in other threads too."""
    X, y, teacher = numbered
    estimator, space, name = spy_in(in_pipeline, routing)
    with config_context(enable_metadata_routing=routing):
        objective = distillation_objective(estimator, X, y, space, cv=FOLDS, params={name: teacher})
    study = maximize(sampler=RandomSampler(seed=0))
    study.optimize(objective, n_trials=2, n_jobs=n_jobs)
    assert all(trial.state == TrialState.COMPLETE for trial in study.trials)


def test_a_misaligned_teacher_is_detected(numbered):
    X, y, teacher = numbered
    objective = distillation_objective(spy(), X, y, SPACE, params={"teacher_proba": teacher[::-1]})
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        maximize().optimize(objective, n_trials=1)


def test_groups_and_weights_without_routing(data):
    groups, weight = np.arange(60) // 4, np.linspace(0.5, 2, 60)
    params = {"teacher_proba": data.teacher_proba, "sample_weight": weight}
    objective = objective_of(data, cv=GroupKFold(3), params=params, groups=groups)
    expected = cross_val_score(
        student(**PARAMS),
        data.data,
        data.target,
        groups=groups,
        params=params,
        cv=GroupKFold(3),
        scoring="neg_log_loss",
    )
    assert objective(FixedTrial(PARAMS)) == expected.mean()


def test_groups_and_weights_with_routing(data):
    params = {
        "teacher_proba": data.teacher_proba,
        "sample_weight": np.linspace(0.5, 2, 60),
        "groups": np.arange(60) // 4,
    }
    with config_context(enable_metadata_routing=True):
        estimator = student().set_fit_request(sample_weight=True)
        scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
        options = {"cv": GroupKFold(3), "params": params, "scoring": scorer}
        objective = objective_of(data, estimator, **options)
        expected = cross_val_score(
            estimator.set_params(**PARAMS), data.data, data.target, **options
        )
        with pytest.raises(ValueError, match=r"pass it in params, as params=\{'groups'"):
            objective_of(data, groups=np.arange(60))
    assert objective(FixedTrial(PARAMS)) == expected.mean()


def test_rows_without_labels_may_train(data):
    y = data.target.astype(float)
    y[40:] = np.nan
    cv = [(np.r_[20:60], np.r_[0:20]), (np.r_[0:20, 40:60], np.r_[20:40])]
    params = {"teacher_proba": data.teacher_proba}
    objective = distillation_objective(
        student(), data.data, y, SPACE, cv=iter(cv), scoring="neg_log_loss", params=params
    )
    fitted = [
        student(**PARAMS).fit(data.data[a], y[a], teacher_proba=data.teacher_proba[a])
        for a, _ in cv
    ]
    scores = [
        get_scorer("neg_log_loss")(model, data.data[b], y[b])
        for model, (_, b) in zip(fitted, cv, strict=True)
    ]
    assert objective(FixedTrial(PARAMS)) == np.mean(scores)


@pytest.mark.parametrize(
    "cv",
    [
        KFold(3, shuffle=True),
        ShuffleSplit(3),
        KFold(3, shuffle=True, random_state=np.random.RandomState(0)),
    ],
)
def test_folds_that_change_are_rejected(data, cv):
    with pytest.raises(ValueError, match="draws other folds each time"):
        objective_of(data, cv=cv)


def test_pickles(data):
    objective = objective_of(data, space=dependent_space)
    copy = pickle.loads(pickle.dumps(objective))
    params = {"imitation": 0.5, "softened": "yes", "temperature": 3}
    assert copy(FixedTrial(params)) == objective(FixedTrial(params))


def dependent_space(trial):
    """Tune T only if the teacher is softened."""
    chosen = {"imitation": trial.suggest_float("imitation", 0, 1)}
    if trial.suggest_categorical("softened", ["yes", "no"]) == "yes":
        chosen["temperature"] = trial.suggest_int("temperature", 2, 8)
    return chosen


def test_space_as_a_function(data):
    objective = objective_of(data, space=dependent_space)
    study = maximize(sampler=RandomSampler(seed=0))
    study.optimize(objective, n_trials=6)
    assert {"temperature" in trial.params for trial in study.trials} == {True, False}
    for trial in study.trials:
        model = objective.student(trial)
        assert model.temperature == trial.params.get("temperature", 1.0)
        assert model.imitation == trial.params["imitation"]
        assert not hasattr(model, "coef_")


def test_each_kind_of_distribution(data):
    space = {
        "C": FloatDistribution(0.1, 10, log=True),
        "imitation": FloatDistribution(0, 1, step=0.25),
        "max_iter": IntDistribution(100, 300, step=100),
        "solver": CategoricalDistribution(["auto", "lbfgs"]),
    }
    study = maximize(sampler=RandomSampler(seed=0))
    study.optimize(objective_of(data, space=space), n_trials=5)
    assert all(trial.distributions == space for trial in study.trials)
    assert all(trial.params["imitation"] % 0.25 == 0 for trial in study.trials)


def test_the_estimator_is_not_changed(data):
    pipeline = make_pipeline(StandardScaler(), student())
    name = "distilledlogisticregression"
    objective = objective_of(
        data,
        pipeline,
        {f"{name}__imitation": FloatDistribution(0, 1)},
        params={f"{name}__teacher_proba": data.teacher_proba},
    )
    objective(FixedTrial({f"{name}__imitation": 0.9}))
    assert pipeline[-1].imitation == 0.5
    assert not hasattr(pipeline[-1], "coef_")


def test_neural_student(data):
    network = DistilledNeuralClassifier(
        hidden_layer_sizes=(8,), max_epochs=5, classes=[0, 1, 2], random_state=0
    )
    objective = objective_of(data, network, cv=3)
    study = maximize(sampler=RandomSampler(seed=0))
    study.optimize(objective, n_trials=2)
    values = [trial.value for trial in study.trials]
    assert values == [objective(FixedTrial(trial.params)) for trial in study.trials]
    assert values[0] != values[1]


class Fails(LogisticRegression):
    """A classifier whose fit fails for C > 1."""

    def fit(self, X, y):
        if self.C > 1:
            raise RuntimeError("C > 1")
        return super().fit(X, y)


def test_a_fold_that_fails_raises_unless_caught(data):
    objective = objective_of(data, Fails(), {"C": FloatDistribution(0.5, 1.5)}, params=None)
    study = maximize(sampler=GridSampler({"C": [0.5, 1.5]}, seed=0))
    study.enqueue_trial({"C": 1.5})
    with pytest.raises(RuntimeError, match="C > 1"):
        study.optimize(objective, n_trials=1)
    study.enqueue_trial({"C": 1.5})
    study.enqueue_trial({"C": 0.5})
    study.optimize(objective, n_trials=2, catch=(RuntimeError,))
    states = [trial.state for trial in study.trials]
    assert states == [TrialState.FAIL, TrialState.FAIL, TrialState.COMPLETE]


def nan_score(y, predicted):
    return float("nan")


def test_a_score_that_is_not_a_number_raises(data):
    objective = objective_of(data, scoring=make_scorer(nan_score))
    with pytest.raises(ValueError, match="gave NaN on a fold"):
        maximize().optimize(objective, n_trials=1)


@pytest.mark.parametrize("directions", [["minimize"], ["maximize", "maximize"]])
def test_a_study_that_does_not_maximise_is_rejected(data, directions):
    study = optuna.create_study(directions=directions)
    with pytest.raises(ValueError, match="direction='maximize'"):
        study.optimize(objective_of(data), n_trials=1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"space": {"imitation": (0, 1)}}, TypeError, r"space\['imitation'\] is a tuple: give one"),
        ({"space": {"lambda": SPACE["imitation"]}}, ValueError, r"space names \['lambda'\]"),
        ({"space": {}}, ValueError, "space names nothing"),
        ({"space": ["imitation"]}, TypeError, "space is a list: give a dict"),
        ({"scoring": ["accuracy", 3]}, TypeError, r"scoring=\['accuracy', 3\]: give a name or a"),
        ({"scoring": []}, TypeError, r"scoring=\[\]: give a name or a scorer"),
        ({"report": "batch"}, ValueError, "report='batch': it must be 'auto', 'epoch' or 'fold'"),
        ({"report": "epoch"}, ValueError, "report='epoch', but the estimator is no neural student"),
        ({"scoring": "accuracies"}, ValueError, "accuracies"),
        ({"cv": []}, ValueError, "cv gives no folds"),
    ],
)
def test_errors(data, change, error, message):
    with pytest.raises(error, match=message):
        objective_of(data, **change)


def test_a_space_that_returns_no_dict(data):
    objective = objective_of(data, space=lambda trial: 0.5)
    with pytest.raises(TypeError, match="space returned a float: it returns a dict"):
        objective(FixedTrial({}))


def test_a_missing_optuna_is_named_with_the_pip_command():
    code = """
from sklearn_distill.search.distillation_objective import distillation_objective
try:
    distillation_objective(None, None, None, {})
except ImportError as error:
    print(error)
"""
    message = 'distillation_objective needs optuna: pip install "sklearn-distill[search]"'
    assert run_python(MISSING.format(name="optuna") + code).strip() == message
