"""Alignment in a latent space against averaged probabilities, on CIFAR-10.

Three teachers of different kinds are each trained on separate samples of six of the ten classes: a
convolutional network, a LeNet, and a perceptron on the features of a SqueezeNet pretrained on
ImageNet. The student, a small perceptron on principal components of the pixels, has other samples,
few of them with labels. It is trained on these labels alone; on the labels and the mean of the
teachers' predicted probabilities; or on both and the mean code of
:class:`sklearn_distill.LatentAligner`. Each run draws new samples, teachers and students, and the
students of a run differ in nothing else.

There are two settings for the samples of classes that are unknown to a teacher. With "known
classes", the predictions of the teacher are missing for these samples. With "all samples", it is
not known whether an unlabelled sample belongs to such a class, so that all teachers predict for it.
Their probabilities for unknown classes are wrong with high confidence, but the aligner learns from
the labelled samples where these classes lie in a layer of the teacher. So does a logistic
regression on the concatenated layers, whose probabilities replace the mean ("stacked layers").

    python -m examples.papers.sedova_2022.table_cifar10 --scale small

At the medium and the full scale a teacher is trained on those of 12,000 samples that belong to its
classes. The student has 4000 samples at the medium scale, 1000 of them with labels, and 10,000 and
2000 at the full scale, which has more epochs for all. At the small scale the teachers have 3000
samples, and the student has 1600, 400 of them with labels. ``table_cifar10_varied`` varies the
hyperparameters of the alignment one at a time.

The method is that of Sedova, Gorpinich, Bakhteev and Strijov 2022, "Distillation with the shared
latent space of models". The text ends before its experiment; therefore this experiment is our own.
"""

from collections.abc import Callable
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

CLASSES = {
    "CifarCNN": [0, 1, 2, 3, 4, 5],
    "LeNet": [4, 5, 6, 7, 8, 9],
    "SqueezeNet + MLP": [0, 1, 2, 7, 8, 9],
}


@dataclass(frozen=True)
class Scale:
    """Numbers of samples and epochs; ``labels`` is the number of the student's labels."""

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
class Method:
    """The targets of a student: predictions of the teachers, None for none, and aligned codes.

    ``layer`` is the aligned layer of the teachers, "hidden" (the last hidden one) or "scores". With
    ``falls`` the weight of the code falls to 0 over the epochs, and ``margin`` is that of a triplet
    loss of the code, None for the squared distance. ``combine`` returns the targets from the data
    and the masked probabilities, by default their mean.
    """

    predictions: str | None = None
    aligner: dict | None = None
    weight: float = 0.0
    stacked: bool = False
    layer: str = "hidden"
    falls: bool = False
    margin: float | None = None
    combine: Callable | None = None


# the samples for which the predictions of a teacher are used
KNOWN, ALL = "known classes", "all samples"
LATENT = {"anchor": "each"}
WEIGHT = 1.0
LABELS = ("labels only", "no teacher")
TABLE = {
    LABELS: Method(),
    ("mean probabilities", KNOWN): Method(KNOWN),
    ("mean probabilities + code", KNOWN): Method(KNOWN, LATENT, WEIGHT),
    ("mean probabilities", ALL): Method(ALL),
    ("mean probabilities + code", ALL): Method(ALL, LATENT, WEIGHT),
    ("stacked layers", ALL): Method(ALL, stacked=True),
    ("stacked layers + code", ALL): Method(ALL, LATENT, WEIGHT, stacked=True),
}


@dataclass(frozen=True)
class RunData:
    """Training data of the students of a run with the teachers' predictions, and held-out data."""

    X: np.ndarray
    y: np.ndarray
    labelled: np.ndarray
    teacher_masks: list[np.ndarray]
    proba: list[np.ndarray]
    layers: list[dict[str, np.ndarray]]
    held_out: dict[str, tuple[np.ndarray, np.ndarray]]
    teacher_accuracy: dict[str, float]


def as_floats(X):
    """Return pixels with mean about 0 and standard deviation about 1."""
    return (X.astype(np.float32) / 255 - 0.5) / 0.25


def draw(seed, scale, device):
    """Draw samples for teachers and student, train the teachers and predict with them."""
    (X, y), (X_test, y_test) = images("train"), images("test")
    order = np.random.default_rng(seed).permutation(len(y))
    sizes = [scale.teacher_rows] * 3 + [scale.student_rows, scale.validation_rows]
    *own, rows, validation = np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
    teachers = {}
    for own_rows, (name, classes) in zip(own, CLASSES.items(), strict=True):
        extract = as_floats if name in HEADS else imagenet_features
        teacher_rows = own_rows[np.isin(y[own_rows], classes)]
        teacher = DistilledNeuralClassifier(
            HEADS.get(name, MLP),
            imitation=0,
            max_epochs=scale.teacher_epochs,
            lr_schedule="cosine",
            device=device,
            random_state=seed,
        ).fit(extract(X[teacher_rows]), y[teacher_rows])
        teachers[name] = predict(teacher, extract(X[rows]), y[rows])
    teacher_masks, proba, layers, accuracy = zip(*teachers.values(), strict=True)
    principal = principal_components(X[rows])
    return RunData(
        principal(X[rows]),
        y[rows],
        np.arange(len(rows)) < scale.labels,  # the order is random
        teacher_masks,
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


def predict(teacher, features, y):
    """Return the mask of a teacher's known classes, its probabilities, layers and accuracy."""
    teacher_masks = np.isin(y, teacher.classes_)
    proba = np.zeros((len(features), 10))
    proba[:, teacher.classes_] = teacher.predict_proba(features)
    layers = {
        "hidden": hidden_representation(teacher, features),
        "scores": hidden_representation(teacher, features, "head"),
    }
    return teacher_masks, proba, layers, (proba.argmax(axis=1) == y)[teacher_masks].mean()


def principal_components(X):
    """Return a function from images to 128 principal components, scaled to about 1."""
    flat = as_floats(X).reshape(len(X), -1)
    pca = PCA(128, svd_solver="randomized", random_state=0).fit(flat)
    size = pca.transform(flat).std()
    return lambda X: (pca.transform(as_floats(X).reshape(len(X), -1)) / size).astype(np.float32)


def masked_predictions(data, method):
    """Return probabilities and a layer of the teachers, with NaN where a prediction is missing."""
    layers = [teacher_layers[method.layer] for teacher_layers in data.layers]
    if method.predictions == KNOWN:
        proba_masks = layer_masks = data.teacher_masks
    else:  # the label of a labelled sample shows which teachers know its class
        proba_masks = [mask | ~data.labelled for mask in data.teacher_masks]
        layer_masks = [np.ones_like(mask) for mask in data.teacher_masks]
    return (
        [np.where(m[:, None], p, np.nan) for m, p in zip(proba_masks, data.proba, strict=True)],
        [np.where(m[:, None], h, np.nan) for m, h in zip(layer_masks, layers, strict=True)],
    )


def mean_code(data, method, seed, device):
    """Return the mean code that is the target of the student."""
    y = np.where(data.labelled, data.y, np.nan)
    _, hidden = masked_predictions(data, method)
    aligner = LatentAligner(device=device, random_state=seed, **method.aligner).fit(hidden, y)
    return aligner.transform(hidden, combine="mean")


class FallingWeight(Callback):
    """Decrease the weight of the code linearly to 0 over the epochs."""

    def on_train_begin(self, net, **kwargs):
        """Store the initial weight."""
        self.first_ = net.criterion_.weight

    def on_epoch_begin(self, net, **kwargs):
        """Set the weight of the current epoch, the last one in the history."""
        net.criterion_.weight = self.first_ * (1 - (len(net.history) - 1) / net.max_epochs)


def fit_student(data, method, code, seed, scale, device):
    """Fit a student by a method; those of a seed start from the same weights."""
    student = DistilledNeuralClassifier(
        hidden_layer_sizes=(64,),
        lr=3e-3,
        batch_size=64,
        max_epochs=scale.student_epochs,
        lr_schedule="cosine",
        embedding_weight=method.weight,
        embedding_margin=method.margin,
        callbacks=[FallingWeight()] if method.falls else None,
        device=device,
        random_state=seed,
    )
    if method.predictions is None:
        return student.set_params(imitation=0).fit(data.X[data.labelled], data.y[data.labelled])
    y = np.where(data.labelled, data.y, np.nan)
    proba = stacked_proba(data) if method.stacked else combined_proba(data, method)
    return student.fit(data.X, y, teacher_proba=proba, teacher_embedding=code)


def combined_proba(data, method):
    """Return the combination of the teachers' probabilities that a method asks for."""
    masked, _ = masked_predictions(data, method)
    return combine_teachers(masked) if method.combine is None else method.combine(data, masked)


def stacked_proba(data):
    """Return probabilities of a linear model on all layers, trained on the same labels."""
    layers = np.hstack([teacher_layers["hidden"] for teacher_layers in data.layers])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
    model.fit(layers[data.labelled], data.y[data.labelled])
    return model.predict_proba(layers)


def evaluate(student, rows):
    """Return accuracy, and cross-entropy in nats."""
    X, y = rows
    log_proba = student.predict_log_proba(X)
    return (log_proba.argmax(axis=1) == y).mean(), -log_proba[np.arange(len(y)), y].mean()


class Run:
    """Data, teachers' predictions and alignments that the methods of a seed share."""

    def __init__(self, seed, scale, device):
        self.seed, self.scale, self.device = seed, scale, device
        self.data = draw(seed, scale, device)
        self.codes = {}

    def code(self, method):
        """Return the mean code of a method, computed once for methods with the same alignment."""
        if method.aligner is None:
            return None
        key = (method.predictions, method.layer, *method.aligner.items())
        if key not in self.codes:
            self.codes[key] = mean_code(self.data, method, self.seed, self.device)
        return self.codes[key]

    def measures(self, method, split):
        """Return the measures of a student fitted by a method."""
        student = fit_student(
            self.data, method, self.code(method), self.seed, self.scale, self.device
        )
        accuracy, loss = evaluate(student, self.data.held_out[split])
        return {"accuracy": accuracy, "cross_entropy": loss}


shared = lru_cache(maxsize=1)(Run)


def compute(row, seed, scale, device):
    """Return the measures of a student on the test set."""
    return shared(seed, scale, device).measures(TABLE[row], "test")


def claims():
    """Claim that codes help in addition to probabilities, and against stacked layers."""
    for setting in (KNOWN, ALL):
        mean, code = ("mean probabilities", setting), ("mean probabilities + code", setting)
        for measure, lower in (("accuracy", False), ("cross_entropy", True)):
            yield Claim(mean, LABELS, measure, lower)
            yield Claim(code, mean, measure, lower)
    stacked, both = ("stacked layers", ALL), ("stacked layers + code", ALL)
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
