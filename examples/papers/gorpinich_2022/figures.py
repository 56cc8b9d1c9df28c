"""Accuracy, cost and trajectories of the methods for λ and T: Gorpinich, Bakhteev, Strijov 2022.

    python -m examples.papers.gorpinich_2022.figures

The authors conclude that gradient methods are preferable to a search by trials, since the students
are alike and the computation is less, and that predicted steps reduce it further. The cost of a run
is its seconds divided by those of "none" with the same seed, one training of the same length
without a teacher. The runs were made on a shared machine, where seconds vary much from run to run;
therefore ratios are averaged geometrically. The verdicts are those of single intervals, not
adjusted for their number; two runs have no interval here, since it would tell nothing. All numbers
are those of the runs of the tables, at the scale that the pages of the tables show. "hyperopt
(TPE)" is the search by trials: it trains five students.

"e₁ = 10, e₂ = 40" computes hypergradients in 10 steps, from which 40 are predicted. λ is the weight
of the teacher, 1 − λ of the paper.
"""

import argparse
import inspect
import sys
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from examples.papers.claims import DOES_NOT, HOLDS, UNDECIDED, verdict
from examples.papers.figures import FigurePage, mean_and_half, ratio_with_interval
from examples.papers.gorpinich_2022 import (
    table_cifar10,
    table_fashion_mnist,
    table_steps,
    table_synthetic,
)
from examples.papers.gorpinich_2022.methods import METHODS
from examples.papers.runs import largest_complete_scale, read_runs

NONE, TPE, GRADIENT, PROPOSED = "none", "hyperopt (TPE)", "gradient", "proposed"
SETTINGS = {
    "synthetic, one draw": (table_synthetic, "one draw"),
    "synthetic, new draws": (table_synthetic, "new draws"),
    "Fashion-MNIST": (table_fashion_mnist, "Fashion-MNIST"),
    "reduced CIFAR-10": (table_cifar10, "reduced CIFAR-10"),
    "CIFAR-10": (table_cifar10, "CIFAR-10"),
}
MIN_RUNS = 3  # the interval of two runs would tell nothing
INTERVALS = ["accuracy_half", "cost_low", "cost_high"]
COLOURS = {name: f"C{k}" for k, name in enumerate(METHODS)}
# the claims of the slides: what costs less, and than what
CHEAPER = [(GRADIENT, TPE), (PROPOSED, TPE), (PROPOSED, GRADIENT)]


def runs_of(module, setting):
    """Return the scale that is shown, and its runs of a setting by method, a line for each seed."""
    runs = read_runs(module.EXPERIMENT)
    scale = largest_complete_scale(module.EXPERIMENT, runs)
    rows = runs[(runs["scale"] == scale) & (runs["setting"] == setting)]
    by_method = {name: rows[rows["method"] == name].set_index("seed") for name in METHODS}
    return scale, {name: found for name, found in by_method.items() if len(found)}


def of_the_same_seeds(first, second):
    """Return the runs of two methods whose seed the other one has, too."""
    seeds = first.index.intersection(second.index)
    return first.loc[seeds], second.loc[seeds]


def costs():
    """Return accuracy, hypergradients and relative cost of each method, a line for each."""
    lines = []
    for name, (module, setting) in SETTINGS.items():
        scale, runs = runs_of(module, setting)
        for method, found in runs.items():
            accuracy, half = mean_and_half(found["accuracy"])
            seconds = (one["seconds"] for one in of_the_same_seeds(found, runs[NONE]))
            ratio, low, high = ratio_with_interval(*seconds)
            lines.append(
                {"data": name, "scale": scale, "runs": len(found), "method": method}
                | {"accuracy": accuracy, "accuracy_half": half}
                | {"trainings": 5 if method == TPE else 1}
                | {"hypergradients": found["hypergradients"].mean()}
                | {"cost": ratio, "cost_low": low, "cost_high": high}
            )
    table = pd.DataFrame(lines)
    table.loc[table["runs"] < MIN_RUNS, INTERVALS] = np.nan
    return table


def comparisons():
    """Return the ratio of the seconds of two methods, and the difference of their accuracies."""
    for name, (module, setting) in SETTINGS.items():
        _, runs = runs_of(module, setting)
        for cheaper, than in CHEAPER:
            if than in runs:
                pair = of_the_same_seeds(runs[cheaper], runs[than])
                ratio = ratio_with_interval(*(one["seconds"] for one in pair))
                gain = mean_and_half(pair[0]["accuracy"] - pair[1]["accuracy"])
                if len(pair[0]) < MIN_RUNS:
                    ratio, gain = (ratio[0], np.nan, np.nan), (gain[0], np.nan)
                yield name, cheaper, than, ratio, gain


def comparison(table):
    """Draw accuracy over cost, with 95 % intervals over the runs."""
    figure, axes = plt.subplots(1, len(SETTINGS), figsize=(14, 3.6), layout="constrained")
    for ax, name in zip(axes, SETTINGS, strict=True):
        of_setting = table[table["data"] == name]
        for line in of_setting.itertuples():
            ends = np.array([[line.cost - line.cost_low], [line.cost_high - line.cost]])
            style = {"fmt": "o", "color": COLOURS[line.method], "label": line.method}
            ax.errorbar(
                line.cost, line.accuracy, yerr=line.accuracy_half, xerr=ends, capsize=2, **style
            )
        first = of_setting.iloc[0]
        low, high = ax.get_ylim()
        ax.set_ylim(max(low, 0), min(high, 1))  # of accuracies
        ax.set_xscale("log")
        ax.set_xticks([0.2, 1, 5, 25], ["0.2", "1", "5", "25"], minor=False)
        ax.xaxis.set_minor_formatter("")
        ax.set(title=f"{name}\n{first['scale']} scale, {first['runs']} runs")
        ax.set_xlabel("cost, trainings of “none”")
    axes[0].set_ylabel("accuracy on the test set")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right", fontsize="small")
    return figure


def findings():
    """Return the table of costs, and the verdicts on the comparisons of the slides."""
    compared = list(comparisons())
    table = costs()
    yield cost_table(table)
    yield counts_sentence(table)
    yield comparison_table(compared)
    for cheaper, than in CHEAPER:
        yield verdict_sentence(cheaper, than, compared)
    yield steps_sentence()


def cost_table(table):
    """Return the costs in Markdown."""
    lines = [
        "| data, scale | method | runs | trainings | hypergradients | cost | accuracy |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {line.data}, {line.scale} | {line.method} | {line.runs} | {line.trainings} | "
        f"{line.hypergradients:.0f} | "
        + with_interval(f"{line.cost:.2f}", f"({line.cost_low:.2f} … {line.cost_high:.2f})")
        + with_interval(f"| {line.accuracy:.3f}", f"± {line.accuracy_half:.3f}")
        + "|"
        for line in table.itertuples()
    ]
    return "\n".join(lines)


def with_interval(mean, interval):
    """Return a mean and its interval, where there is one."""
    return f"{mean} " if "nan" in interval else f"{mean} {interval} "


def counts_sentence(table):
    """Say what is counted: students that are trained, and hypergradients, the same in all runs."""
    of = table.set_index(["method", "data"])["hypergradients"]
    shares = of[PROPOSED] / of[GRADIENT]
    return (
        f"Counted, and the same in each run: {GRADIENT} and {PROPOSED} train one student and {TPE} "
        f"trains five; {PROPOSED} computes {shares.min():.2f} to {shares.max():.2f} of the "
        f"hypergradients of {GRADIENT}."
    )


def comparison_table(compared):
    """Return the comparisons in Markdown: ratio of the seconds, and difference of accuracy."""
    lines = [
        "| comparison | data | seconds, as a share | less computation | gain in accuracy |",
        "|---|---|---:|---|---:|",
    ]
    lines += [
        f"| {cheaper} against {than} | {name} | "
        + with_interval(f"{ratio[0]:.2f}", f"({ratio[1]:.2f} … {ratio[2]:.2f})")
        + f"| {verdict_on(ratio)} | "
        + with_interval(f"{gain:+.3f}", f"± {half:.3f}")
        + "|"
        for name, cheaper, than, ratio, (gain, half) in compared
    ]
    return "\n".join(lines)


def verdict_on(ratio):
    """Return whether the interval of a ratio of seconds shows that there is less computation."""
    _, low, high = ratio
    return verdict(1 - high, 1 - low)


def verdict_sentence(cheaper, than, compared):
    """Say on how many data sets a method takes less time than another one."""
    found = Counter(
        verdict_on(ratio) for _, one, other, ratio, _ in compared if (one, other) == (cheaper, than)
    )
    return (
        f"That {cheaper} takes less time than {than} holds on {found[HOLDS]} of {found.total()} "
        f"data sets, does not hold on {found[DOES_NOT]}, and is undecided on {found[UNDECIDED]}."
    )


def steps_sentence():
    """Say what the predicted steps save in the table of e₁ and e₂."""
    runs = read_runs(table_steps.EXPERIMENT)
    scale = largest_complete_scale(table_steps.EXPERIMENT, runs)
    runs = runs[runs["scale"] == scale].set_index("seed")
    every = runs[runs["setting"] == "every step"]
    fewest = runs[runs["setting"] == "e1=10, e2=90"]
    ratio, low, high = ratio_with_interval(fewest["seconds"], every["seconds"].loc[fewest.index])
    return (
        f"With e₁ = 10 and e₂ = 90 ({scale} scale, {len(fewest)} runs), a training has "
        f"{fewest['hypergradients'].mean():.0f} hypergradients instead of "
        f"{every['hypergradients'].mean():.0f}, and takes {ratio:.2f} of the seconds "
        f"({low:.2f} … {high:.2f})."
    )


FIGURES = FigurePage(
    __file__,
    captions={
        "figure_comparison.png": "Accuracy on the test set over the cost, with 95 % intervals over "
        "the runs.",
        "figure_trajectories.png": "λ and T over the steps of a training on the synthetic data; "
        "predicted steps are shaded (drawn by `figure_trajectories.py`, one start).",
    },
    findings=findings,
)


def main():
    """Draw and write the figure of the comparison; nothing is trained."""
    argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__])).parse_args()
    target = FIGURES.file("figure_comparison.png")
    comparison(costs()).savefig(target, dpi=120)
    print(f"written to {target}")


if __name__ == "__main__":
    main()
