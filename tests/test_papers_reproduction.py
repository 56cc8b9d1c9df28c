"""docs/reproduction.md is generated from the stored runs, and none is missing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from examples.papers import reproduction
from examples.papers.agreement import AGREES, TOO_FEW, agreement
from examples.papers.claims import Claim, evaluate_claims, holm
from examples.papers.runs import (
    Experiment,
    aggregate,
    largest_complete_scale,
    missing,
    read_runs,
)

TABLES = [
    pytest.param(table, id=table.name) for _, tables in reproduction.tables() for table in tables
]
EXPERIMENTS = [pytest.param(table.values[0].experiment, id=table.id) for table in TABLES]


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


def test_the_pages_are_generated_from_the_files():
    pages = reproduction.pages()
    stored = [reproduction.PAGE, *reproduction.FOLDER.glob("*.md")]
    assert set(pages) == set(stored)
    assert {page: page.read_text("utf-8") for page in stored} == pages


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("scale", ["small", "medium"])
def test_every_run_of_the_smaller_scales_is_stored(experiment, scale):
    runs = read_runs(experiment)
    assert not missing(experiment, runs, scale, experiment.n_runs[scale])


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_small_is_the_default_and_full_the_largest(experiment):
    large = ["large"] if experiment.file().parent.name == "biryukova" else []
    assert list(experiment.scales) == ["small", "medium", *large, "full"]
    assert experiment.default_scale == "small"


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_stored_table_is_that_of_the_runs(experiment):
    computed = aggregate(experiment, read_runs(experiment))
    stored = pd.read_csv(experiment.file(), keep_default_na=False)
    rows = ["scale", "method", "setting", "measure", "runs"]
    assert stored[rows].values.tolist() == computed[rows].values.tolist()
    # the file has six digits
    np.testing.assert_allclose(stored["mean"], computed["mean"], rtol=1e-5)


@pytest.mark.parametrize("table", TABLES)
def test_every_claim_of_a_page_is_that_of_its_file(table):
    page = (reproduction.FOLDER / f"{table.name}.md").read_text("utf-8")
    _, _, claims = page.partition("| claim |")
    lines = claims.partition("\n\n")[0].splitlines()[2:]  # below the head
    cells = [line.strip("| ").split(" | ") for line in lines]
    shown = {claim: verdict for claim, *_, verdict in cells}
    if not table.experiment.claims:
        assert shown == {}
        return
    stored = pd.read_csv(table.experiment.file("_claims"))
    stored = stored[stored["scale"] == table.scale]
    assert shown == {
        claim: f"**{verdict}**"
        for claim, verdict in zip(stored["claim"], stored["verdict_holm"], strict=True)
    }


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_each_row_that_differs_has_a_reason(experiment):
    table = aggregate(experiment, read_runs(experiment))
    found = [
        reproduction.verdict_with_reason(experiment, row)
        for row in table.to_dict("records")
        if not np.isnan(row["published"])
    ]
    unexplained = [one for one in found if "; known difference: " not in one]
    assert set(unexplained) <= {AGREES, TOO_FEW}


ROW = {
    "scale": "small", "method": "a", "setting": "b", "measure": "accuracy",
    "mean": 0.502, "std": 0.001, "published": 0.5, "published_std": np.nan, "runs": 5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "agrees"),
        ({"std": 0.1}, "too few runs"),
        ({"runs": 1, "std": np.nan}, "too few runs"),
        ({"mean": 0.6}, "better"),
        ({"mean": 0.4}, "worse"),
        ({"mean": 0.4, "measure": "cross_entropy"}, "better"),
        ({"mean": 0.4, "measure": "l_maxmin"}, "differs"),
        ({"mean": 0.52, "published_std": 0.001}, "better"),
        ({"mean": 0.52, "published_std": 0.03, "runs": 100}, "agrees"),
    ],
)
def test_agreement_needs_an_interval_within_the_margin(change, verdict):
    assert agreement(ROW | change) == verdict


def test_a_row_that_agrees_needs_no_reason(experiment_with_reasons):
    far = ROW | {"mean": 0.6}
    verdict = reproduction.verdict_with_reason
    assert verdict(experiment_with_reasons, ROW) == "agrees"
    assert verdict(experiment_with_reasons, far) == "better; known difference: it is small"
    assert verdict(experiment_with_reasons, far | {"scale": "full"}) == "better"


def test_holm_takes_the_smallest_first():
    p = np.array([0.03, np.nan, 0.01, 0.04])
    np.testing.assert_allclose(holm(p), [0.06, np.nan, 0.03, 0.06])
    np.testing.assert_allclose(holm(np.array([0.5, 0.9])), [1, 1])


def test_among_many_claims_a_small_gain_is_not_decided():
    seeds = pd.DataFrame({"scale": "small", "seed": range(5), "setting": "b"})
    accuracy = 0.5 + np.array([0.01, 0.02, 0.005, 0.0, 0.015])
    runs = pd.concat(
        [seeds.assign(method="a", accuracy=0.5), seeds.assign(method="c", accuracy=accuracy)]
    )
    claim = Claim(("c", "b"), ("a", "b"), "accuracy")
    one, many = (evaluate_claims([claim] * count, runs).iloc[0] for count in (1, 20))
    assert (one["verdict"], one["verdict_holm"]) == ("holds", "holds")
    assert (many["verdict"], many["verdict_holm"]) == ("holds", "undecided")


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
    assert largest_complete_scale(experiment, runs_of(*runs)) == shown
    another_row = replace(experiment, rows=[("a", "b"), ("a", "not run")])
    assert largest_complete_scale(another_row, runs_of(*runs)) is None


def test_a_table_without_runs(experiment_with_reasons, tmp_path):
    experiment = replace(experiment_with_reasons, script=str(tmp_path / "table.py"))
    table = reproduction.make_table("papers.a.table", "A table", "Of this.", experiment)
    section = reproduction.section(table)
    assert section.splitlines()[0] == "# A table"
    assert "No scale has two runs of every row yet." in section


def test_a_number_of_processes(capsys):
    with pytest.raises(SystemExit):
        reproduction.main(["--jobs", "0"])
    assert "--jobs must be at least 1, got 0" in capsys.readouterr().err
