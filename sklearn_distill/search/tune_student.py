"""Six ways to come to λ and T, with one account of what they cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import check_random_state

from sklearn_distill._optional import import_optuna
from sklearn_distill.metrics import cross_entropy_from_proba
from sklearn_distill.search.greedy_hypergradient import GreedyHypergradient
from sklearn_distill.search.linear_trajectory import LinearTrajectory

TEMPERATURES = (0.1, 10.0)


@dataclass(frozen=True)
class Tuned:
    """A student, how its λ and T were found, and what that cost.

    Parameters
    ----------
    method : str
        How.
    student : estimator
        Fitted.
    imitation, temperature : float
        λ and T, at the end where they moved.
    validation_loss : float
        Cross-entropy of the validation labels at the validation temperature.
    n_training_steps : int
        Steps of the weights, over all students that were trained.
    n_hypergradient_steps : int
        Hypergradients that were computed.
    seconds : float
        Wall time.
    """

    method: str
    student: Any
    imitation: float
    temperature: float
    validation_loss: float
    n_training_steps: int
    n_hypergradient_steps: int
    seconds: float


@dataclass(frozen=True)
class _Task:
    """What is to be learnt, and by whom."""

    student: Any
    X: NDArray[Any]
    y: Any
    X_val: NDArray[Any]
    y_val: NDArray[Any]
    teacher: dict[str, Any]
    validation_temperature: float

    def trained(self, **parameters: Any) -> Any:
        """Return a fresh student, trained."""
        student = clone(self.student).set_params(**parameters)
        return student.fit(self.X, self.y, **self.teacher, X_val=self.X_val, y_val=self.y_val)

    def loss(self, student: Any) -> float:
        """Return the validation loss."""
        z = student.predict_log_proba(self.X_val) / self.validation_temperature
        proba = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))
        one_hot = np.asarray(self.y_val)[:, None] == student.classes_
        return float(cross_entropy_from_proba(one_hot.astype(float), proba))


def tune_student(
    student: Any,
    X: Any,
    y: Any,
    *,
    method: str,
    X_val: Any,
    y_val: Any,
    teacher_proba: Any = None,
    teacher_logits: Any = None,
    lr: float = 0.1,
    gradient_steps: int = 10,
    predicted_steps: int = 10,
    n_trials: int = 5,
    validation_temperature: float = 1.0,
    random_state: Any = None,
) -> Tuned:
    """Train a neural student with λ and T found by one of six methods.

    Parameters
    ----------
    student : DistilledNeuralClassifier
        The student; it is cloned.
    X : array-like of shape (n_samples, ...)
        Features.
    y : array-like of shape (n_samples,)
        Labels.
    method : {"none", "naive", "random", "gradient", "linear", "tpe"}
        "none": λ = 0, no teacher. "naive": λ = ½, T = 1. "random": λ ~ U(0, 1) and log₁₀ T ~
        U(−1, 1) (as in the authors' code; their slides print T ~ U(0.1, 10)). "gradient":
        :class:`.GreedyHypergradient` from such a start. "linear": :class:`.LinearTrajectory` from
        such a start, the proposed method. "tpe": the best of ``n_trials`` students by Optuna's TPE
        in these ranges.
    X_val, y_val : array-like
        Validation rows and their labels.
    teacher_proba, teacher_logits : array-like or None
        What the teacher says of X.
    lr : float, default=0.1
        Learning rate of λ and T ("gradient", "linear").
    gradient_steps, predicted_steps : int, default=10
        e₁ and e₂ ("linear").
    n_trials : int, default=5
        Students trained by "tpe".
    validation_temperature : float, default=1.0
        Temperature of the validation loss.
    random_state : int, RandomState or None, default=None
        Randomness of start and search; that of the student is its own.

    Returns
    -------
    Tuned
        The student and the account.

    Raises
    ------
    ValueError
        If the method is unknown.
    ImportError
        If "tpe" is asked for and optuna is missing.

    References
    ----------
    Gorpinich, Bakhteev and Strijov 2022, "Gradient-based metaparameter optimisation in knowledge
    distillation", section 5.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_distill import DistilledNeuralClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = DistilledNeuralClassifier(max_epochs=5, random_state=0)
    >>> tuned = tune_student(student, X[::2], y[::2], method="naive", X_val=X[1::2], y_val=y[1::2])
    >>> tuned.imitation, tuned.temperature, tuned.n_training_steps, tuned.n_hypergradient_steps
    (0.5, 1.0, 5, 0)
    """
    if method not in _METHODS:
        raise ValueError(f"method must be one of {sorted(_METHODS)}, got {method!r}")
    teacher = {"teacher_proba": teacher_proba, "teacher_logits": teacher_logits}
    task = _Task(student, X, y, X_val, y_val, teacher, validation_temperature)
    options = {
        "lr": lr,
        "gradient_steps": gradient_steps,
        "predicted_steps": predicted_steps,
        "n_trials": n_trials,
        "random_state": check_random_state(random_state),
    }
    start = time.perf_counter()
    best, n_students = _METHODS[method](task, options)
    seconds = time.perf_counter() - start
    imitation, temperature, n_hypergradients = _end(best)
    return Tuned(
        method,
        best,
        imitation,
        temperature,
        task.loss(best),
        n_students * _n_steps(best, len(X)),
        n_hypergradients,
        seconds,
    )


def _none(task: _Task, options: dict[str, Any]) -> tuple[Any, int]:
    return task.trained(imitation=0.0, temperature=1.0), 1


def _naive(task: _Task, options: dict[str, Any]) -> tuple[Any, int]:
    return task.trained(imitation=0.5, temperature=1.0), 1


def _random(task: _Task, options: dict[str, Any]) -> tuple[Any, int]:
    return task.trained(**_drawn(options)), 1


def _gradient(task: _Task, options: dict[str, Any]) -> tuple[Any, int]:
    search = GreedyHypergradient(
        options["lr"],
        temperature_range=TEMPERATURES,
        validation_temperature=task.validation_temperature,
    )
    return task.trained(metaparameter_optimizer=search, **_drawn(options)), 1


def _linear(task: _Task, options: dict[str, Any]) -> tuple[Any, int]:
    search = LinearTrajectory(
        options["gradient_steps"],
        options["predicted_steps"],
        options["lr"],
        temperature_range=TEMPERATURES,
        validation_temperature=task.validation_temperature,
    )
    return task.trained(metaparameter_optimizer=search, **_drawn(options)), 1


def _tpe(task: _Task, options: dict[str, Any]) -> tuple[Any, int]:
    optuna = import_optuna("method='tpe'")
    seed = int(options["random_state"].randint(2**31 - 1))
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    trained = []
    for _ in range(options["n_trials"]):
        trial = study.ask()
        imitation = trial.suggest_float("imitation", 0.0, 1.0)
        temperature = trial.suggest_float("temperature", *TEMPERATURES, log=True)
        trained.append(task.trained(imitation=imitation, temperature=temperature))
        study.tell(trial, task.loss(trained[-1]))
    return trained[study.best_trial.number], options["n_trials"]


_METHODS: dict[str, Callable[[_Task, dict[str, Any]], tuple[Any, int]]] = {
    "none": _none,
    "naive": _naive,
    "random": _random,
    "gradient": _gradient,
    "linear": _linear,
    "tpe": _tpe,
}


def _drawn(options: dict[str, Any]) -> dict[str, float]:
    rng = options["random_state"]
    return {"imitation": rng.uniform(), "temperature": 10 ** rng.uniform(-1, 1)}


def _end(student: Any) -> tuple[float, float, int]:
    """Return λ, T and the number of hypergradients of a fitted student."""
    if student.metaparameter_optimizer is None:
        return float(student.imitation), float(student.temperature), 0
    computed = int((student.metaparameter_history_["source"] == "computed").sum())
    return student.imitation_, student.temperature_, computed


def _n_steps(student: Any, n_rows: int) -> int:
    return len(student.history_) * -(-n_rows // student.batch_size)
