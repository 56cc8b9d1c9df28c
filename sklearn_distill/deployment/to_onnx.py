"""A fitted model as an ONNX file, compared with the model by onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import is_float_dtype, is_numeric_dtype
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from sklearn_distill._atomic_file import atomic_file
from sklearn_distill._optional import import_onnx
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.deployment._deployed_part import deployed
from sklearn_distill.deployment.to_sklearn import to_sklearn

__all__ = ["to_onnx"]

LARGE_DIFFERENCE = 1e-4  # far above the rounding of float32
N_COMPARED = 1000
N_DRAWN = 100
_TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}


def to_onnx(
    model: Any, path: str | PathLike[str], X: ArrayLike | pd.DataFrame | None = None
) -> float:
    """Write a fitted model to an ONNX file, and compare the file's predictions with the model's.

    Numbers are float32 in the file. Its input is called ``X``; the file of a Pipeline fitted on a
    frame has an input of shape (n, 1) for each column, by its name. The outputs are those of
    skl2onnx: ``label`` and ``probabilities`` of a classifier, ``variable`` of a regressor. A
    network has its own inputs, and one output, of
    :meth:`~sklearn_distill.DistilledNeuralClassifier.to_torch`.

    Parameters
    ----------
    model : estimator
        A fitted student, or an estimator that contains one, as :func:`to_sklearn` takes it; or a
        network of this package.
    path : str or path-like
        Path of the file to write.
    X : {array-like, DataFrame, dict of array} of shape (n_samples, n_features), default=None
        Rows to compare on, of the kind that the file will be given; the first 1000 are used. A
        dict is of a network with several inputs by name. None draws 100 rows of standard normal
        numbers: pass rows if the features are not about that large, or have categories.

    Returns
    -------
    float
        The largest difference between the file's and the model's probabilities, or predictions of
        a regressor. Only the file sees the features rounded to float32.

    Raises
    ------
    ImportError
        If onnxruntime or a converter is missing.
    TypeError
        If the model cannot be converted.
    ValueError
        If X is None, and the model is a Pipeline fitted on a DataFrame, or has features that are
        not one array of floats.

    Warns
    -----
    UserWarning
        If the difference is larger than 1e-4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> X, y = np.array([[1.0], [2.0], [3.0]]), [0, 1, 1]
    >>> student = DistilledLogisticRegression(imitation=0).fit(X, y)
    >>> to_onnx(student, "student.onnx", X) < 1e-6  # doctest: +SKIP
    True
    """
    inner = deployed(model)
    if hasattr(inner, "to_torch"):
        rows = _normal_rows(inner) if X is None else _first_rows(X)
        _check_classes(model, inner)
        inner._write_onnx(path)
        output = None
    else:
        plain = to_sklearn(model)
        rows = _normal_rows(plain) if X is None else _first_rows(X)
        output = "probabilities" if is_classifier(model) else "variable"
        content = _convert(plain, rows)
        with atomic_file(path) as file:
            file.write(content)
    of_file = _run(path, rows, output)
    predict = model.predict_proba if is_classifier(model) else model.predict
    expected = np.asarray(predict(rows), dtype=np.float64)
    difference = float(np.abs(of_file.reshape(expected.shape) - expected).max())
    if not difference <= LARGE_DIFFERENCE:
        warn_user(
            f"{path} and the model differ by up to {difference:.2g} on X: look whether the "
            "features need more digits than float32 has, and scale them in a Pipeline"
        )
    return difference


def _normal_rows(model: Any) -> NDArray[np.float64] | pd.DataFrame:
    """Return rows for a model of numbers, which float32 represents exactly."""
    names = getattr(model, "feature_names_in_", None)
    shape = _shape_of_floats(model)
    if shape is None or (names is not None and isinstance(model, Pipeline)):
        raise ValueError(
            "X=None: which values the model's features have is not known; pass some of its rows as "
            "X"
        )
    rows = np.random.default_rng(0).standard_normal((N_DRAWN, *shape), dtype=np.float32)
    numbers = rows.astype(np.float64)
    return numbers if names is None else pd.DataFrame(numbers, columns=names)


def _shape_of_floats(model: Any) -> tuple[int, ...] | None:
    """Return the shape of a sample, None for a model whose features may be no floats."""
    if hasattr(model, "to_torch"):
        shape: tuple[int, ...] | None = model._format.shape_of_floats
        return shape
    n_features = getattr(model, "n_features_in_", None)
    return None if n_features is None else (n_features,)


def _first_rows(X: Any) -> Any:
    if isinstance(X, Mapping):
        return {name: np.asarray(part)[:N_COMPARED] for name, part in X.items()}
    return X.head(N_COMPARED) if isinstance(X, pd.DataFrame) else np.asarray(X)[:N_COMPARED]


def _check_classes(model: Any, network: Any) -> None:
    """Require that the network has a column for each class of the model around it."""
    if is_classifier(model) and len(network.classes_) < len(model.classes_):
        raise TypeError(
            f"the network inside {type(model).__name__} knows {len(network.classes_)} of "
            f"{len(model.classes_)} classes, so that its own predictions have fewer columns: save "
            "the model itself"
        )


def _convert(plain: Any, rows: NDArray[Any] | pd.DataFrame) -> bytes:
    """Return the content of the file."""
    import_onnx("skl2onnx", "to_onnx")
    from sklearn_distill.deployment._converters import convert

    if not isinstance(rows, pd.DataFrame):
        return convert(plain, rows.astype(np.float32))
    if not isinstance(plain, Pipeline) and all(map(is_numeric_dtype, rows.dtypes)):
        return convert(plain, rows.to_numpy(np.float32))  # only a transformer selects columns
    floats = [name for name in rows.columns if is_float_dtype(rows[name])]
    return convert(plain, rows.astype(dict.fromkeys(floats, np.float32)))


def _run(path: str | PathLike[str], rows: Any, output: str | None) -> NDArray[Any]:
    """Return an output of the file for these rows; None for the only one."""
    onnxruntime = import_onnx("onnxruntime", "to_onnx")
    session = onnxruntime.InferenceSession(Path(path).read_bytes())
    types = {node.name: node.type for node in session.get_inputs()}
    if isinstance(rows, Mapping):
        given = rows
    elif isinstance(rows, pd.DataFrame) and set(types) != {"X"}:
        given = {name: rows[[name]].to_numpy() for name in rows.columns}
    else:
        given = {"X": np.asarray(rows)}
    inputs = {
        name: part.astype(_TYPES.get(types[name], part.dtype)) for name, part in given.items()
    }
    outputs = session.run(None if output is None else [output], inputs)
    return np.asarray(outputs[0], dtype=np.float64)
