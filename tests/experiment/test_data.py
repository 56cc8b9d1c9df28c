import numpy as np
import pandas as pd
import pytest

from sklearn_distill.experiment import digits_data, table_data


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 400
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "weight": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "colour": rng.choice(["red", "green", None], size=n),
        }
    )
    noise = rng.logistic(size=n)
    frame["kind"] = np.where(frame["size"] + (frame["colour"] == "red") + noise > 0, "a", "b")
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


def test_parts_are_disjoint_and_stratified():
    for data in (digits_data(0), digits_data(3)):
        rows = np.concatenate(list(data.rows.values()))
        assert len(set(rows)) == len(rows) == 1797
        for name, size in {"teacher": 900, "student": 200, "test": 697}.items():
            y = data.part(name)[2]
            assert len(y) == size
            counts = np.bincount(y) / size
            assert np.abs(counts - 0.1).max() < 0.02


def test_seeds_split_differently():
    assert (digits_data(0).rows["student"] == digits_data(0).rows["student"]).all()
    assert (digits_data(0).rows["student"] != digits_data(1).rows["student"]).any()


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("linear", "distilledlogisticregression"),
        ("tree", "softtargetclassifier"),
        ("boosting", "distilledboostingclassifier"),
    ],
)
def test_table(kind, step, table):
    data = table_data(str(table), "kind", student=kind)
    assert {name: len(rows) for name, rows in data.rows.items()} == {
        "teacher": 200,
        "student": 100,
        "test": 100,
    }
    assert "kind" not in data.X.columns
    X, _, y = data.part("student")
    (student,) = data.students
    fitted = student.estimator.set_params(**{f"{step}__imitation": 0}).fit(X, y)
    assert set(student.grid) <= set(fitted[-1].get_params())
    assert np.isfinite(fitted.predict_proba(data.part("test")[0])).all()


def test_rows_without_a_target_are_dropped(table):
    frame = pd.read_csv(table)
    frame.loc[:39, "kind"] = None
    frame.to_csv(table, index=False)
    assert sum(map(len, table_data(str(table), "kind").rows.values())) == 360


@pytest.mark.parametrize(
    ("change", "target", "message"),
    [
        (None, "sort", "--target sort: .* no such column; it has size, weight, colour, kind"),
        ({"kind": "a"}, "kind", "there must be two classes, got 1"),
        ({"kind": ["c"] * 3 + ["a", "b"] * 198 + ["a"]}, "kind", "c has 3 .1 of 3 classes"),
    ],
)
def test_invalid_columns(table, change, target, message):
    if change:
        pd.read_csv(table).assign(**change).to_csv(table, index=False)
    with pytest.raises(ValueError, match=message):
        table_data(str(table), target)


def test_numbers_are_no_classes(table):
    with pytest.raises(ValueError, match="size: its values are not classes but continuous"):
        table_data(str(table), "size", task="classification")
    with pytest.raises(ValueError, match=r"kind: its values are not numbers, such as '[ab]'"):
        table_data(str(table), "kind", task="regression")


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (np.linspace(0, 9, 400), "regression"),
        (np.arange(400) % 20, "classification"),
        (np.arange(400) % 21, "regression"),
        (np.arange(400) % 20 + 0.0, "classification"),
        (np.arange(400) % 4 + 0.5, "regression"),
        (np.arange(400) % 2 == 0, "classification"),
        ([f"{n % 20}x" for n in range(400)], "classification"),
    ],
    ids=["floats", "20 digits", "21 digits", "whole floats", "halves", "booleans", "texts"],
)
def test_the_task_is_found_from_the_column(table, values, task):
    pd.read_csv(table).assign(target=values).to_csv(table, index=False)
    assert table_data(str(table), "target").task == task


def test_the_parts_of_a_regression_are_disjoint(table):
    rows = np.concatenate(list(table_data(str(table), "size").rows.values()))
    assert len(set(rows)) == len(rows) == 400


def test_a_teacher_with_privileged_columns_shares_the_students_rows(table):
    data = table_data(str(table), "kind", privileged=["size"])
    assert {name: len(rows) for name, rows in data.rows.items()} == {"student": 300, "test": 100}
    assert "size" not in data.X.columns
    assert "size" in data.X_teacher.columns


def test_invalid_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        table_data(str(tmp_path / "none.csv"), "kind")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ValueError, match="not a readable CSV"):
        table_data(str(tmp_path / "empty.csv"), "kind")
    (tmp_path / "one.csv").write_text("kind\na\n")
    with pytest.raises(ValueError, match="no column besides the target"):
        table_data(str(tmp_path / "one.csv"), "kind")
