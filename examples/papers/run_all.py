"""Compute the missing runs of several tables in parallel.

A process computes the rows of a table that share a seed, one after another, since they share the
data drawn with this seed. Each run is appended to the file of its table when it is done, so that an
interrupted call can be resumed. A model that all seeds of a table share, such as a teacher, is
trained by each process that starts before another one has kept it.
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
    missing,
    one_run,
    read_runs,
    write_header,
    write_tables,
)
from sklearn_distill.nets import resolve_device


@dataclass(frozen=True)
class Task:
    """Rows of a table that one process computes.

    Parameters
    ----------
    module : str
        Import name of the script.
    seed : int
        The seed of the rows.
    rows : tuple of tuple of str
        Method and setting of each row.
    scale, device : str
        Scale of the experiment, and device of the computation.
    """

    module: str
    seed: int
    rows: tuple[Row, ...]
    scale: str
    device: str


def run_all(modules: Sequence[str], scale: str = "small", n_jobs: int = -1) -> list[str]:
    """Compute the missing runs of a scale of each table, and write the tables.

    Parameters
    ----------
    modules : sequence of str
        Import names of scripts with an ``EXPERIMENT``.
    scale : str, default="small"
        The scale; the "large" one for "full" where a table has it, since the full one is too long.
    n_jobs : int, default=-1
        Number of processes; -1 means as many as there are cores.

    Returns
    -------
    lacking : list of str
        The tables that cannot be computed because a package is missing, and the package.
    """
    tasks = longest_first(modules, scale)
    for module in {task.module for task in tasks}:
        write_header(experiment_of(module))  # before processes could write it concurrently
    problems = run_tasks(tasks, n_jobs)
    for experiment in map(experiment_of, modules):
        if not read_runs(experiment).empty:
            write_tables(experiment)
    return sorted(set(problems))


def run_tasks(tasks: Sequence[Task], n_jobs: int) -> list[str]:
    """Run tasks in several processes with a progress bar, and return their problems.

    joblib replaces a process that has grown by 300 MB, for instance through caches, and warns.
    """
    parallel = Parallel(
        n_jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs"
    )
    n_runs = sum(len(task.rows) for task in tasks)
    problems: list[str] = []
    with warnings.catch_warnings(), tqdm(total=n_runs, unit="run", disable=not tasks) as bar:
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
        for n_runs_done, task_problems in parallel(map(delayed(run_task), tasks)):
            bar.update(n_runs_done)
            problems += task_problems
    return problems


def experiment_of(module: str) -> Experiment:
    """Return the experiment of a script."""
    experiment: Experiment = import_module(module).EXPERIMENT
    return experiment


def longest_first(modules: Sequence[str], scale: str) -> list[Task]:
    """Return the missing tasks of a scale, with the tables whose seeds took longest first."""
    device = str(resolve_device("auto"))
    return [
        task
        for module in sorted(modules, key=seconds_of_a_seed, reverse=True)
        for task in tasks_of(module, scale, device)
    ]


def seconds_of_a_seed(module: str) -> float:
    """Return the duration of the longest stored seed of a table; 0 without stored runs."""
    runs = read_runs(experiment_of(module))
    return max(runs.groupby(["scale", "seed"])["seconds"].sum(), default=0.0)


def tasks_of(module: str, scale: str, device: str) -> list[Task]:
    """Return the missing runs of a scale of a table, one task for each seed."""
    experiment = experiment_of(module)
    if scale == "full" and "large" in experiment.scales:
        scale = "large"
    missing_rows = missing(experiment, read_runs(experiment), scale, experiment.n_runs[scale])
    return [
        Task(module, seed, tuple(row for row, _ in seed_rows), scale, device)
        for seed, seed_rows in groupby(missing_rows, key=itemgetter(1))
    ]


def run_task(task: Task) -> tuple[int, list[str]]:
    """Compute and store the runs of a task; return their number and the problems."""
    experiment, problems = experiment_of(task.module), []
    for row in task.rows:
        try:
            append(experiment, one_run(experiment, row, task.seed, task.scale, task.device))
        except ImportError as error:  # some rows need additional packages
            problems.append(f"{task.module}: {error}")
    return len(task.rows), problems
