"""On Covertype distillation of boosting improves small students."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import __main__ as bench
from benchmarks import covertype
from benchmarks.page import write_page


@pytest.fixture(scope="module")
def results():
    try:
        return covertype.run_benchmark()
    except OSError as error:  # neither the file nor a network
        pytest.skip(f"no Covertype: {error}")


@pytest.mark.slow
@pytest.mark.parametrize("student", covertype.STUDENTS)
@pytest.mark.parametrize("metric", covertype.METRICS)
def test_the_distilled_student_beats_the_baseline(results, student, metric):
    gains = covertype.gain(results, student, metric)
    low, _ = covertype.interval(gains)
    assert len(gains) == 10
    assert low > 0


def test_training_and_test_rows_are_disjoint():
    y = np.arange(covertype.N_ROWS) % 7
    rows = covertype.split_rows(y, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(len(y)))
    assert [len(part) for part in rows] == [1000, 11120, 3000]


def test_the_page_is_generated_from_the_files(tmp_path):
    write_page(json.loads(bench.RESULTS.read_text("utf-8")), tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text("utf-8") == bench.PAGE.read_text("utf-8")
    section = covertype.section(pd.read_csv(covertype.CSV))
    assert "\n".join(section) in bench.PAGE.read_text("utf-8")


def test_the_claim_of_the_readme_is_that_of_the_file():
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    claim = covertype.sentence(covertype.summarise(pd.read_csv(covertype.CSV), "tree of depth 8"))
    assert claim in " ".join(readme.split())
