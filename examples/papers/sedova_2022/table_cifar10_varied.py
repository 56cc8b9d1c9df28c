"""What was varied of the alignment on CIFAR-10, one axis at a time, judged on validation rows.

    python -m examples.papers.sedova_2022.table_cifar10_varied --scale small

Each row but the first of a setting is the way "mean probabilities + code" of ``table_cifar10`` with
one thing done otherwise: the weight of the code in the student's loss (1 there) and whether it
falls to 0 over the epochs, the margin of the triplets (1 there) and whether there are any, whose
codes they start from (each teacher's in turn there, here the first one's), and the layer of the
teachers that is aligned (the last hidden one there, here the scores). Rows, teachers and first
weights of a run are those of ``table_cifar10``; the small scale makes two runs of them, the medium
one three.
"""

from examples.papers.claims import Claim
from examples.papers.runs import Experiment, main
from examples.papers.sedova_2022.table_cifar10 import LATENT, SCALES, WEIGHT, Way, shared

SETTINGS = ("silent", "unaware")
MEAN, UNVARIED = "mean probabilities", "code as in the table"


def latent(speaking, weight=WEIGHT, layer="hidden", falls=False, **aligner):
    """Return the way with a latent space, with other options than those of the table."""
    return Way(speaking, {**LATENT, **aligner}, weight, layer=layer, falls=falls)


WAYS = {
    (name, setting): way
    for setting in SETTINGS
    for name, way in {
        MEAN: Way(setting),
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
    """Return what a student reaches on the validation rows."""
    return shared(seed, scale, device).measured(WAYS[row], "validation")


def claims():
    """Return that each code helps beside probabilities, and that each variation is better."""
    for name, setting in WAYS:
        if name != MEAN:
            yield Claim((name, setting), (MEAN, setting), "cross_entropy", lower=True)
        if name not in (MEAN, UNVARIED):
            yield Claim((name, setting), (UNVARIED, setting), "cross_entropy", lower=True)


EXPERIMENT = Experiment(
    __file__,
    rows=list(WAYS),
    measures=("accuracy", "cross_entropy"),
    compute=compute,
    scales=SCALES,
    n_runs={"small": 2, "medium": 3, "full": 5},
    claims=list(claims()),
)

if __name__ == "__main__":
    main(EXPERIMENT)
