"""Save a fitted model by the ending of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sklearn_distill._atomic_file import atomic_file
from sklearn_distill._optional import import_skops
from sklearn_distill.deployment import to_onnx, to_sklearn

FORMATS = (".skops", ".onnx")


def save_model(model: Any, path: str, X: Any) -> None:
    """Save a fitted model for rows as they are in the table.

    Parameters
    ----------
    model : estimator
        A fitted student, or a Pipeline that ends in one.
    path : str
        A file that ends in ``.onnx``; or in ``.skops``, which then holds scikit-learn's estimators
        (:func:`~sklearn_distill.deployment.to_sklearn`).
    X : DataFrame or matrix
        Some rows, for the types of an ONNX file's inputs.

    Raises
    ------
    ImportError
        If a package is missing.
    TypeError
        If the model cannot be converted, such as a network with a module of the user.
    OSError
        If the file cannot be written.
    """
    if Path(path).suffix == ".onnx":
        to_onnx(model, path, X)
        return
    content = import_skops("--save")
    with atomic_file(path) as file:
        file.write(content.dumps(to_sklearn(model)))
