"""The intervals of the report cover: a few simulations, and the recorded ones."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import interval_coverage as bench
from sklearn_distill.inspection._scoring import read_scoring


@pytest.mark.parametrize(
    ("design", "is_class"), [(bench.two_classes, True), (bench.regression, False)]
)
def test_intervals_of_the_report_cover_at_60_samples(design, is_class):
    metrics = [m for m in read_scoring(None, is_class, 15) if m.name != "calibration_error"]
    rng, n_runs = np.random.default_rng(1), 300
    drawn = [row for _ in range(n_runs) for row in bench.compare(design(rng, 60, True), metrics)]
    frame = pd.DataFrame(drawn, columns=["metric", "low", "high"])
    covered = bench.coverage(frame, dict.fromkeys((m.name for m in metrics), 0.0))
    assert len(covered) == len(metrics)
    # 93 to 97 %, and two standard errors of the simulation
    assert covered["coverage"].between(0.93 - 0.025, 0.97 + 0.025).all()


def test_a_short_run_has_the_rows_of_the_file(monkeypatch):
    monkeypatch.setattr(bench, "N_TRUTH", 4000)
    results, recorded = bench.run_benchmark(n_runs=2, sizes=(50,)), pd.read_csv(bench.CSV)
    assert list(results.columns) == list(recorded.columns)
    columns = ["design", "models", "metric"]
    pd.testing.assert_frame_equal(
        results[columns], recorded[recorded["n"].isin([50, 200])][columns].reset_index(drop=True)
    )


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
