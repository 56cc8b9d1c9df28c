"""Alignment in a latent space against averaged probabilities, on CIFAR-10.

Three teachers of unlike kinds know six of the ten classes each, from rows of their own: a
convolutional network, a LeNet, and a perceptron on the features of a SqueezeNet that was trained on
ImageNet. The student, a small perceptron on principal components of the pixels, has other rows, few
of them with labels. It learns from these alone; from the mean probabilities of the teachers that
speak too; and from the mean code of :class:`sklearn_distill.LatentAligner` beside that. Every run
draws rows, teachers and students anew, and the students of a run differ in nothing else.

Who speaks? Either a teacher is silent on each row of a class that it never saw ("silent"). Or no
one knows of a row without a label whether a teacher is blind to it, and so all speak ("unaware"):
probabilities are then wrong with confidence, while the aligner learns from labelled rows where in a
teacher's layer its unknown classes lie. So can a logistic regression on all layers side by side,
whose probabilities then stand for the mean ("stacked layers").

    python -m examples.papers.sedova_2022.table_cifar10 --scale small

A teacher has 12,000 rows at the medium and the full scale, of which it takes those of its classes.
The student has 4000 at the medium scale, 1000 with labels, and 10,000 and 2000 at the full one, at
which all learn for longer. At the small scale teachers have 3000 rows, the student 1600, 400 with
labels. What was varied, one axis at a time, is in ``table_cifar10_varied``.

Sedova, Gorpinich, Bakhteev and Strijov 2022, "Distillation with the shared latent space of models":
the text stops before its experiment, so this one is ours.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from examples.papers.cifar10 import imagenet_features, images
from examples.papers.claims import Claim
from examples.papers.runs import Experiment, main
from sklearn_distill import DistilledNeuralClassifier, LatentAligner
from sklearn_distill.nets import MLP, CifarCNN, LeNet, hidden_representation
from sklearn_distill.teachers import combine_teachers

KNOWN = {
    "CifarCNN": [0, 1, 2, 3, 4, 5],
    "LeNet": [4, 5, 6, 7, 8, 9],
    "SqueezeNet + MLP": [0, 1, 2, 7, 8, 9],
}


@dataclass(frozen=True)
class Scale:
    """Rows and epochs of an experiment; ``labels`` of the student's rows have one."""

    teacher_rows: int
    student_rows: int
    labels: int
    validation_rows: int
    teacher_epochs: int
    student_epochs: int


SCALES = {
    "small": Scale(3_000, 1_600, 400, 1_000, 15, 20),
    "medium": Scale(12_000, 4_000, 1_000, 2_000, 15, 20),
    "full": Scale(12_000, 10_000, 2_000, 4_000, 40, 40),
}


@dataclass(frozen=True)
class Way:
    """How a student is taught: who speaks ("silent", "unaware" or no one), and what is aligned.

    ``layer`` is that of the teachers which is aligned, "hidden" (the last one) or "scores"; the
    weight of the code falls to 0 over the epochs where it ``falls``.
    """

    speaking: str | None = None
    aligner: dict | None = None
    weight: float = 0.0
    stacked: bool = False
    layer: str = "hidden"
    falls: bool = False


LATENT = {"anchor": "each"}
WEIGHT = 1.0
LABELS = ("labels only", "no teacher")
TABLE = {
    LABELS: Way(),
    ("mean probabilities", "silent"): Way("silent"),
    ("mean probabilities + code", "silent"): Way("silent", LATENT, WEIGHT),
    ("mean probabilities", "unaware"): Way("unaware"),
    ("mean probabilities + code", "unaware"): Way("unaware", LATENT, WEIGHT),
    ("stacked layers", "unaware"): Way("unaware", stacked=True),
    ("stacked layers + code", "unaware"): Way("unaware", LATENT, WEIGHT, stacked=True),
}


@dataclass(frozen=True)
class Task:
    """What the students of one run learn from, and the rows that judge them."""

    X: np.ndarray
    y: np.ndarray
    labelled: np.ndarray
    speaks: list[np.ndarray]
    proba: list[np.ndarray]
    layers: list[dict[str, np.ndarray]]
    held_out: dict[str, tuple[np.ndarray, np.ndarray]]
    teacher_accuracy: dict[str, float]


def as_floats(X):
    """Return pixels of mean about 0 and size about 1."""
    return (X.astype(np.float32) / 255 - 0.5) / 0.25


def draw(seed, scale, device):
    """Draw rows for everyone, train the teachers and ask them."""
    (X, y), (X_test, y_test) = images("train"), images("test")
    order = np.random.default_rng(seed).permutation(len(y))
    sizes = [scale.teacher_rows] * 3 + [scale.student_rows, scale.validation_rows]
    *own, rows, validation = np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
    teachers = {}
    for own_rows, (name, classes) in zip(own, KNOWN.items(), strict=True):
        read = as_floats if name in HEADS else imagenet_features
        mine = own_rows[np.isin(y[own_rows], classes)]
        teacher = DistilledNeuralClassifier(
            HEADS.get(name, MLP),
            max_epochs=scale.teacher_epochs,
            lr_schedule="cosine",
            device=device,
            random_state=seed,
        ).fit(read(X[mine]), y[mine])
        teachers[name] = ask(teacher, read(X[rows]), y[rows])
    speaks, proba, layers, accuracy = zip(*teachers.values(), strict=True)
    principal = principal_components(X[rows])
    return Task(
        principal(X[rows]),
        y[rows],
        np.arange(len(rows)) < scale.labels,  # the order is random
        speaks,
        proba,
        layers,
        {
            "validation": (principal(X[validation]), y[validation]),
            "test": (principal(X_test), y_test),
        },
        dict(zip(teachers, accuracy, strict=True)),
    )


def small_lenet(n_outputs):
    """Return a LeNet for colour images."""
    return LeNet(n_outputs, (3, 32, 32))


HEADS = {"CifarCNN": CifarCNN, "LeNet": small_lenet}


def ask(teacher, features, y):
    """Return where a teacher knows the class, what it says, its layers, and its accuracy."""
    speaks = np.isin(y, teacher.classes_)
    proba = np.zeros((len(features), 10))
    proba[:, teacher.classes_] = teacher.predict_proba(features)
    layers = {
        "hidden": hidden_representation(teacher, features),
        "scores": hidden_representation(teacher, features, "head"),
    }
    return speaks, proba, layers, (proba.argmax(axis=1) == y)[speaks].mean()


def principal_components(X):
    """Return a map of images to 128 principal components of some, of size about 1."""
    flat = as_floats(X).reshape(len(X), -1)
    pca = PCA(128, svd_solver="randomized", random_state=0).fit(flat)
    size = pca.transform(flat).std()
    return lambda X: (pca.transform(as_floats(X).reshape(len(X), -1)) / size).astype(np.float32)


def speaking(task, way):
    """Return probabilities and a layer of the teachers, NaN where one is silent."""
    layers = [of_teacher[way.layer] for of_teacher in task.layers]
    if way.speaking == "silent":
        heard = looked_at = task.speaks
    else:  # of a row with a label one knows who is blind to it; its layer is there all the same
        heard = [speaks | ~task.labelled for speaks in task.speaks]
        looked_at = [np.ones_like(speaks) for speaks in task.speaks]
    return (
        [np.where(s[:, None], p, np.nan) for s, p in zip(heard, task.proba, strict=True)],
        [np.where(s[:, None], h, np.nan) for s, h in zip(looked_at, layers, strict=True)],
    )


def mean_code(task, way, seed, device):
    """Return the code that a way teaches towards."""
    y = np.where(task.labelled, task.y, np.nan)
    _, hidden = speaking(task, way)
    aligner = LatentAligner(device=device, random_state=seed, **way.aligner).fit(hidden, y)
    return aligner.transform(hidden, combine="mean")


class FallingWeight(Callback):
    """Let the weight of the code fall to 0 over the epochs, by as much after each."""

    def on_train_begin(self, net, **kwargs):
        """Remember the weight."""
        self.first_ = net.criterion_.weight

    def on_epoch_begin(self, net, **kwargs):
        """Set the weight of an epoch, which is the last of the history."""
        net.criterion_.weight = self.first_ * (1 - (len(net.history) - 1) / net.max_epochs)


def teach(task, way, code, seed, scale, device):
    """Return a student that was taught in a way; those of a seed start from the same weights."""
    student = DistilledNeuralClassifier(
        hidden_layer_sizes=(64,),
        lr=3e-3,
        batch_size=64,
        max_epochs=scale.student_epochs,
        lr_schedule="cosine",
        embedding_weight=way.weight,
        callbacks=[FallingWeight()] if way.falls else None,
        device=device,
        random_state=seed,
    )
    if way.speaking is None:
        return student.fit(task.X[task.labelled], task.y[task.labelled])
    y = np.where(task.labelled, task.y, np.nan)
    proba = stacked(task) if way.stacked else combine_teachers(speaking(task, way)[0])
    return student.fit(task.X, y, teacher_proba=proba, teacher_embedding=code)


def stacked(task):
    """Return probabilities by a linear model that reads all layers, taught by the same labels."""
    layers = np.hstack([of_teacher["hidden"] for of_teacher in task.layers])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
    model.fit(layers[task.labelled], task.y[task.labelled])
    return model.predict_proba(layers)


def judge(student, rows):
    """Return accuracy and cross-entropy, in nats."""
    X, y = rows
    log_proba = student.predict_log_proba(X)
    return (log_proba.argmax(axis=1) == y).mean(), -log_proba[np.arange(len(y)), y].mean()


class Run:
    """What the ways of one seed share: the teachers' answers, and each alignment."""

    def __init__(self, seed, scale, device):
        self.seed, self.scale, self.device = seed, scale, device
        self.task = draw(seed, scale, device)
        self.codes = {}

    def code(self, way):
        """Return the code that a way teaches towards, made once for ways that align alike."""
        if way.aligner is None:
            return None
        key = (way.speaking, way.layer, *way.aligner.items())
        if key not in self.codes:
            self.codes[key] = mean_code(self.task, way, self.seed, self.device)
        return self.codes[key]

    def measured(self, way, split):
        """Return what a student reaches that was taught in a way."""
        student = teach(self.task, way, self.code(way), self.seed, self.scale, self.device)
        accuracy, loss = judge(student, self.task.held_out[split])
        return {"accuracy": accuracy, "cross_entropy": loss}


shared = lru_cache(maxsize=1)(Run)


def compute(row, seed, scale, device):
    """Return what a student reaches on the test rows."""
    return shared(seed, scale, device).measured(TABLE[row], "test")


def claims():
    """Return that codes help beside probabilities, and alone against stacking."""
    for setting in ("silent", "unaware"):
        mean, code = ("mean probabilities", setting), ("mean probabilities + code", setting)
        for measure, lower in (("accuracy", False), ("cross_entropy", True)):
            yield Claim(mean, LABELS, measure, lower)
            yield Claim(code, mean, measure, lower)
    stacked, both = ("stacked layers", "unaware"), ("stacked layers + code", "unaware")
    for measure, lower in (("accuracy", False), ("cross_entropy", True)):
        yield Claim(code, stacked, measure, lower)
        yield Claim(both, stacked, measure, lower)


EXPERIMENT = Experiment(
    __file__,
    rows=list(TABLE),
    measures=("accuracy", "cross_entropy"),
    compute=compute,
    scales=SCALES,
    n_runs={"small": 3, "medium": 5, "full": 5},
    claims=list(claims()),
)

if __name__ == "__main__":
    main(EXPERIMENT)
