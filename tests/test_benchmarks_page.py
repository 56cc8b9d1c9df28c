"""The tables by region have every row once, in the stated order."""

import json

import pytest

from benchmarks import __main__ as bench
from benchmarks import linear_search, peer_fits, quick, small_fits, students
from benchmarks.page import all_rows, read
from benchmarks.rows import REGIONS, Bound, Row, reasons, region_of, table, with_unit

ROWS = all_rows(json.loads(bench.RESULTS.read_text("utf-8")))
PAGE = bench.PAGE.read_text("utf-8")


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_has_its_rows_in_order(region):
    rows = [row for row in ROWS if row.region == region]
    section = PAGE.partition(f"### {region.capitalize()}\n")[2].partition("\n#")[0]
    assert rows
    assert table(rows) in section
    for row in rows:
        assert not row.is_missed or (row.reason or f"**{row.problem}**") in section
        assert PAGE.partition("## Two threads")[0].count(f"| {' | '.join(row.cells()[:4])} |") == 1


def test_all_rows_have_a_region():
    assert {row.region for row in ROWS} == set(REGIONS)
    assert len({(row.problem, row.peer) for row in ROWS}) == len(ROWS)


def test_behind_comes_before_missed_before_others():
    fast, slow = (Row("tall", name, 1.0, "it", [ratio]) for name, ratio in (("a", 3), ("b", 0.5)))
    missed = Row("tall", "c", 1.0, "it", [2, 4, 6], target=5)
    over = Row("tall", "d", 0.002, limit=Bound([3], "a pass", 2))
    lines = table([over, fast, missed, slow]).splitlines()
    assert [line[2] for line in lines[2:]] == ["b", "c", "d", "a"]
    assert lines[3] == "| c | 1 s | it | **4** (2 … 6) | ≥ 5: **missed** | – |"
    assert lines[4] == "| d | 2 ms | – | – | – | 3 × a pass (≤ 2: **missed**) |"
    assert reasons([fast, missed, over]) == "- Missed, **c**, **d**: not analysed yet.\n"


@pytest.mark.parametrize(
    ("problem", "region"),
    [
        ("100,000 × 100, K = 5, gradient 1e-06", "tall"),
        ("500 × 2,000, K = 2, common factors", "wide"),
        ("1,000 × 30, K = 2", "tiny"),
        ("20,000 × 128, float32, K = 1,000", "many classes"),
        ("sparse 8,000 × 100,000, K = 20", "sparse"),
        ("regression 1,000,000 × 20", "big"),
    ],
)
def test_the_sizes_in_a_name_tell_its_region(problem, region):
    assert region_of(problem) == region


def test_a_name_without_sizes_has_no_region():
    with pytest.raises(ValueError, match="no size"):
        region_of("digits")


def test_times_have_units():
    assert [with_unit(t) for t in (12.34, 0.25, 0.02, 5e-4)] == [
        "12.3 s",
        "0.25 s",
        "20 ms",
        "500 µs",
    ]


def test_what_is_measured_quickly_is_on_the_page():
    assert set(quick.STUDENTS) <= set(students.CASES)
    for name in quick.STUDENTS:
        assert any(row.problem.startswith(name) for row in ROWS)
    for part, wanted in quick.PARTS:
        assert any(wanted in row.problem for row in part.rows(read(part)))


def test_quick_prints_each_row_beside_that_of_the_page(monkeypatch, capsys):
    monkeypatch.setattr(quick, "STUDENTS", quick.STUDENTS[:1])
    monkeypatch.setattr(quick, "PARTS", ((small_fits, "predict"), (linear_search, "300 × 3,000")))
    quick.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2 + 2
    for line in lines:
        row = next(row for row in ROWS if line.endswith(f"{row.problem}, {row.peer}"))
        assert f"(page {row.figure:.3g})" in line


def test_measured_problems_can_be_measured_again():
    assert {row.problem for row in peer_fits.rows(read(peer_fits))} <= set(peer_fits.FITS)
    cases = json.loads(bench.RESULTS.read_text("utf-8"))["threads"]["1"]
    assert {case["case"].partition(", gradient")[0] for case in cases} <= set(students.CASES)
