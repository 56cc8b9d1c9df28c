"""A teacher and its three students on Dogs vs. Cats: the main table of Biryukova.

    python -m examples.papers.biryukova.table_students --scale small

The classic student learns from the labels, the hard one from the teacher's answers (probability of
a dog above ½), the soft one from the probabilities. All three of a run share the split, the teacher
and the first weights; each keeps the weights of the lowest cross-entropy on validation labels.

The full scale is the published one: ResNet-50 with weights from ImageNet, dropout ½ and one unit
teaches a ResNet-18, both on 224×224 (enlarged from 64×64; the thesis had larger originals, and
gave ResNet-50 pixels in [0, 1] and not those that its weights expect). The medium one takes 3000
images; its teacher is the head alone on ResNet-50's frozen features of 64×64, its student a
network of three convolutions on 24×24, shifted by 0.1 instead of 0.4, for 10 epochs. The small one
is the medium one with 1500 images and 8 epochs. Splits of the same images overlap: the intervals
are about further splits of them.

⚠ The published teacher is right on .99983 of its training images, so that the hard student's labels
differ from the classic one's in three of 17500, and their published difference is that of two
trainings; each was run once.

``uncertainty_distance`` is how far the student's difference of uncertainties, dogs less cats, is
from the teacher's; ``uncertainty_correlation`` the rank correlation of (p − [p > ½])² with the
teacher's over the test images of a class, mean of both classes. Images a second are those of the
CPU, from 64×64 (the teacher) or from the student's own size.
"""

from statistics import median
from time import perf_counter

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, log_loss

from examples.papers.biryukova.estimators import best_epoch, dog, taught, untrained_student
from examples.papers.biryukova.lessons import N_TIMED, draw
from examples.papers.biryukova.scales import BECAUSE, SCALES
from examples.papers.claims import Claim
from examples.papers.runs import Experiment, main
from sklearn_distill.metrics import uncertainty_degree

N_CALLS = 5
TEACHER = ("teacher", "labels")
CLASSIC = ("classic", "labels")
HARD = ("hard", "teacher's answers")
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
    """Return what the teacher or a student reaches."""
    lesson = draw(seed, scale, device)
    if row == TEACHER:
        return of_teacher(lesson)
    way, _ = row
    student = untrained_student(scale, device, seed)
    return of_student(taught(student, lesson, lesson.teacher_proba, way), lesson)


def of_teacher(lesson):
    """Return the teacher's measures."""
    return judged(lesson.teacher_test_proba, lesson) | {
        "train_accuracy": accuracy_score(lesson.y, lesson.teacher_proba > 0.5),
        "best_epoch": lesson.teacher_epoch,
        "images_per_second": images_per_second(lesson.teacher_network, lesson.teacher_images),
    }


def of_student(student, lesson):
    """Return a student's measures, those of what it inherits among them."""
    X_test, y_test = lesson.test
    p, of_teacher = dog(student, X_test), lesson.teacher_test_proba
    gaps = [np.subtract(*of_classes(one, y_test)) for one in (p, of_teacher)]
    return judged(p, lesson) | {
        "uncertainty_distance": abs(gaps[0] - gaps[1]),
        "uncertainty_correlation": correlation(p, of_teacher, y_test),
        "train_accuracy": student.score(lesson.X, lesson.y),
        "best_epoch": best_epoch(student),
        "images_per_second": images_per_second(student.to_torch(), X_test[:N_TIMED]),
    }


def judged(p, lesson):
    """Return the measures of some probabilities of a dog for the test images."""
    _, y_test = lesson.test
    dogs, cats = of_classes(p, y_test)
    return {
        "accuracy": accuracy_score(y_test, p > 0.5),
        "cross_entropy": log_loss(y_test, p),
        "uncertainty": uncertainty_degree(p),
        "uncertainty_cats": cats,
        "uncertainty_dogs": dogs,
    }


def of_classes(p, y):
    """Return the degrees of uncertainty on dogs and on cats."""
    return uncertainty_degree(p[y == 1]), uncertainty_degree(p[y == 0])


def correlation(p, q, y):
    """Return the rank correlation of two models' doubts, mean of both classes."""
    doubts = [(one - (one > 0.5)) ** 2 for one in (p, q)]
    return np.mean([spearmanr(*(doubt[y == k] for doubt in doubts)).statistic for k in (0, 1)])


def images_per_second(network, images):
    """Time a network on the CPU, on a batch of the training's size; the median of five calls."""
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
    """Return that soft is no worse, that it inherits, and that students are faster."""
    for other in (CLASSIC, HARD):
        yield Claim(SOFT, other, "accuracy")
        yield Claim(SOFT, other, "cross_entropy", lower=True)
        yield Claim(SOFT, other, "uncertainty_distance", lower=True)
        yield Claim(SOFT, other, "uncertainty_correlation")
    yield Claim(HARD, CLASSIC, "best_epoch", lower=True)
    yield Claim(SOFT, TEACHER, "images_per_second")


EXPERIMENT = Experiment(
    __file__,
    rows=[TEACHER, CLASSIC, HARD, SOFT],
    measures=MEASURES,
    compute=compute,
    scales=SCALES,
    n_runs={"small": 3, "medium": 5, "full": 5},
    published=PUBLISHED,
    claims=list(claims()),
    because=BECAUSE,
)

if __name__ == "__main__":
    main(EXPERIMENT)
