"""Figures 3 to 7 of Grabovoy and Strijov 2022.

    python -m examples.papers.grabovoy_strijov_2022.figures --scale medium

Beside this file it writes

- ``figure_3.png``: cross-entropy by epoch of the Fashion-MNIST student with and without a teacher;
- ``figures_4_5_6.png``: the classes' probabilities of 20 objects of the synthetic training set: the
  true ones, those of a student without a teacher and of one with it;
- ``figure_7.png``: the classes' probabilities of one test object over λ and T, where the student is
  softened too, as the paper writes, and where the teacher alone is, as in the published figure.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from examples.papers.grabovoy_strijov_2022.lessons import (
    fashion_mnist,
    linear_network,
    synthetic,
    taught,
)
from examples.papers.grabovoy_strijov_2022.table import (
    EXPERIMENT,
    FASHION,
    N_EPOCHS,
    SYNTHETIC,
    WITHOUT,
    WRITTEN,
)
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.inspection import MetaparameterDisplay

HERE = Path(__file__).parent
N_OBJECTS = 20
IMITATION, TEMPERATURE = np.linspace(0, 1, 11), np.geomspace(0.25, 10, 9)
SOFTENED = {"student and teacher softened": True, "teacher alone softened": False}


def curves(scale, seed, device):
    """Draw the cross-entropy of the labels by epoch, on training and test images."""
    lesson = fashion_mnist(seed, scale.n_images, scale.teacher_epochs, device)
    rows = {"training": (lesson.X, lesson.y), "test": (lesson.X_test, lesson.y_test)}
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")
    for ax, (name, (X_val, y_val)) in zip(axes, rows.items(), strict=True):
        for method, options in FASHION.items():
            # what a training is judged by does not change it
            student = linear_network(scale.student_epochs, seed, device, **options)
            losses = taught(student, lesson, X_val=X_val, y_val=y_val).history_["valid_loss"]
            ax.plot(np.arange(1, len(losses) + 1), losses, label=method)
        ax.set(xlabel="epoch", title=f"{name} images")
    axes[0].set_ylabel("cross-entropy, nats")
    axes[1].legend()
    return figure


def strips(seed):
    """Draw the classes' probabilities of some training objects, a column each."""
    lesson = synthetic(seed)
    shown = {"true probabilities": np.exp(lesson.teacher_logits[:N_OBJECTS])}
    for method in (WITHOUT, WRITTEN):
        student = taught(linear_network(N_EPOCHS, seed, **SYNTHETIC[method]), lesson)
        shown[f"student, {method}"] = student.predict_proba(lesson.X[:N_OBJECTS])
    figure, axes = plt.subplots(3, 1, figsize=(7, 5), sharex=True, layout="constrained")
    for ax, (name, proba) in zip(axes, shown.items(), strict=True):
        image = ax.imshow(proba.T, vmin=0, vmax=1, aspect="auto")
        ax.set(title=name, ylabel="class", yticks=range(proba.shape[1]))
    axes[-1].set(xlabel="object", xticks=range(0, N_OBJECTS, 5))
    figure.colorbar(image, ax=axes, label="probability")
    return figure


def surfaces(seed):
    """Draw the probabilities of a test object that is neither clear nor a riddle over λ and T."""
    lesson = synthetic(seed)
    place = np.abs(lesson.true_proba.max(axis=1) - 0.6).argmin()
    truth = lesson.true_proba[place]
    shape = len(SOFTENED), len(truth)
    figure, axes = plt.subplots(*shape, figsize=(12, 6), sharex=True, sharey=True)
    for line, (name, soften_student) in zip(axes, SOFTENED.items(), strict=True):
        proba = probabilities(lesson, place, soften_student)
        for k, ax in enumerate(line):
            MetaparameterDisplay.from_values(
                IMITATION, TEMPERATURE, proba[..., k], ax=ax, value_name=f"probability of {k}"
            )
            ax.set_title(f"{name}; true {truth[k]:.2f}", fontsize="medium")
    figure.tight_layout()
    return figure


def probabilities(lesson, place, soften_student):
    """Return a test object's probabilities over λ and T, (n_imitation, n_temperature, K)."""
    student = DistilledLogisticRegression(C=np.inf, soften_student=soften_student)

    def asked(lam, T):
        fitted = taught(student.set_params(imitation=lam, temperature=T), lesson)
        return fitted.predict_proba(lesson.X_test[[place]])[0]

    return np.array([[asked(lam, T) for T in TEMPERATURE] for lam in IMITATION])


def main():
    """Draw and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", choices=EXPERIMENT.scales, default="medium")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()
    scale = EXPERIMENT.scales[options.scale]
    drawn = {
        "figures_4_5_6": strips(options.seed),
        "figure_7": surfaces(options.seed),
        "figure_3": curves(scale, options.seed, options.device),
    }
    for name, figure in drawn.items():
        figure.savefig(HERE / f"{name}.png", dpi=120)
    print(f"written to {HERE}: {', '.join(drawn)}")


if __name__ == "__main__":
    main()
