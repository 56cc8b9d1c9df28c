"""Record how the tools slice a teacher's predictions, and write the tables of the guide.

``python -m tests.routing.page`` probes the installed scikit-learn, writes its column into
``verdicts.csv`` and the tables into ``docs/user_guide/routing.md``.
"""

from __future__ import annotations

import re
from pathlib import Path

import optuna
import pandas as pd

from benchmarks.record import with_part
from tests.routing.matrix import CASES, CSV, observed, recorded_verdicts

PAGE = Path(__file__).parents[2] / "docs" / "user_guide" / "routing.md"
SCRIPT = "tests/routing/page.py"
TITLES = {
    "classifier": "A classifier and its `teacher_proba`:",
    "regressor": "A regressor and its `teacher_prediction`:",
    "scorer": "A scorer that judges by the teacher, such as "
    '`get_scorer("neg_teacher_cross_entropy")`, and its `teacher_proba`:',
}
HEAD = "| tool | routing off | routing on |\n|---|---|---|"
ROUTING_IS_OFF = re.compile(r"Passing extra .* (only supported if enable_metadata_routing=True).*")


def with_tables(page: str, verdicts: pd.DataFrame) -> str:
    """Return the page with the tables of these verdicts."""
    tables = [f"{TITLES[student]}\n\n{table(student, verdicts)}\n" for student in CASES]
    return with_part(page, SCRIPT, "\n".join([*tables, f"{versions(verdicts)}\n"]))


def versions(verdicts: pd.DataFrame) -> str:
    """Return the versions that the tables were generated with."""
    return (
        f"Generated with scikit-learn {' and '.join(verdicts)}, with the other packages as "
        "pinned in `constraints/oldest.txt` and `constraints/dev.txt`."
    )


def table(student: str, verdicts: pd.DataFrame) -> str:
    """Return the table of a student, with one line per tool."""
    lines = [
        f"| {case.tool} | "
        + " | ".join(cell(verdicts.loc[student, case.tool, routing]) for routing in ("off", "on"))
        + " |"
        for case in CASES[student]
    ]
    return "\n".join([HEAD, *lines])


def cell(verdicts: pd.Series) -> str:
    """Return the common verdict of all versions, or one per version where they differ."""
    texts = [ROUTING_IS_OFF.sub(r"… \1", text) for text in verdicts]
    if len(set(texts)) == 1:
        return texts[0]
    return "; ".join(
        f"scikit-learn {version}: {text}"
        for version, text in zip(verdicts.index, texts, strict=True)
    )


def merged(old: pd.DataFrame, new: pd.Series) -> pd.DataFrame:
    """Return the verdicts with the column of a version replaced, oldest version first."""
    both = old.reindex(new.index).assign(**{str(new.name): new})
    return both[sorted(both, key=lambda version: [int(part) for part in version.split(".")])]


def main() -> None:
    """Run all cases, and write the CSV file and the page."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    new = observed()
    verdicts = merged(recorded_verdicts(), new) if CSV.exists() else new.to_frame()
    verdicts.to_csv(CSV, lineterminator="\n")
    PAGE.write_text(with_tables(PAGE.read_text("utf-8"), verdicts), "utf-8")


if __name__ == "__main__":
    main()
