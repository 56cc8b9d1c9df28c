"""Try, before the work, what would fail after it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from warnings import catch_warnings, simplefilter

from sklearn.base import clone

from sklearn_distill.experiment._metric import search_scorer
from sklearn_distill.experiment.data import ExperimentData
from sklearn_distill.experiment.model_file import save_model
from sklearn_distill.experiment.run import _prefix


def rehearse(data: ExperimentData, save: str | None) -> None:
    """Fit each student once on labels alone, score it, and save it to a temporary file.

    Parameters
    ----------
    data : ExperimentData
        The data.
    save : str or None
        The file that the distilled student will be saved to.

    Raises
    ------
    ValueError
        If the metric does not suit the target, or the student cannot be saved in this format.
    ImportError
        If a package is missing.
    """
    scorer = search_scorer(data.metric, data.is_class)
    X, _, y = data.part("student")
    for student in data.students:
        model = clone(student.estimator).set_params(**{f"{_prefix(student.estimator)}imitation": 0})
        model.fit(X, y)
        _try_metric(scorer, model, X, y, data.metric)
        if save is not None:
            _try_saving(model, X, save, student.name)


def _try_metric(scorer: Any, model: Any, X: Any, y: Any, metric: str | None) -> None:
    try:
        scorer(model, X, y)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"--metric {metric}: it does not suit this target: {error}") from error


def _try_saving(model: Any, X: Any, save: str, name: str) -> None:
    with TemporaryDirectory() as folder, catch_warnings():
        simplefilter("error", UserWarning)  # an ONNX file with other predictions
        try:
            save_model(model, str(Path(folder, f"model{Path(save).suffix}")), X)
        except ImportError:
            raise
        except Exception as error:  # each converter has its own errors
            hint = "; .skops may do" if save.endswith(".onnx") else ""
            raise ValueError(
                f"--save {save}: {name} of this table cannot be saved in this format{hint}: {error}"
            ) from error
