"""The same lesson in other containers, and the same student in other copies."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from sklearn_distill.checks._data import (
    CheckData,
    answers,
    assert_same,
    class_name,
    fitted,
    predicted,
)

NEAR = 1e-2  # predictions of a fit in float32 and of one in float64 differ by less than this


def check_float32(estimator: Any, lesson: CheckData) -> None:
    """Single precision gives nearly the same student."""
    assert lesson.teacher is not None
    single = replace(
        lesson, X=lesson.X.astype(np.float32), teacher=lesson.teacher.astype(np.float32)
    )
    coarse = clone(estimator)
    if "tol" in estimator.get_params():  # which rounding in single precision keeps from being met
        coarse.set_params(tol=1e-4)
    difference = np.abs(answers(estimator, lesson) - answers(coarse, single)).max()
    assert difference < NEAR, (
        f"{class_name(estimator)}: in float32 predictions differ from those in float64 by "
        f"{difference:.1e}"
    )


def check_containers(estimator: Any, lesson: CheckData) -> None:
    """A teacher in a list, a frame or a file says what it says in an array."""
    expected = answers(estimator, lesson)
    with tempfile.TemporaryDirectory() as folder:
        for kind, teacher in _containers(lesson, Path(folder)):
            got = answers(estimator, replace(lesson, teacher=teacher))
            assert_same(estimator, got, expected, f"a teacher in a {kind} is another than an array")
            del teacher, got  # the file is closed before its folder goes


def check_read_only(estimator: Any, lesson: CheckData) -> None:
    """Fit leaves what it is given as it is, and takes what may not be written."""
    arrays = {"X": lesson.X, "y": lesson.y, lesson.argument: lesson.teacher}
    copies = {name: np.array(array) for name, array in arrays.items()}
    frozen = {name: _read_only(array) for name, array in copies.items()}
    teacher = frozen[lesson.argument]
    answers(estimator, replace(lesson, X=frozen["X"], y=frozen["y"], teacher=teacher))
    fitted(
        estimator, replace(lesson, X=copies["X"], y=copies["y"], teacher=copies[lesson.argument])
    )
    for name, array in arrays.items():
        assert np.array_equal(copies[name], np.asarray(array)), (
            f"{class_name(estimator)}: fit writes into {name}"
        )


def check_copies(estimator: Any, lesson: CheckData) -> None:
    """A fitted student survives pickling and copying; a clone is fitted to the same."""
    student = fitted(estimator, lesson)
    expected = predicted(student, lesson.X)
    for what, copy in (
        ("pickled", pickle.loads(pickle.dumps(student))),
        ("deep copied", deepcopy(student)),
        ("cloned and fitted", fitted(clone(student), lesson)),
    ):
        got = predicted(copy, lesson.X)
        assert_same(estimator, got, expected, f"a student that was {what} is another")


def _containers(lesson: CheckData, folder: Path) -> Iterator[tuple[str, Any]]:
    assert lesson.teacher is not None
    yield "list", lesson.teacher.tolist()
    columns = None if lesson.teacher.ndim == 1 else np.unique(lesson.y)
    yield "pandas object", _in_pandas(lesson.teacher, columns)
    try:
        import polars as pl
    except ImportError:
        pass
    else:
        names = None if columns is None else [str(column) for column in columns]
        yield (
            "polars object",
            pl.Series(lesson.teacher) if names is None else pl.DataFrame(lesson.teacher, names),
        )
    path = folder / "teacher.npy"
    np.save(path, lesson.teacher)
    yield "memory map", np.load(path, mmap_mode="r")


def _in_pandas(teacher: NDArray[Any], columns: Any) -> Any:
    return pd.Series(teacher) if columns is None else pd.DataFrame(teacher, columns=columns)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    frozen = array.copy()
    frozen.flags.writeable = False
    return frozen
