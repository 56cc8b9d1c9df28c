"""Adaptive weights of the teachers, and triplets in the student's loss: Sedova et al. 2022.

    python -m examples.papers.sedova_2022.figures

The text ends before its experiment, and has no figures. It names two things that
``table_cifar10`` leaves out: a triplet loss for the student itself, and adaptive weights of the
teachers as a baseline. ``table_adaptive`` has both, with the samples, teachers and initial weights
of ``table_cifar10`` in the setting "all samples"; its runs are shown here at the largest scale at
which all rows have them.

"confident teachers" weighs the teachers by their confidence in a sample, "learned weights" has one
weight for each teacher, and "adaptive weights" depend on the sample: those of a gate, which is
softmax-linear in the student's features and maximises the likelihood of the labels under the
mixture. "code" is the squared distance to the mean code, and "triplets" the triplet loss with the
student's code as the anchor, the mean code as the positive and those of samples of other classes as
negatives. The verdicts are on the mean difference within a run, alone and adjusted for all claims
by Holm's method.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np

from examples.papers.claims import evaluate_claims
from examples.papers.figures import FigurePage
from examples.papers.guides import shown_runs
from examples.papers.reproduction import claims, conditions, rows
from examples.papers.runs import aggregate
from examples.papers.sedova_2022.table_adaptive import EXPERIMENT


def draw_gains():
    """Draw the gain of each claim with its 95 % interval, for both measures."""
    _, runs = shown_runs(EXPERIMENT)
    table = evaluate_claims(EXPERIMENT.claims, runs)
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained", sharey=True)
    for ax, measure in zip(axes, ("accuracy", "cross_entropy"), strict=True):
        of_measure = table[table["claim"].str.startswith(f"{measure} ")]
        names = [short_name(claim) for claim in of_measure["claim"]]
        places = np.arange(len(names))[::-1]
        ends = np.abs(of_measure[["low", "high"]].to_numpy().T - of_measure["gain"].to_numpy())
        ax.errorbar(of_measure["gain"], places, xerr=ends, fmt="o", capsize=3)
        ax.axvline(0, color="0.7", zorder=0)
        ax.set(title=f"gain in {measure.replace('_', '-')}", yticks=places, yticklabels=names)
    return figure


def short_name(claim):
    """Return a claim without its measure and setting."""
    name = (
        claim.partition(" of ")[2]
        .replace(", all samples", "")
        .replace("mean probabilities", "mean")
    )
    return name.replace(" < ", " against ").replace(" > ", " against ")


def findings():
    """Return conditions, claims and rows of the table."""
    scale, runs = shown_runs(EXPERIMENT)
    table = aggregate(EXPERIMENT, runs)
    yield conditions(scale, table).rstrip()
    yield claims(EXPERIMENT, runs).rstrip()
    yield rows(EXPERIMENT, table).rstrip()


FIGURES = FigurePage(
    __file__,
    captions={
        "figure_gains.png": "Gain of each method over another one with the same data, teachers and "
        "initial weights, with 95 % intervals over the runs; above 0 the first one is better.",
    },
    findings=findings,
)


def main():
    """Draw and write the figure; nothing is trained."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    draw_gains().savefig(FIGURES.file("figure_gains.png"), dpi=110)


if __name__ == "__main__":
    main()
