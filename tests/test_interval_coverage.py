"""The benchmark of the coverage runs, and its page and figures hold what is promised."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import interval_coverage as bench


def test_a_short_run_covers():
    results = bench.run_benchmark(n_runs=40, sizes=(100,))
    smooth = results[results["metric"] != "calibration_error"]
    assert len(smooth) == 2 * (3 * 5 + 2 * 2 + 1 + 2 * 3 + 1)
    assert smooth["coverage"].mean() == pytest.approx(0.95, abs=0.015)
    assert (results["coverage"] > 0.8).all()
    sides = results[["coverage", "above", "below"]].sum(axis=1)
    np.testing.assert_allclose(sides, 1)


def test_the_page_is_written_from_the_figures():
    page = bench.PAGE.read_text("utf-8")
    assert bench.with_results(page, pd.read_csv(bench.CSV)) == page


def test_the_recorded_coverage_is_between_93_and_97_percent():
    recorded = pd.read_csv(bench.CSV)
    assert set(recorded["runs"]) == {2000}
    smooth = recorded[recorded["metric"] != "calibration_error"]["coverage"]
    # two standard errors of 2,000 runs
    assert smooth.min() > 0.93 - 0.01
    assert smooth.max() < 0.97 + 0.01
    # the calibration error has intervals that are too wide, as the guide says
    assert recorded["coverage"].min() > 0.93 - 0.01
