"""The data of an experiment, with its teacher and students; digits and Fashion-MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import BaggingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill.datasets import fetch_fashion_mnist, load_digits_privileged
from sklearn_distill.experiment._students import Student, make_students

MAX_ROWS = {"teacher": 20_000, "student": 2_000, "test": 10_000}


@dataclass(frozen=True)
class ExperimentData:
    """Data, its split into parts, a teacher and the students to choose from.

    Parameters
    ----------
    name : str
        Title of the report and of the figure.
    X, X_teacher : array or DataFrame
        Features of the students and of the teacher.
    y : ndarray of shape (n_rows,)
        Labels, or numbers.
    teacher : estimator
        Unfitted, or a fitted one that is a FrozenEstimator.
    teacher_name : str
        The words for it.
    students : tuple of Student
        Unfitted: students of this package, or pipelines that end in one. Of several, the one is
        taken whose baseline has the best cross-validated score.
    rows : dict of str to ndarray
        Disjoint row indices of the parts "teacher", "student" and "test". Without the first, the
        teacher is fitted out of fold on the second, or it is fitted already.
    task : {"classification", "regression"}, default="classification"
        What is predicted.
    metric : str or None, default=None
        The metric that chooses hyperparameters and decides; None is log loss, or root mean squared
        error.
    privileged : tuple of str, default=()
        Columns of ``X_teacher`` that the students do not use.
    X_unlabeled : DataFrame or None, default=None
        Rows without a label, with the columns of ``X_teacher``.
    n_folds : int, default=5
        Number of folds of the students' searches.
    """

    name: str
    X: Any
    X_teacher: Any
    y: NDArray[Any]
    teacher: Any
    teacher_name: str
    students: tuple[Student, ...]
    rows: dict[str, NDArray[np.intp]]
    task: str = "classification"
    metric: str | None = None
    privileged: tuple[str, ...] = ()
    X_unlabeled: Any = None
    n_folds: int = 5

    @property
    def teacher_is_fitted(self) -> bool:
        """Whether the teacher was passed fitted."""
        return isinstance(self.teacher, FrozenEstimator)

    @property
    def is_class(self) -> bool:
        """Whether classes are predicted."""
        return self.task == "classification"

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


def digits_data(
    random_state: int | None = 0, student: str = "linear", metric: str | None = None
) -> ExperimentData:
    """Return scikit-learn's digits, with 8×8 pixels for the teacher and 4×4 for the student.

    Parameters
    ----------
    random_state : int or None
        Seed of the split.
    student : {"auto", "linear", "tree", "boosting", "network"}
        The student.
    metric : str or None
        The metric that chooses hyperparameters and decides.

    Returns
    -------
    ExperimentData
        900 rows for the teacher, 200 for the student and 697 test rows.
    """
    digits: Any = load_digits_privileged()
    perceptron = MLPClassifier((64,), max_iter=500, tol=1e-3)
    ten_perceptrons = BaggingClassifier(perceptron, bootstrap=False, random_state=random_state)
    teacher = make_pipeline(StandardScaler(), ten_perceptrons)
    return ExperimentData(
        name="scikit-learn's digits of 4×4 pixels",
        X=digits.data / 16,
        X_teacher=digits.privileged,
        y=digits.target,
        teacher=teacher,
        teacher_name="ten networks on 8×8",
        students=make_students(student, "classification", digits.target, random_state),
        rows=split_rows(digits.target, {"teacher": 900, "student": 200, "test": 697}, random_state),
        metric=metric,
    )


def fashion_mnist_data(
    random_state: int | None = 0, student: str = "linear", metric: str | None = None
) -> ExperimentData:
    """Return Fashion-MNIST, with a multilayer perceptron as teacher.

    Parameters
    ----------
    random_state : int or None
        Seed of the split, of the teacher and of the student.
    student : {"auto", "linear", "tree", "boosting", "network"}
        The student.
    metric : str or None
        The metric that chooses hyperparameters and decides.

    Returns
    -------
    ExperimentData
        20,000 of the training images for the teacher, 2,000 for the student, and the test images.
    """
    X, y = fetch_fashion_mnist(subset="all", return_X_y=True)
    n_train = 60_000
    sizes = {"teacher": MAX_ROWS["teacher"], "student": MAX_ROWS["student"]}
    rows = split_rows(y[:n_train], sizes, random_state)
    rows["test"] = np.arange(n_train, len(y))
    teacher = MLPClassifier((256,), early_stopping=True, max_iter=30, random_state=random_state)
    return ExperimentData(
        name="Fashion-MNIST",
        X=X,
        X_teacher=X,
        y=y,
        teacher=teacher,
        teacher_name="a multilayer perceptron",
        students=make_students(student, "classification", y, random_state),
        rows=rows,
        metric=metric,
        n_folds=3,
    )


def split_rows(
    y: NDArray[Any], sizes: dict[str, int], random_state: int | None, stratify: bool = True
) -> dict[str, NDArray[np.intp]]:
    """Return disjoint row indices of the given sizes.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        The labels.
    sizes : dict of str to int
        Number of rows of each part.
    random_state : int or None
        Seed.
    stratify : bool
        Whether each part has the classes in the same shares.

    Returns
    -------
    dict of str to ndarray
        The indices of each part.
    """
    rng = np.random.RandomState(random_state)
    rows: dict[str, NDArray[np.intp]] = {}
    rest = np.arange(len(y))
    for name, size in sizes.items():
        if size == len(rest):
            rows[name], rest = rest, rest[:0]
        else:
            rows[name], rest = train_test_split(
                rest, train_size=size, stratify=y[rest] if stratify else None, random_state=rng
            )
    return rows


def _take(X: Any, rows: NDArray[np.intp]) -> Any:
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]
