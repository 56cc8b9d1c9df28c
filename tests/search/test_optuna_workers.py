"""Two processes run trials of one study; one is killed in a trial, and no result is lost."""

import itertools
import multiprocessing
import signal
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback
from optuna.trial import FixedTrial, TrialState

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.search.distillation_objective import distillation_objective

SPACE = {"imitation": FloatDistribution(0, 1), "temperature": FloatDistribution(0.5, 8)}
TIMEOUT = 300  # seconds, for a busy machine
# workers are forked from a process that has done nothing but the imports
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])
N_BEFORE_RESTART, N_IN_TOTAL = 6, 9  # completed trials


def wait_for(condition):
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.02)


class Gated(DistilledLogisticRegression):
    """A student that, in its process's second trial, creates a file and waits for another one."""

    gate: ClassVar[Path | None] = None
    fits: ClassVar[Iterator[int]] = itertools.count(1)

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if self.gate is not None and next(self.fits) == 5:
            (self.gate / "here").touch()
            wait_for((self.gate / "open").exists)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


def make_objective():
    """Return the objective; each process creates its own."""
    data = make_teacher_probabilities(60, random_state=0)
    return distillation_objective(
        Gated(C=10.0, classes=[0, 1, 2]),
        data.data,
        data.target,
        SPACE,
        cv=3,
        scoring="neg_log_loss",
        params={"teacher_proba": data.teacher_proba},
    )


def journal(folder):
    return JournalStorage(JournalFileBackend(str(folder / "study.log")))


def sqlite(folder):
    """Return a storage with heartbeats; a trial that stops for two seconds fails and is retried."""
    storages = optuna.storages
    if hasattr(storages, "RetryHeartbeatStaleTrialCallback"):
        retry = {"heartbeat_stale_trial_callback": storages.RetryHeartbeatStaleTrialCallback()}
    else:  # Optuna before 4.9
        retry = {"failed_trial_callback": storages.RetryFailedTrialCallback()}
    return RDBStorage(
        f"sqlite:///{folder}/study.db",
        engine_kwargs={"connect_args": {"timeout": TIMEOUT}},
        heartbeat_interval=1,
        grace_period=2,
        **retry,
    )


def load(storage, folder, seed):
    return optuna.load_study(
        study_name="study",
        storage=storage(folder),
        sampler=RandomSampler(seed=seed),
        pruner=NopPruner(),
    )


def work(storage, folder, gate, seed):
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    Gated.gate = gate
    study = load(storage, folder, seed)
    study.optimize(make_objective(), callbacks=[MaxTrialsCallback(N_BEFORE_RESTART)])


def start(storage, folder, seed):
    gate = folder / f"gate-{seed}"
    gate.mkdir()
    process = CONTEXT.Process(target=work, args=(storage, folder, gate, seed), daemon=True)
    process.start()
    return process, gate


def in_state(study, *states):
    return {trial.number: trial for trial in study.get_trials(states=states)}


def requeue_by_hand(study):
    """Fail and enqueue running trials: a journal has no heartbeat that does it."""
    for trial in in_state(study, TrialState.RUNNING).values():
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)


def requeue_by_heartbeat(study):
    def nothing_runs():
        optuna.storages.fail_stale_trials(study)
        return not in_state(study, TrialState.RUNNING)

    wait_for(nothing_runs)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize(
    ("storage", "requeue"), [(journal, requeue_by_hand), (sqlite, requeue_by_heartbeat)]
)
def test_one_of_two_workers_is_killed(tmp_path, storage, requeue):
    study = optuna.create_study(study_name="study", storage=storage(tmp_path), direction="maximize")
    (victim, first_gate), (survivor, second_gate) = (start(storage, tmp_path, k) for k in (1, 2))
    wait_for((first_gate / "here").exists)
    wait_for((second_gate / "here").exists)
    before = in_state(study, TrialState.COMPLETE)
    running = in_state(study, TrialState.RUNNING)
    assert (len(before), len(running)) == (2, 2)

    victim.kill()
    victim.join(TIMEOUT)
    assert victim.exitcode == -signal.SIGKILL
    (second_gate / "open").touch()
    survivor.join(TIMEOUT)
    assert survivor.exitcode == 0
    stopped = in_state(study, TrialState.COMPLETE)
    assert len(stopped) == N_BEFORE_RESTART
    assert {number: stopped[number] for number in before} == before
    [killed] = running.keys() - stopped.keys()

    study = load(storage, tmp_path, seed=3)
    requeue(study)
    objective = make_objective()
    study.optimize(objective, callbacks=[MaxTrialsCallback(N_IN_TOTAL)])
    done = in_state(study, TrialState.COMPLETE)
    assert len(done) == N_IN_TOTAL
    assert {number: done[number] for number in stopped} == stopped
    assert study.trials[killed].state == TrialState.FAIL
    assert [trial.params for trial in done.values()].count(running[killed].params) == 1
    assert len(study.trials) == N_IN_TOTAL + 1
    for trial in done.values():
        assert trial.value == objective(FixedTrial(trial.params))
