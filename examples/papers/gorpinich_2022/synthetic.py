"""The synthetic data set, its teacher and its student, for tables and figures."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.search import tune_student

N_TEACHER, N_STUDENT, N_VALIDATION, N_TEST = 200, 15, 15, 200
VALIDATION_TEMPERATURE = 0.1


@dataclass(frozen=True)
class SyntheticData:
    """A draw of the data in the student's features, with the teacher's logits."""

    X: np.ndarray
    y: np.ndarray
    teacher_logits: np.ndarray
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def draw_samples(rng, n):
    """Draw features of the teacher, features of the student, and labels.

    x ~ N(0, 1)², y = [x₁x₂ + ξ/2 > 0] with ξ ~ N(0, 1). The features of the teacher are x and
    whether both are positive; those of the student are x and the sign of x₁x₂, which is nearly the
    label.
    """
    x = rng.normal(size=(n, 2))
    product = x[:, 0] * x[:, 1]
    y = (product + rng.normal(size=n) / 2 > 0).astype(int)
    both_positive = (x > 0).all(axis=1)
    return np.column_stack([x, both_positive]), np.column_stack([x, np.sign(product)]), y


def draw(seed):
    """Draw the data and predict with the teacher, a logistic regression on separate samples."""
    rng = np.random.default_rng(seed)
    X_teacher, _, y_teacher = draw_samples(rng, N_TEACHER)
    X_privileged, X, y = draw_samples(rng, N_STUDENT)
    validation, test = (draw_samples(rng, n)[1:] for n in (N_VALIDATION, N_TEST))
    teacher = LogisticRegression(C=1e6).fit(X_teacher, y_teacher)
    return SyntheticData(X, y, teacher.predict_log_proba(X_privileged), validation, test)


def tune(data, method, seed, n_steps, **options):
    """Train a linear student by full-batch SGD, with λ and T found by a method.

    The seed determines the initial λ, T and weights, which are the same for all methods.
    """
    student = DistilledNeuralClassifier(
        hidden_layer_sizes=(),
        optimizer="sgd",
        lr=1.0,
        max_epochs=n_steps,
        classes=[0, 1],
        device="cpu",
        random_state=seed,
    )
    X_val, y_val = data.validation
    return tune_student(
        student,
        data.X,
        data.y,
        method=method,
        X_val=X_val,
        y_val=y_val,
        teacher_logits=data.teacher_logits,
        validation_temperature=VALIDATION_TEMPERATURE,
        random_state=seed,
        **options,
    )


def evaluate(result, data):
    """Return the measures of a tuned student."""
    return {
        "accuracy": result.student.score(*data.test),
        "imitation": result.imitation,
        "temperature": result.temperature,
        "hypergradients": result.n_hypergradient_steps,
    }
