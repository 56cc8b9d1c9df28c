"""A CSV file as users have them: what cannot be read is one line, what cannot be used is named."""

import bz2
import gzip
import logging
import lzma
import os
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from sklearn_distill.__main__ import main
from sklearn_distill.experiment import table_data
from sklearn_distill.experiment._table import read_table

N = 100
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"size": RNG.normal(size=N), "kind": np.tile(["a", "b"], N // 2)})
CSV = TABLE.to_csv(index=False).encode()


def write(folder, name="table.csv", **columns):
    path = folder / name
    TABLE.assign(**columns).to_csv(path, index=False)
    return str(path)


def features(path):
    return read_table(path, "kind").features


# contents of a column, and why it is left out
USELESS = {
    "empty": ([None] * N, "no values"),
    "ISO dates": (pd.date_range("2020-01-01", periods=N).repeat(2)[:N], "dates"),
    "dates with hours": (["2020-01-31 12:30:00"] * N, "dates"),
    "European dates": (["31.01.2020", "1.2.2020"] * (N // 2), "dates"),
    "American dates": (["01/31/2020", None] * (N // 2), "dates"),
    "a counter": (np.arange(N) + 7, "counts the rows"),
    "a shuffled counter": (RNG.permutation(N), "counts the rows"),
    "one number": ([3] * N, "the same value in each row, 3"),
    "one text": (["b"] * N, "the same value in each row, b"),
    "texts that all differ": ([f"u{i}" for i in range(N)], "another text in each row"),
}


@pytest.mark.parametrize("case", USELESS)
def test_what_no_model_can_use_is_left_out_and_named(tmp_path, caplog, case):
    values, why = USELESS[case]
    with caplog.at_level(logging.INFO):
        table = read_table(write(tmp_path, extra=values), "kind")
    assert table.features.columns.tolist() == ["size"]
    assert table.everything.columns.tolist() == ["size", "extra"]
    assert "Column extra is left out: " in caplog.text
    assert why in caplog.text
    (tmp_path / "alone.csv").write_text(
        pd.DataFrame({"extra": values, "kind": TABLE["kind"]}).to_csv(index=False)
    )
    with pytest.raises(ValueError, match=rf"no column besides the target kind .*extra \(.*{why}"):
        read_table(str(tmp_path / "alone.csv"), "kind")


@pytest.mark.parametrize("name", ["id", "ID", "user_id", "userId", "customer id", "index"])
def test_distinct_numbers_identify_by_their_name_only(tmp_path, name):
    numbers = 13 * RNG.permutation(N)
    assert name not in features(write(tmp_path, **{name: numbers}))
    assert "paid" in features(write(tmp_path, paid=numbers))
    assert name in features(write(tmp_path, **{name: numbers // 100}))


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=N),
        [True, False] * (N // 2),
        [True, None] * (N // 2),
        ["red", "green"] * (N // 2),
        ["12-34-5678", "1.5.6"] * (N // 2),
        ["1"] * (N - 1) + ["x"],
        [2020, 2021] * (N // 2),
    ],
    ids=["floats", "booleans", "some booleans", "words", "no dates", "mixed", "years"],
)
def test_what_a_model_can_use_stays(tmp_path, values):
    assert "extra" in features(write(tmp_path, extra=values))
    data = table_data(write(tmp_path, extra=values), "kind")
    X, _, y = data.part("student")
    student = data.students[0].estimator.set_params(distilledlogisticregression__imitation=0)
    student.fit(X, y)
    assert np.isfinite(student.predict_proba(data.part("test")[0])).all()


@pytest.mark.slow
def test_types_that_are_mixed_late_in_a_long_column(tmp_path):
    n = 300_000  # pandas reads chunks of fewer rows unless low_memory=False
    table = pd.DataFrame({"m": ["1"] * (n - 1) + ["x"], "kind": ["a", "b"] * (n // 2)})
    table.to_csv(tmp_path / "long.csv", index=False)
    column = features(str(tmp_path / "long.csv"))["m"]
    assert column.map(type).unique().tolist() == [str]


def zipped(**files):
    def write_zip(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)

    return write_zip


def written(content):
    return lambda path: path.write_bytes(content)


UNREADABLE = {
    "empty.csv": written(b""),
    "binary.csv": written(bytes(range(256)) * 9),
    "ragged.csv": written(b"a,kind\n1,2\n1,2,3,4\n"),
    "truncated.csv.gz": written(gzip.compress(CSV)[:-100]),
    "corrupt.csv.gz": written(gzip.compress(CSV)[:50] + b"\0" * 40 + gzip.compress(CSV)[90:]),
    "plain.csv.gz": written(CSV),
    "truncated.csv.bz2": written(bz2.compress(CSV)[:-100]),
    "plain.csv.bz2": written(CSV),
    "truncated.csv.xz": written(lzma.compress(CSV)[:-100]),
    "plain.csv.xz": written(CSV),
    "plain.csv.zip": written(CSV),
    "plain.csv.tar": written(CSV),
    "plain.csv.zst": written(CSV),
    "two.csv.zip": zipped(a=CSV, b=CSV),
    "none.csv.zip": zipped(),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_is_reported_on_one_line(tmp_path, capsys, name):
    UNREADABLE[name](tmp_path / name)
    assert main(["--data", str(tmp_path / name), "--target", "kind"]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"error: --data {tmp_path / name}: not a readable CSV table: ")
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"extra": [np.inf, 1] * (N // 2)}, "column extra has a number beyond"),
        ({"extra": [-1e300, 1] * (N // 2)}, "column extra has a number beyond"),
        ({f"c{i}": i for i in range(40)} | {"kind": None}, "there must be two classes, got 0"),
    ],
    ids=["infinite", "huge", "no labels"],
)
def test_unusable_numbers_are_reported_on_one_line(tmp_path, capsys, column, message):
    assert main(["--data", write(tmp_path, **column), "--target", "kind"]) == 2
    line = capsys.readouterr().err
    assert message in line
    assert line.count("\n") == 1


def test_few_of_many_columns_are_listed(tmp_path, capsys):
    path = write(tmp_path, **{f"c{i}": i for i in range(40)})
    assert main(["--data", path, "--target", "sort"]) == 2
    assert capsys.readouterr().err.endswith("c16, c17 and 22 more\n")


@pytest.mark.parametrize(
    "name",
    ["", ".", "/", "a\0b.csv", "x" * 5000, "http://example.org/x.csv", "a\nb.csv"],
    ids=["empty", "here", "root", "null character", "long", "an address", "a line break"],
)
def test_what_is_no_file_is_reported_on_one_line(capsys, name):
    assert main(["--data", name, "--target", "kind"]) == 2
    line = capsys.readouterr().err
    assert line.endswith(": there is no such file\n")
    assert line.count("\n") == 1


@pytest.mark.parametrize("name", ["-x .csv", "ü #%.csv", "$a_$.csv", "a\nb.csv", b"\xff\xfe.csv"])
def test_odd_names_can_be_read_and_printed(tmp_path, name):
    if isinstance(name, bytes) and sys.platform != "linux":
        pytest.skip("only Linux has names that are not UTF-8")
    data = table_data(write(tmp_path, os.fsdecode(name)), "kind")
    assert data.name.encode("utf-8")


def test_parquet(tmp_path, monkeypatch, capsys):
    path = tmp_path / "table.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setattr("sklearn_distill.experiment._table.find_spec", lambda name: None)
    assert main(["--data", str(path), "--target", "kind"]) == 2
    line = f"error: --data {path}: Parquet needs pyarrow: pip install pyarrow\n"
    assert capsys.readouterr().err == line
    monkeypatch.setattr("sklearn_distill.experiment._table.find_spec", lambda name: "found")
    typed = TABLE.assign(
        date=pd.date_range("2020-01-01", periods=N),
        paint=pd.Categorical(["red", "green"] * (N // 2)),
        count=pd.array([1, None] * (N // 2), dtype="Int64"),
        paid=pd.array([True, None] * (N // 2), dtype="boolean"),
        nested=[[1], [2]] * (N // 2),
    )
    monkeypatch.setattr(pd, "read_parquet", lambda path: typed)
    read = features(str(path))
    assert read.columns.tolist() == ["size", "paint", "count", "paid"]
    assert read["paint"].tolist() == typed["paint"].tolist()
    assert read["count"].dtype == np.float64
    one_hot = table_data(str(path), "kind").students[0].estimator[0]
    assert one_hot.fit_transform(read).shape == (N, 1 + 2 + 2 + 2)


def test_unlabelled_rows_have_the_columns_of_the_table(tmp_path):
    path = write(tmp_path, extra=["x", None] * (N // 2))
    other = tmp_path / "unlabeled.csv"
    TABLE[["size"]].assign(extra=None, more=1).to_csv(other, index=False)
    read = table_data(path, "kind", unlabeled=str(other)).X_unlabeled
    assert read.columns.tolist() == ["size", "extra"]
    assert read["extra"].dtype == object
    TABLE[["size"]].to_csv(other, index=False)
    with pytest.raises(ValueError, match=r"--unlabeled .* lacks the columns extra"):
        table_data(path, "kind", unlabeled=str(other))
    TABLE[["kind"]].assign(size="big", extra="x").to_csv(other, index=False)
    with pytest.raises(ValueError, match=r"--unlabeled .* column size has texts"):
        table_data(path, "kind", unlabeled=str(other))
