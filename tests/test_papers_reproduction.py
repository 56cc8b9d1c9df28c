"""docs/reproduction.md is generated from the stored runs, and none is missing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from examples.papers import reproduction
from examples.papers.runs import Experiment, aggregate, missing, read_runs

EXPERIMENTS = [
    pytest.param(experiment, id=experiment.file().stem)
    for _, tables in reproduction.experiments()
    for _, experiment in tables
]


@pytest.fixture
def experiment_with_reasons():
    return Experiment(
        "table.py",
        rows=[("a", "b")],
        measures=["accuracy"],
        compute=lambda *_: {},
        scales={"small": 1},
        n_runs={"small": 1},
        because={("small",): "it is small"},
    )


def test_the_page_is_generated_from_the_files():
    assert reproduction.PAGE.read_text("utf-8") == reproduction.page()


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("scale", ["small", "medium"])
def test_every_run_of_the_smaller_scales_is_stored(experiment, scale):
    runs = read_runs(experiment)
    assert not missing(experiment, runs, scale, experiment.n_runs[scale])


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_small_is_the_default_and_full_the_largest(experiment):
    assert list(experiment.scales) == ["small", "medium", "full"]
    assert experiment.default_scale == "small"


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_claim_has_a_verdict_on_the_page(experiment):
    page = reproduction.PAGE.read_text("utf-8")
    verdicts = [f"**{verdict}**" for verdict in ("holds", "does not hold", "undecided")]
    for claim in experiment.claims:
        lines = [line for line in page.splitlines() if line.startswith(f"| {claim} |")]
        assert lines
        assert all(any(verdict in line for verdict in verdicts) for line in lines)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_each_row_that_differs_has_a_reason(experiment):
    table = aggregate(experiment, read_runs(experiment))
    found = [
        reproduction.verdict_with_reason(experiment, row)
        for row in table.to_dict("records")
        if not np.isnan(row["published"])
    ]
    assert all(one == "agrees" or ", because " in one for one in found)


def test_a_row_that_agrees_needs_no_reason(experiment_with_reasons):
    row = {"scale": "small", "method": "a", "setting": "b", "measure": "accuracy"}
    near = row | {"mean": 0.52, "std": 0.1, "published": 0.5, "runs": 5}
    far = near | {"std": 0.001}
    assert reproduction.verdict_with_reason(experiment_with_reasons, near) == "agrees"
    assert (
        reproduction.verdict_with_reason(experiment_with_reasons, far)
        == "better, because it is small"
    )
    of_full = far | {"scale": "full"}
    assert reproduction.verdict_with_reason(experiment_with_reasons, of_full) == "better"


def runs_of(*runs):
    """Return runs of the one row, by scale and seed."""
    lines = [(scale, seed, "a", "b", 0.5) for scale, seed in runs]
    return pd.DataFrame(lines, columns=["scale", "seed", "method", "setting", "accuracy"])


@pytest.mark.parametrize(
    ("runs", "shown"),
    [
        ([("small", 0), ("small", 1)], "small"),
        ([("full", 0), ("full", 1), ("medium", 0), ("medium", 1)], "full"),
        ([("small", 0), ("small", 1), ("medium", 0), ("medium", 1), ("full", 0)], "medium"),
        ([("small", 0), ("full", 0)], None),
        ([], None),
    ],
)
def test_the_largest_complete_scale_is_shown(experiment_with_reasons, runs, shown):
    experiment = replace(
        experiment_with_reasons, scales=dict.fromkeys(["small", "medium", "full"], 1)
    )
    assert reproduction.largest_complete_scale(experiment, runs_of(*runs)) == shown
    another_row = replace(experiment, rows=[("a", "b"), ("a", "not run")])
    assert reproduction.largest_complete_scale(another_row, runs_of(*runs)) is None


def test_a_table_without_runs(experiment_with_reasons, tmp_path):
    experiment = replace(experiment_with_reasons, script=str(tmp_path / "table.py"))
    section = reproduction.section("A table.\n\nOf this.", experiment)
    assert section.splitlines()[0] == "### A table"
    assert "No scale has two runs of every row yet." in section


def test_a_number_of_processes(capsys):
    with pytest.raises(SystemExit):
        reproduction.main(["--jobs", "0"])
    assert "--jobs must be at least 1, got 0" in capsys.readouterr().err
