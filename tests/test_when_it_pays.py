"""The guide is generated from the file of results, and its sentences follow from the intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from threadpoolctl import threadpool_limits

from benchmarks import when_it_pays
from benchmarks.when_it_pays import (
    Gain,
    cell_gains,
    mean_by_table,
    over_tables,
    part,
    select,
    with_results,
)
from benchmarks.when_it_pays_cells import (
    CHOICES,
    CSV,
    IMITATIONS,
    PLAN,
    STUDENTS,
    TABLES,
    TEMPERATURES,
    Cell,
    all_cells,
    load,
    measure_cell,
    split_rows,
)

RESULTS = pd.read_csv(CSV)
KEYS = [*Cell._fields, "split"]
CELLS = cell_gains(RESULTS, "accuracy")


def test_the_page_has_the_results_of_the_file():
    page = when_it_pays.PAGE.read_text("utf-8")
    assert with_results(page, RESULTS) == page
    better = RESULTS.assign(distilled_accuracy=RESULTS["distilled_accuracy"] + 0.01)
    assert with_results(page, better) != page


def test_rows_of_the_file_are_cells_of_the_plan():
    assert not RESULTS.duplicated(KEYS).any()
    assert {Cell(*key) for key in RESULTS[KEYS[:-1]].itertuples(index=False)} <= set(all_cells())
    splits = {choice: set() for choice in CHOICES}
    for choice, planned, _ in PLAN:
        splits[choice].update(planned)
    for choice, rows in RESULTS.groupby("choice"):
        assert set(rows["split"]) <= splits[choice]
    default = RESULTS[RESULTS["choice"] == "default"]
    assert len(default.groupby(KEYS[:-1])) == len(all_cells()) / len(CHOICES)  # none is missing


def test_chosen_values_are_those_of_the_grid():
    default = RESULTS[RESULTS["choice"] == "default"]
    assert (default["imitation"] == 0.5).all()
    assert (default["temperature"] == 1).all()
    chosen = RESULTS[RESULTS["choice"] == "CV"]
    none = chosen["temperature"].isna()
    metrics = [f"{{}}_{metric}" for metric in when_it_pays.METRICS]
    for metric in metrics:
        of_baseline = chosen.loc[none, metric.format("baseline")]
        assert (chosen.loc[none, metric.format("distilled")] == of_baseline).all()
    grid = chosen[~none & (chosen["student"] != "linear")]
    assert set(grid["imitation"]) <= set(IMITATIONS)
    assert set(grid["temperature"]) <= set(TEMPERATURES)


def test_cells_have_the_rows_of_their_tables():
    cells = all_cells()
    assert len(set(cells)) == len(cells)
    for cell in cells:
        assert cell.labelled + cell.unlabelled + cell.test <= TABLES[cell.table].n_rows
    for name in ("breast cancer", "digits", "interactions", "linear logits"):
        assert load(name).y.shape == (TABLES[name].n_rows,)
    cell = Cell("digits", 300, 958, 539, "tree", "default")
    assert cell in cells
    data = split_rows(cell, 0)
    assert (len(data.X), len(data.X_unlabelled), len(data.X_test)) == (300, 958, 539)
    rows = np.concatenate([data.X, data.X_unlabelled, data.X_test])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_a_gain_over_tables_has_a_t_interval():
    values = pd.Series([0.01, 0.03, 0.02, 0.06])
    gain = over_tables(values)
    expected = t.interval(0.95, 3, values.mean(), values.sem())
    assert (gain.mean - gain.reach, gain.mean + gain.reach) == pytest.approx(expected)
    assert Gain(0.02, 0.01).text("accuracy") == "**+2.0** ± 1.0"
    assert Gain(-0.02, 0.03).text("log_loss") == "-0.020 ± 0.030"
    assert [Gain(mean, 1).sign for mean in (2, 0.5, -2)] == [1, 0, -1]


def test_a_loss_that_falls_is_a_gain():
    cells = cell_gains(RESULTS, "log_loss")
    first = cells.iloc[0]
    rows = RESULTS
    for name in Cell._fields:
        rows = rows[rows[name] == first[name]]
    assert first["mean"] == pytest.approx(
        (rows["baseline_log_loss"] - rows["distilled_log_loss"]).mean()
    )


@pytest.mark.parametrize("student", STUDENTS)
@pytest.mark.parametrize("unlabelled", [True, False])
def test_sentences_follow_from_the_intervals(student, unlabelled):
    gain = over_tables(mean_by_table(select(CELLS, student, unlabelled, "default")))
    (sentence,) = (
        line for line in part(RESULTS).split("\n") if f"**{student.capitalize()}**" in line
    )
    clause = sentence.split("; without them")[not unlabelled]
    assert gain.text("accuracy") in clause
    assert ("gains (" in clause) == (gain.sign > 0)
    assert ("loses (" in clause) == (gain.sign < 0)


def test_claims_of_the_page_on_labels_and_unlabelled_samples():
    def sign(student, n, other=None):
        cells = select(CELLS, student, True, "default")
        wide = cells.pivot(index="table", columns="labelled", values="mean").dropna()
        return over_tables(wide[n] - (wide[other] if other else 0)).sign

    assert [sign(student, 300, 3000) for student in ("tree", "boosting")] == [1, 1]
    assert [sign("boosting", n) for n in (300, 3000)] == [1, -1]
    without = {
        student: over_tables(mean_by_table(select(CELLS, student, False, "default"))).sign
        for student in STUDENTS
    }
    assert [student for student, gains in without.items() if gains > 0] == ["tree"]
    assert (select(CELLS, "tree", True, "default")["sign"] >= 0).all()


def test_claims_of_the_page_on_tables():
    linear, network = (select(CELLS, name, True, "default") for name in ("linear", "network"))
    assert mean_by_table(network).idxmax() == "covertype"
    by_table = mean_by_table(linear).sort_values(ascending=False)
    assert set(by_table.index[:2]) == {"Sentiment140", "covertype"}
    assert by_table.iloc[2] < 0.005
    few = linear[(linear["table"] == "covertype") & (linear["labelled"] < 3000)]
    assert (few["sign"] == 1).all()
    assert (linear.loc[linear["table"] == "linear logits", "sign"] <= 0).all()


def test_claims_of_the_page_on_log_loss():
    cells = cell_gains(RESULTS, "log_loss")
    default, chosen = (cells[cells["choice"] == choice] for choice in CHOICES)
    worse = default[default["sign"] < 0]
    assert set(worse["student"]) == set(STUDENTS) - {"tree"}
    assert (chosen["sign"] >= 0).all()
    for unlabelled in (False, True):
        gain = over_tables(mean_by_table(select(cells, "tree", unlabelled, "default")))
        assert gain.sign > 0
    by_cv = RESULTS[(RESULTS["choice"] == "CV") & RESULTS["student"].isin(["boosting", "network"])]
    assert 0.4 < by_cv["temperature"].isna().mean() < 0.6


@pytest.mark.parametrize("student", ["tree", "linear"])
def test_the_script_reproduces_the_file(student, tmp_path):
    cell = Cell("breast cancer", 300, 99, 170, student, "default")
    with threadpool_limits(1):
        row = measure_cell(cell, 0, str(tmp_path))
    key = pd.Series(cell._asdict() | {"split": 0})
    (stored,) = RESULTS[(RESULTS[KEYS] == key).all(axis=1)].to_dict("records")
    for name in ("teacher_log_loss", "baseline_log_loss", "distilled_log_loss"):
        assert row[name] == pytest.approx(stored[name], rel=0.02)
