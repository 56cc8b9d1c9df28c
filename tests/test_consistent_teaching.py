"""The table of the guide to networks is written from the file of results, which shows the gain."""

import pandas as pd
import pytest

from benchmarks import consistent_teaching as bench

RESULTS = pd.read_csv(bench.CSV)


def test_the_page_has_the_table_of_the_file():
    page = bench.PAGE.read_text("utf-8")
    assert bench.with_table(page, RESULTS) == page
    for column in ("accuracy", "cross_entropy", "teacher_accuracy"):
        assert bench.with_table(page, RESULTS.assign(**{column: RESULTS[column] + 0.1})) != page


def test_the_file_is_complete():
    assert RESULTS.groupby("method").size().to_dict() == dict.fromkeys(bench.METHODS, bench.N_RUNS)


def test_predictions_of_augmented_images_are_better_than_cached_ones():
    """The interval of the paired difference, in accuracy and in cross-entropy."""
    assert bench.difference(RESULTS, "accuracy", "cached")[1] > 0
    assert bench.difference(RESULTS, "cross_entropy", "cached")[2] < 0
    _, low, high = bench.difference(RESULTS, "accuracy", "labels")
    assert low < 0 < high, "the guide says that five runs do not settle it"


@pytest.mark.slow
def test_a_short_run_has_the_rows_of_the_file():
    try:
        results = bench.run_benchmark(n_runs=2, n_student=200, n_teacher=300, epochs=(1, 1))
    except OSError as error:
        pytest.skip(f"Fashion-MNIST is not here: {error}")
    assert list(results) == list(RESULTS)
    assert list(results["method"]) == [*bench.METHODS] * 2
    assert bench.part(results)
