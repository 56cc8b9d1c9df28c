"""Properties of the input (containers, precision, read-only arrays) and of copies."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from sklearn_distill.checks._data import (
    CheckData,
    assert_same,
    class_name,
    fit_and_predict,
    fit_clone,
    in_pandas,
    predictions_of,
)

# predictions of fits in float32 and in float64 may differ by this much
NEAR = 1e-2


def check_float32(estimator: Any, data: CheckData) -> None:
    """Single precision gives nearly the same student."""
    assert data.teacher is not None
    single = replace(data, X=data.X.astype(np.float32), teacher=data.teacher.astype(np.float32))
    coarse = clone(estimator)
    if "tol" in estimator.get_params():  # rounding keeps float32 from a smaller one
        coarse.set_params(tol=1e-4)
    difference = np.abs(fit_and_predict(estimator, data) - fit_and_predict(coarse, single)).max()
    assert difference < NEAR, (
        f"{class_name(estimator)}: in float32 predictions differ from those in float64 by "
        f"{difference:.1e}"
    )


def check_containers(estimator: Any, data: CheckData) -> None:
    """Teacher predictions in a list, a frame or a memory map equal those in an array."""
    expected = fit_and_predict(estimator, data)
    with tempfile.TemporaryDirectory() as folder:
        for kind, teacher in _containers(data, Path(folder)):
            in_container = fit_and_predict(estimator, replace(data, teacher=teacher))
            assert_same(
                estimator,
                in_container,
                expected,
                f"a teacher in a {kind} differs from one in an array",
            )
            del teacher, in_container  # the file is closed before its folder goes


def check_read_only(estimator: Any, data: CheckData) -> None:
    """Fit accepts read-only arrays, and does not write into its arguments."""
    arrays = {"X": data.X, "y": data.y, data.teacher_param: data.teacher}
    copies = {name: np.array(array) for name, array in arrays.items()}
    frozen = {name: _read_only(array) for name, array in copies.items()}
    teacher = frozen[data.teacher_param]
    fit_and_predict(estimator, replace(data, X=frozen["X"], y=frozen["y"], teacher=teacher))
    fit_clone(
        estimator, replace(data, X=copies["X"], y=copies["y"], teacher=copies[data.teacher_param])
    )
    for name, array in arrays.items():
        assert np.array_equal(copies[name], np.asarray(array)), (
            f"{class_name(estimator)}: fit writes into {name}"
        )


def check_copies(estimator: Any, data: CheckData) -> None:
    """A pickled, copied or cloned and refitted student predicts the same."""
    student = fit_clone(estimator, data)
    expected = predictions_of(student, data.X)
    for what, copy in (
        ("pickled", pickle.loads(pickle.dumps(student))),
        ("deep copied", deepcopy(student)),
        ("cloned and fitted", fit_clone(clone(student), data)),
    ):
        of_copy = predictions_of(copy, data.X)
        assert_same(estimator, of_copy, expected, f"a student that was {what} predicts differently")


def _containers(data: CheckData, folder: Path) -> Iterator[tuple[str, Any]]:
    assert data.teacher is not None
    yield "list", data.teacher.tolist()
    columns = None if data.teacher.ndim == 1 else np.unique(data.y)
    yield "pandas object", in_pandas(data)
    try:
        import polars as pl
    except ImportError:
        pass
    else:
        names = None if columns is None else [str(column) for column in columns]
        yield (
            "polars object",
            pl.Series(data.teacher) if names is None else pl.DataFrame(data.teacher, names),
        )
    path = folder / "teacher.npy"
    np.save(path, data.teacher)
    yield "memory map", np.load(path, mmap_mode="r")


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    frozen = array.copy()
    frozen.flags.writeable = False
    return frozen
