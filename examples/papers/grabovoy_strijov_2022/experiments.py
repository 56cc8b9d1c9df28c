"""Data sets, teachers and students of the tables and figures."""

from dataclasses import dataclass

import numpy as np

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.datasets import fetch_fashion_mnist, make_teacher_probabilities
from sklearn_distill.nets import LeNet


@dataclass(frozen=True)
class DistillationData:
    """Training and test data with the teacher's predictions.

    Parameters
    ----------
    X, y, teacher_logits : ndarray
        Training data of the students.
    X_test, y_test : ndarray
        Test set.
    teacher_proba : ndarray of shape (n_test, n_classes)
        Probabilities predicted by the teacher for the test set.
    true_proba : ndarray of shape (n_test, n_classes) or None, default=None
        True class probabilities of the test set, if they are known.
    """

    X: np.ndarray
    y: np.ndarray
    teacher_logits: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    teacher_proba: np.ndarray
    true_proba: np.ndarray | None = None


def draw_synthetic(seed, n_samples=1000):
    """Draw W, X and y ~ Cat(softmax(XW)); the teacher predicts the true probabilities."""
    train = make_teacher_probabilities(n_samples, random_state=seed)
    test = make_teacher_probabilities(n_samples, coef=train.coef, random_state=1000 + seed)
    logits = np.log(train.teacher_proba)
    truth = test.teacher_proba
    return DistillationData(train.data, train.target, logits, test.data, test.target, truth, truth)


def draw_fashion_mnist(seed, n_rows, n_epochs, device):
    """Draw training images and train a LeNet on them; the test set has all test images."""
    X, y = fetch_fashion_mnist(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))[:n_rows]
    X, y = X[rows], y[rows]
    X_test, y_test = fetch_fashion_mnist(subset="test", return_X_y=True)
    teacher = DistilledNeuralClassifier(
        LeNet, imitation=0, batch_size=64, max_epochs=n_epochs, device=device, random_state=seed
    ).fit(as_images(X), y)
    logits, proba = (
        teacher.predict_log_proba(as_images(X)),
        teacher.predict_proba(as_images(X_test)),
    )
    return DistillationData(X, y, logits, X_test, y_test, proba)


def as_images(X):
    """Return rows of pixels as (n, 1, 28, 28)."""
    return X.reshape(-1, 1, 28, 28)


def linear_network(n_epochs, seed, device="cpu", **options):
    """Return the student of the paper, a linear network trained with Adam."""
    return DistilledNeuralClassifier(
        hidden_layer_sizes=(),
        lr=1e-3,
        batch_size=64,
        max_epochs=n_epochs,
        device=device,
        random_state=seed,
        **options,
    )


def fit_student(student, data, **validation):
    """Fit a student on labels and teacher's logits; with λ = 0 on the labels alone."""
    logits = None if student.imitation == 0 else data.teacher_logits
    return student.fit(data.X, data.y, teacher_logits=logits, **validation)
