"""Data, training and claims that the tables on images share."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from torch.optim.lr_scheduler import StepLR

from examples.papers.claims import Claim
from examples.papers.gorpinich_2022.methods import METHODS
from examples.papers.runs import largest_complete_scale
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

N_STARTS = 3  # starts that are described one by one
MOVING = ("gradient", "proposed")  # methods that change λ and T

# why figures may differ from the published ones at any scale
BECAUSE = {
    (method,): "the published students were also trained on the validation images"
    for method in ("none", "naive", "random")
}


@dataclass(frozen=True)
class TrainingConfig:
    """Training of a student on the first images, of which the last tenth is the validation set.

    The learning rate starts at ``lr`` and is halved every ``halving`` epochs; ``metaparameter_lr``
    is that of λ and T.
    """

    n_images: int
    epochs: int
    lr: float
    halving: int
    metaparameter_lr: float

    @property
    def n_training(self):
        """Number of training images; the others of ``n_images`` are the validation set."""
        return self.n_images - self.n_images // 10


def why_different(training, published):
    """Return why the figures of a training differ from the published ones."""
    return (
        f"there are {training.n_images} images instead of {published.n_images:,}, and "
        f"{training.epochs} epochs instead of {published.epochs}"
    )


@dataclass(frozen=True)
class DistillationData:
    """Training and test images with labels, and the teacher's log-probabilities for both."""

    X: np.ndarray
    y: np.ndarray
    teacher_log_proba: np.ndarray
    test: tuple[np.ndarray, np.ndarray]
    teacher_test_log_proba: np.ndarray


def evaluate(method, data, training, network, seed, device):
    """Return the measures of the teacher, or of a student by a method, on the test set."""
    X_test, y_test = data.test
    if method == TEACHER:
        return evaluate_log_proba(data.teacher_test_log_proba, y_test)
    result = tune(method, data, training, network, seed, device)
    return evaluate_log_proba(result.student.predict_log_proba(X_test), y_test) | {
        "imitation": result.imitation,
        "temperature": result.temperature,
        "hypergradients": result.n_hypergradient_steps,
    }


def tune(method, data, training, network, seed, device):
    """Train a student by SGD in mini-batches of 128, with λ and T found by a method.

    The seed determines the initial weights, the mini-batches and the initial λ and T, which are the
    same for all methods.
    """
    student = DistilledNeuralClassifier(
        network,
        optimizer="sgd",
        lr=training.lr,
        lr_schedule=partial(StepLR, step_size=training.halving, gamma=0.5),
        batch_size=128,
        max_epochs=training.epochs,
        device=device,
        random_state=seed,
    )
    train, validation = np.split(np.arange(training.n_images), [training.n_training])
    return tune_student(
        student,
        data.X[train],
        data.y[train],
        method=METHODS[method],
        X_val=data.X[validation],
        y_val=data.y[validation],
        teacher_logits=data.teacher_log_proba[train],
        lr=training.metaparameter_lr,
        random_state=seed,
    )


def evaluate_log_proba(log_proba, y):
    """Return accuracy, and cross-entropy in nats."""
    return {
        "accuracy": (log_proba.argmax(axis=1) == y).mean(),
        "cross_entropy": -log_proba[np.arange(len(y)), y].mean(),
    }


def findings(runs, experiment, settings):
    """Return for the first starts how λ, T and accuracy end, and how often hypergradients harm.

    "random" keeps the initial λ and T, which are the same for all methods of a seed.
    """
    scale = largest_complete_scale(experiment, runs)
    for setting in settings:
        rows = runs[(runs["scale"] == scale) & (runs["setting"] == setting)]
        ends = rows[rows["method"].isin(("random", *MOVING))].pivot(
            index="seed", columns="method", values=["imitation", "temperature", "accuracy"]
        )
        ends = ends.dropna()  # runs of a seed may be missing
        yield "\n".join(starts_table(ends, setting, scale))
        accuracy = ends["accuracy"]
        worse = {name: int((accuracy[name] < accuracy["random"]).sum()) for name in MOVING}
        yield (
            f'Of {len(accuracy)} starts on {setting} ({scale} scale), "gradient" is '
            f'less accurate than "random" in {worse["gradient"]}, and "proposed" in '
            f"{worse['proposed']}."
        )


def starts_table(ends, setting, scale):
    """Yield the lines of a table: where the first starts begin, and where the methods end."""
    yield f"| {setting}, {scale} scale | start | gradient | proposed |"
    yield "|---|---|---|---|"
    for seed, end in ends.head(N_STARTS).iterrows():
        cells = (
            f"λ = {end['imitation', name]:.2f}, T = {end['temperature', name]:.2f}: "
            f"{end['accuracy', name]:.3f}"
            for name in ("random", *MOVING)
        )
        yield f"| accuracy with seed {seed} | {' | '.join(cells)} |"


def claims(setting):
    """Claim that hypergradients and linear predictions beat constant λ and T."""
    for better, than in CLAIMED:
        for measure, lower in (("accuracy", False), ("cross_entropy", True)):
            yield Claim((better, setting), (than, setting), measure, lower)
