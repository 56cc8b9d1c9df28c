"""All cells of the matrix, and their recorded verdicts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import sklearn

from tests.routing.case import Case
from tests.routing.classifiers import CLASSIFIERS
from tests.routing.regressors import REGRESSORS
from tests.routing.resamplers import RESAMPLERS
from tests.routing.scorers import SCORERS

CSV = Path(__file__).with_name("verdicts.csv")
INDEX = ["student", "tool", "routing"]
VERSION = ".".join(sklearn.__version__.split(".")[:2])

CASES: dict[str, list[Case]] = {
    "classifier": CLASSIFIERS + RESAMPLERS,
    "regressor": REGRESSORS,
    "scorer": SCORERS,
}
CELLS: dict[tuple[str, str, str], tuple[Case, bool]] = {
    (student, case.tool, "on" if routing else "off"): (case, routing)
    for student, cases in CASES.items()
    for case in cases
    for routing in (False, True)
}


def observed() -> pd.Series:
    """Return the verdict on every cell, with the installed versions."""
    verdicts = {cell: case.verdict(routing) for cell, (case, routing) in CELLS.items()}
    return pd.Series(verdicts, name=VERSION).rename_axis(INDEX)


def recorded_verdicts() -> pd.DataFrame:
    """Return the recorded verdicts, a column for each version of scikit-learn."""
    return pd.read_csv(CSV, index_col=INDEX)
