"""Trials of neural students that report their score after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from sklearn import get_config
from sklearn.base import clone
from sklearn.metrics import check_scoring

from sklearn_distill.students.distilled_neural_classifier import DistilledNeuralClassifier
from sklearn_distill.students.distilled_neural_regressor import DistilledNeuralRegressor

Report = Callable[[float, int, int], None]  # the score, the number of epochs, and that of all


class ReportingEstimator:
    """An estimator whose test score is reported after each epoch of its fit.

    Parameters
    ----------
    estimator : estimator
        A neural student, or a pipeline that ends in one.
    scoring : callable or None
        The scorer; None is the estimator's own score.
    test : tuple of (X, y)
        Test rows.
    report : callable
        Function of the score, the number of epochs, starting with 1, and that of all.
    """

    def __init__(self, estimator: Any, scoring: Any, test: tuple[Any, Any], report: Report) -> None:
        self.estimator = estimator
        self.scoring = scoring
        self.test = test
        self.report = report

    def fit(self, X: Any, y: Any = None, **params: Any) -> ReportingEstimator:
        """Fit the estimator."""
        from sklearn_distill.students._neural_probe import probe_epochs

        scorer = check_scoring(self.estimator, scoring=self.scoring)

        def use(student: Any, n_done: int, n_epochs: int) -> None:
            fitted = _with_last_step(self.estimator, student)
            self.report(float(scorer(fitted, *self.test)), n_done, n_epochs)

        probe_epochs(last_step(self.estimator), use)
        self.estimator.fit(X, y, **params)
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "estimator":  # before __init__, as in copies
            raise AttributeError(name)
        return getattr(self.estimator, name)

    def __sklearn_clone__(self) -> ReportingEstimator:
        return ReportingEstimator(clone(self.estimator), self.scoring, self.test, self.report)

    def __sklearn_tags__(self) -> Any:
        return self.estimator.__sklearn_tags__()


def last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, also of nested ones, or the estimator itself.

    Parameters
    ----------
    estimator : estimator
        Any estimator.

    Returns
    -------
    estimator
        One that is no pipeline.
    """
    steps = getattr(estimator, "steps", None)
    return last_step(steps[-1][1]) if steps else estimator


def is_network(estimator: Any) -> bool:
    """Return whether an estimator is trained in epochs.

    Parameters
    ----------
    estimator : estimator
        Any estimator.

    Returns
    -------
    bool
        True for a neural student, and for a pipeline that ends in one.
    """
    return isinstance(last_step(estimator), DistilledNeuralClassifier | DistilledNeuralRegressor)


def length_params(network: Any) -> list[str]:
    """Return the parameters on which the number of epochs of a network depends.

    Parameters
    ----------
    network : estimator
        A neural student; any other estimator has no epochs.

    Returns
    -------
    list of str
        Names of parameters.
    """
    is_planned = getattr(network, "max_epochs", None) == "auto"
    return ["max_epochs", "batch_size"] if is_planned else ["max_epochs"]


def reports_by_epoch(report: str, estimator: Any, space: Any, *, several: bool) -> bool:
    """Return whether scores are reported after each epoch.

    Parameters
    ----------
    report : {"auto", "epoch", "fold"}
        What the user chose.
    estimator : estimator
        The student.
    space : dict or callable
        Search space.
    several : bool
        Whether there are several objectives.

    Returns
    -------
    bool
        Whether they are.

    Raises
    ------
    ValueError
        If "epoch" is impossible, or `report` is none of the three.
    """
    if report not in {"auto", "epoch", "fold"}:
        raise ValueError(f"report={report!r}: it must be 'auto', 'epoch' or 'fold'")
    if report == "fold":
        return False
    searched = () if callable(space) else space
    last_names = {name.rpartition("__")[2] for name in searched}
    changed = sorted(last_names & set(length_params(last_step(estimator))))
    obstacles = {
        "the estimator is no neural student, nor a pipeline that ends in one": not is_network(
            estimator
        ),
        f"space changes {', '.join(changed)}, so that the steps of trials differ": bool(changed),
        "Optuna takes no reports of several objectives": several,
        "metadata routing is enabled": get_config()["enable_metadata_routing"],
    }
    found = [reason for reason, applies in obstacles.items() if applies]
    if found and report == "epoch":
        raise ValueError(f"report='epoch', but {found[0]}: pass report='fold'")
    return not found


def _with_last_step(estimator: Any, student: Any) -> Any:
    """Return a pipeline with another last step; the student, if there is no pipeline."""
    steps = getattr(estimator, "steps", None)
    if not steps:
        return student
    pipeline = copy(estimator)
    name, last = steps[-1]
    pipeline.steps = [*steps[:-1], (name, _with_last_step(last, student))]
    return pipeline
