"""Variations of the alignment on CIFAR-10, one hyperparameter at a time, on a validation set.

    python -m examples.papers.sedova_2022.table_cifar10_varied --scale small

The row "code as in the table" of a setting is the method "mean probabilities + code" of
``table_cifar10``. Each of the following rows changes one hyperparameter: the weight of the code in
the loss of the student (1 there), and whether it falls to 0 over the epochs; the margin of the
triplets (1 there), and whether there are triplets; their anchors (the codes of each teacher in turn
there, of the first one here); and the aligned layer of the teachers (the last hidden one there, the
scores here). Samples, teachers and
initial weights of a run are those of ``table_cifar10``. The small scale has two runs, and the
medium scale three.
"""

from examples.papers.claims import Claim
from examples.papers.runs import Experiment, main
from examples.papers.sedova_2022.table_cifar10 import (
    ALL,
    KNOWN,
    LATENT,
    SCALES,
    WEIGHT,
    Method,
    shared,
)

SETTINGS = (KNOWN, ALL)
MEAN, UNVARIED = "mean probabilities", "code as in the table"


def latent(predictions, weight=WEIGHT, layer="hidden", falls=False, **aligner):
    """Return the method with a latent space and the given hyperparameters."""
    return Method(predictions, {**LATENT, **aligner}, weight, layer=layer, falls=falls)


METHODS = {
    (name, setting): method
    for setting in SETTINGS
    for name, method in {
        MEAN: Method(setting),
        UNVARIED: latent(setting),
        "weight 0.3": latent(setting, 0.3),
        "weight 3": latent(setting, 3.0),
        "weight falls": latent(setting, falls=True),
        "margin 2": latent(setting, margin=2.0),
        "no triplets": latent(setting, triplet_weight=0.0),
        "anchor first": latent(setting, anchor="first"),
        "layer of scores": latent(setting, layer="scores"),
    }.items()
}


def compute(row, seed, scale, device):
    """Return the measures of a student on the validation set."""
    return shared(seed, scale, device).measures(METHODS[row], "validation")


def claims():
    """Claim that each code helps in addition to probabilities, and each variation is better."""
    for name, setting in METHODS:
        if name != MEAN:
            yield Claim((name, setting), (MEAN, setting), "cross_entropy", lower=True)
        if name not in (MEAN, UNVARIED):
            yield Claim((name, setting), (UNVARIED, setting), "cross_entropy", lower=True)


EXPERIMENT = Experiment(
    __file__,
    rows=list(METHODS),
    measures=("accuracy", "cross_entropy"),
    compute=compute,
    scales=SCALES,
    n_runs={"small": 2, "medium": 3, "full": 5},
    claims=list(claims()),
)

if __name__ == "__main__":
    main(EXPERIMENT)
