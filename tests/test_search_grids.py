"""The tables on what to search are generated from the files of results, and the text agrees."""

import numpy as np
import pandas as pd

from benchmarks import search_together, temperature_grids
from benchmarks.when_it_pays import over_tables
from benchmarks.when_it_pays_cells import STUDENTS

TOGETHER = pd.read_csv(search_together.CSV)
TEMPERATURES = pd.read_csv(temperature_grids.CSV)


def test_the_page_has_the_tables_of_the_files():
    page = search_together.PAGE.read_text("utf-8")
    assert search_together.with_table(page, TOGETHER) == page
    assert temperature_grids.with_tables(page, TEMPERATURES) == page
    worse = TEMPERATURES.assign(test_loss=TEMPERATURES["test_loss"] * 1.1)
    assert temperature_grids.with_tables(page, worse) != page


def test_the_files_are_complete():
    n_splits = search_together.N_SPLITS * len(search_together.TABLES)
    assert len(TOGETHER) == n_splits * 2 * len(search_together.SETTINGS)
    n_settings = 1 + len(temperature_grids.IMITATIONS) * len(temperature_grids.TEMPERATURES)
    n_splits = temperature_grids.N_SPLITS * len(temperature_grids.TABLES)
    assert len(TEMPERATURES) == n_splits * len(STUDENTS) * n_settings


def test_a_grid_chooses_by_the_validation_loss():
    losses = {(0.0, np.nan): (0.5, 0.6), (0.5, 1.0): (0.4, 0.7), (0.5, 3.0): (0.3, 0.8)}
    rows = pd.DataFrame(
        [
            ("tree", "digits", 0, imitation, temperature, *values)
            for (imitation, temperature), values in losses.items()
        ],
        columns=["student", "table", "split", "imitation", "temperature", "validation_loss",
                 "test_loss"],
    )  # fmt: skip
    assert temperature_grids.chosen_losses(rows, (1.0,)).tolist() == [0.7]
    assert temperature_grids.chosen_losses(rows, (1.0, 3.0)).tolist() == [0.8]
    assert temperature_grids.chosen_losses(rows, (0.5,)).tolist() == [0.6]


def test_only_what_is_searched_differs_from_the_defaults():
    for setting, searched in search_together.SETTINGS.items():
        rows = TOGETHER[TOGETHER["setting"] == setting]
        alone = setting.startswith("labels alone")
        defaults = {"imitation": 0.0 if alone else 0.5, "temperature": 1.0, "C": 1.0}
        for name, value in defaults.items():
            assert (rows[name] == value).all() == (name not in searched), (setting, name)


def test_claims_of_the_page_on_temperatures():
    def sign(student, T):
        return over_tables(temperature_grids.over_one(TEMPERATURES, student, T)).sign

    assert [sign(student, 0.25) for student in ("linear", "tree")] == [1, 1]  # a loss
    assert [sign("boosting", T) for T in (2.0, 3.0)] == [-1, -1]
    for student in STUDENTS:
        for grid in temperature_grids.GRIDS:
            if grid != "1":
                gain = over_tables(temperature_grids.over_default(TEMPERATURES, student, grid))
                assert gain.sign == 0
                assert abs(gain.mean) < 0.01


def test_claims_of_the_page_on_searching_together():
    by_setting = {
        setting: pd.concat(
            search_together.differences(TOGETHER, setting, unlabelled).rename(
                lambda table, n=unlabelled: (table, n)
            )
            for unlabelled in (0, search_together.N_UNLABELLED)
        )
        for setting in search_together.SETTINGS
    }
    default, only_C, together = (
        by_setting[name]
        for name in ("λ = ½, T = 1, C = 1", "C searched, λ = ½, T = 1", "λ, T and C searched")
    )
    worse = default[default > 0.02].index
    assert set(worse) == {(t, n) for t in ("MNIST", "linear logits") for n in (0, 2000)}
    assert (only_C[worse] > 0.02).all()
    assert (together < 0.005).all()
    # on text, the guide on when distillation pays says
    for n in (0, search_together.N_UNLABELLED):
        assert by_setting["labels alone, C = 1"]["Sentiment140", n] > 0.5
        assert abs(together["Sentiment140", n]) < 0.005
    with_unlabelled = {name: values["covertype", 2000] for name, values in by_setting.items()}
    assert min(with_unlabelled, key=with_unlabelled.get) == "λ, T and C searched"
    C = TOGETHER.pivot_table(
        index=["unlabelled", "table", "split"], columns="setting", values="C", sort=False
    )
    ratio = C["λ, T and C searched"] / C[search_together.BASELINE]
    assert ((ratio > 1).sum(), len(ratio), round(ratio.median())) == (21, 24, 41)
