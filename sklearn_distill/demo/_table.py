"""Read a CSV file as a table to classify."""

from __future__ import annotations

import logging
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import type_of_target

logger = logging.getLogger(__name__)

# each class must occur in the teacher's part, in each fold of the search, and in the test set
MIN_ROWS_OF_A_CLASS = 20
MAX_ABSOLUTE_VALUE = 1e150  # the squares of larger numbers are not finite

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


def read_table(path: str, target: str) -> pd.DataFrame:
    """Return the rows that have a target, and the columns that a model can use.

    Columns without values, of dates, and of an identifier are left out, and named in the log.

    Parameters
    ----------
    path : str
        A CSV file with a header, which may be compressed.
    target : str
        Name of the column to predict.

    Returns
    -------
    DataFrame
        With at least one column besides the target.

    Raises
    ------
    ValueError
        If the file is not a table, does not have this column, or the column is not a
        classification target with enough rows in each class, no other column is left, or a number
        is infinite or too large.
    FileNotFoundError
        If the file does not exist.
    """
    table = _read_csv(path)
    if target not in table.columns:
        raise ValueError(
            f"--target {target}: {path} has no such column; it has {_some(table.columns)}"
        )
    if table.shape[1] < 2:
        raise ValueError(f"--data {path}: there is no column besides the target {target}")
    table = table.dropna(subset=[target]).reset_index(drop=True)
    _check_classes(table[target], target)
    return _usable_columns(table, target, path)


def _read_csv(path: str) -> pd.DataFrame:
    if not _is_file(path):
        raise FileNotFoundError(f"--data {path}: there is no such file")
    try:
        # low_memory=False: the type of a column is that of all its values, not of the first
        return pd.read_csv(path, low_memory=False)
    except _UNREADABLE as error:
        raise ValueError(f"--data {path}: not a readable CSV table: {error}") from error


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name that is too long, or has a null character
        return False


def _some(names: pd.Index) -> str:
    """Return at most 20 names."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(map(str, names[:20])) + more


def _usable_columns(table: pd.DataFrame, target: str, path: str) -> pd.DataFrame:
    """Return the table without what no model can use; say what is left out, and why."""
    features = table.drop(columns=target)
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
    _check_range(kept, path)
    return kept.assign(**{target: table[target]})


def _why_useless(column: pd.Series) -> str | None:
    """Return why a column is left out, None if it is not."""
    values = column.dropna()
    if not len(values):
        return "it has no values"
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_float_dtype(values):
        return None
    if pd.api.types.is_integer_dtype(values):
        return _why_an_id(values)
    if values.map(lambda text: bool(_DATE.fullmatch(str(text).strip()))).all():
        return "it has dates, which the demo does not use"
    return "it has another text in each row" if values.is_unique else None


def _why_an_id(numbers: pd.Series) -> str | None:
    """Return why a column of integers identifies the rows, None if it does not."""
    if not numbers.is_unique:
        return None
    if len(numbers) > 2 and int(numbers.max()) - int(numbers.min()) == len(numbers) - 1:
        return "it counts the rows"
    return "it identifies the rows" if _ID_NAME.fullmatch(str(numbers.name)) else None


def _check_range(features: pd.DataFrame, path: str) -> None:
    numbers = features.select_dtypes("number")
    too_large = (numbers.abs() > MAX_ABSOLUTE_VALUE).any()
    if too_large.any():
        name = too_large.index[int(np.argmax(too_large))]
        raise ValueError(
            f"--data {path}: column {name} has a number beyond ±{MAX_ABSOLUTE_VALUE:g}: leave it "
            "empty, or scale the column"
        )


def _check_classes(y: pd.Series, target: str) -> None:
    if type_of_target(y.to_numpy()) not in ("binary", "multiclass"):
        raise ValueError(
            f"--target {target}: its values are not classes but {type_of_target(y.to_numpy())}; "
            "the demo classifies"
        )
    counts = y.value_counts()
    if len(counts) < 2:
        raise ValueError(f"--target {target}: there must be two classes, got {len(counts)}")
    rare = counts[counts < MIN_ROWS_OF_A_CLASS]
    if len(rare):
        raise ValueError(
            f"--target {target}: each class needs at least {MIN_ROWS_OF_A_CLASS} rows, but "
            f"{rare.index[0]} has {rare.iloc[0]} ({len(rare)} of {len(counts)} classes are too "
            "rare): merge or drop them, or choose another column"
        )


def printable_name(path: str) -> str:
    """Return the name of a file for a title, with � for bytes that are not UTF-8.

    Examples
    --------
    >>> printable_name("folder/my table.csv")
    'my table.csv'
    """
    return os.fsencode(Path(path).name).decode("utf-8", "replace")
