"""The pages are generated from the files of results, and the text agrees."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import boosting, boosting_cost, tree_criteria

RESULTS = pd.read_csv(boosting.CSV)
COSTS = pd.read_csv(boosting_cost.CSV)
TREES = pd.read_csv(tree_criteria.CSV)


def test_the_guide_has_the_table_of_the_file():
    page = boosting.PAGE.read_text("utf-8")
    assert boosting.with_table(page, RESULTS) == page
    for column in ("log_loss", "accuracy", "ms_1", "ms_1000"):
        assert boosting.with_table(page, RESULTS.assign(**{column: RESULTS[column] + 1})) != page


def test_every_model_has_the_same_splits():
    for unlabelled in (True, False):
        splits = list(range(boosting.n_splits(RESULTS, unlabelled=unlabelled)))
        assert len(splits) >= boosting.MIN_SPLITS
        for table, sizes in boosting.SIZES.items():
            for size in sizes:
                for model in boosting.MODELS if (size.unlabelled > 0) == unlabelled else ():
                    rows = boosting.by_split(RESULTS, table, size, model)
                    assert rows.index.tolist() == splits, (table, size, model)


def test_rows_of_a_split_are_disjoint():
    y = np.arange(10_000) % 3
    for size in boosting.SIZES["adult"]:
        parts = boosting.split_rows(y, size, 0)
        assert [len(part) for part in parts] == list(size)
        assert len(np.unique(np.concatenate(parts))) == sum(size)


def test_the_best_temperature_calibrates():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1], size=5000)
    y = (p.cumsum(axis=1) > rng.random((5000, 1))).argmax(axis=1)
    unsure = np.sqrt(p) / np.sqrt(p).sum(axis=1, keepdims=True)
    assert boosting.best_temperature(p, y) == 1.0
    assert boosting.best_temperature(unsure, y) == 0.5


@pytest.mark.parametrize("table", ["covertype", "adult", "interactions"])
def test_the_distilled_student_beats_boosting_on_the_labels(table):
    models = (boosting.DISTILLED, boosting.ALONE)
    _, low, _ = boosting.gain(RESULTS, table, boosting.SIZES[table][0], models, "log_loss")
    assert low > 0


def test_digits_need_another_temperature():
    size = boosting.SIZES["digits"][0]

    def over_labels(model, metric):
        return boosting.gain(RESULTS, "digits", size, (model, boosting.ALONE), metric)

    _, low, high = over_labels(boosting.DISTILLED, "log_loss")
    assert low < 0 < high
    assert over_labels(boosting.DISTILLED, "accuracy")[0] > 0
    assert over_labels(boosting.SHARPENED, "log_loss")[1] > 0


@pytest.mark.parametrize("table", boosting.SIZES)
def test_a_regressor_a_class_has_no_smaller_loss(table):
    models = (boosting.DISTILLED, boosting.REGRESSORS)
    mean, *_ = boosting.gain(RESULTS, table, boosting.SIZES[table][0], models, "log_loss")
    assert mean > 0


def test_ours_is_as_good_as_other_objectives():
    losses = COSTS[COSTS["what"] == boosting_cost.LOSS].groupby("against")[["ours", "theirs"]]
    means = losses.mean().loc[[boosting_cost.LIBRARY_OBJECTIVE, boosting_cost.BY_HAND]]
    assert (means["ours"] <= boosting_cost.LOSS_TARGET * means["theirs"]).all()


def test_peak_memory_is_at_most_twice_that_of_the_own_fit():
    memory = COSTS[COSTS["what"] == boosting_cost.MEMORY]
    assert (memory["ours"] <= boosting_cost.MEMORY_TARGET * memory["theirs"]).all()


def test_trees_by_entropy():
    """The guide says so."""
    better = {table: tree_criteria.gain(TREES, table, "log_loss") for table in boosting.SIZES}
    assert [table for table, (_, low, _) in better.items() if low > 0] == ["covertype"]
    assert all(high > 0 for *_, high in better.values())
    of_covertype = TREES[TREES["table"] == "covertype"].groupby("criterion")["log_loss"].mean()
    assert of_covertype.round(3).to_dict() == {"gini": 0.803, "entropy": 0.776}
    assert TREES.groupby(["table", "criterion"])["split"].nunique().eq(tree_criteria.N_SPLITS).all()
