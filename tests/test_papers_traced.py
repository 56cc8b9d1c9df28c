"""Each sentence on the reproduction pages that states a result is traced to a CSV file.

Claims and figures are computed again here, by other means, from the stored runs; findings change
with the numbers that they are computed from; and what is written by hand states no result.
"""

import re
from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from examples.papers import reproduction
from examples.papers.runs import read_runs

TABLES = [
    pytest.param(table, id=table.name)
    for _, tables in reproduction.tables()
    for table in tables
    if table.scale is not None
]
PAGES = {
    path.stem: path.read_text("utf-8")
    for path in [reproduction.PAGE, *reproduction.FOLDER.glob("*.md")]
}
# changes of the numbers of a file: noise, and trends over its lines
CHANGES = {
    "noise": lambda x: x * np.random.default_rng(0).lognormal(sigma=0.5, size=len(x)),
    "rising": lambda x: np.geomspace(1, 1e3, len(x)),
    "falling": lambda x: np.geomspace(1e3, 1, len(x)),
}
FIGURES = [
    pytest.param(module, id=module)
    for module in reproduction.FIGURES.values()
    if reproduction.import_module(module).FIGURES.findings is not tuple  # it has none
]


def cells(page, head):
    """Return the cells of the table with this head, one list for each line."""
    _, _, below = page.partition(head)
    lines = below.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def stored_runs(table):
    """Return the runs of the page's scale as they are in the file."""
    file = table.experiment.file("_runs")
    runs = pd.read_csv(
        file, keep_default_na=False, na_values={m: [""] for m in table.experiment.measures}
    )
    scale = re.search(r"Scale \*\*(\w+)\*\*", PAGES[table.name])[1]
    return runs[runs["scale"] == scale].drop_duplicates(["seed", "method", "setting"])


def values(runs, row, measure):
    method, setting = row
    found = runs[(runs["method"] == method) & (runs["setting"] == setting)]
    return dict(zip(found["seed"], pd.to_numeric(found[measure]), strict=True))


def read_claim(text, rows):
    """Return measure, row, sign and other side of a claim's sentence."""
    measure, _, rest = text.partition(" of ")
    left, sign, right = re.fullmatch(r"(.*) ([<>]) (.*)", rest).groups()
    by_name = {", ".join(row): row for row in rows}
    return measure, by_name[left], sign, by_name.get(right) or float(right)


def gains_of(text, table, runs):
    measure, row, sign, other = read_claim(text, table.experiment.rows)
    if measure.startswith("log("):
        runs, measure = runs.copy(), measure[4:-1]
        runs[measure] = np.log(pd.to_numeric(runs[measure]))
    mine = values(runs, row, measure)
    theirs = (
        values(runs, other, measure) if isinstance(other, tuple) else dict.fromkeys(mine, other)
    )
    gains = [mine[seed] - theirs[seed] for seed in mine if seed in theirs]
    gains = np.array([gain for gain in gains if not np.isnan(gain)])
    return -gains if sign == "<" else gains


def verdict_of(gains, p_limit):
    """Return the verdict of a t test of the gains at a level."""
    if len(gains) < 2:
        return "undecided"
    p = p_value(gains)
    return "undecided" if p >= p_limit else "holds" if gains.mean() > 0 else "does not hold"


def p_value(gains):
    if np.ptp(gains) == 0:
        return 1.0 if gains[0] == 0 else 0.0
    return float(stats.ttest_1samp(gains, 0).pvalue)


@pytest.mark.parametrize("table", TABLES)
def test_every_claim_is_that_of_the_stored_runs(table):
    runs = stored_runs(table)
    lines = cells(PAGES[table.name], "| claim | gain |")
    assert len(lines) == len(table.experiment.claims)
    gains = {claim: gains_of(claim, table, runs) for claim, *_ in lines}
    # Holm's method, one claim after the other: the smallest p has to be below .05 / n, ...
    open_claims = sorted((c for c in gains if len(gains[c]) > 1), key=lambda c: p_value(gains[c]))
    adjusted = dict.fromkeys(gains, "undecided")
    for number, claim in enumerate(open_claims):
        if p_value(gains[claim]) >= 0.05 / (len(open_claims) - number):
            break
        adjusted[claim] = verdict_of(gains[claim], 0.05)
    for claim, mean, interval, n_runs, alone, of_table in lines:
        found = gains[claim]
        assert mean == f"{found.mean():+.4f}"
        assert int(n_runs) == len(found)
        if np.ptp(found) > 0:
            ends = stats.ttest_1samp(found, 0).confidence_interval(0.95)
            assert interval == f"{ends.low:+.4f} … {ends.high:+.4f}"
        assert alone == verdict_of(found, 0.05)
        assert of_table == f"**{adjusted[claim]}**"


@pytest.mark.parametrize("table", TABLES)
def test_every_figure_is_that_of_the_stored_runs(table):
    runs = stored_runs(table)
    lines = cells(PAGES[table.name], "| | | measure | published |")
    assert lines
    for method, setting, measure, published, ours, n_runs, verdict in lines:
        found = np.array([v for v in values(runs, (method, setting), measure).values() if v == v])
        mean, spread = (float(number) for number in ours.split(" ± "))
        assert mean == pytest.approx(found.mean(), rel=1e-3)
        assert spread == pytest.approx(found.std(ddof=1), rel=0.06, abs=1e-9)
        assert int(n_runs) == len(found)
        known = table.experiment.published.get((method, setting), {}).get(measure, np.nan)
        if np.isnan(known):
            assert (published, verdict) == ("–", "")
        else:
            value, _, spread = published.partition(" ± ")
            assert float(value) == known
            assert verdict.partition(";")[0] == agreement_of(found, known, spread, measure)


def agreement_of(found, value, spread, measure):
    """Return the verdict on a published value by what the legend says."""
    margin = MARGINS.get(measure, 0.05 * abs(value))
    if len(found) < 2:
        return "too few runs"
    theirs = float(spread) if spread else found.std(ddof=1)
    error = np.hypot(found.std(ddof=1), theirs) / np.sqrt(len(found))
    gap, half = found.mean() - value, stats.t(len(found) - 1).isf(0.025) * error
    if abs(gap) + half <= max(margin, float(spread or 0)):
        return "agrees"
    if abs(gap) <= half:
        return "too few runs"
    if measure not in HIGHER_IS_BETTER | LOWER_IS_BETTER:
        return "differs"
    return "better" if (gap > 0) == (measure in HIGHER_IS_BETTER) else "worse"


HIGHER_IS_BETTER = {"accuracy", "train_accuracy"}
LOWER_IS_BETTER = {"cross_entropy", "l_real", "integral_criterion", "mean_squared_error"}
MARGINS = dict.fromkeys(HIGHER_IS_BETTER, 0.01) | {"mean_squared_error": 0.005, "growth": 0.002}
MARGINS |= dict.fromkeys(["cross_entropy", "l_real", "l_maxmin", "l_maxmin_std"], 0.02)


def test_the_summary_counts_what_the_pages_say():
    summary = {line[0]: line[1:] for line in cells(PAGES["reproduction"], "| paper | claims |")}
    for paper, tables in reproduction.tables():
        verdicts = Counter(
            line[-1].strip("*")
            for table in tables
            for line in cells(PAGES[table.name], "| claim | gain |")
        )
        agreements = Counter(
            line[-1].partition(";")[0]
            for table in tables
            for line in cells(PAGES[table.name], "| | | measure | published |")
            if line[3] != "–"
        )
        counts = [verdicts.total(), *(verdicts[name] for name in reproduction.VERDICTS)]
        counts += [agreements.total(), *(agreements[name] for name in reproduction.AGREEMENTS)]
        assert summary[paper] == [str(count) for count in counts]


@pytest.mark.parametrize("table", [one for one in TABLES if one.values[0].experiment.findings])
def test_findings_follow_the_runs(table):
    experiment = table.experiment
    runs = read_runs(experiment)
    sentences = list(experiment.findings(runs))
    assert all(sentence in PAGES[table.name] for sentence in sentences)
    seen = set()
    for change in CHANGES.values():
        changed = runs.assign(accuracy=change(runs["accuracy"]))
        seen |= set(enumerate(experiment.findings(changed))) - set(enumerate(sentences))
    # other numbers, other sentences
    assert {place for place, _ in seen} == set(range(len(sentences)))


@pytest.mark.parametrize("module", FIGURES)
def test_findings_of_figures_follow_their_files(module, monkeypatch):
    page = reproduction.import_module(module).FIGURES
    sentences = list(page.findings())
    text = PAGES[reproduction.page_name(module)]
    assert all(sentence in text for sentence in sentences)
    read, seen = pd.read_csv, set()
    for change in CHANGES.values():
        monkeypatch.setattr(pd, "read_csv", partial(read_changed, read, change))
        seen |= set(enumerate(page.findings())) - set(enumerate(sentences))
    # other numbers, other sentences
    assert {place for place, _ in seen} == set(range(len(sentences)))


NO_MEASURES = {"from", "temperature", "imitation"}


def read_changed(read, change, *args, **kwargs):
    """Read a CSV file with other measures."""
    table = read(*args, **kwargs)
    names = [name for name in table.select_dtypes("float") if name not in NO_MEASURES]
    return table.assign(**{name: change(table[name]) for name in names})


# words of a result: with a number, or of a comparison between models
RESULT = re.compile(
    r"accuracy of 0?\.\d|cross-entropy of 0?\.\d+ (?:after|with)|"
    r"(?:is|are|was|were) (?:much )?(?:better|worse|faster|slower|(?:more|less) accurate) than|"
    r"\b(?:harms?|may harm|helps|fails|undecided|holds in)\b"
)
# a sentence about the published experiment, or about the meaning of a row
NO_RESULT = {
    "the published teacher is better than its student",
    "an accuracy of .99983 on its training images",
}


@pytest.mark.parametrize("module", [*reproduction.MODULES, *reproduction.FIGURES.values()])
def test_what_is_written_by_hand_states_no_result(module):
    _, about = reproduction.title_and_about(module)
    prose = re.sub(r"\s+", " ", reproduction.without_code(about))
    for known in NO_RESULT:
        prose = prose.replace(known, "")
    assert RESULT.findall(prose) == []


def test_how_many_targets_the_hard_student_changes():
    """The page of Biryukova's students: three of 17,500 training images."""
    assert round((1 - 0.99983) * 17_500) == 3
