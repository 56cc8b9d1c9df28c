"""A fitted model as an ONNX file, compared with the model by onnxruntime."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import is_float_dtype
from sklearn.base import is_classifier

from sklearn_distill._atomic_file import atomic_file
from sklearn_distill._optional import import_onnx
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.deployment.to_sklearn import to_sklearn

__all__ = ["to_onnx"]

LARGE_DIFFERENCE = 1e-4  # far above the rounding of float32
N_COMPARED = 1000


def to_onnx(model: Any, path: str | PathLike[str], X: ArrayLike | pd.DataFrame) -> float:
    """Write a fitted model to an ONNX file, and compare the file's predictions with the model's.

    Numbers are float32 in the file. The first input of an array is called ``X``; a frame has an
    input of shape (n, 1) for each column, by its name. The outputs are those of skl2onnx:
    ``label`` and ``probabilities`` of a classifier, ``variable`` of a regressor. A network has one
    output, of :meth:`~sklearn_distill.DistilledNeuralClassifier.to_torch`.

    Parameters
    ----------
    model : estimator
        A fitted student, or an estimator that contains one, as :func:`to_sklearn` takes it; or a
        network of this package.
    path : str or path-like
        Path of the file to write.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to compare on, of the kind that the file will be given; the first 1000 are used.

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
    rows = X.head(N_COMPARED) if isinstance(X, pd.DataFrame) else np.asarray(X)[:N_COMPARED]
    as_given_to_file = _as_float32(rows)
    if hasattr(model, "to_torch"):
        model.to_onnx(path)
        output = None
    else:
        output = "probabilities" if is_classifier(model) else "variable"
        content = _convert(to_sklearn(model), as_given_to_file)
        with atomic_file(path) as file:
            file.write(content)
    of_file = _run(path, as_given_to_file, output)
    predict = model.predict_proba if is_classifier(model) else model.predict
    expected = np.asarray(predict(rows), dtype=np.float64)
    difference = float(np.abs(of_file.reshape(expected.shape) - expected).max())
    if not difference <= LARGE_DIFFERENCE:
        warn_user(
            f"{path} and the model differ by up to {difference:.2g} on X: look whether the "
            "features need more digits than float32 has, and scale them in a Pipeline"
        )
    return difference


def _as_float32(rows: NDArray[Any] | pd.DataFrame) -> NDArray[Any] | pd.DataFrame:
    """Return the rows with floats as the file takes them."""
    if not isinstance(rows, pd.DataFrame):
        return rows.astype(np.float32)
    floats = [name for name in rows.columns if is_float_dtype(rows[name])]
    return rows.astype(dict.fromkeys(floats, np.float32))


def _convert(plain: Any, rows: NDArray[Any] | pd.DataFrame) -> bytes:
    """Return the content of the file."""
    import_onnx("skl2onnx", "to_onnx")
    from sklearn_distill.deployment._converters import convert

    return convert(plain, rows)


def _run(
    path: str | PathLike[str], rows: NDArray[Any] | pd.DataFrame, output: str | None
) -> NDArray[Any]:
    """Return an output of the file for these rows; None for the only one."""
    onnxruntime = import_onnx("onnxruntime", "to_onnx")
    session = onnxruntime.InferenceSession(Path(path).read_bytes())
    if isinstance(rows, pd.DataFrame):
        inputs = {name: rows[[name]].to_numpy() for name in rows.columns}
    else:
        inputs = {"X": rows}
    outputs = session.run(None if output is None else [output], inputs)
    return np.asarray(outputs[0], dtype=np.float64)
