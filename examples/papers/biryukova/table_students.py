"""A teacher and its three students on Dogs vs. Cats: the main table of Biryukova.

    python -m examples.papers.biryukova.table_students --scale small

The classic student is trained on the labels, the hard student on the teacher's predicted classes
(probability of a dog above ½), and the soft student on the teacher's probabilities. The three
students of a run share the split, the teacher and the initial weights. Each keeps the weights of
the epoch with the lowest cross-entropy on the validation labels.

The full scale is the published one: the teacher is ResNet-50 with weights from ImageNet, dropout ½
and one unit, and the students are ResNet-18, both on images of 224×224. The images are upsampled
from 64×64; the thesis had larger originals, and passed pixels in [0, 1] to ResNet-50 rather than
those that its weights expect. The medium scale has 3000 images. Its teacher is the head alone on
frozen features of ResNet-50 from 64×64, and its students are networks of three convolutions on
24×24, with shifts of 0.1 instead of 0.4, for 10 epochs. The small scale is the medium one with 1500
images and 8 epochs. The large scale has all images, features of ResNet-50 from 128×128, and the
medium scale's students on 64×64, for 20 epochs with a learning rate of 1e-3. The splits are of the
same images and overlap: the intervals are for further splits of these images.

The full scale has not been run: ``python -m examples.papers.biryukova.cost`` extrapolates from the
time of mini-batches that a seed of this table takes 13 days of a core.

⚠ The published teacher has an accuracy of .99983 on its training images, so that the targets of the
hard and of the classic student differ in three of 17500 images. Their published difference is that
between two trainings, each of which was run once.

``uncertainty`` is the degree of uncertainty of the thesis, the mean of (p − [p > ½])² over the test
images. ``uncertainty_distance`` is the absolute difference between student and teacher in the
degree for dogs minus that for cats. ``uncertainty_correlation`` is the rank correlation of
(p − [p > ½])² between student and teacher over the test images of a class, averaged over both
classes. ``images_per_second`` is measured on the CPU, from 64×64 for the teacher and from their own
size for the students.
"""

from statistics import median
from time import perf_counter

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, log_loss

from examples.papers.biryukova.data import N_TIMED, draw
from examples.papers.biryukova.estimators import (
    best_epoch,
    dog_proba,
    fit_student,
    untrained_student,
)
from examples.papers.biryukova.scales import BECAUSE, SCALES
from examples.papers.claims import Claim
from examples.papers.runs import Experiment, main
from sklearn_distill.metrics import uncertainty_degree

N_CALLS = 5
TEACHER = ("teacher", "labels")
CLASSIC = ("classic", "labels")
HARD = ("hard", "teacher's classes")
SOFT = ("soft", "teacher's probabilities")

SHOWN = ("accuracy", "cross_entropy", "uncertainty", "train_accuracy", "images_per_second")
PUBLISHED = {
    TEACHER: dict(zip(SHOWN, (0.97333, 0.10340, 0.00197, 0.99983, 2.82), strict=True)),
    CLASSIC: dict(zip(SHOWN, (0.96160, 0.14394, 0.00467, 0.98048, 13.95), strict=True))
    | {"best_epoch": 86},
    HARD: dict(zip(SHOWN, (0.95440, 0.13251, 0.00713, 0.97762, 13.95), strict=True))
    | {"best_epoch": 47},
    SOFT: dict(zip(SHOWN, (0.96320, 0.12629, 0.00403, 0.98546, 13.95), strict=True)),
}
MEASURES = (
    "accuracy",
    "cross_entropy",
    "uncertainty",
    "uncertainty_cats",
    "uncertainty_dogs",
    "uncertainty_distance",
    "uncertainty_correlation",
    "train_accuracy",
    "best_epoch",
    "images_per_second",
)


def compute(row, seed, scale, device):
    """Return the measures of the teacher or of a student."""
    data = draw(seed, scale, device)
    if row == TEACHER:
        return evaluate_teacher(data)
    method, _ = row
    student = untrained_student(scale, device, seed)
    return evaluate_student(fit_student(student, data, data.teacher_proba, method), data)


def evaluate_teacher(data):
    """Return the measures of the teacher."""
    return evaluate_proba(data.teacher_test_proba, data) | {
        "train_accuracy": accuracy_score(data.y, data.teacher_proba > 0.5),
        "best_epoch": data.teacher_epoch,
        "images_per_second": images_per_second(data.teacher_network, data.teacher_images),
    }


def evaluate_student(student, data):
    """Return the measures of a student, including its agreement with the teacher."""
    X_test, y_test = data.test
    p, p_teacher = dog_proba(student, X_test), data.teacher_test_proba
    gaps = [np.subtract(*uncertainty_by_class(one, y_test)) for one in (p, p_teacher)]
    return evaluate_proba(p, data) | {
        "uncertainty_distance": abs(gaps[0] - gaps[1]),
        "uncertainty_correlation": correlation(p, p_teacher, y_test),
        "train_accuracy": student.score(data.X, data.y),
        "best_epoch": best_epoch(student),
        "images_per_second": images_per_second(student.to_torch(), X_test[:N_TIMED]),
    }


def evaluate_proba(p, data):
    """Return the measures of predicted probabilities of a dog for the test images."""
    _, y_test = data.test
    dogs, cats = uncertainty_by_class(p, y_test)
    return {
        "accuracy": accuracy_score(y_test, p > 0.5),
        "cross_entropy": log_loss(y_test, p),
        "uncertainty": uncertainty_degree(p),
        "uncertainty_cats": cats,
        "uncertainty_dogs": dogs,
    }


def uncertainty_by_class(p, y):
    """Return the degrees of uncertainty on dogs and on cats."""
    return uncertainty_degree(p[y == 1]), uncertainty_degree(p[y == 0])


def correlation(p, q, y):
    """Return the rank correlation of two models' uncertainties, averaged over the classes."""
    uncertainties = [(one - (one > 0.5)) ** 2 for one in (p, q)]
    return np.mean([spearmanr(*(one[y == k] for one in uncertainties)).statistic for k in (0, 1)])


def images_per_second(network, images):
    """Time a network on the CPU with a batch of the training size; the median of five calls."""
    batch = torch.tensor(images)
    with torch.inference_mode():
        network(batch)
        return len(batch) / median(seconds_of(network, batch) for _ in range(N_CALLS))


def seconds_of(network, batch):
    """Time a call."""
    start = perf_counter()
    network(batch)
    return perf_counter() - start


def claims():
    """Claim that soft students are better and closer to the teacher, and students are faster."""
    for other in (CLASSIC, HARD):
        yield Claim(SOFT, other, "accuracy")
        yield Claim(SOFT, other, "cross_entropy", lower=True)
        yield Claim(SOFT, other, "uncertainty_distance", lower=True)
        yield Claim(SOFT, other, "uncertainty_correlation")
    yield Claim(HARD, CLASSIC, "best_epoch", lower=True)
    yield Claim(SOFT, TEACHER, "images_per_second", log=True)


EXPERIMENT = Experiment(
    __file__,
    rows=[TEACHER, CLASSIC, HARD, SOFT],
    measures=MEASURES,
    compute=compute,
    scales=SCALES,
    n_runs={"small": 3, "medium": 5, "large": 3, "full": 5},
    published=PUBLISHED,
    claims=list(claims()),
    because=BECAUSE,
)

if __name__ == "__main__":
    main(EXPERIMENT)
