"""Six methods of choosing λ and T of a neural student, with one account of their cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import cast

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from sklearn_distill._optional import import_optuna
from sklearn_distill._typing import ArrayLike, TargetLike, TeacherLike
from sklearn_distill._validation.missing_teacher import check_search_params
from sklearn_distill._validation.random_state import draw_seed
from sklearn_distill.metrics import cross_entropy_from_proba
from sklearn_distill.search.greedy_hypergradient import GreedyHypergradient
from sklearn_distill.search.linear_trajectory import LinearTrajectory
from sklearn_distill.students.distilled_neural_classifier import DistilledNeuralClassifier

TEMPERATURE_RANGE = (0.1, 10.0)


@dataclass(frozen=True)
class Tuned:
    """A fitted student, its λ and T, and the cost of choosing them.

    Parameters
    ----------
    method : str
        The method that chose λ and T, as given to :func:`.tune_student`.
    student : DistilledNeuralClassifier
        The fitted student, a clone of the one given.
    imitation, temperature : float
        λ and T; for "gradient" and "linear" their values at the end of the training.
    validation_loss : float
        Cross-entropy of the validation labels at the validation temperature.
    n_training_steps : int
        Number of steps of the weights, over all students that were trained.
    n_hypergradient_steps : int
        Number of hypergradients that were computed.
    seconds : float
        Wall time of the search and of all trainings.
    """

    method: str
    student: DistilledNeuralClassifier
    imitation: float
    temperature: float
    validation_loss: float
    n_training_steps: int
    n_hypergradient_steps: int
    seconds: float


def tune_student(
    student: DistilledNeuralClassifier,
    X: ArrayLike,
    y: TargetLike,
    *,
    method: str,
    X_val: ArrayLike,
    y_val: ArrayLike,
    teacher_proba: TeacherLike = None,
    teacher_logits: TeacherLike = None,
    lr: float = 0.1,
    gradient_steps: int = 10,
    predicted_steps: int = 10,
    n_trials: int = 5,
    validation_temperature: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
) -> Tuned:
    """Train a neural student with λ and T chosen by one of six methods.

    Parameters
    ----------
    student : DistilledNeuralClassifier
        The student; it is cloned, and the clone is fitted.
    X : array-like of shape (n_samples, ...)
        Features of the training samples.
    y : array-like of shape (n_samples,)
        Labels of the training samples.
    method : {"none", "naive", "random", "gradient", "linear", "tpe"}
        "none": λ = 0, without the teacher. "naive": λ = ½, T = 1. "random": λ ~ U(0, 1) and
        log₁₀ T ~ U(−1, 1) (as in the authors' code; their slides print T ~ U(0.1, 10)).
        "gradient": :class:`.GreedyHypergradient` from such a random start. "linear":
        :class:`.LinearTrajectory` from such a start, the method that the paper proposes. "tpe": the
        best of ``n_trials`` students by Optuna's TPE in these ranges.
    X_val, y_val : array-like
        Features and labels of the validation samples.
    teacher_proba, teacher_logits : array-like or None
        The teacher's probabilities or logits for X.
    lr : float, default=0.1
        Learning rate of λ and T ("gradient", "linear").
    gradient_steps, predicted_steps : int, default=10
        Numbers e₁ and e₂ of steps with a hypergradient and along the lines ("linear").
    n_trials : int, default=5
        Number of students trained by "tpe".
    validation_temperature : float, default=1.0
        Temperature of the validation loss.
    random_state : int, RandomState or None, default=None
        Controls the random start and TPE; the student has a ``random_state`` of its own.

    Returns
    -------
    Tuned
        The fitted student, its λ and T, and the cost of the search.

    Raises
    ------
    TypeError
        If the student is not a neural classifier.
    ValueError
        If the method is unknown, or it searches λ and T and there is no teacher.
    ImportError
        If the method is "tpe" and Optuna is not installed.

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
    >>> tuned = tune_student(student, X[::2], y[::2], method="none", X_val=X[1::2], y_val=y[1::2])
    >>> tuned.imitation, tuned.temperature, tuned.n_training_steps, tuned.n_hypergradient_steps
    (0.0, 1.0, 5, 0)
    """
    if not isinstance(student, DistilledNeuralClassifier):
        raise TypeError(
            f"tune_student trains a DistilledNeuralClassifier, got student={student!r}: search the "
            "parameters of another student by GridSearchCV, or by distillation_objective with "
            "Optuna"
        )
    if method not in _METHODS:
        raise ValueError(f"method must be one of {sorted(_METHODS)}, got {method!r}")
    if method not in ("none", "naive"):  # these search nothing
        teachers = {"teacher_proba": teacher_proba, "teacher_logits": teacher_logits}
        check_search_params(f"method={method!r}", student, ["imitation"], teachers)
    problem = _TuningProblem(
        student=student,
        X=X,
        y=y,
        X_val=X_val,
        y_val=y_val,
        teacher_proba=teacher_proba,
        teacher_logits=teacher_logits,
        lr=lr,
        gradient_steps=gradient_steps,
        predicted_steps=predicted_steps,
        n_trials=n_trials,
        validation_temperature=validation_temperature,
        random_state=check_random_state(random_state),
    )
    start = time.perf_counter()
    best, n_students = _METHODS[method](problem)
    seconds = time.perf_counter() - start
    imitation, temperature, n_hypergradients = _final_metaparameters(best)
    n_batches = -(-len(cast("Sized", X)) // best.net_.batch_size)  # rounded up
    return Tuned(
        method=method,
        student=best,
        imitation=imitation,
        temperature=temperature,
        validation_loss=problem.validation_loss(best),
        n_training_steps=n_students * len(best.history_) * n_batches,
        n_hypergradient_steps=n_hypergradients,
        seconds=seconds,
    )


@dataclass(frozen=True)
class _TuningProblem:
    """The arguments of ``tune_student``."""

    student: DistilledNeuralClassifier
    X: ArrayLike
    y: TargetLike
    X_val: ArrayLike
    y_val: ArrayLike
    teacher_proba: TeacherLike
    teacher_logits: TeacherLike
    lr: float
    gradient_steps: int
    predicted_steps: int
    n_trials: int
    validation_temperature: float
    random_state: np.random.RandomState

    def fit(
        self, imitation: float, temperature: float, search: GreedyHypergradient | None = None
    ) -> DistilledNeuralClassifier:
        """Return a clone of the student, fitted with the given metaparameters."""
        student: DistilledNeuralClassifier = clone(self.student).set_params(
            imitation=imitation, temperature=temperature
        )
        if search is not None:  # otherwise the student keeps its own
            student.set_params(metaparameter_optimizer=search)
        return student.fit(
            self.X,
            self.y,
            teacher_proba=self.teacher_proba,
            teacher_logits=self.teacher_logits,
            X_val=self.X_val,
            y_val=self.y_val,
        )

    def draw_start(self) -> tuple[float, float]:
        """Return a random λ and T."""
        return self.random_state.uniform(), 10 ** self.random_state.uniform(-1, 1)

    def validation_loss(self, student: DistilledNeuralClassifier) -> float:
        """Return the cross-entropy of the validation labels at the validation temperature."""
        # log-probabilities are logits, up to a constant that the softmax removes
        z = student.predict_log_proba(self.X_val) / self.validation_temperature
        proba = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))
        one_hot = np.asarray(self.y_val)[:, None] == student.classes_
        return float(cross_entropy_from_proba(one_hot.astype(float), proba))


# Each method returns the fitted student and the number of students that were trained.


def _fit_none(problem: _TuningProblem) -> tuple[DistilledNeuralClassifier, int]:
    return problem.fit(0.0, 1.0), 1


def _fit_naive(problem: _TuningProblem) -> tuple[DistilledNeuralClassifier, int]:
    return problem.fit(0.5, 1.0), 1


def _fit_random(problem: _TuningProblem) -> tuple[DistilledNeuralClassifier, int]:
    return problem.fit(*problem.draw_start()), 1


def _fit_gradient(problem: _TuningProblem) -> tuple[DistilledNeuralClassifier, int]:
    search = GreedyHypergradient(
        problem.lr,
        temperature_range=TEMPERATURE_RANGE,
        validation_temperature=problem.validation_temperature,
    )
    return problem.fit(*problem.draw_start(), search), 1


def _fit_linear(problem: _TuningProblem) -> tuple[DistilledNeuralClassifier, int]:
    search = LinearTrajectory(
        problem.gradient_steps,
        problem.predicted_steps,
        problem.lr,
        temperature_range=TEMPERATURE_RANGE,
        validation_temperature=problem.validation_temperature,
    )
    return problem.fit(*problem.draw_start(), search), 1


def _fit_tpe(problem: _TuningProblem) -> tuple[DistilledNeuralClassifier, int]:
    optuna = import_optuna("method='tpe'")
    seed = draw_seed(problem.random_state)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    students = []
    for _ in range(problem.n_trials):
        trial = study.ask()
        imitation = trial.suggest_float("imitation", 0.0, 1.0)
        temperature = trial.suggest_float("temperature", *TEMPERATURE_RANGE, log=True)
        students.append(problem.fit(imitation, temperature))
        study.tell(trial, problem.validation_loss(students[-1]))
    return students[study.best_trial.number], problem.n_trials


_METHODS: dict[str, Callable[[_TuningProblem], tuple[DistilledNeuralClassifier, int]]] = {
    "none": _fit_none,
    "naive": _fit_naive,
    "random": _fit_random,
    "gradient": _fit_gradient,
    "linear": _fit_linear,
    "tpe": _fit_tpe,
}


def _final_metaparameters(student: DistilledNeuralClassifier) -> tuple[float, float, int]:
    """Return λ, T and the number of hypergradients of a fitted student."""
    if student.metaparameter_optimizer is None:
        return float(student.imitation), float(student.temperature), 0
    n_computed = int((student.metaparameter_history_["source"] == "computed").sum())
    return student.imitation_, student.temperature_, n_computed
