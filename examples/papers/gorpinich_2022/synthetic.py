"""The synthetic set, its teacher and its student, which tables and figures share."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.search import tune_student

N_TEACHER, N_STUDENT, N_VALIDATION, N_TEST = 200, 15, 15, 200
VALIDATION_TEMPERATURE = 0.1


@dataclass(frozen=True)
class Task:
    """A draw of the set, as the student sees it, with what the teacher says of its rows."""

    X: np.ndarray
    y: np.ndarray
    teacher_logits: np.ndarray
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def objects(rng, n):
    """Draw the teacher's features, the student's, and labels.

    x ~ N(0, 1)², y = [x₁x₂ + ξ/2 > 0] with ξ ~ N(0, 1). The teacher sees x and whether both are
    positive, the student x and the sign of x₁x₂, which is nearly the label.
    """
    x = rng.normal(size=(n, 2))
    product = x[:, 0] * x[:, 1]
    y = (product + rng.normal(size=n) / 2 > 0).astype(int)
    both_positive = (x > 0).all(axis=1)
    return np.column_stack([x, both_positive]), np.column_stack([x, np.sign(product)]), y


def draw(seed):
    """Draw the set and ask the teacher, a logistic regression on rows of its own."""
    rng = np.random.default_rng(seed)
    X_teacher, _, y_teacher = objects(rng, N_TEACHER)
    taught, X, y = objects(rng, N_STUDENT)
    validation, test = (objects(rng, n)[1:] for n in (N_VALIDATION, N_TEST))
    teacher = LogisticRegression(C=1e6).fit(X_teacher, y_teacher)
    return Task(X, y, teacher.predict_log_proba(taught), validation, test)


def tuned(task, method, seed, n_steps, **options):
    """Train a linear student by full-batch SGD, with λ and T found by a method.

    λ and T start where the seed says, for all methods alike; so do the weights.
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
    X_val, y_val = task.validation
    return tune_student(
        student,
        task.X,
        task.y,
        method=method,
        X_val=X_val,
        y_val=y_val,
        teacher_logits=task.teacher_logits,
        validation_temperature=VALIDATION_TEMPERATURE,
        random_state=seed,
        **options,
    )


def figures_of(result, task):
    """Return what a table tells of a tuned student."""
    return {
        "accuracy": result.student.score(*task.test),
        "imitation": result.imitation,
        "temperature": result.temperature,
        "hypergradients": result.n_hypergradient_steps,
    }
