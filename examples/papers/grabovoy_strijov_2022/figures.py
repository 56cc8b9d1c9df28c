"""Figures 3 to 7 of Grabovoy and Strijov 2022.

    python -m examples.papers.grabovoy_strijov_2022.figures --scale medium

The script writes these files to its folder:

- ``figure_3.png``: cross-entropy of the Fashion-MNIST student by epoch, with and without a teacher;
- ``figures_4_5_6.png``: class probabilities of 20 samples of the synthetic training set: the true
  ones, and those of a student without and with a teacher;
- ``figure_7.png``: class probabilities of a test sample over λ and T, with teacher and student
  softened, as in the text of the paper, and with the teacher alone softened, as in the published
  figure.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from examples.papers.grabovoy_strijov_2022.experiments import (
    draw_fashion_mnist,
    draw_synthetic,
    fit_student,
    linear_network,
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
N_SAMPLES = 20
IMITATION, TEMPERATURE = np.linspace(0, 1, 11), np.geomspace(0.25, 10, 9)
SOFTENED = {"student and teacher softened": True, "teacher alone softened": False}


def curves(scale, seed, device):
    """Draw the cross-entropy of the labels by epoch, on training and test images."""
    data = draw_fashion_mnist(seed, scale.n_images, scale.teacher_epochs, device)
    rows = {"training": (data.X, data.y), "test": (data.X_test, data.y_test)}
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")
    for ax, (name, (X_val, y_val)) in zip(axes, rows.items(), strict=True):
        for method, options in FASHION.items():
            # the validation set only records losses here
            student = linear_network(scale.student_epochs, seed, device, **options)
            losses = fit_student(student, data, X_val=X_val, y_val=y_val).history_["valid_loss"]
            ax.plot(np.arange(1, len(losses) + 1), losses, label=method)
        ax.set(xlabel="epoch", title=f"{name} images")
    axes[0].set_ylabel("cross-entropy, nats")
    axes[1].legend()
    return figure


def strips(seed):
    """Draw the class probabilities of some training samples, one column each."""
    data = draw_synthetic(seed)
    probas = {"true probabilities": np.exp(data.teacher_logits[:N_SAMPLES])}
    for method in (WITHOUT, WRITTEN):
        student = fit_student(linear_network(N_EPOCHS, seed, **SYNTHETIC[method]), data)
        probas[f"student, {method}"] = student.predict_proba(data.X[:N_SAMPLES])
    figure, axes = plt.subplots(3, 1, figsize=(7, 5), sharex=True, layout="constrained")
    for ax, (name, proba) in zip(axes, probas.items(), strict=True):
        image = ax.imshow(proba.T, vmin=0, vmax=1, aspect="auto")
        ax.set(title=name, ylabel="class", yticks=range(proba.shape[1]))
    axes[-1].set(xlabel="sample", xticks=range(0, N_SAMPLES, 5))
    figure.colorbar(image, ax=axes, label="probability")
    return figure


def surfaces(seed):
    """Draw the probabilities of a test sample of medium difficulty over λ and T."""
    data = draw_synthetic(seed)
    place = np.abs(data.true_proba.max(axis=1) - 0.6).argmin()
    truth = data.true_proba[place]
    shape = len(SOFTENED), len(truth)
    figure, axes = plt.subplots(*shape, figsize=(12, 6), sharex=True, sharey=True)
    for line, (name, soften_student) in zip(axes, SOFTENED.items(), strict=True):
        proba = probabilities(data, place, soften_student)
        for k, ax in enumerate(line):
            MetaparameterDisplay.from_values(
                IMITATION, TEMPERATURE, proba[..., k], ax=ax, value_name=f"probability of {k}"
            )
            ax.set_title(f"{name}; true {truth[k]:.2f}", fontsize="medium")
    figure.tight_layout()
    return figure


def probabilities(data, place, soften_student):
    """Return the probabilities of a test sample over λ and T, (n_imitation, n_temperature, K)."""
    student = DistilledLogisticRegression(C=np.inf, soften_student=soften_student)

    def proba_at(lam, T):
        fitted = fit_student(student.set_params(imitation=lam, temperature=T), data)
        return fitted.predict_proba(data.X_test[[place]])[0]

    return np.array([[proba_at(lam, T) for T in TEMPERATURE] for lam in IMITATION])


def main():
    """Draw and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", choices=EXPERIMENT.scales, default="medium")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()
    scale = EXPERIMENT.scales[options.scale]
    figures = {
        "figures_4_5_6": strips(options.seed),
        "figure_7": surfaces(options.seed),
        "figure_3": curves(scale, options.seed, options.device),
    }
    for name, figure in figures.items():
        figure.savefig(HERE / f"{name}.png", dpi=120)
    print(f"written to {HERE}: {', '.join(figures)}")


if __name__ == "__main__":
    main()
