"""Adaptive weights of the teachers, and triplets in the student's loss: Sedova et al. 2022.

    python -m examples.papers.sedova_2022.figures

The text ends before its experiment, and has no figures. It names two things that
``table_cifar10`` leaves out: a triplet loss for the student itself, and adaptive weights of the
teachers as a baseline. The table of adaptive weights (``table_adaptive``) has both; its claims are
drawn here.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np

from examples.papers.claims import evaluate_claims
from examples.papers.figures import FigurePage
from examples.papers.guides import shown_runs
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


FIGURES = FigurePage(
    __file__,
    captions={
        "figure_gains.png": "Gain of each method over another one with the same data, teachers and "
        "initial weights, with 95 % intervals over the runs; above 0 the first one is better.",
    },
)


def main():
    """Draw and write the figure; nothing is trained."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    draw_gains().savefig(FIGURES.file("figure_gains.png"), dpi=110)


if __name__ == "__main__":
    main()
