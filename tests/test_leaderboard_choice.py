"""The table of a leaderboard's luck is generated from the file of results, and as it is told."""

import pandas as pd

from benchmarks import leaderboard_choice

RESULTS = pd.read_csv(leaderboard_choice.CSV)


def test_the_page_has_the_table_of_the_file():
    page = leaderboard_choice.PAGE.read_text("utf-8")
    assert leaderboard_choice.with_results(page, RESULTS) == page
    other = RESULTS.assign(bias=RESULTS["bias"] + 0.01)
    assert leaderboard_choice.with_results(page, other) != page


def test_the_score_to_expect_is_near_the_truth():
    to_expect = RESULTS["score"] == "to expect"
    error = RESULTS["bias"].abs() / RESULTS["standard_error"]
    assert (error[to_expect] <= 2).all()
    assert (error[~to_expect] > 10).all()
    assert (RESULTS.loc[to_expect, "within"] >= 0.9).all()


def test_a_simulation_runs(monkeypatch):
    monkeypatch.setattr(leaderboard_choice, "N_FRESH", 100)
    own, corrected, error = leaderboard_choice.simulate(0.5, 1).T
    assert corrected < own
    assert error > 0
