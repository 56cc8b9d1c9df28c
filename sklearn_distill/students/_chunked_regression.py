"""The rows of a linear regression in chunks, and some of them for the check of the teacher."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sklearn_distill._validation.plausible_prediction import PredictionSample, sample_predictions
from sklearn_distill.chunks import Reducible
from sklearn_distill.solvers.least_squares import RegressionData


class SampledChunks:
    """Chunks that keep labels and predictions of some rows of the last pass: ``sample``.

    Parameters
    ----------
    chunks : Reducible
        Chunks of RegressionData.
    n_rows : int
        Number of rows of all chunks.
    """

    sample: PredictionSample

    def __init__(self, chunks: Reducible, n_rows: int) -> None:
        self._chunks = chunks
        self._n_rows = n_rows

    def map_reduce(
        self,
        function: Callable[..., Any],
        *args: Any,
        combine: Callable[[Any, Any], Any] | None = None,
    ) -> Any:
        """Return the result of the chunks' ``map_reduce``; sample the rows in the same pass."""
        assert combine is not None
        value, self.sample = self._chunks.map_reduce(
            partial(_with_sample, function, self._n_rows), *args, combine=partial(_merge, combine)
        )
        return value


def _with_sample(
    function: Callable[..., Any], n_rows: int, data: RegressionData, *args: Any
) -> tuple[Any, PredictionSample]:
    share = data.X.shape[0] / n_rows
    sample = sample_predictions(data.y, data.teacher, data.teacher_std, share=share)
    return function(data, *args), sample


def _merge(
    combine: Callable[[Any, Any], Any],
    left: tuple[Any, PredictionSample],
    right: tuple[Any, PredictionSample],
) -> tuple[Any, PredictionSample]:
    return combine(left[0], right[0]), left[1] + right[1]
