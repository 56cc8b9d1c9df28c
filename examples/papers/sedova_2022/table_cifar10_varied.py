"""What was varied of the alignment on CIFAR-10, one axis at a time, judged on validation rows.

python -m examples.papers.sedova_2022.table_cifar10_varied --scale small
"""

from examples.papers.runs import Claim, Experiment, main
from examples.papers.sedova_2022.table_cifar10 import LATENT, SCALES, WEIGHT, Way, shared

SETTINGS = ("silent", "unaware")


def latent(speaking, weight=WEIGHT, **aligner):
    """Return the way with a latent space, with other options than those of the table."""
    return Way(speaking, {**LATENT, **aligner}, weight)


WAYS = {
    (name, setting): way
    for setting in SETTINGS
    for name, way in {
        "mean probabilities": Way(setting),
        "weight 0.3": latent(setting, 0.3),
        "weight 1": latent(setting),
        "weight 3": latent(setting, 3.0),
        "no triplets": latent(setting, triplet_weight=0.0),
        "anchor first": latent(setting, anchor="first"),
    }.items()
}


def compute(row, seed, scale, device):
    """Return what a student reaches on the validation rows."""
    return shared(seed, scale, device).measured(WAYS[row], "validation")


EXPERIMENT = Experiment(
    __file__,
    rows=list(WAYS),
    measures=("accuracy", "cross_entropy"),
    compute=compute,
    scales=SCALES,
    n_runs={"small": 5, "full": 5},
    claims=[
        Claim(row, ("mean probabilities", row[1]), "cross_entropy", lower=True)
        for row, way in WAYS.items()
        if way.aligner is not None
    ],
)

if __name__ == "__main__":
    main(EXPERIMENT)
