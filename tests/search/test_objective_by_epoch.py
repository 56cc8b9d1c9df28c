"""Trials of networks report each epoch, and studies of several objectives get as many scores."""

import time

import numpy as np
import optuna
import pytest
import torch
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.pruners import MedianPruner, ThresholdPruner
from optuna.samplers import RandomSampler
from optuna.trial import FixedTrial, TrialState
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.metrics import get_scorer as our_scorer
from sklearn_distill.search import distillation_objective

DATA = make_teacher_probabilities(60, random_state=0)
X, Y, P = DATA.data, DATA.target, DATA.teacher_proba
SPACE = {"imitation": FloatDistribution(0, 1)}
FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)
N_EPOCHS = 4


@pytest.fixture(autouse=True)
def _quiet():
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(verbosity)


def network(**options):
    options = {"hidden_layer_sizes": (8,), "lr": 0.05, "max_epochs": N_EPOCHS} | options
    return DistilledNeuralClassifier(classes=[0, 1, 2], random_state=0, **options)


def objective_of(estimator=None, space=SPACE, **options):
    options = {"params": {"teacher_proba": P}, "scoring": "neg_log_loss", "cv": FOLDS} | options
    return distillation_objective(estimator or network(), X, Y, space, **options)


def maximize(**options):
    options = {"sampler": RandomSampler(seed=0)} | options
    return optuna.create_study(direction="maximize", **options)


def score_after(n_epochs, train, test, imitation, **options):
    model = network(max_epochs=n_epochs, imitation=imitation, **options)
    model.fit(X[train], Y[train], teacher_proba=P[train])
    return get_scorer("neg_log_loss")(model, X[test], Y[test])


def test_each_epoch_is_reported():
    """The mean over folds, the last of which is trained for so many epochs."""
    study = maximize()
    study.optimize(objective_of(), n_trials=1)
    [trial] = study.trials
    (first, second) = FOLDS.split(X, Y)
    λ = trial.params["imitation"]
    expected = [score_after(e + 1, *first, λ) for e in range(N_EPOCHS)]
    expected += [(expected[-1] + score_after(e + 1, *second, λ)) / 2 for e in range(N_EPOCHS)]
    assert list(trial.intermediate_values) == list(range(2 * N_EPOCHS))
    np.testing.assert_allclose(list(trial.intermediate_values.values()), expected, rtol=1e-6)
    assert trial.value == trial.intermediate_values[2 * N_EPOCHS - 1]


@pytest.mark.parametrize(
    "options",
    [{}, {"early_stopping": True, "n_iter_no_change": 1, "lr": 1.0}, {"lr_schedule": "cosine"}],
    ids=lambda options: " ".join(options) or "default",
)
def test_reports_do_not_change_the_score(options):
    model = network(imitation=0.5, **options)
    trial = FixedTrial({"imitation": 0.5})
    found = objective_of(network(**options))(trial)
    params = {"teacher_proba": P}
    expected = cross_val_score(model, X, Y, cv=FOLDS, scoring="neg_log_loss", params=params)
    assert found == expected.mean()
    assert trial.user_attrs["fold_scores"] == expected.tolist()


def test_a_pipeline_reports_its_network():
    pipeline = make_pipeline(StandardScaler(), make_pipeline("passthrough", network()))
    name = "pipeline__distilledneuralclassifier__"
    space = {f"{name}imitation": FloatDistribution(0, 1)}
    study = maximize()
    study.optimize(objective_of(pipeline, space, params={f"{name}teacher_proba": P}), n_trials=1)
    [trial] = study.trials
    assert len(trial.intermediate_values) == 2 * N_EPOCHS
    assert trial.value == trial.intermediate_values[2 * N_EPOCHS - 1]
    assert pipeline[-1][-1].callbacks is None


def test_scores_of_a_regressor_and_by_a_teacher():
    numbers = X[:, 0]
    regressor = DistilledNeuralRegressor(max_epochs=2, random_state=0)
    study = maximize()
    params = {"teacher_prediction": numbers}
    objective = distillation_objective(regressor, X, numbers, SPACE, cv=2, params=params)
    study.optimize(objective, n_trials=1)
    judged = objective_of(network(max_epochs=2), scoring=our_scorer("neg_teacher_cross_entropy"))
    study.optimize(judged, n_trials=1)
    for trial in study.trials:
        assert len(trial.intermediate_values) == 4
        assert trial.value == trial.intermediate_values[3]


class Count(Callback):
    """Count the epochs of all fits."""

    n_epochs = 0

    def on_epoch_end(self, net, **kwargs):
        Count.n_epochs += 1


def test_a_pruner_stops_a_training():
    Count.n_epochs = 0
    study = maximize(pruner=MedianPruner(n_startup_trials=2))
    study.optimize(objective_of(network(callbacks=[Count()])), n_trials=8)
    pruned = study.get_trials(states=(TrialState.PRUNED,))
    assert pruned
    assert Count.n_epochs == sum(len(trial.intermediate_values) for trial in study.trials)
    assert Count.n_epochs < 8 * 2 * N_EPOCHS


def test_a_trial_is_not_pruned_after_its_last_epoch():
    never_good_enough = ThresholdPruner(lower=1.0, n_warmup_steps=2 * N_EPOCHS - 1)
    study = maximize(pruner=never_good_enough)
    study.optimize(objective_of(), n_trials=1)
    assert study.trials[0].state == TrialState.COMPLETE


def set_epochs(trial):
    return {
        "imitation": trial.suggest_float("imitation", 0, 1),
        "max_epochs": trial.suggest_int("max_epochs", 1, 3),
    }


def test_steps_of_other_lengths_are_not_mixed():
    study = maximize()
    searched = {"max_epochs": IntDistribution(1, 3), **SPACE}
    study.optimize(objective_of(space=searched), n_trials=1)
    assert list(study.trials[0].intermediate_values) == [0, 1], "reported by fold"
    with pytest.raises(ValueError, match="'epoch', but space changes max_epochs, so that"):
        objective_of(space=searched, report="epoch")
    with pytest.raises(ValueError, match=r"space sets max_epochs=\d, so that the reports"):
        maximize().optimize(objective_of(space=set_epochs), n_trials=1)
    maximize().optimize(objective_of(space=set_epochs, report="fold"), n_trials=1)


def test_a_number_of_epochs_that_depends_on_the_fold():
    """Their steps follow each other; one that depends on the trial has no steps in common."""
    folds = [(np.arange(40), np.arange(40, 60)), (np.arange(40, 60), np.arange(40))]
    planned = network(max_epochs="auto")
    study = maximize()
    study.optimize(objective_of(planned, cv=folds), n_trials=1)
    [trial] = study.trials
    lengths = [
        len(clone(planned).fit(X[rows], Y[rows], teacher_proba=P[rows]).history_)
        for rows, _ in folds
    ]
    assert lengths[0] != lengths[1]
    assert list(trial.intermediate_values) == list(range(sum(lengths)))
    assert trial.value == trial.intermediate_values[sum(lengths) - 1]
    searched = {"batch_size": IntDistribution(8, 16), **SPACE}
    with pytest.raises(ValueError, match="'epoch', but space changes batch_size, so that"):
        objective_of(planned, space=searched, report="epoch")
    objective_of(network(), space=searched, report="epoch")


def test_counts_that_layers_read_as_floats_are_reported():
    counts = np.random.default_rng(0).integers(0, 5, size=(60, 4))
    y = counts[:, :3].argmax(1)
    linear = DistilledNeuralClassifier(torch.nn.Linear(4, 3), max_epochs=2, random_state=0)
    study = maximize()
    params = {"teacher_proba": np.eye(3)[y]}
    study.optimize(distillation_objective(linear, counts, y, SPACE, cv=2, params=params), 1)
    [trial] = study.trials
    assert trial.value == trial.intermediate_values[3]


def test_with_metadata_routing_folds_are_reported():
    with config_context(enable_metadata_routing=True):
        objective = objective_of()
        with pytest.raises(ValueError, match="'epoch', but metadata routing is enabled"):
            objective_of(report="epoch")
    study = maximize()
    study.optimize(objective, n_trials=1)
    assert list(study.trials[0].intermediate_values) == [0, 1]


# --- several objectives ---------------------------------------------------------------------------


def neg_latency(estimator, X, y=None):
    """Return minus the seconds of a prediction, so that greater is better."""
    start = time.perf_counter()
    estimator.predict(X)
    return start - time.perf_counter()


def neg_width(estimator, X, y=None):
    return -estimator.net_.module_.body[0].out_features


def test_loss_and_latency():
    space = SPACE | {"hidden_layer_sizes": IntDistribution(2, 32)}
    scoring = ["neg_log_loss", neg_width, neg_latency]
    study = optuna.create_study(directions=["maximize"] * 3, sampler=RandomSampler(seed=0))
    study.optimize(objective_of(space=space, scoring=scoring), n_trials=3)
    for trial in study.trials:
        single = objective_of(space=space)(FixedTrial(trial.params))
        assert trial.values[0] == single
        assert -trial.values[1] == trial.params["hidden_layer_sizes"]
        assert trial.values[2] < 0
        assert np.shape(trial.user_attrs["fold_scores"]) == (2, 3)
        assert not trial.intermediate_values
    assert study.best_trials


def test_several_objectives_need_as_many_directions():
    objective = objective_of(scoring=["neg_log_loss", neg_width])
    for directions in (["maximize"], ["maximize", "minimize"]):
        study = optuna.create_study(directions=directions)
        with pytest.raises(ValueError, match=r"directions=\['maximize', 'maximize'\]"):
            study.optimize(objective, n_trials=1)
    with pytest.raises(ValueError, match="'epoch', but Optuna takes no reports of several"):
        objective_of(scoring=["neg_log_loss", neg_width], report="epoch")


def test_several_objectives_with_metadata_routing():
    weight = np.linspace(0.5, 2, 60)
    with config_context(enable_metadata_routing=True):
        scorers = [
            get_scorer(name).set_score_request(sample_weight=True)
            for name in ("neg_log_loss", "accuracy")
        ]
        estimator = network().set_fit_request(sample_weight=True)
        params = {"teacher_proba": P, "sample_weight": weight}
        objective = objective_of(estimator, scoring=scorers, params=params)
        found = objective(FixedTrial({"imitation": 0.5}))
        expected = [
            cross_val_score(estimator, X, Y, cv=FOLDS, scoring=scorer, params=params).mean()
            for scorer in scorers
        ]
    assert found == tuple(expected)
