"""The method ``to_onnx`` of students, and of estimators that contain one."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


class OnnxMethod:
    """Write the fitted estimator to an ONNX file."""

    def to_onnx(
        self, path: str | PathLike[str], X: ArrayLike | pd.DataFrame | None = None
    ) -> float:
        """Write the fitted model to an ONNX file, and compare its predictions by onnxruntime.

        Parameters
        ----------
        path : str or path-like
            Path of the file to write.
        X : {array-like, DataFrame} of shape (n_samples, n_features), default=None
            Rows to compare on, of the kind that the file will be given. None draws 100 rows of
            standard normal numbers: pass rows if the features are not about that large, or have
            categories.

        Returns
        -------
        float
            The largest difference between the file's and the model's predictions, of a classifier
            those of ``predict_proba``; see :func:`~sklearn_distill.deployment.to_onnx`.

        Raises
        ------
        ImportError
            If onnxruntime or a converter is missing.
        TypeError
            If the model cannot be converted.
        ValueError
            If X is None, and the student is a Pipeline fitted on a DataFrame, or has features that
            are not one array of floats.
        """
        check_is_fitted(self)
        from sklearn_distill.deployment import to_onnx  # slow to import

        return to_onnx(self, path, X)
