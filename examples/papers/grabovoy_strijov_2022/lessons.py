"""What the students of the tables and figures learn from, and the students."""

from dataclasses import dataclass

import numpy as np

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.datasets import fetch_fashion_mnist, make_teacher_probabilities
from sklearn_distill.nets import LeNet


@dataclass(frozen=True)
class Lesson:
    """Rows with labels and the teacher's logits, and rows that judge.

    Parameters
    ----------
    X, y, teacher_logits : ndarray
        What a student learns from.
    X_test, y_test : ndarray
        What it is judged by.
    teacher_proba : ndarray of shape (n_test, n_classes)
        What the teacher says of these.
    true_proba : ndarray of shape (n_test, n_classes) or None, default=None
        Whence their labels are drawn, if that is known.
    """

    X: np.ndarray
    y: np.ndarray
    teacher_logits: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    teacher_proba: np.ndarray
    true_proba: np.ndarray | None = None


def synthetic(seed, n_samples=1000):
    """Draw W, X and y ~ Cat(softmax(XW)); the teacher knows the probabilities."""
    train = make_teacher_probabilities(n_samples, random_state=seed)
    test = make_teacher_probabilities(n_samples, coef=train.coef, random_state=1000 + seed)
    logits = np.log(train.teacher_proba)
    truth = test.teacher_proba
    return Lesson(train.data, train.target, logits, test.data, test.target, truth, truth)


def fashion_mnist(seed, n_rows, n_epochs, device):
    """Draw training images and train a LeNet on them; all test images judge."""
    X, y = fetch_fashion_mnist(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))[:n_rows]
    X, y = X[rows], y[rows]
    X_test, y_test = fetch_fashion_mnist(subset="test", return_X_y=True)
    teacher = DistilledNeuralClassifier(
        LeNet, batch_size=64, max_epochs=n_epochs, device=device, random_state=seed
    ).fit(as_images(X), y)
    logits, proba = (
        teacher.predict_log_proba(as_images(X)),
        teacher.predict_proba(as_images(X_test)),
    )
    return Lesson(X, y, logits, X_test, y_test, proba)


def as_images(X):
    """Return rows of pixels as (n, 1, 28, 28)."""
    return X.reshape(-1, 1, 28, 28)


def linear_network(n_epochs, seed, device="cpu", **options):
    """Return the paper's student, a linear network that Adam trains."""
    return DistilledNeuralClassifier(
        hidden_layer_sizes=(),
        lr=1e-3,
        batch_size=64,
        max_epochs=n_epochs,
        device=device,
        random_state=seed,
        **options,
    )


def taught(student, lesson, **validation):
    """Fit a student on labels and teacher; with λ = 0 on labels alone."""
    says = None if student.imitation == 0 else lesson.teacher_logits
    return student.fit(lesson.X, lesson.y, teacher_logits=says, **validation)
