"""The script for a GPU runs on a CPU, so that it works where a GPU is lent for minutes."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_it_runs_on_a_cpu():
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu", "--quick"]
    root = Path(__file__).parents[1]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    linear, fits = done.stdout.split("Linear students of tensors")[1].split("Two equal fits")
    assert linear.count(": met") == 4
    assert fits.count(": met") == 4
    assert done.stdout.count("live") >= 4
