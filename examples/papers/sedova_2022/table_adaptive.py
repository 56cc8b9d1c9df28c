"""Adaptive weights of the teachers, and a triplet loss of the student, on CIFAR-10.

Samples, teachers, initial weights and code are those of ``table_cifar10`` in its setting "all
samples", where an unlabelled sample may belong to a class that a teacher does not know, so that it
matters which teacher is believed. "mean probabilities" weighs all teachers alike. "confident
teachers" weighs them by their confidence in a sample
(:func:`sklearn_distill.teachers.combine_teachers`). "learned weights" has one weight for each
teacher, of the largest likelihood of the labels
(:func:`sklearn_distill.teachers.learn_teacher_weights`). "adaptive weights" depend on the sample: a
gate, softmax-linear in the student's features, is trained on the labelled samples to maximise the
likelihood of the mixture (Jacobs et al. 1991, "Adaptive mixtures of local experts"), by five steps
of expectation and maximisation. It is a baseline of the kind that the text names with "Adaptive
multi-teacher multi-level knowledge distillation" (Liu, Zhang and Wang 2021), without its levels.

"code" adds the squared distance between the student's and the mean code, as in ``table_cifar10``,
and "triplets" the triplet loss of Sedova et al. with the student's code as the anchor, the mean
code of the same sample as the positive, and mean codes of samples of other classes as negatives;
both have weight 1, and the margin is 1. Only labelled samples are in triplets.

    python -m examples.papers.sedova_2022.table_adaptive --scale small
"""

import numpy as np
from sklearn.preprocessing import StandardScaler

from examples.papers.claims import Claim
from examples.papers.runs import Experiment, main
from examples.papers.sedova_2022.table_cifar10 import (
    ALL,
    LATENT,
    SCALES,
    WEIGHT,
    Method,
    shared,
)
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.teachers import combine_teachers, learn_teacher_weights

N_STEPS, GATE_C, MARGIN = 5, 0.01, 1.0


def confident(data, masked):
    """Return the mean weighted by each teacher's confidence in the sample."""
    return combine_teachers(masked, method="confidence")


def with_learned_weights(data, masked):
    """Return the mean with a weight for each teacher, learnt on the labelled samples."""
    labelled = [proba[data.labelled] for proba in data.proba]
    weights = learn_teacher_weights(labelled, data.y[data.labelled], classes=range(10))
    return combine_teachers(masked, weights=weights)


def with_gate(data, masked):
    """Return the mean with weights by sample, those of a gate."""
    weights = gate(data)
    proba = np.stack(masked, axis=1)
    available = ~np.isnan(proba[:, :, :1])
    shares = weights[:, :, None] * available
    total = shares.sum(axis=1)
    mixed = (shares * np.nan_to_num(proba)).sum(axis=1) / np.where(total > 0, total, 1)
    return np.where(total > 0, mixed, np.nan)


def gate(data):
    """Return the weights of the teachers, (n_samples, n_teachers).

    With w_im the gate's weights and p_im(y_i) the teachers' probabilities of the label, the targets
    of a step are r_im ∝ w_im p_im(y_i).
    """
    X = StandardScaler().fit_transform(data.X)
    places = np.flatnonzero(data.labelled)
    of_label = np.stack([proba[places, data.y[places]] for proba in data.proba], axis=1) + 1e-6
    weights = np.full((len(X), len(data.proba)), 1 / len(data.proba))
    for _ in range(N_STEPS):
        r = weights[places] * of_label
        r /= r.sum(axis=1, keepdims=True)
        model = DistilledLogisticRegression(imitation=1.0, C=GATE_C)
        model.fit(X[places], r.argmax(axis=1), teacher_proba=r)
        weights = model.predict_proba(X)
    return weights


MEAN, CODE = ("mean probabilities", ALL), ("mean probabilities + code", ALL)
TRIPLETS = ("mean probabilities + triplets", ALL)
CONFIDENT, LEARNED = ("confident teachers", ALL), ("learned weights", ALL)
ADAPTIVE, BOTH = ("adaptive weights", ALL), ("adaptive weights + code", ALL)
METHODS = {
    MEAN: Method(ALL),
    CONFIDENT: Method(ALL, combine=confident),
    LEARNED: Method(ALL, combine=with_learned_weights),
    ADAPTIVE: Method(ALL, combine=with_gate),
    CODE: Method(ALL, LATENT, WEIGHT),
    TRIPLETS: Method(ALL, LATENT, WEIGHT, margin=MARGIN),
    BOTH: Method(ALL, LATENT, WEIGHT, combine=with_gate),
}


def compute(row, seed, scale, device):
    """Return the measures of a student on the test set."""
    return shared(seed, scale, device).measures(METHODS[row], "test")


def claims():
    """Claim that adaptive weights and triplets help, and the code beside adaptive weights."""
    pairs = [(row, MEAN) for row in (CONFIDENT, LEARNED, ADAPTIVE, TRIPLETS)]
    for better, than in [*pairs, (TRIPLETS, CODE), (CODE, ADAPTIVE), (BOTH, ADAPTIVE)]:
        yield Claim(better, than, "accuracy")
        yield Claim(better, than, "cross_entropy", lower=True)


EXPERIMENT = Experiment(
    __file__,
    rows=list(METHODS),
    measures=("accuracy", "cross_entropy"),
    compute=compute,
    scales=SCALES,
    n_runs={"small": 5, "medium": 5, "full": 5},
    claims=list(claims()),
)

if __name__ == "__main__":
    main(EXPERIMENT)
