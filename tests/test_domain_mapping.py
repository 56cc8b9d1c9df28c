"""The guide's table of maps says what the file of results says, and the page does too."""

import pandas as pd

from benchmarks import domain_mapping

RESULTS = pd.read_csv(domain_mapping.CSV)


def test_the_page_has_the_table_of_the_file():
    page = domain_mapping.PAGE.read_text("utf-8")
    assert domain_mapping.with_table(page, RESULTS) == page
    for column in ("labels", "fitted", "unseen", "judge"):
        other = RESULTS.assign(**{column: RESULTS[column] + 1})
        assert domain_mapping.with_table(page, other) != page


def test_the_file_is_complete():
    rows = RESULTS[["labels", "parameters"]].itertuples(index=False, name=None)
    assert list(rows) == [(n, domain_mapping.described(how)) for n, how in domain_mapping.MAPS]


def test_what_the_page_says():
    by_map = RESULTS.set_index(["labels", "parameters"])
    (small_loud, small, some, once, paper, long) = (
        by_map.loc[(n, domain_mapping.described(how))] for n, how in domain_mapping.MAPS
    )
    assert small["fitted"] > small_loud["fitted"]  # a smaller β
    assert (once < some)[["fitted", "unseen"]].all()
    assert long["fitted"] >= 0.95
    assert long["unseen"] > paper["unseen"]
