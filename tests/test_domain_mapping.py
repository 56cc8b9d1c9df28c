"""The table of the user guide is generated from the file of results, and the text agrees."""

import pandas as pd

from benchmarks import domain_mapping

RESULTS = pd.read_csv(domain_mapping.CSV)


def test_the_page_has_the_table_of_the_file():
    page = domain_mapping.PAGE.read_text("utf-8")
    assert domain_mapping.with_table(page, RESULTS) == page
    for column in ("labels", "training", "test", "digit_accuracy"):
        other = RESULTS.assign(**{column: RESULTS[column] + 1})
        assert domain_mapping.with_table(page, other) != page


def test_the_file_is_complete():
    rows = RESULTS[["labels", "parameters"]].itertuples(index=False, name=None)
    assert list(rows) == [(n, domain_mapping.format_params(how)) for n, how in domain_mapping.MAPS]


def test_claims_of_the_page():
    by_map = RESULTS.set_index(["labels", "parameters"])
    (small_large_beta, small, some, once, paper, long) = (
        by_map.loc[(n, domain_mapping.format_params(how))] for n, how in domain_mapping.MAPS
    )
    assert small["training"] > small_large_beta["training"]  # a smaller β
    assert (once < some)[["training", "test"]].all()
    assert long["training"] >= 0.95
    assert long["test"] > paper["test"]
