"""λ and T over the steps of a training on the synthetic data, with predicted steps shaded.

    python -m examples.papers.gorpinich_2022.figure_trajectories

Hypergradients in every step, and linear predictions for 10, 40 and 90 steps after 10 steps with
hypergradients, from the same start (Gorpinich, Bakhteev and Strijov 2022). λ is the weight of the
teacher, 1 − λ of the paper. The script writes ``figure_trajectories.png`` to its folder.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt

from examples.papers.gorpinich_2022.synthetic import draw, tune
from sklearn_distill.inspection import TrajectoryDisplay

METHODS = {"gradient": ("gradient", {})} | {
    f"e₁ = 10, e₂ = {e2}": ("linear", {"gradient_steps": 10, "predicted_steps": e2})
    for e2 in (10, 40, 90)
}


def figure(n_steps, seed):
    """Draw λ above T, with a column for each method."""
    data = draw(seed)
    fig, axes = plt.subplots(
        2, len(METHODS), figsize=(12, 5), sharex=True, sharey="row", layout="constrained"
    )
    for column, (name, (method, options)) in zip(axes.T, METHODS.items(), strict=True):
        student = tune(data, method, seed, n_steps, **options).student
        TrajectoryDisplay.from_estimator(student, name=name, ax=column, lw=1)
        column[0].set_title(f"accuracy {student.score(*data.test):.3f}")
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    return fig


def main():
    """Draw and write the figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=400, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    options = parser.parse_args()
    target = Path(__file__).with_suffix(".png")
    figure(options.steps, options.seed).savefig(target, dpi=150)
    print(f"written to {target}")


if __name__ == "__main__":
    main()
