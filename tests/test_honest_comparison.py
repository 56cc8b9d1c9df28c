"""The table on pure noise is generated from the file of results; which methods are leakage-free."""

import pandas as pd
import pytest

from benchmarks import honest_comparison
from benchmarks.record import with_part

RESULTS = pd.read_csv(honest_comparison.CSV)
LEAKAGE_FREE = RESULTS["predictions"].isin(["refitted in each fit", "of other rows"])


def test_the_page_has_the_table_of_the_file():
    page = honest_comparison.PAGE.read_text("utf-8")
    assert honest_comparison.with_table(page, RESULTS) == page
    better = RESULTS.assign(mean=RESULTS["mean"] + 0.01)
    assert honest_comparison.with_table(page, better) != page


def test_the_file_is_complete():
    names = RESULTS[["teacher", "student", "predictions"]]
    expected = pd.MultiIndex.from_product(
        [honest_comparison.TEACHERS, honest_comparison.STUDENTS, honest_comparison.METHODS]
    )
    assert set(names.itertuples(index=False, name=None)) == set(expected)
    assert len(RESULTS) == len(expected)
    assert (RESULTS["runs"] == honest_comparison.N_REPEATS).all()


def test_leakage_free_methods_are_at_one_half():
    refitted = RESULTS[RESULTS["predictions"] == "refitted in each fit"]
    assert (refitted["mean"] - 0.5).abs().max() <= 0.02
    half = honest_comparison.half_width(RESULTS)
    assert ((RESULTS["mean"] - 0.5).abs() <= half)[LEAKAGE_FREE].all()


def test_out_of_fold_predictions_leak_to_every_student():
    leaking = RESULTS["predictions"] == "out-of-fold"
    low = RESULTS["mean"] - honest_comparison.half_width(RESULTS)
    assert (low[leaking] > 0.5).all()


@pytest.mark.parametrize("student", honest_comparison.STUDENTS)
def test_the_script_shows_a_leak(student):
    teacher = honest_comparison.TEACHERS["SVC"]
    student = honest_comparison.STUDENTS[student]
    leaking, leakage_free = (
        sum(honest_comparison.accuracy(teacher, student, method, seed) for seed in range(3)) / 3
        for method in ("out-of-fold", "refitted in each fit")
    )
    assert leaking > 0.57
    assert abs(leakage_free - 0.5) < 0.07


def test_a_page_without_marks_is_an_error():
    with pytest.raises(ValueError, match=r"lacks the marks .* script\.py writes"):
        with_part("no marks", "script.py", "table")
