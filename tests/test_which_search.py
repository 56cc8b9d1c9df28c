"""The tables of the user guide are generated from the file of results, and the text agrees."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import which_search

RESULTS = pd.read_csv(which_search.CSV)
MEANS = RESULTS.groupby(["student", "method"]).mean(numeric_only=True)
IMPLICIT = "`DistilledLogisticRegressionCV`"
GRID = "grid of 10 × 10, `GridSearchCV`"


def test_the_page_has_the_tables_of_the_file():
    page = which_search.PAGE.read_text("utf-8")
    assert which_search.with_tables(page, RESULTS) == page
    for column in which_search.FORMATS:
        other = RESULTS.assign(**{column: RESULTS[column] + 1})
        assert which_search.with_tables(page, other) != page


def test_the_file_is_complete():
    rows = RESULTS[["student", "method", "seed"]].itertuples(index=False, name=None)
    expected = [
        (kind, method, seed)
        for kind, methods in which_search.METHODS.items()
        for method in methods
        for seed in which_search.SEEDS
    ]
    assert sorted(rows) == sorted(expected)


def test_fits_are_those_of_the_searches():
    fits = {
        ("logistic", GRID): 501,
        ("logistic", "random, 25 settings"): 126,
        ("logistic", "Optuna's TPE, 25 trials"): 126,
        ("network", "grid of 4 × 4"): 17,
        ("network", "random, 16 settings"): 17,
        ("network", "Optuna's TPE, 16 trials"): 17,
    }
    for row, n in fits.items():
        assert MEANS.loc[row, "fits"] == n
    # the best settings are fitted again
    assert 501 < MEANS.loc[("logistic", 'the same, `method="grid"`'), "fits"] < 520
    with_gradients = MEANS.loc["network"].query("hypergradients > 0")
    assert (with_gradients["fits"] == 1).all()
    assert sorted(with_gradients["hypergradients"]) == [50, 200, 400]


def test_claims_of_the_page_on_hypergradients():
    logistic = RESULTS[RESULTS["student"] == "logistic"].set_index(["method", "seed"])
    hypergradient, grid = logistic.loc[IMPLICIT], logistic.loc[GRID]
    assert (hypergradient["validation_loss"] < grid["validation_loss"]).all()
    assert hypergradient["fits"].mean() < grid["fits"].mean() / 6
    assert hypergradient["seconds"].mean() < grid["seconds"].mean() / 15


@pytest.mark.parametrize(
    ("method", "share"),
    [("`GreedyHypergradient(lr=1)`", 0.7), ("`LinearTrajectory(10, 10, lr=1)`", 0.87)],
)
def test_claims_of_the_page_on_trajectories(method, share):
    network = MEANS.loc["network"]
    start, grid = network.loc["fixed λ = 0.5, T = 1"], network.loc["grid of 4 × 4"]
    gain = start["test_loss"] - network.loc[method, "test_loss"]
    assert gain / (start["test_loss"] - grid["test_loss"]) == pytest.approx(share, abs=0.1)
    assert network.loc[method, "fits"] * 17 == grid["fits"]
    assert network.loc[method, "seconds"] < grid["seconds"]


def test_both_grids_choose_the_same_values():
    logistic = RESULTS[RESULTS["student"] == "logistic"].set_index(["method", "seed"])
    chosen = list(which_search.NAMES)
    np.testing.assert_allclose(
        logistic.loc[GRID, chosen], logistic.loc['the same, `method="grid"`', chosen], rtol=1e-4
    )


@pytest.mark.parametrize(
    ("kind", "method"), [("logistic", IMPLICIT), ("network", "`LinearTrajectory(10, 10, lr=1)`")]
)
def test_the_script_reproduces_the_file(kind, method):
    row = which_search.measure_row(kind, method, 0)
    (stored,) = RESULTS.query("student == @kind and method == @method and seed == 0").to_dict(
        "records"
    )
    assert (row["fits"], row["hypergradients"]) == (stored["fits"], stored["hypergradients"])
    assert row["validation_loss"] == pytest.approx(stored["validation_loss"], rel=1e-2)
