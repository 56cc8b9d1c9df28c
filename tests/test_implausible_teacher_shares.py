"""The shares of reported teachers in the guide are those of the benchmark's file."""

import pandas as pd

from benchmarks import implausible_teacher
from benchmarks.implausible_teacher import (
    CLASSES,
    CSV,
    FOREST,
    NUMBERS,
    OF_CLASSES,
    OF_NUMBERS,
    PAGE,
    TREE,
)

RESULTS = pd.read_csv(CSV)


def highest(wanted, name):
    return RESULTS.query(wanted[name], engine="python")["share"].max()


def test_the_page_has_the_tables_of_the_file():
    page = PAGE.read_text("utf-8")
    assert implausible_teacher.with_tables(page, RESULTS) == page
    more = RESULTS.assign(share=RESULTS["share"] + 0.1)
    assert implausible_teacher.with_tables(page, more) != page


def test_each_line_has_settings():
    for wanted in (*OF_CLASSES.values(), *OF_NUMBERS.values()):
        assert len(RESULTS.query(wanted, engine="python"))


def test_claims_of_the_page():
    right = RESULTS[RESULTS["teacher"].str.startswith("right")]
    right = right[right["kind"].isin([CLASSES, NUMBERS])]
    assert (right["share"] * right["fits"]).max() <= 1
    assert right["share"].mean() < 0.001
    assert highest(OF_NUMBERS, "rows shuffled, 60 samples") == 0
    assert highest(OF_CLASSES, "rows shuffled, a class with 0.5 % of 1,000 samples") < 0.01
    assert highest(OF_CLASSES, "a full tree, 40 % of its labels random") > 0.05
    assert highest(OF_NUMBERS, "a full tree, where the best prediction explains 10 %") > 0.2


def test_a_measured_setting(monkeypatch):
    monkeypatch.setattr(implausible_teacher, "N_SIMULATIONS", 3)
    rows = list(implausible_teacher.measure(CLASSES, "good", 300, 0.5))
    assert {row["teacher"]: row["share"] for row in rows}["rows shuffled"] == 1
    assert {row["fits"] for row in rows} == {3}
    rows = list(implausible_teacher.measure(NUMBERS, "Gaussian", 1000, 0.8))
    assert {row["teacher"]: row["share"] for row in rows}["right"] == 0
    for setting in ((FOREST, 10, 0.1), (TREE, 0.8, 1000)):
        (row,) = implausible_teacher.measure(*setting)
        assert row["share"] == 0
