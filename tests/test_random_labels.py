"""On random labels nothing is better than the prior: on test rows, and in a fit's own validation.

Whatever chooses, validates or stops early by labels that something behind it was fitted on finds a
gain where there is none. Each default configuration of the classes that fit a teacher or choose
metaparameters is fitted to several draws of balanced random labels, or random numbers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import sklearn_distill as sd
from sklearn_distill import distillers, search
from sklearn_distill.teachers import out_of_fold_prediction, out_of_fold_proba

N, N_TEST, D, N_DRAWS = 100, 1000, 5, 16
FOREST = RandomForestClassifier(20, random_state=0)
FOREST_OF_NUMBERS = RandomForestRegressor(20, random_state=0)
STOPPED = HistGradientBoostingClassifier(early_stopping=True, random_state=0)
SMALL_TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Draw:
    """Rows of random labels: training rows, the teacher's own, unlabelled and test rows."""

    rng: np.random.Generator
    is_class: bool

    def rows(self, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        X = self.rng.normal(size=(n_rows, D))
        if self.is_class:
            return X, self.rng.permutation(np.arange(n_rows) % 2)
        return X, self.rng.normal(size=n_rows)

    def teacher(self) -> Any:
        """Return a teacher that knows none of the training labels."""
        return clone(FOREST if self.is_class else FOREST_OF_NUMBERS).fit(*self.rows(N))


Result = tuple[Any, float | None]  # a fitted model, and by how much its own loss beats the prior's


def outside_proba(draw: Draw, X: np.ndarray) -> dict[str, np.ndarray]:
    predict = draw.teacher().predict_proba if draw.is_class else draw.teacher().predict
    return {"teacher_proba" if draw.is_class else "teacher_prediction": predict(X)}


def pair(student: BaseEstimator, **parameters: Any) -> Callable[[Draw], Result]:
    """Return the fit of a teacher-student estimator, with its student's own loss if it has one."""

    def fit(draw: Draw) -> Result:
        kind = sd.TeacherStudentClassifier if draw.is_class else sd.TeacherStudentRegressor
        teacher = FOREST if draw.is_class else FOREST_OF_NUMBERS
        X, y = draw.rows(N)
        model = kind(teacher, student, random_state=0, **parameters)
        extra = {"X_unlabeled": draw.rows(200)[0]} if "unlabeled_weight" in parameters else {}
        model.fit(X, y, **extra)
        own = None
        if model.unlabeled_results_ is not None:
            own = prior_loss(y, draw.is_class) - model.unlabeled_results_["loss"].min()
        elif hasattr(model.student_, "best_score_"):
            own = prior_loss(y, draw.is_class) + own_score(model.student_)
        elif draw.is_class:
            own = own_validation_gain(model.student_)
        return model, own

    return fit


def prior_loss(y: np.ndarray, is_class: bool) -> float:
    """Return the loss of the labels' mean in each of five folds, which is ½ for balanced labels."""
    if is_class:
        return float(np.log(2))
    folds = KFold(5).split(y)
    return float(np.mean([np.mean((y[test] - y[train].mean()) ** 2) for train, test in folds]))


def searched(estimator: BaseEstimator) -> Callable[[Draw], Result]:
    """Return the fit of a search, with an outside teacher."""

    def fit(draw: Draw) -> Result:
        X, y = draw.rows(N)
        model = clone(estimator).fit(X, y, **outside_proba(draw, X))
        return model, prior_loss(y, draw.is_class) + own_score(model)

    return fit


def own_score(fitted: Any) -> float:
    """Return the score of a search; of a grid that contains the prior, not that of the best.

    The best of 220 settings, some of which predict the mean, is never worse than the prior. A leak
    would make those better that imitate the teacher alone.
    """
    if is_classifier(fitted):
        return float(fitted.best_score_)
    results = fitted.cv_results_
    return float(results["mean_test_score"][results["param_imitation"] == 1].mean())


def own_validation_gain(student: Any) -> float | None:
    """Return the gain on rows that a classifier holds out, the mean over epochs or trees.

    That of the best of these is optimistic. None for a student that holds out no rows.
    """
    if hasattr(student, "history_"):
        losses = student.history_.get("valid_loss")
    elif hasattr(student, "estimator_") and len(student.estimator_.validation_score_):
        losses = -student.estimator_.validation_score_
    else:
        return None
    return None if losses is None else float(np.log(2) - np.mean(losses))


def network(imitation: float = 0.5, **parameters: Any) -> sd.DistilledNeuralClassifier:
    """Return an unfitted network."""
    return sd.DistilledNeuralClassifier(
        imitation=imitation, device="cpu", random_state=0, **parameters
    )


def generations(
    student: BaseEstimator | None = None, **parameters: Any
) -> Callable[[Draw], Result]:
    """Return the fit of generations."""
    student = sd.DistilledLogisticRegression() if student is None else student

    def fit(draw: Draw) -> Result:
        model = sd.BornAgainClassifier(student, random_state=0, **parameters)
        model.fit(*draw.rows(N))
        if model.early_stopping:
            return model, float(np.log(2)) + model.generations_["validation_score"].max()
        return model, None  # of a student that stops early: earlier ones were chosen on its rows

    return fit


def tuned(method: str) -> Callable[[Draw], Result]:
    """Return the fit of a network whose λ and T are chosen on validation rows."""

    def fit(draw: Draw) -> Result:
        (X, y), (X_val, y_val) = draw.rows(N), draw.rows(N)
        student = sd.DistilledNeuralClassifier(max_epochs=20, random_state=0)
        result = search.tune_student(
            student,
            X,
            y,
            method=method,
            X_val=X_val,
            y_val=y_val,
            random_state=0,
            **outside_proba(draw, X),
        )
        return result.student, float(np.log(2)) - result.validation_loss

    return fit


def metaparameter_optimizer(optimizer: Any) -> Callable[[Draw], Result]:
    """Return the fit of a network that chooses λ and T in its training."""

    def fit(draw: Draw) -> Result:
        (X, y), (X_val, y_val) = draw.rows(N), draw.rows(N)
        student = sd.DistilledNeuralClassifier(
            metaparameter_optimizer=optimizer, max_epochs=20, random_state=0
        )
        student.fit(X, y, **outside_proba(draw, X), X_val=X_val, y_val=y_val)
        loss = log_loss(y_val, student.predict_proba(X_val))
        return student, float(np.log(2)) - loss

    return fit


def study(draw: Draw) -> Result:
    """Search λ, T and C by Optuna, around the whole teacher-student estimator."""
    optuna = pytest.importorskip("optuna", reason="Optuna is an extra")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = draw.rows(N)
    model = sd.TeacherStudentClassifier(
        FOREST, sd.DistilledLogisticRegression(), cv=3, random_state=0
    )
    objective = search.distillation_objective(
        model,
        X,
        y,
        {
            "student__imitation": optuna.distributions.FloatDistribution(0, 1),
            "student__C": optuna.distributions.FloatDistribution(1e-3, 1e3, log=True),
        },
        scoring="neg_log_loss",
    )
    trials = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0)
    )
    trials.optimize(objective, n_trials=5)
    best = clone(model).set_params(**trials.best_params).fit(X, y)
    return best, float(np.log(2)) + trials.best_value


CLASSIFIERS = {
    "TeacherStudentClassifier": pair(sd.DistilledLogisticRegression()),
    "TeacherStudentClassifier, search": pair(sd.DistilledLogisticRegressionCV()),
    "TeacherStudentClassifier, tree": pair(sd.SoftTargetClassifier(SMALL_TREE)),
    "TeacherStudentClassifier, boosting": pair(sd.DistilledBoostingClassifier()),
    "TeacherStudentClassifier, auto weight": pair(
        sd.DistilledLogisticRegression(), unlabeled_weight="auto"
    ),
    "TeacherStudentClassifier, calibrated": pair(
        sd.DistilledLogisticRegressionCV(), calibrate_teacher="temperature"
    ),
    "TeacherStudentClassifier, network": pair(network()),
    "TeacherStudentClassifier, network, early stopping": pair(network(early_stopping=True)),
    "TeacherStudentClassifier, network, imitation": pair(network(1.0, early_stopping=True)),
    "TeacherStudentClassifier, boosting, early stopping": pair(
        sd.DistilledBoostingClassifier(STOPPED, imitation=1.0)
    ),
    "BornAgainClassifier": generations(),
    "BornAgainClassifier, boosting, early stopping": generations(
        sd.DistilledBoostingClassifier(STOPPED)
    ),
    "BornAgainClassifier, folds": generations(cv=5),
    "BornAgainClassifier, early stopping": generations(early_stopping=True),
    "DistilledLogisticRegressionCV": searched(sd.DistilledLogisticRegressionCV()),
    "distillation_objective": study,
    "GreedyHypergradient": metaparameter_optimizer(search.GreedyHypergradient()),
    "LinearTrajectory": metaparameter_optimizer(search.LinearTrajectory()),
    "tune_student, gradient": tuned("gradient"),
    "tune_student, linear": tuned("linear"),
    "tune_student, random": tuned("random"),
}
NUMBERS = {
    "TeacherStudentRegressor": pair(sd.PrivilegedLinearRegression()),
    "TeacherStudentRegressor, auto": pair(sd.PrivilegedLinearRegression("auto")),
    "TeacherStudentRegressor, search": pair(sd.PrivilegedLinearRegressionCV()),
    "TeacherStudentRegressor, tree": pair(
        sd.SoftTargetRegressor(DecisionTreeRegressor(max_depth=3, random_state=0))
    ),
    "TeacherStudentRegressor, boosting": pair(sd.DistilledBoostingRegressor()),
    "TeacherStudentRegressor, network": pair(
        sd.DistilledNeuralRegressor(early_stopping=True, device="cpu", random_state=0)
    ),
    "TeacherStudentRegressor, auto weight": pair(
        sd.PrivilegedLinearRegression(), unlabeled_weight="auto"
    ),
    "PrivilegedLinearRegressionCV": searched(sd.PrivilegedLinearRegressionCV()),
}


def draws(is_class: bool) -> Iterator[Draw]:
    return (Draw(np.random.default_rng(seed), is_class) for seed in range(N_DRAWS))


def assert_no_gain(gains: list[float]) -> None:
    error = np.std(gains, ddof=1) / np.sqrt(len(gains))
    assert np.mean(gains) <= 2 * error, f"{np.mean(gains):.4f} with standard error {error:.4f}"


@pytest.mark.parametrize("name", [*CLASSIFIERS, *NUMBERS])
@pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")
def test_nothing_beats_the_prior(name):
    if "network" in name or name.startswith(("Greedy", "LinearTrajectory", "tune_student")):
        pytest.importorskip("torch", reason="torch is an extra")
    is_class, own_gains, test_gains = name in CLASSIFIERS, [], []
    for draw in draws(is_class):
        model, own = (CLASSIFIERS if is_class else NUMBERS)[name](draw)
        X, y = draw.rows(N_TEST)
        assert is_classifier(model) == is_class
        if is_class:
            test_gains.append(np.log(2) - log_loss(y, model.predict_proba(X)))
        else:
            test_gains.append(np.mean(y**2) - mean_squared_error(y, model.predict(X)))
        own_gains.append(own)
    assert_no_gain(test_gains)
    if own_gains[0] is not None:
        assert_no_gain(own_gains)


@pytest.mark.parametrize("is_class", [True, False])
def test_a_leak_is_noticed(is_class):
    # out-of-fold predictions know the labels that the search validates on
    gains = []
    for draw in draws(is_class):
        X, y = draw.rows(N)
        if is_class:
            given = {"teacher_proba": out_of_fold_proba(FOREST, X, y)}
            model = sd.DistilledLogisticRegressionCV().fit(X, y, **given)
        else:
            given = {"teacher_prediction": out_of_fold_prediction(FOREST_OF_NUMBERS, X, y)}
            model = sd.PrivilegedLinearRegressionCV().fit(X, y, **given)
        gains.append(prior_loss(y, is_class) + own_score(model))
    with pytest.raises(AssertionError, match="with standard error"):
        assert_no_gain(gains)


def test_every_public_class_and_search_is_tried():
    names = {name.split(",")[0] for name in (*CLASSIFIERS, *NUMBERS)}
    assert names == {*distillers.__all__, *search.__all__} - {"Tuned"}
