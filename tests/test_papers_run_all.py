"""Runs of many tables at once: each is kept when it is done, and none is made twice."""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from joblib.externals.loky import get_reusable_executor

from examples.papers.run_all import experiment_of, longest_first, run_all
from examples.papers.runs import main, missing, read_runs

RUNS = {"a 0", "a 1", "b 0", "b 1"}


@pytest.fixture
def table_at(tmp_path, monkeypatch):
    """Make a table in a folder of its own, by its module's name."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(Path(__file__).with_name("tiny_table.py"), folder / f"{name}.py")
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return folder

    # processes that are already there would not know of the folders
    get_reusable_executor().shutdown()
    yield make
    get_reusable_executor().shutdown()


@pytest.fixture
def table(table_at):
    return table_at("one_table")


def kept():
    runs = read_runs(experiment_of("one_table"))
    return {f"{run.method} {run.seed}" for run in runs.itertuples()}


def computed(table):
    return (table / "computed").read_text().split("\n")[:-1]


def test_two_processes_make_each_run_once(table):
    assert run_all(["one_table"], n_jobs=2) == []
    assert sorted(computed(table)) == sorted(RUNS)
    # two that each wrote a head would leave a line more
    assert len((table / "one_table_runs.csv").read_text().splitlines()) == 1 + len(RUNS)
    runs = read_runs(experiment_of("one_table"))
    assert set(runs["scale"]) == {"small"}
    assert not missing(experiment_of("one_table"), runs, "small", 2)
    of_seed = runs.groupby("seed")
    assert (of_seed["process"].nunique() == 1).all()
    assert [list(rows) for _, rows in of_seed["method"]] == [["a", "b"], ["a", "b"]]
    written = pd.read_csv(table / "one_table.csv")
    assert list(written["runs"]) == [2] * 4


def test_a_killed_process_loses_its_run_alone(table):
    (table / "trouble").write_text("kill b 1")
    with pytest.raises(RuntimeError, match="worker process"):
        run_all(["one_table"], n_jobs=2)
    before, n_begun = kept(), len(computed(table))
    assert "a 1" in before
    assert "b 1" not in before
    run_all(["one_table"], n_jobs=2)
    assert set(computed(table)[n_begun:]) == RUNS - before
    assert len((table / "one_table_runs.csv").read_text().splitlines()) == 1 + len(RUNS)
    assert kept() == RUNS


def test_an_interrupted_call_keeps_what_is_done(table):
    (table / "trouble").write_text("interrupt a 1")
    with pytest.raises(KeyboardInterrupt):
        run_all(["one_table"], n_jobs=1)
    assert kept() == {"a 0", "b 0"}
    run_all(["one_table"], n_jobs=1)
    assert computed(table) == ["a 0", "b 0", "a 1", "a 1", "b 1"]


def test_a_table_without_its_package_stops_no_other(table_at):
    (table_at("lacking") / "trouble").write_text("package b 0")
    table_at("one_table")
    assert run_all(["lacking", "one_table"], n_jobs=1) == ["lacking: there is trouble"]
    assert kept() == RUNS
    assert len(read_runs(experiment_of("lacking"))) == 3


def test_what_is_made_already_is_left_as_it_is(table):
    main(experiment_of("one_table"), [])
    before = (table / "one_table_runs.csv").read_text()
    run_all(["one_table"], n_jobs=2)
    assert (table / "one_table_runs.csv").read_text() == before


def test_what_took_longest_comes_first(table_at):
    for name, seconds in (("quick", 1.0), ("unknown", None), ("slow", 9.0)):
        table_at(name)
        if seconds is not None:
            main(experiment_of(name), ["--scale", "medium"])
            file = experiment_of(name).file("_runs")
            pd.read_csv(file).assign(seconds=seconds).to_csv(file, index=False)
    tasks = longest_first(["unknown", "quick", "slow"])
    assert [(task.module, task.seed) for task in tasks] == [
        (name, seed) for name in ("slow", "quick", "unknown") for seed in range(2)
    ]
    assert all(task.rows == (("a", "here"), ("b", "here")) for task in tasks)
