"""The data of the demo, with its teacher and student: digits, Fashion-MNIST or a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import BaggingClassifier, HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill.datasets import fetch_fashion_mnist, load_digits_privileged
from sklearn_distill.demo._students import make_student, ordinal_codes
from sklearn_distill.demo._table import printable_name, read_table

MAX_ROWS = {"teacher": 20_000, "student": 2_000, "test": 10_000}


@dataclass(frozen=True)
class DemoData:
    """Data, its split into three parts, a teacher and a student.

    Parameters
    ----------
    name : str
        Title of the report and of the figure.
    X, X_teacher : array or DataFrame
        Features of the student and of the teacher.
    y : ndarray of shape (n_rows,)
        Labels.
    teacher, student : estimator
        Unfitted. The student is one of this package, or a pipeline that ends in one.
    rows : dict of str to ndarray
        Disjoint row indices of the parts "teacher", "student" and "test".
    grid : dict of str to list
        The student's parameter, besides λ and T, that is searched, with its values.
    n_folds : int, default=5
        Number of folds of the student's search.
    """

    name: str
    X: Any
    X_teacher: Any
    y: NDArray[Any]
    teacher: Any
    student: Any
    rows: dict[str, NDArray[np.intp]]
    grid: dict[str, list[Any]]
    n_folds: int = 5

    def part(self, name: str) -> tuple[Any, Any, NDArray[Any]]:
        """Return the student's features, the teacher's features and the labels of a part.

        Parameters
        ----------
        name : {"teacher", "student", "test"}
            Name of the part.

        Returns
        -------
        X, X_teacher, y
            The rows of this part.
        """
        rows = self.rows[name]
        return _take(self.X, rows), _take(self.X_teacher, rows), self.y[rows]


def digits_data(random_state: int | None = 0, student: str = "linear") -> DemoData:
    """Return scikit-learn's digits, with 8×8 pixels for the teacher and 4×4 for the student.

    Parameters
    ----------
    random_state : int or None
        Seed of the split.
    student : {"linear", "tree", "boosting"}
        The student.

    Returns
    -------
    DemoData
        900 rows for the teacher, 200 for the student and 697 test rows.
    """
    digits: Any = load_digits_privileged()
    perceptron = MLPClassifier((64,), max_iter=500, tol=1e-3)
    ten_perceptrons = BaggingClassifier(perceptron, bootstrap=False, random_state=random_state)
    teacher = make_pipeline(StandardScaler(), ten_perceptrons)
    small = make_student(student, digits.target, random_state)
    return DemoData(
        name=f"scikit-learn's digits: ten networks on 8×8 pixels, {small.name} on 4×4",
        X=digits.data / 16,
        X_teacher=digits.privileged,
        y=digits.target,
        teacher=teacher,
        student=small.estimator,
        rows=_split(digits.target, {"teacher": 900, "student": 200, "test": 697}, random_state),
        grid=small.grid,
    )


def fashion_mnist_data(random_state: int | None = 0, student: str = "linear") -> DemoData:
    """Return Fashion-MNIST, with a multilayer perceptron as teacher.

    Parameters
    ----------
    random_state : int or None
        Seed of the split, of the teacher and of the student.
    student : {"linear", "tree", "boosting"}
        The student.

    Returns
    -------
    DemoData
        20,000 of the training images for the teacher, 2,000 for the student, and the test images.
    """
    X, y = fetch_fashion_mnist(subset="all", return_X_y=True)
    n_train = 60_000
    sizes = {"teacher": MAX_ROWS["teacher"], "student": MAX_ROWS["student"]}
    rows = _split(y[:n_train], sizes, random_state)
    rows["test"] = np.arange(n_train, len(y))
    teacher = MLPClassifier((256,), early_stopping=True, max_iter=30, random_state=random_state)
    small = make_student(student, y, random_state)
    return DemoData(
        name=f"Fashion-MNIST: {small.name} distilled from a multilayer perceptron",
        X=X,
        X_teacher=X,
        y=y,
        teacher=teacher,
        student=small.estimator,
        rows=rows,
        grid=small.grid,
        n_folds=3,
    )


def table_data(
    path: str, target: str, random_state: int | None = 0, student: str = "linear"
) -> DemoData:
    """Read a CSV file, with gradient boosting as teacher.

    Parameters
    ----------
    path : str
        A CSV file with a header.
    target : str
        Name of the column to predict. Rows where it is missing are dropped, and so are columns
        of dates, identifiers and no values.
    random_state : int or None
        Seed of the split, of the teacher and of the student.
    student : {"linear", "tree", "boosting"}
        The student.

    Returns
    -------
    DemoData
        Half of the rows for the teacher, a quarter for the student and a quarter for the test set,
        each at most ``MAX_ROWS``.

    Raises
    ------
    ValueError
        If the file is not a table, does not have this column, the column is not a classification
        target with enough rows in each class, or no other column can be used.
    FileNotFoundError
        If the file does not exist.
    """
    table = read_table(path, target)
    y = table[target].to_numpy()
    X = table.drop(columns=target)
    n = len(table)
    shares = {"teacher": n // 2, "student": n // 4, "test": n - n // 2 - n // 4}
    sizes = {name: min(size, MAX_ROWS[name]) for name, size in shares.items()}
    teacher = make_pipeline(
        ordinal_codes(),
        HistGradientBoostingClassifier(early_stopping=True, random_state=random_state),
    )
    small = make_student(student, y, random_state)
    return DemoData(
        name=f"{printable_name(path)}: {small.name} distilled from gradient boosting",
        X=X,
        X_teacher=X,
        y=y,
        teacher=teacher,
        student=make_pipeline(small.encoder, small.estimator),
        rows=_split(y, sizes, random_state),
        grid=small.grid,
    )


def _split(
    y: NDArray[Any], sizes: dict[str, int], random_state: int | None
) -> dict[str, NDArray[np.intp]]:
    """Return disjoint, stratified row indices of the given sizes."""
    rng = np.random.RandomState(random_state)
    rows: dict[str, NDArray[np.intp]] = {}
    rest = np.arange(len(y))
    for name, size in sizes.items():
        if size == len(rest):
            rows[name], rest = rest, rest[:0]
        else:
            rows[name], rest = train_test_split(
                rest, train_size=size, stratify=y[rest], random_state=rng
            )
    return rows


def _take(X: Any, rows: NDArray[np.intp]) -> Any:
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]
