"""Extrapolate the cost of the full scale: ``python -m examples.papers.biryukova.cost``.

It is the time of mini-batches of teacher and student times their number, without the validation.
"""

import time

import numpy as np

from examples.papers.biryukova.data import TEST_SHARE, VALIDATION_SHARE
from examples.papers.biryukova.estimators import BATCH_SIZE, untrained_student, untrained_teacher
from examples.papers.biryukova.scales import SCALES, SIZE
from examples.papers.biryukova.table_generations import ROWS as GENERATIONS
from examples.papers.biryukova.table_students import EXPERIMENT

N_BATCHES = 2  # of a training that is timed


def main():
    """Print the days of a core, for a seed of each table."""
    scale = SCALES["full"]
    share = 1 - TEST_SHARE - VALIDATION_SHARE
    batches = np.ceil(scale.n_images * share / BATCH_SIZE)
    teacher = scale.teacher_epochs * batches * seconds_of_a_batch(untrained_teacher(scale, "cpu"))
    student = scale.epochs * batches * seconds_of_a_batch(untrained_student(scale, "cpu", 0))
    n_students = len(EXPERIMENT.rows) - 1
    for name, seconds in {
        "the teacher": teacher,
        "a student": student,
        "table_students": teacher + n_students * student,
        "table_generations": teacher + len(GENERATIONS) * student,
    }.items():
        print(f"{name:20s} {seconds / 86_400:6.1f} days of a core")


def seconds_of_a_batch(network):
    """Return the CPU seconds of a mini-batch of training, without the validation."""
    rng = np.random.default_rng(0)
    images = rng.random((BATCH_SIZE, 3, SIZE, SIZE), dtype=np.float32)
    labels = rng.integers(2, size=BATCH_SIZE)
    network.set_params(early_stopping=False, max_epochs=1).fit(images, labels)
    start = time.process_time()
    network.set_params(max_epochs=N_BATCHES).fit(images, labels)
    return (time.process_time() - start) / N_BATCHES


if __name__ == "__main__":
    main()
