"""Parts of the papers' pages of figures, and the adaptive weights of several teachers."""

import doctest
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from examples.papers import figures, reproduction
from examples.papers.biryukova import figures as biryukova
from examples.papers.biryukova.table_generations import NUMBERS, PUBLISHED, row_of
from examples.papers.gorpinich_2022 import figures as gorpinich
from examples.papers.gorpinich_2022 import table_synthetic
from examples.papers.sedova_2022 import table_adaptive
from examples.papers.sedova_2022.table_cifar10 import RunData

MODULES = list(reproduction.FIGURES.values())


def test_the_doctests_pass():
    assert doctest.testmod(figures) == doctest.TestResults(failed=0, attempted=2)


@pytest.mark.parametrize("module", MODULES)
def test_each_figure_of_a_page_is_an_image(module):
    page = reproduction.import_module(module).FIGURES
    assert page.captions
    for name in page.captions:
        with Image.open(page.file(name)) as image:
            assert min(image.size) > 150
    folder = Path(page.script).parent
    used = {folder / name for name in page.captions}
    assert not set(folder.glob("*.png")) - used


def test_costs_are_relative_to_a_training_without_teacher():
    table = gorpinich.costs().set_index(["data", "method"])
    runs = pd.read_csv(table_synthetic.EXPERIMENT.file("_runs"), keep_default_na=False)
    runs = runs[(runs["scale"] == "full") & (runs["setting"] == "one draw")]
    seconds = runs.pivot(index="seed", columns="method", values="seconds").astype(float)
    expected = np.exp(np.log(seconds["gradient"] / seconds["none"]).mean())
    found = table.loc[("synthetic, one draw", "gradient")]
    assert found["cost"] == pytest.approx(expected, rel=1e-9)
    assert found["cost_low"] < expected < found["cost_high"]
    assert (table.xs("none", level="method")["cost"] == 1).all()


@pytest.mark.parametrize("method", PUBLISHED)
def test_both_pages_of_generations_quote_the_same_numbers(method):
    for number in NUMBERS:
        name = method if number == 0 else f"{method} {number}"
        of_table = [values[number] for values in PUBLISHED[method]]
        assert of_table == [values[-1] for values in biryukova.PUBLISHED[name]], row_of(
            method, number
        )


@pytest.fixture
def two_teachers():
    """Each of two teachers knows the labels where one feature has its sign."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = rng.integers(10, size=400)
    right, wrong = np.full((2, 400, 10), 0.02)
    right[np.arange(400), y] = 0.82
    wrong[np.arange(400), (y + 1) % 10] = 0.82
    first = X[:, :1] > 0
    proba = [np.where(first, right, wrong), np.where(first, wrong, right)]
    return RunData(X, y, np.arange(400) < 200, [], proba, [], {}, {})


def test_the_gate_believes_the_right_teacher(two_teachers):
    weights = table_adaptive.gate(two_teachers)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    unseen = ~two_teachers.labelled
    believed = weights.argmax(axis=1) == (two_teachers.X[:, 0] <= 0)
    assert believed[unseen].mean() > 0.9  # of a gate that is regularised
    mixed = table_adaptive.with_gate(two_teachers, two_teachers.proba)
    np.testing.assert_allclose(mixed.sum(axis=1), 1)
    assert (mixed.argmax(axis=1) == two_teachers.y)[unseen].mean() > 0.9


def test_a_masked_teacher_has_no_weight(two_teachers):
    masked = [proba.copy() for proba in two_teachers.proba]
    masked[0][:10], masked[1][5:10] = np.nan, np.nan
    mixed = table_adaptive.with_gate(two_teachers, masked)
    np.testing.assert_allclose(mixed[:5], two_teachers.proba[1][:5])
    assert np.isnan(mixed[5:10]).all()


def test_one_weight_for_each_teacher(two_teachers):
    """The better teacher gets the larger weight, and the same one for all samples."""
    first = two_teachers.X[:, 0] > -1
    proba = [np.where(first[:, None], one, other) for one, other in [
        (two_teachers.proba[0], two_teachers.proba[1]),
        (two_teachers.proba[1], two_teachers.proba[0]),
    ]]  # fmt: skip
    data = replace(two_teachers, proba=proba)
    mixed = table_adaptive.with_learned_weights(data, proba)
    shares = (mixed - proba[1]) / np.where(proba[0] == proba[1], np.nan, proba[0] - proba[1])
    assert np.nanstd(shares) < 1e-9
