"""Write the papers' numbers that the user guide quotes: the tables of its page on latent spaces.

``python -m examples.papers.reproduction`` calls it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from examples.papers.claims import Claim, Row, gain
from examples.papers.runs import Experiment, largest_complete_scale, read_runs
from examples.papers.sedova_2022 import table_cifar10, table_cifar10_varied
from examples.papers.sedova_2022.table_cifar10 import ALL, KNOWN, LABELS

GUIDE = Path(__file__).parents[2] / "docs" / "user_guide" / "latent_space.md"
BEGIN, END = "<!-- written by examples/papers/guides.py -->", "<!-- end -->"
MEAN, CODE = "mean probabilities", "mean probabilities + code"
STACKED, BOTH = "stacked layers", "stacked layers + code"
# the rows of the table: what is shown, and the row that it is compared with
ROWS: dict[Row, tuple[str, Row | None]] = {
    LABELS: ("labels only", None),
    (MEAN, KNOWN): ("mean probabilities; teachers masked on samples of unknown classes", None),
    (CODE, KNOWN): ("+ mean code", (MEAN, KNOWN)),
    (MEAN, ALL): (
        "mean probabilities; teachers masked on labelled samples of unknown classes only",
        None,
    ),
    (CODE, ALL): ("+ mean code", (MEAN, ALL)),
    (STACKED, ALL): (
        "a logistic regression on the layers of all teachers, instead of the mean",
        None,
    ),
    (BOTH, ALL): ("+ mean code", (STACKED, ALL)),
}
VARIATIONS = {
    "weight 0.3": "with a weight of 0.3",
    "code as in the table": "with a weight of 1",
    "weight 3": "with a weight of 3",
    "anchor first": 'with `anchor="first"`',
    "no triplets": "without triplets",
}


def shown_runs(experiment: Experiment) -> tuple[str, pd.DataFrame]:
    """Return the largest complete scale of an experiment, and its runs."""
    runs = read_runs(experiment)
    scale = largest_complete_scale(experiment, runs)
    if scale is None:
        raise ValueError(f"no scale of {experiment.script} has two runs of every row yet")
    return scale, runs[runs["scale"] == scale]


def with_results(page: str) -> str:
    """Return the page of the guide with the results of the stored runs."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(f"{BEGIN}\n\n{results()}\n\n{END}", page)


def results() -> str:
    """Return the table, its conditions and the variations."""
    scale, runs = shown_runs(table_cifar10.EXPERIMENT)
    size: table_cifar10.Scale = table_cifar10.SCALES[scale]
    lines = [
        f"Means of {runs['seed'].nunique()} runs on the test set, with {size.student_rows} samples "
        f"of the student, {size.labels} of them with labels; in parentheses, the difference within "
        "a run with its 95 % interval:\n",
        "| | accuracy | cross-entropy |",
        "|---|---|---|",
    ]
    for row, (name, baseline) in ROWS.items():
        cells = [_cell(runs, row, baseline, measure) for measure in ("accuracy", "cross_entropy")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", _variations()])


def _cell(runs: pd.DataFrame, row: Row, baseline: Row | None, measure: str) -> str:
    of_row = (runs["method"] == row[0]) & (runs["setting"] == row[1])
    mean = f"{runs.loc[of_row, measure].mean():.3f}"
    return mean if baseline is None else f"{mean} ({_difference(runs, row, baseline, measure)})"


def _difference(runs: pd.DataFrame, row: Row, baseline: Row, measure: str) -> str:
    found = gain(runs, Claim(row, baseline, measure))
    return f"{found['gain']:+.3f} ± {found['high'] - found['gain']:.3f}".replace("-", "−")


def _variations() -> str:
    _, runs = shown_runs(table_cifar10_varied.EXPERIMENT)
    parts = [
        f"{name} by {_difference(runs, (method, ALL), (MEAN, ALL), 'cross_entropy')}"
        for method, name in VARIATIONS.items()
    ]
    n_runs = runs["seed"].nunique()
    return (
        f"On the validation set of the second setting ({n_runs} runs), the code changed the "
        f"cross-entropy {', '.join(parts)}."
    )


def write_guide() -> None:
    """Write the results to the page of the guide."""
    GUIDE.write_text(with_results(GUIDE.read_text("utf-8")), "utf-8")
