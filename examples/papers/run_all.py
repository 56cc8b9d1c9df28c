"""Make the runs that are missing of many tables, several at once.

A process makes the rows of a table that share a seed, one after another, for they share what the
seed draws. Each run is appended to its table's file as soon as it is done, so that a call that was
stopped is taken up by the next one. What is trained for all seeds of a table, like a teacher, is
trained once in each process.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from operator import itemgetter

from joblib import Parallel, delayed
from tqdm.auto import tqdm

from examples.papers.claims import Row
from examples.papers.runs import (
    Experiment,
    append,
    begin,
    missing,
    one_run,
    read_runs,
    write_tables,
)
from sklearn_distill.nets import resolve_device


@dataclass(frozen=True)
class Task:
    """Rows of a table that one process makes.

    Parameters
    ----------
    module : str
        Name of the script, as it is imported.
    seed : int
        Whose rows.
    rows : tuple of tuple of str
        Method and setting of each.
    scale, device : str
        How large they are, and where they are computed.
    """

    module: str
    seed: int
    rows: tuple[Row, ...]
    scale: str
    device: str


def run_all(modules: Sequence[str], n_jobs: int = -1) -> list[str]:
    """Make the missing runs of each table's smallest scale, and write the tables.

    Parameters
    ----------
    modules : sequence of str
        Names of scripts, each with an ``EXPERIMENT``.
    n_jobs : int, default=-1
        Processes; -1 takes as many as there are cores.

    Returns
    -------
    lacking : list of str
        What could not be made because a package is missing, and which one.
    """
    tasks = longest_first(modules)
    for module in {task.module for task in tasks}:
        begin(experiment_of(module))  # of two processes that find no file each would write a head
    problems = make_all(tasks, n_jobs)
    for experiment in map(experiment_of, modules):
        if not read_runs(experiment).empty:
            write_tables(experiment)
    return sorted(set(problems))


def make_all(tasks: Sequence[Task], n_jobs: int) -> list[str]:
    """Make tasks in several processes, with a bar of the runs, and return what they return.

    joblib replaces a process that has grown by 300 MB, as caches make it grow, and warns.
    """
    parallel = Parallel(
        n_jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs"
    )
    n_runs = sum(len(task.rows) for task in tasks)
    problems: list[str] = []
    with warnings.catch_warnings(), tqdm(total=n_runs, unit="run", disable=not tasks) as bar:
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
        for n_made, of_task in parallel(map(delayed(make), tasks)):
            bar.update(n_made)
            problems += of_task
    return problems


def experiment_of(module: str) -> Experiment:
    """Return what a script runs."""
    experiment: Experiment = import_module(module).EXPERIMENT
    return experiment


def longest_first(modules: Sequence[str]) -> list[Task]:
    """Return what is to be made: first of the tables whose seeds took longest, at any scale."""
    device = str(resolve_device("auto"))
    return [
        task
        for module in sorted(modules, key=seconds_of_a_seed, reverse=True)
        for task in tasks_of(module, device)
    ]


def seconds_of_a_seed(module: str) -> float:
    """Return how long a table's longest seed took of those that are kept; 0 if none is."""
    runs = read_runs(experiment_of(module))
    return max(runs.groupby(["scale", "seed"])["seconds"].sum(), default=0.0)


def tasks_of(module: str, device: str) -> list[Task]:
    """Return what is missing of a table's smallest scale, a task for each seed."""
    experiment = experiment_of(module)
    scale = experiment.default_scale
    todo = missing(experiment, read_runs(experiment), scale, experiment.n_runs[scale])
    return [
        Task(module, seed, tuple(row for row, _ in of_seed), scale, device)
        for seed, of_seed in groupby(todo, key=itemgetter(1))
    ]


def make(task: Task) -> tuple[int, list[str]]:
    """Make the runs of a task and keep each; return their number, and why any cannot be made."""
    experiment, problems = experiment_of(task.module), []
    for row in task.rows:
        try:
            append(experiment, one_run(experiment, row, task.seed, task.scale, task.device))
        except ImportError as error:  # of a row that needs more than the others
            problems.append(f"{task.module}: {error}")
    return len(task.rows), problems
