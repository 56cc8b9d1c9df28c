"""Read a CSV or Parquet file as a table with a column to predict."""

from __future__ import annotations

import logging
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sklearn_distill.experiment._task import MAX_ABSOLUTE_VALUE, find_task

logger = logging.getLogger(__name__)

PARQUET = (".parquet", ".pq")

_UNREADABLE = (
    OSError,
    EOFError,
    ImportError,
    ValueError,  # pandas' own errors, text that is not UTF-8, an archive of several files
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
)
_DAY, _MONTH, _YEAR = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])", r"\d{4}"
_DATE = re.compile(
    rf"({_YEAR}[-/.]{_MONTH}[-/.]{_DAY}|({_DAY}[-/.]{_MONTH}|{_MONTH}[-/.]{_DAY})[-/.]{_YEAR})"
    r"([ T]\d{1,2}:\d{2}.*)?"
)
_ID_NAME = re.compile(r"(?i:id|index|unnamed: 0|.*[ _-]id)|.*[a-z]I[dD]")


@dataclass(frozen=True)
class Table:
    """The rows of a file that have a target.

    Parameters
    ----------
    features : DataFrame
        The columns that a model can use.
    everything : DataFrame
        All columns but the target.
    y : Series
        The target.
    task : {"classification", "regression"}
        What the target is.
    """

    features: pd.DataFrame
    everything: pd.DataFrame
    y: pd.Series
    task: str


def read_table(path: str, target: str, task: str = "auto") -> Table:
    """Return the rows that have a target, and the columns that a model can use.

    Columns without values, of one value, of dates, and of an identifier are left out, and named in
    the log.

    Parameters
    ----------
    path : str
        A CSV file with a header, which may be compressed, or a Parquet file.
    target : str
        Name of the column to predict.
    task : {"auto", "classification", "regression"}
        What the column has.

    Returns
    -------
    Table
        With at least one feature.

    Raises
    ------
    ValueError
        If the file is not a table, does not have this column, the column has not enough rows for
        the task, no other column is left, or a number is infinite or too large.
    FileNotFoundError
        If the file does not exist.
    ImportError
        If the file is Parquet and pyarrow is missing.
    """
    table = read_file(path, "--data")
    if target not in table.columns:
        raise ValueError(
            f"--target {target}: {path} has no such column; it has {some(table.columns)}"
        )
    if table.shape[1] < 2:
        raise ValueError(f"--data {path}: there is no column besides the target {target}")
    table = table.dropna(subset=[target]).reset_index(drop=True)
    y = table[target]
    found = find_task(y, target, task)
    everything = table.drop(columns=target)
    return Table(_usable_columns(everything, target, path), everything, y, found)


def read_unlabeled(path: str, like: pd.DataFrame) -> pd.DataFrame:
    """Return rows without a target, with the columns and their types of another table.

    Parameters
    ----------
    path : str
        A CSV or Parquet file. Its further columns are not used.
    like : DataFrame
        The table with the columns to read.

    Returns
    -------
    DataFrame
        All rows, with the columns of ``like``.

    Raises
    ------
    ValueError
        If a column is missing, or has texts in place of numbers.
    FileNotFoundError
        If the file does not exist.
    """
    table = read_file(path, "--unlabeled")
    missing = like.columns.difference(table.columns)
    if len(missing):
        raise ValueError(f"--unlabeled {path}: it lacks the columns {some(missing)}")
    if not len(table):
        raise ValueError(f"--unlabeled {path}: it has no rows")
    table = table[like.columns]
    for name in like.select_dtypes("number").columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise ValueError(f"--unlabeled {path}: column {name} has texts, in --data numbers")
    check_range(table, f"--unlabeled {path}")
    texts = like.columns.drop(like.select_dtypes("number").columns)
    return table.astype({name: like[name].dtype for name in texts})


def read_file(path: str, option: str) -> pd.DataFrame:
    """Return the table of a file.

    Parameters
    ----------
    path : str
        A Parquet file (``.parquet``, ``.pq``), or a CSV file with a header, which may be
        compressed.
    option : str
        The argument that named it, for messages.

    Returns
    -------
    DataFrame
        Its rows, with numbers of numpy's types and categories as texts.

    Raises
    ------
    ValueError
        If it cannot be read.
    FileNotFoundError
        If it does not exist.
    ImportError
        If it is Parquet and pyarrow is missing.
    """
    if not is_file(path):
        raise FileNotFoundError(f"{option} {path}: there is no such file")
    parquet = path.endswith(PARQUET)
    if parquet:
        _check_pyarrow(option, path)
    try:
        # low_memory=False: the type of a column is that of all its values, not of the first
        table = pd.read_parquet(path) if parquet else pd.read_csv(path, low_memory=False)
    except _UNREADABLE as error:
        kind = "Parquet" if parquet else "CSV"
        raise ValueError(f"{option} {path}: not a readable {kind} table: {error}") from error
    return _plain_types(table)


def _check_pyarrow(option: str, path: str) -> None:
    if find_spec("pyarrow") is None:
        raise ImportError(f"{option} {path}: Parquet needs pyarrow: pip install pyarrow")


def _plain_types(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with pandas' own types of numbers, texts and categories as numpy's."""
    table = table.rename(columns=str)
    for name, dtype in table.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            table[name] = table[name].astype(dtype.categories.dtype)
        elif pd.api.types.is_extension_array_dtype(dtype) and _is_number(dtype):
            table[name] = table[name].astype(np.float64)
        elif isinstance(dtype, pd.StringDtype | pd.BooleanDtype):  # unknown to ONNX converters
            table[name] = table[name].astype(object).where(table[name].notna(), np.nan)
    return table


def _is_number(dtype: Any) -> bool:
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)


def is_file(path: str) -> bool:
    """Return whether a path is that of a file, whatever it contains."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name that is too long, or has a null character
        return False


def some(names: pd.Index) -> str:
    """Return at most 20 names."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(map(str, names[:20])) + more


def _usable_columns(features: pd.DataFrame, target: str, path: str) -> pd.DataFrame:
    """Return the table without what no model can use; say what is left out, and why."""
    useless = {name: _why_useless(features[name]) for name in features.columns}
    left_out = {name: why for name, why in useless.items() if why is not None}
    for name, why in left_out.items():
        logger.info("Column %s is left out: %s.", name, why)
    if len(left_out) == features.shape[1]:
        raise ValueError(
            f"--data {path}: no column besides the target {target} can be used: "
            + ", ".join(f"{name} ({why})" for name, why in list(left_out.items())[:20])
        )
    kept = features.drop(columns=list(left_out))
    check_range(kept, f"--data {path}")
    return kept


def _why_useless(column: pd.Series) -> str | None:
    """Return why a column is left out, None if it is not."""
    values = column.dropna()
    if not len(values):
        return "it has no values"
    return _why_by_type(values) or _why_constant(column)


def _why_by_type(values: pd.Series) -> str | None:
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_float_dtype(values):
        return None
    if pd.api.types.is_integer_dtype(values):
        return _why_an_id(values)
    texts = values.map(lambda value: str(value).strip())
    if texts.map(lambda text: bool(_DATE.fullmatch(text))).all():
        return "it has dates, which are not used: turn them into numbers"
    if not values.map(lambda value: isinstance(value, str | bool)).all():
        return f"it has values of the type {type(values.iloc[0]).__name__}"
    return "it has another text in each row" if texts.is_unique else None


def _why_constant(column: pd.Series) -> str | None:
    if column.nunique(dropna=False) > 1:
        return None
    return f"it has the same value in each row, {column.iloc[0]}"


def _why_an_id(numbers: pd.Series) -> str | None:
    """Return why a column of integers identifies the rows, None if it does not."""
    if not numbers.is_unique:
        return None
    if len(numbers) > 2 and int(numbers.max()) - int(numbers.min()) == len(numbers) - 1:
        return "it counts the rows"
    return "it identifies the rows" if _ID_NAME.fullmatch(str(numbers.name)) else None


def check_range(features: pd.DataFrame, where: str) -> None:
    """Raise a ValueError if a number is infinite or too large; the message begins with where."""
    numbers = features.select_dtypes("number")
    too_large = (numbers.abs() > MAX_ABSOLUTE_VALUE).any()
    if too_large.any():
        name = too_large.index[int(np.argmax(too_large))]
        raise ValueError(
            f"{where}: column {name} has a number beyond ±{MAX_ABSOLUTE_VALUE:g}: leave it "
            "empty, or scale the column"
        )


def printable_name(path: str) -> str:
    """Return the name of a file for a title, with � for bytes that are not UTF-8.

    Examples
    --------
    >>> printable_name("folder/my table.csv")
    'my table.csv'
    """
    return os.fsencode(Path(path).name).decode("utf-8", "replace")
