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

    python examples/papers/sedova_2022/table_cifar10.py --scale small --runs 5
    python examples/papers/sedova_2022/table_cifar10.py --vary

Sedova, Gorpinich, Bakhteev and Strijov 2022, "Distillation with the shared latent space of models":
the text stops before its experiment, so this one is ours.
"""

import argparse
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import sklearn
import torch
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sklearn_distill import DistilledNeuralClassifier, LatentAligner, __version__
from sklearn_distill.datasets import fetch_cifar10
from sklearn_distill.nets import (
    MLP,
    BGRPixels,
    CifarCNN,
    LeNet,
    SqueezeNet,
    hidden_representation,
    load_imagenet_weights,
)
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
    "small": Scale(12_000, 4_000, 1_000, 2_000, 15, 20),
    "full": Scale(12_000, 10_000, 2_000, 4_000, 40, 40),
}


@dataclass(frozen=True)
class Way:
    """How a student is taught: who speaks ("silent", "unaware" or no one), and what is aligned."""

    speaking: str | None = None
    aligner: dict | None = None
    weight: float = 0.0
    stacked: bool = False


LATENT = {"anchor": "each"}
WEIGHT = 1.0
TABLE = {
    "labels only": Way(),
    "silent: mean probabilities": Way("silent"),
    "silent: + mean code": Way("silent", LATENT, WEIGHT),
    "unaware: mean probabilities": Way("unaware"),
    "unaware: + mean code": Way("unaware", LATENT, WEIGHT),
    "unaware: stacked layers": Way("unaware", stacked=True),
    "unaware: stacked layers + mean code": Way("unaware", LATENT, WEIGHT, stacked=True),
}
DIFFERENCES = [
    ("silent: mean probabilities", "labels only"),
    ("silent: + mean code", "silent: mean probabilities"),
    ("unaware: mean probabilities", "labels only"),
    ("unaware: + mean code", "unaware: mean probabilities"),
    ("unaware: + mean code", "unaware: stacked layers"),
    ("unaware: stacked layers + mean code", "unaware: stacked layers"),
]


def latent(speaking, weight=WEIGHT, **aligner):
    """Return the way with a latent space, with other options than those of the table."""
    return Way(speaking, {**LATENT, **aligner}, weight)


VARIED = {
    f"{speaking}: {name}": way
    for speaking in ("silent", "unaware")
    for name, way in {
        "mean probabilities": Way(speaking),
        "weight 0.3": latent(speaking, 0.3),
        "weight 1": latent(speaking),
        "weight 3": latent(speaking, 3.0),
        "no triplets": latent(speaking, triplet_weight=0.0),
        "anchor first": latent(speaking, anchor="first"),
    }.items()
}
VARIED_DIFFERENCES = [
    (name, f"{name.partition(':')[0]}: mean probabilities")
    for name, way in VARIED.items()
    if way.aligner is not None
]


@dataclass(frozen=True)
class Task:
    """What the students of one run learn from, and the rows that judge them."""

    X: np.ndarray
    y: np.ndarray
    labelled: np.ndarray
    speaks: list[np.ndarray]
    proba: list[np.ndarray]
    hidden: list[np.ndarray]
    held_out: dict[str, tuple[np.ndarray, np.ndarray]]
    teacher_accuracy: dict[str, float]


def images(subset):
    """Return images as (n, 3, 32, 32) bytes, and labels."""
    bunch = fetch_cifar10(subset=subset, dtype="uint8")
    return np.ascontiguousarray(bunch.images.transpose(0, 3, 1, 2)), bunch.target


def as_floats(X):
    """Return pixels of mean about 0 and size about 1."""
    return (X.astype(np.float32) / 255 - 0.5) / 0.25


def draw(run, scale, device):
    """Draw rows for everyone, train the teachers and ask them."""
    (X, y), (X_test, y_test) = images("train"), images("test")
    order = np.random.default_rng(run).permutation(len(y))
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
            random_state=run,
        ).fit(read(X[mine]), y[mine])
        teachers[name] = ask(teacher, read(X[rows]), y[rows])
    speaks, proba, hidden, accuracy = zip(*teachers.values(), strict=True)
    principal = principal_components(X[rows])
    return Task(
        principal(X[rows]),
        y[rows],
        np.arange(len(rows)) < scale.labels,  # the order is random
        speaks,
        proba,
        hidden,
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
    """Return where a teacher knows the class, what it says, its last layer, and its accuracy."""
    speaks = np.isin(y, teacher.classes_)
    proba = np.zeros((len(features), 10))
    proba[:, teacher.classes_] = teacher.predict_proba(features)
    hidden = hidden_representation(teacher, features)
    return speaks, proba, hidden, (proba.argmax(axis=1) == y)[speaks].mean()


def imagenet_features(X):
    """Return the means over the pixels of SqueezeNet's last feature maps, of enlarged images."""
    layers = list(load_imagenet_weights(SqueezeNet()).layers)[:-1]  # without its 1000 scores
    network = nn.Sequential(
        nn.Upsample(size=64, mode="bilinear"),
        BGRPixels((104, 117, 123)),
        *layers,
        nn.AdaptiveAvgPool2d(1),
    )
    last = str(len(network) - 1)
    return hidden_representation(network, X.astype(np.float32) / 255, last, batch_size=500)


def principal_components(X):
    """Return a map of images to 128 principal components of some, of size about 1."""
    flat = as_floats(X).reshape(len(X), -1)
    pca = PCA(128, svd_solver="randomized", random_state=0).fit(flat)
    size = pca.transform(flat).std()
    return lambda X: (pca.transform(as_floats(X).reshape(len(X), -1)) / size).astype(np.float32)


def speaking(task, way):
    """Return probabilities and hidden layers of the teachers, NaN where one is silent."""
    if way.speaking == "silent":
        heard = looked_at = task.speaks
    else:  # of a row with a label one knows who is blind to it; its layer is there all the same
        heard = [speaks | ~task.labelled for speaks in task.speaks]
        looked_at = [np.ones_like(speaks) for speaks in task.speaks]
    return (
        [np.where(s[:, None], p, np.nan) for s, p in zip(heard, task.proba, strict=True)],
        [np.where(s[:, None], h, np.nan) for s, h in zip(looked_at, task.hidden, strict=True)],
    )


def mean_code(task, way, run, device):
    """Return the code that a way teaches towards."""
    y = np.where(task.labelled, task.y, np.nan)
    _, hidden = speaking(task, way)
    aligner = LatentAligner(device=device, random_state=run, **way.aligner).fit(hidden, y)
    return aligner.transform(hidden, combine="mean")


def teach(task, way, code, run, scale, device):
    """Return a student that was taught in a way; those of a run start from the same weights."""
    student = DistilledNeuralClassifier(
        hidden_layer_sizes=(64,),
        lr=3e-3,
        batch_size=64,
        max_epochs=scale.student_epochs,
        lr_schedule="cosine",
        embedding_weight=way.weight,
        device=device,
        random_state=run,
    )
    if way.speaking is None:
        return student.fit(task.X[task.labelled], task.y[task.labelled])
    y = np.where(task.labelled, task.y, np.nan)
    proba = stacked(task) if way.stacked else combine_teachers(speaking(task, way)[0])
    return student.fit(task.X, y, teacher_proba=proba, teacher_embedding=code)


def stacked(task):
    """Return probabilities by a linear model that reads all layers, taught by the same labels."""
    layers = np.hstack(task.hidden)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
    model.fit(layers[task.labelled], task.y[task.labelled])
    return model.predict_proba(layers)


def judge(student, rows):
    """Return accuracy and cross-entropy, in nats."""
    X, y = rows
    log_proba = student.predict_log_proba(X)
    return (log_proba.argmax(axis=1) == y).mean(), -log_proba[np.arange(len(y)), y].mean()


def one_run(run, ways, split, scale, device, ask_once=draw):
    """Return accuracy, cross-entropy and seconds of each way; an alignment is learnt once."""
    task = ask_once(run, scale, device)
    rows, codes = [], {None: (None, 0.0)}
    for name, way in ways.items():
        key = way.aligner and (way.speaking, *way.aligner.items())
        if key not in codes:
            codes[key] = timed(mean_code, task, way, run, device)
        code, waited = codes[key]
        student, seconds = timed(teach, task, way, code, run, scale, device)
        rows.append([run, name, *judge(student, task.held_out[split]), waited + seconds])
        print("run {} {:36} {:.4f} {:.4f} {:6.1f} s".format(*rows[-1]), flush=True)
    return pd.DataFrame(rows, columns=["run", "row", "accuracy", "cross_entropy", "seconds"])


def timed(work, *args):
    """Return what something gives, and the seconds it took."""
    start = time.perf_counter()
    return work(*args), time.perf_counter() - start


def summary(found, pairs):
    """Return means and spreads, then the differences within a run with 95 % t-intervals."""
    wide = found.pivot(index="run", columns="row")
    scores, rows = ["accuracy", "cross_entropy"], []
    for name in found["row"].unique():
        of_row = found[found["row"] == name]
        mean, std = of_row[scores].mean(), of_row[scores].std()
        rows.append(["mean ± std", name, *of_each(mean, std), of_row["seconds"].mean()])
    for name, other in pairs:
        gaps = pd.DataFrame({score: wide[score][name] - wide[score][other] for score in scores})
        half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.sem()
        rows.append(["difference ± 95 %", f"{name} − {other}", *of_each(gaps.mean(), half), np.nan])
    columns = ["what", "row", "accuracy", "±", "cross_entropy", "± nats", "seconds"]
    table = pd.DataFrame(rows, columns=columns).round(
        {"accuracy": 4, "±": 4, "cross_entropy": 4, "± nats": 4, "seconds": 1}
    )
    return table.assign(runs=found["run"].nunique(), versions=versions())


def of_each(value, spread):
    """Return the values of both scores, each with its spread."""
    return [number for score in value.index for number in (value[score], spread[score])]


def versions():
    """Return what this ran with."""
    libraries = f"numpy {np.__version__}, scikit-learn {sklearn.__version__}"
    return (
        f"sklearn_distill {__version__}, torch {torch.__version__}, {libraries}, "
        f"Python {platform.python_version()}"
    )


def main():
    """Make the table, or that of what was varied."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--device", default="cpu")
    about = "vary one axis at a time, and judge on validation rows"
    parser.add_argument("--vary", action="store_true", help=about)
    parser.add_argument("--memory", help="folder that keeps the teachers' answers between calls")
    args = parser.parse_args()
    scale = SCALES[args.scale]
    ask_once = joblib.Memory(args.memory, verbose=0).cache(draw)
    ways, pairs, split, end = (
        (VARIED, VARIED_DIFFERENCES, "validation", "_varied")
        if args.vary
        else (TABLE, DIFFERENCES, "test", "")
    )
    found = joblib.Parallel(args.jobs)(
        joblib.delayed(one_run)(run, ways, split, scale, args.device, ask_once)
        for run in range(args.runs)
    )
    table = summary(pd.concat(found), pairs)
    file = Path(__file__).with_name(f"table_cifar10{end}_{args.scale}.csv")
    table.to_csv(file, index=False)
    print(table.drop(columns="versions").to_string(index=False))
    print(f"written to {file}")


if __name__ == "__main__":
    main()
