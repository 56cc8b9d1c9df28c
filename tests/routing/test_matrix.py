"""Every tool does with the teacher's rows what the guide's page says."""

import pytest

from tests.routing.matrix import CASES, CELLS, VERSION, recorded_verdicts
from tests.routing.verdict import MISALIGNED, NO_FIT, WITHOUT

RECORDED = recorded_verdicts()

# What no fit can see: as many answers as rows, of other rows. The page warns of it.
UNSEEN = {
    "`RandomUnderSampler`, in imblearn's `Pipeline`, classes of equal size",
    "`cross_validate`, as many answers as a fold has training rows",
}


@pytest.mark.parametrize("cell", CELLS, ids=", ".join)
def test_a_tool(cell):
    case, routing = CELLS[cell]
    verdict = case.verdict(routing)
    assert (verdict == MISALIGNED) == (case.tool in UNSEEN)
    assert not verdict.startswith((WITHOUT, NO_FIT))
    if VERSION not in RECORDED:
        pytest.skip(f"recorded for scikit-learn {list(RECORDED)}, and this is {VERSION}")
    assert verdict == RECORDED.loc[cell, VERSION]


def test_the_record_is_complete():
    assert list(RECORDED.index) == list(CELLS)
    assert RECORDED.notna().all(axis=None)
    assert len(RECORDED.columns) >= 2
    assert len(CELLS) == 2 * sum(map(len, CASES.values()))  # no tool twice
