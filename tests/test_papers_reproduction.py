"""docs/reproduction.md says what the kept runs say, and none is missing."""

import pytest

from examples.papers import reproduction
from examples.papers.runs import missing, read_runs

EXPERIMENTS = [
    pytest.param(experiment, id=experiment.file().stem)
    for _, tables in reproduction.experiments()
    for _, experiment in tables
]


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
