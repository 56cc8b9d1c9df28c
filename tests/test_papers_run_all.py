"""Parallel runs of several tables: each is stored when it is done, and computed once."""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from joblib.externals.loky import get_reusable_executor

from examples.papers.run_all import experiment_of, longest_first, run_all, tasks_of
from examples.papers.runs import main, missing, read_runs

RUNS = {"a 0", "a 1", "b 0", "b 1"}


@pytest.fixture
def table_at(tmp_path, monkeypatch):
    """Return a function that creates a table in a new folder, by the name of its module."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(Path(__file__).with_name("tiny_table.py"), folder / f"{name}.py")
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return folder

    # running processes would not find the new folders
    get_reusable_executor().shutdown()
    yield make
    get_reusable_executor().shutdown()


@pytest.fixture
def table(table_at):
    return table_at("one_table")


def stored():
    runs = read_runs(experiment_of("one_table"))
    return {f"{run.method} {run.seed}" for run in runs.itertuples()}


def computed(table):
    return (table / "computed").read_text().split("\n")[:-1]


def test_two_processes_compute_each_run_once(table):
    assert run_all(["one_table"], n_jobs=2) == []
    assert sorted(computed(table)) == sorted(RUNS)
    # a second header would be another line
    assert len((table / "one_table_runs.csv").read_text().splitlines()) == 1 + len(RUNS)
    runs = read_runs(experiment_of("one_table"))
    assert set(runs["scale"]) == {"small"}
    assert not missing(experiment_of("one_table"), runs, "small", 2)
    of_seed = runs.groupby("seed")
    assert (of_seed["process"].nunique() == 1).all()
    assert [list(rows) for _, rows in of_seed["method"]] == [["a", "b"], ["a", "b"]]
    written = pd.read_csv(table / "one_table.csv")
    assert list(written["runs"]) == [2] * 4


def test_the_large_scale_replaces_a_full_one_that_is_too_long(table):
    experiment = experiment_of("one_table")

    def scales(wanted):
        return {task.scale for task in tasks_of("one_table", wanted, "cpu")}

    experiment.scales["full"] = experiment.n_runs["full"] = 1
    assert scales("full") == {"full"}
    experiment.scales["large"] = experiment.n_runs["large"] = 1
    assert scales("full") == {"large"}
    assert scales("medium") == {"medium"}


def test_a_killed_process_loses_only_its_run(table):
    (table / "trouble").write_text("kill b 1")
    with pytest.raises(RuntimeError, match="worker process"):
        run_all(["one_table"], n_jobs=2)
    before, n_started = stored(), len(computed(table))
    assert "a 1" in before
    assert "b 1" not in before
    run_all(["one_table"], n_jobs=2)
    assert set(computed(table)[n_started:]) == RUNS - before
    assert len((table / "one_table_runs.csv").read_text().splitlines()) == 1 + len(RUNS)
    assert stored() == RUNS


def test_an_interrupted_call_stores_finished_runs(table):
    (table / "trouble").write_text("interrupt a 1")
    with pytest.raises(KeyboardInterrupt):
        run_all(["one_table"], n_jobs=1)
    assert stored() == {"a 0", "b 0"}
    run_all(["one_table"], n_jobs=1)
    assert computed(table) == ["a 0", "b 0", "a 1", "a 1", "b 1"]


def test_a_missing_package_does_not_stop_other_tables(table_at):
    (table_at("lacking") / "trouble").write_text("package b 0")
    table_at("one_table")
    assert run_all(["lacking", "one_table"], n_jobs=1) == ["lacking: there is trouble"]
    assert stored() == RUNS
    assert len(read_runs(experiment_of("lacking"))) == 3


def test_stored_runs_are_unchanged(table):
    main(experiment_of("one_table"), [])
    before = (table / "one_table_runs.csv").read_text()
    run_all(["one_table"], n_jobs=2)
    assert (table / "one_table_runs.csv").read_text() == before


def test_the_longest_table_comes_first(table_at):
    for name, seconds in (("quick", 1.0), ("unknown", None), ("slow", 9.0)):
        table_at(name)
        if seconds is not None:
            main(experiment_of(name), ["--scale", "medium"])
            file = experiment_of(name).file("_runs")
            pd.read_csv(file).assign(seconds=seconds).to_csv(file, index=False)
    tasks = longest_first(["unknown", "quick", "slow"], "small")
    assert [(task.module, task.seed) for task in tasks] == [
        (name, seed) for name in ("slow", "quick", "unknown") for seed in range(2)
    ]
    assert all(task.rows == (("a", "here"), ("b", "here")) for task in tasks)
