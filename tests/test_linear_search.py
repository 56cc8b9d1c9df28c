"""The rows of the page of benchmarks are those of the file of results."""

import pandas as pd

from benchmarks import linear_search
from benchmarks.__main__ import PAGE

RESULTS = pd.read_csv(linear_search.CSV)


def test_the_page_has_the_rows_of_the_file():
    page = PAGE.read_text("utf-8")
    assert linear_search.method(RESULTS) in page
    for row in linear_search.rows(RESULTS):
        assert " | ".join(row.cells()[:4]) in page


def test_searches_cost_little_more_than_a_fit():
    searches = RESULTS[RESULTS["compared_with"] != "Ridge"]
    ratio = searches["seconds"] / searches["its_seconds"]
    assert len(searches) == 3
    assert (ratio < 1.8).all()


def test_a_benchmark_runs():
    rows = [*linear_search.searches(2000, 3, n_rounds=1), *linear_search.wide((5, 8), n_rounds=1)]
    assert {row[3] for row in rows} == {"one fit", "one fit, labels missing", "Ridge"}
