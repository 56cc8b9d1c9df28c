"""docs/reproduction.md says what the kept runs say, and none is missing."""

import numpy as np
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


def test_the_page_is_that_of_the_files():
    assert reproduction.PAGE.read_text("utf-8") == reproduction.page()


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_run_of_the_small_scale_is_kept(experiment):
    runs = read_runs(experiment)
    assert not missing(experiment, runs, "small", experiment.n_runs["small"])


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_claim_has_a_verdict_on_the_page(experiment):
    page = reproduction.PAGE.read_text("utf-8")
    verdicts = [f"**{verdict}**" for verdict in ("holds", "does not hold", "undecided")]
    for claim in experiment.claims:
        lines = [line for line in page.splitlines() if line.startswith(f"| {claim} |")]
        assert lines
        assert all(any(verdict in line for verdict in verdicts) for line in lines)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_each_row_of_the_small_scale_that_differs_says_why(experiment):
    runs = read_runs(experiment)
    table = aggregate(experiment, runs[runs["scale"] == "small"])
    found = [
        reproduction.explained(experiment, row)
        for row in table.to_dict("records")
        if not np.isnan(row["published"])
    ]
    assert all(one == "agrees" or ", because " in one for one in found)


def test_a_row_that_agrees_needs_no_reason(experiment_with_reasons):
    row = {"scale": "small", "method": "a", "setting": "b", "measure": "accuracy"}
    near = row | {"mean": 0.52, "std": 0.1, "published": 0.5, "runs": 5}
    far = near | {"std": 0.001}
    assert reproduction.explained(experiment_with_reasons, near) == "agrees"
    assert reproduction.explained(experiment_with_reasons, far) == "better, because it is small"
    of_full = far | {"scale": "full"}
    assert reproduction.explained(experiment_with_reasons, of_full) == "better"
