"""Every tool slices the teacher's rows as recorded on the page of the guide."""

import pytest

from tests.routing.matrix import CASES, CELLS, VERSION, recorded_verdicts
from tests.routing.verdict import MISALIGNED, NO_FIT, WITHOUT

RECORDED = recorded_verdicts()

# No fit can detect predictions of other rows if their number is the same. The page warns of it.
UNDETECTED = {
    "`RandomUnderSampler`, in imblearn's `Pipeline`, classes of equal size",
    "`cross_validate`, predictions as long as a training fold",
}


@pytest.mark.parametrize("cell", CELLS, ids=", ".join)
def test_a_tool(cell):
    case, routing = CELLS[cell]
    verdict = case.verdict(routing)
    assert (verdict == MISALIGNED) == (case.tool in UNDETECTED)
    assert not verdict.startswith((WITHOUT, NO_FIT))
    if VERSION not in RECORDED:
        pytest.skip(f"recorded for scikit-learn {list(RECORDED)}, and this is {VERSION}")
    assert verdict == RECORDED.loc[cell, VERSION]


def test_the_record_is_complete():
    assert list(RECORDED.index) == list(CELLS)
    assert RECORDED.notna().all(axis=None)
    assert len(RECORDED.columns) >= 2
    assert len(CELLS) == 2 * sum(map(len, CASES.values()))  # no tool twice
