"""The page of the guide has the recorded tables, and a workaround for every failing tool."""

import pandas as pd
import pytest

from tests.routing.matrix import recorded_verdicts
from tests.routing.page import PAGE, cell, merged, with_tables
from tests.routing.verdict import RIGHT

RECORDED = recorded_verdicts()
TEXT = PAGE.read_text("utf-8")
FAILING = RECORDED.index[(RECORDED != RIGHT).any(axis=1)]


def test_the_page_has_the_tables_of_the_record():
    assert with_tables(TEXT, RECORDED) == TEXT
    for version in RECORDED:
        other = RECORDED.assign(**{version: "other"})
        assert with_tables(TEXT, other) != TEXT


@pytest.mark.parametrize("tool", sorted({tool for _, tool, on in FAILING if on == "on"}))
def test_the_page_has_a_workaround(tool):
    _, _, workarounds = TEXT.partition("## Workarounds")
    name = tool.split("`")[1].partition("(")[0]
    assert f"`{name}" in workarounds


def test_versions_that_differ_are_named():
    verdicts = pd.Series({"1.6": "one", "1.9": "two"})
    assert cell(verdicts) == "scikit-learn 1.6: one; scikit-learn 1.9: two"
    assert cell(verdicts.replace("two", "one")) == "one"


def test_a_version_gets_its_column_and_the_others_keep_theirs():
    new = RECORDED.iloc[:, 0].rename("1.10")
    both = merged(RECORDED, new)
    assert list(both) == [*RECORDED, "1.10"]
    pd.testing.assert_frame_equal(merged(both, new), both)
