"""A table for tests, of two rows and two seeds; a copy of this file writes beside itself.

``computed`` there has a line for each run that was begun. Where ``trouble`` names a run, that run
does not end: a file in its place takes the trouble away.
"""

import os
import signal
from pathlib import Path

from examples.papers.runs import Experiment

HERE = Path(__file__).parent


def compute(row, seed, scale, device):
    """Tell which process made the run, or fail as ``trouble`` says."""
    run = f"{row[0]} {seed}"
    with (HERE / "computed").open("a") as computed:
        computed.write(f"{run}\n")
    trouble = HERE / "trouble"
    how, _, which = trouble.read_text().partition(" ") if trouble.exists() else ("", "", "")
    if which == run:
        trouble.unlink()
        fail(how)
    return {"process": os.getpid(), "size": scale}


def fail(how):
    """End this process, or the run."""
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise {"interrupt": KeyboardInterrupt, "package": ImportError}[how]("there is trouble")


EXPERIMENT = Experiment(
    __file__,
    rows=[("a", "here"), ("b", "here")],
    measures=("process", "size"),
    compute=compute,
    scales={"small": 1, "medium": 2},
    n_runs={"small": 2, "medium": 1},
)
