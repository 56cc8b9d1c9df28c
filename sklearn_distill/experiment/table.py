"""An experiment on a table of a file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pandas as pd

from sklearn_distill.experiment._students import make_students
from sklearn_distill.experiment._table import Table, printable_name, read_table, read_unlabeled
from sklearn_distill.experiment._teacher import (
    describe_file,
    is_path,
    load_teacher,
    make_teacher,
)
from sklearn_distill.experiment.data import MAX_ROWS, ExperimentData, split_rows

logger = logging.getLogger(__name__)

# of a teacher that is fitted out of fold: it and the student share these rows
MAX_SHARED_ROWS = 5_000
MAX_UNLABELED_ROWS = 10_000


def table_data(
    path: str,
    target: str,
    random_state: int | None = 0,
    *,
    task: str = "auto",
    teacher: str = "boosting",
    student: str = "linear",
    metric: str | None = None,
    unlabeled: str | None = None,
    privileged: Sequence[str] = (),
    trust: bool = False,
    indicators: bool = True,
) -> ExperimentData:
    """Read a table, and make the teacher and the students.

    Parameters
    ----------
    path : str
        A CSV file with a header, or a Parquet file.
    target : str
        Name of the column to predict. Rows where it is missing are dropped, and so are columns
        of dates, identifiers, one value and no values.
    random_state : int or None
        Seed of the split, of the teacher and of the student.
    task : {"auto", "classification", "regression"}
        What the column has.
    teacher : str
        "boosting", "forest", or the path of a fitted model, whose rows must be others than these.
    student : {"auto", "linear", "tree", "boosting", "network"}
        The student.
    metric : str or None
        The metric that chooses hyperparameters and decides; None is log loss, or root mean squared
        error.
    unlabeled : str or None
        A file of rows without a target.
    privileged : sequence of str
        Columns that only the teacher uses.
    trust : bool
        Whether the file of a teacher may run any code.
    indicators : bool
        Whether linear models and networks are told where numbers are missing, which ONNX files
        cannot express.

    Returns
    -------
    ExperimentData
        A quarter of the rows is the test set. Of the others, the teacher has two thirds and the
        student a third; they share them if there are unlabelled rows or privileged columns, for
        which teachers are fitted out of fold. A fitted teacher leaves all to the student. At most
        ``MAX_ROWS`` are used, and at most ``MAX_SHARED_ROWS`` by a student that has the rows of
        both.

    Raises
    ------
    ValueError
        If a file or a column cannot be used; the message names the argument.
    FileNotFoundError
        If a file does not exist.
    ImportError
        If a file needs a package that is missing.
    """
    table = read_table(path, target, task)
    features = _without(table.features, privileged, table.everything)
    y = table.y.to_numpy()
    if is_path(teacher):
        fitted = load_teacher(teacher, trust, y, table.everything, table.task)
        model, name, X_teacher = fitted, describe_file(teacher), _used(table, fitted)
    else:
        model, name = make_teacher(teacher, table.task, table.features, random_state)
        X_teacher = table.features
    X_unlabeled = None if unlabeled is None else _unlabeled(unlabeled, X_teacher, random_state)
    own_rows = not (is_path(teacher) or privileged or unlabeled)
    return ExperimentData(
        name=printable_name(path),
        X=features,
        X_teacher=X_teacher,
        y=y,
        teacher=model,
        teacher_name=name,
        students=make_students(student, table.task, y, random_state, features, indicators),
        rows=split_rows(y, _sizes(table, own_rows), random_state, table.task == "classification"),
        task=table.task,
        metric=metric,
        privileged=tuple(privileged),
        X_unlabeled=X_unlabeled,
    )


def _used(table: Table, teacher: Any) -> pd.DataFrame:
    """Return the columns that the teacher or a student can use; all if the teacher has no names."""
    names = getattr(teacher, "feature_names_in_", table.everything.columns)
    used = {*names, *table.features.columns}
    return table.everything[[name for name in table.everything.columns if name in used]]


def _sizes(table: Table, own_rows: bool) -> dict[str, int]:
    n = len(table.y)
    n_test = n - n // 2 - n // 4
    if own_rows:
        sizes, limit = {"teacher": n // 2, "student": n // 4, "test": n_test}, MAX_ROWS
    else:
        sizes, limit = (
            {"student": n - n_test, "test": n_test},
            MAX_ROWS | {"student": MAX_SHARED_ROWS},
        )
    return {name: min(size, limit[name]) for name, size in sizes.items()}


def _without(
    features: pd.DataFrame, privileged: Sequence[str], everything: pd.DataFrame
) -> pd.DataFrame:
    for name in privileged:
        if name not in everything.columns:
            raise ValueError(f"--privileged {name}: --data has no such column besides the target")
        if name not in features.columns:
            raise ValueError(
                f"--privileged {name}: this column is left out, as no model can use it"
            )
    regular = features.drop(columns=list(privileged))
    if not regular.shape[1]:
        raise ValueError("--privileged: no column is left for the student")
    return regular


def _unlabeled(path: str, like: pd.DataFrame, random_state: int | None) -> Any:
    rows = read_unlabeled(path, like)
    if len(rows) > MAX_UNLABELED_ROWS:
        logger.info("Of %d unlabelled rows, %d are used.", len(rows), MAX_UNLABELED_ROWS)
        rows = rows.sample(MAX_UNLABELED_ROWS, random_state=random_state)
    return rows.reset_index(drop=True)
