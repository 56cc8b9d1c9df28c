"""What the tables on images share: a lesson, six ways to a student of it, and the claims."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from torch.optim.lr_scheduler import StepLR

from examples.papers.claims import Claim
from examples.papers.gorpinich_2022.methods import METHODS
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.search import tune_student

TEACHER = "the teacher"
MEASURES = ("accuracy", "cross_entropy", "imitation", "temperature", "hypergradients")
CLAIMED = [
    ("gradient", "none"),
    ("gradient", "naive"),
    ("gradient", "random"),
    ("proposed", "naive"),
    ("proposed", "random"),
]

# why figures may differ from the published ones at any scale
BECAUSE = {
    (method,): "the published students trained on the validation images too"
    for method in ("none", "naive", "random")
}


@dataclass(frozen=True)
class Course:
    """How a student is trained: on the first of the images, of which the last tenth validates.

    ``halving`` are the epochs after which the learning rate, ``lr`` at first, is halved;
    ``metaparameter_lr`` is that of λ and T.
    """

    n_images: int
    epochs: int
    lr: float
    halving: int
    metaparameter_lr: float

    @property
    def n_training(self):
        """Images that train; the others of ``n_images`` validate."""
        return self.n_images - self.n_images // 10


def shorter(course, published):
    """Return why the figures of a course differ from the published ones."""
    return (
        f"there are {course.n_images} images instead of {published.n_images:,}, and "
        f"{course.epochs} epochs instead of {published.epochs}"
    )


@dataclass(frozen=True)
class Lesson:
    """Images and labels in their order, the test ones, and what the teacher says of both."""

    X: np.ndarray
    y: np.ndarray
    teacher_log_proba: np.ndarray
    test: tuple[np.ndarray, np.ndarray]
    teacher_test_log_proba: np.ndarray


def figures(method, lesson, course, network, seed, device):
    """Return what the teacher, or a student by a method, reaches on the test images."""
    X_test, y_test = lesson.test
    if method == TEACHER:
        return judged(lesson.teacher_test_log_proba, y_test)
    result = tuned(method, lesson, course, network, seed, device)
    return judged(result.student.predict_log_proba(X_test), y_test) | {
        "imitation": result.imitation,
        "temperature": result.temperature,
        "hypergradients": result.n_hypergradient_steps,
    }


def tuned(method, lesson, course, network, seed, device):
    """Train a student by SGD in mini-batches of 128, with λ and T found by a method.

    Weights, mini-batches, and where λ and T start are those of the seed, for all methods alike.
    """
    student = DistilledNeuralClassifier(
        network,
        optimizer="sgd",
        lr=course.lr,
        lr_schedule=partial(StepLR, step_size=course.halving, gamma=0.5),
        batch_size=128,
        max_epochs=course.epochs,
        device=device,
        random_state=seed,
    )
    train, validation = np.split(np.arange(course.n_images), [course.n_training])
    return tune_student(
        student,
        lesson.X[train],
        lesson.y[train],
        method=METHODS[method],
        X_val=lesson.X[validation],
        y_val=lesson.y[validation],
        teacher_logits=lesson.teacher_log_proba[train],
        lr=course.metaparameter_lr,
        random_state=seed,
    )


def judged(log_proba, y):
    """Return accuracy and cross-entropy, in nats."""
    return {
        "accuracy": (log_proba.argmax(axis=1) == y).mean(),
        "cross_entropy": -log_proba[np.arange(len(y)), y].mean(),
    }


def claims(setting):
    """Return that gradients beat what does not move λ and T, and that so do lines."""
    for better, than in CLAIMED:
        for measure, lower in (("accuracy", False), ("cross_entropy", True)):
            yield Claim((better, setting), (than, setting), measure, lower)
