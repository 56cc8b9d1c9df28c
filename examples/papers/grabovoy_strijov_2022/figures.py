"""Learning curves and predicted probabilities: figures 3 to 7 of Grabovoy and Strijov 2022.

    python -m examples.papers.grabovoy_strijov_2022.figures

Figure 3 has all 60,000 training images and the published 100 epochs, T = 2 and λ = 0.25; each of
three runs draws the initial weights and the mini-batches. All runs have one teacher, the LeNet of
the table's first full run, so that the students differ less between runs than those of the table,
each of which has its own. The verdicts are those of single intervals, not adjusted for their
number. The "best epoch" of a student is that of its lowest cross-entropy on the
test images, which nobody can choose without them; it shows what both students could reach. The
students of the table have the weights of their last epoch.

Figures 4, 5 and 6 are of the synthetic data: "the truth" has the probabilities from which the
labels were drawn, and the student with a teacher is trained on these, with T = 1 and λ = 0.75.
Figure 7 has three test samples of the same draw, whose most probable class is certain, probable
or nearly as probable as another one, and the probabilities of their three classes over λ and T, by
students of the same data at the minimum of their loss. In the text of the paper T softens both
teacher and student; the second figure 7 softens the teacher alone, as in the authors' code.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from skorch.callbacks import EpochScoring

from examples.papers.claims import UNDECIDED, verdict
from examples.papers.figures import FigurePage, mean_and_half
from examples.papers.grabovoy_strijov_2022.experiments import (
    draw_fashion_mnist,
    draw_synthetic,
    fit_student,
    linear_network,
)
from examples.papers.grabovoy_strijov_2022.table import (
    FASHION,
    IMAGES,
    N_EPOCHS,
    SCALES,
    SYNTHETIC,
    WITHOUT,
    WRITTEN,
)
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.inspection import MetaparameterDisplay
from sklearn_distill.metrics import kl_divergence_from_proba

HERE = Path(__file__).parent
N_SEEDS, N_SAMPLES = 3, 20
IMITATION, TEMPERATURE = np.linspace(0, 1, 11), np.geomspace(0.25, 10, 9)
SOFTENED = {"student and teacher softened": True, "teacher alone softened": False}
DIFFICULTY = {"certain": 0.99, "probable": 0.7, "undecided": 0.45}  # the largest true probability
TRAINING, TEST = "training", "test"


def curves(device):
    """Return the cross-entropy of the labels by epoch, a line for each run, method and set."""
    scale = SCALES["full"]
    data = draw_fashion_mnist(0, scale.n_images, scale.teacher_epochs, device)
    score = EpochScoring("neg_log_loss", name=TRAINING, on_train=True, use_caching=False)
    lines = []
    for seed in range(N_SEEDS):
        for method, options in FASHION.items():
            student = linear_network(scale.student_epochs, seed, device, **options)
            student.set_params(callbacks=[score])
            # the validation set only records losses here
            fit_student(student, data, X_val=data.X_test, y_val=data.y_test)
            losses = {TRAINING: -student.history_[TRAINING], TEST: student.history_["valid_loss"]}
            lines += [
                {"seed": seed, "method": method, "images": images, "epoch": epoch, "loss": loss}
                for images, of_images in losses.items()
                for epoch, loss in enumerate(of_images, start=1)
            ]
    return pd.DataFrame(lines).rename(columns={"loss": "cross_entropy"})


def draw_curves(table):
    """Draw the mean curves over the runs, and on the test images their lowest points."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for ax, images in zip(axes, (TRAINING, TEST), strict=True):
        for method in FASHION:
            rows = table[(table["method"] == method) & (table["images"] == images)]
            mean = rows.groupby("epoch")["cross_entropy"].mean()
            (line,) = ax.plot(mean, label=method)
            if images == TEST:
                ax.plot(mean.idxmin(), mean.min(), "o", color=line.get_color())
        ax.set(xlabel="epoch", title=f"{images} images", ylim=(0.3, 0.55))
    axes[0].set_ylabel("cross-entropy, nats")
    axes[1].legend()
    return figure


def strips(seed):
    """Return the class probabilities of some training samples: true ones, and by two students."""
    data = draw_synthetic(seed)
    probas = {"the truth": np.exp(data.teacher_logits[:N_SAMPLES])}
    for method in (WITHOUT, WRITTEN):
        student = fit_student(linear_network(N_EPOCHS, seed, **SYNTHETIC[method]), data)
        probas[method] = student.predict_proba(data.X[:N_SAMPLES])
    return pd.concat(
        pd.DataFrame(proba).rename_axis("sample").reset_index().assign(of=name)
        for name, proba in probas.items()
    )


def strip_probabilities(table, name):
    """Return the class probabilities of a strip, (n_samples, n_classes)."""
    stored = table[table["of"] == name].drop(columns=["sample", "of"]).to_numpy()
    return stored / stored.sum(axis=1, keepdims=True)  # they are rounded


def draw_strips(table):
    """Draw the class probabilities, one column for each sample."""
    names = list(dict.fromkeys(table["of"]))
    figure, axes = plt.subplots(len(names), 1, figsize=(7, 5), sharex=True, layout="constrained")
    for ax, number, name in zip(axes, (4, 5, 6), names, strict=True):
        proba = strip_probabilities(table, name)
        image = ax.imshow(proba.T, vmin=0, vmax=1, aspect="auto")
        ax.set(title=f"{number}: {name}", ylabel="class", yticks=range(proba.shape[1]))
    axes[-1].set(xlabel="sample", xticks=range(0, N_SAMPLES, 5))
    figure.colorbar(image, ax=axes, label="probability")
    return figure


def surfaces(seed):
    """Return the probabilities of three test samples over λ and T, both ways of softening."""
    data = draw_synthetic(seed)
    largest = data.true_proba.max(axis=1)
    places = [np.abs(largest - value).argmin() for value in DIFFICULTY.values()]
    lines = []
    for softened, soften_student in SOFTENED.items():
        student = DistilledLogisticRegression(C=np.inf, soften_student=soften_student)
        for lam in IMITATION:
            for T in TEMPERATURE:
                fitted = fit_student(student.set_params(imitation=lam, temperature=T), data)
                proba = fitted.predict_proba(data.X_test[places])
                lines += [
                    {"softened": softened, "sample": name, "imitation": lam, "temperature": T}
                    | {"class": k, "truth": truth[k], "probability": p[k]}
                    for name, truth, p in zip(
                        DIFFICULTY, data.true_proba[places], proba, strict=True
                    )
                    for k in range(len(truth))
                ]
    return pd.DataFrame(lines)


def draw_surfaces(table, softened):
    """Draw nine panels: the probabilities of three classes for each of three samples."""
    rows = table[table["softened"] == softened]
    figure, axes = plt.subplots(3, 3, figsize=(12, 9), sharex=True, sharey=True)
    for line, (name, of_sample) in zip(axes, rows.groupby("sample", sort=False), strict=True):
        for ax, (k, of_class) in zip(line, of_sample.groupby("class"), strict=True):
            grid = of_class.pivot(index="imitation", columns="temperature", values="probability")
            MetaparameterDisplay.from_values(
                IMITATION, TEMPERATURE, grid.to_numpy(), ax=ax, value_name=f"probability of {k}"
            )
            truth = of_class["truth"].iloc[0]
            ax.set_title(f"{name}, class {k}; true {truth:.2f}", fontsize="medium")
    figure.suptitle(softened)
    figure.tight_layout()
    return figure


def findings():
    """Return what the stored numbers show."""
    table = pd.read_csv(FIGURES.file("figure_3.csv"))
    yield turning_points(table)
    yield from curve_sentences(table)
    yield overfitting_sentence(table)
    yield strip_sentence(pd.read_csv(FIGURES.file("figures_4_5_6.csv")))
    yield from (
        surface_sentence(pd.read_csv(FIGURES.file("figure_7.csv")), softened)
        for softened in SOFTENED
    )


def ends_of(table):
    """Return best epoch, lowest and last cross-entropy of each run and method."""
    lines = []
    for (seed, method), rows in table.groupby(["seed", "method"], sort=False):
        by_set = {
            images: of.set_index("epoch")["cross_entropy"] for images, of in rows.groupby("images")
        }
        test, training = by_set[TEST], by_set[TRAINING]
        lines.append(
            {"seed": seed, "method": method, "best_epoch": test.idxmin(), "lowest": test.min()}
            | {"last": test.iloc[-1], "rise": test.iloc[-1] - test.min()}
            | {"training": training.iloc[-1]}
        )
    return pd.DataFrame(lines)


def turning_points(table):
    """Return the turning points in Markdown."""
    lines = [
        "| student | best epochs | at the best epoch | after the last | rise | last, training |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for method, rows in ends_of(table).groupby("method", sort=False):
        epochs = ", ".join(map(str, rows["best_epoch"]))
        cells = [f"{rows[name].mean():.4f}" for name in ("lowest", "last", "rise", "training")]
        lines.append(f"| {method} | {epochs} | {' | '.join(cells)} |")
    return "\n".join(lines)


def curve_sentences(table):
    """Say how the students compare at their best epochs, after the last one, and in their rise."""
    ends = ends_of(table).set_index(["method", "seed"])
    distilled, baseline = ends.loc[IMAGES], ends.loc[WITHOUT]
    names = {
        "lowest": "lower at its best epoch",
        "last": "lower after the last epoch",
        "rise": "rises less after the best epoch",
    }
    for name, claim in names.items():
        mean, half = mean_and_half(baseline[name] - distilled[name])
        found = verdict(mean - half, mean + half)
        excluded = ""
        if found == UNDECIDED:
            found = f"is {UNDECIDED}"
            excluded = f", differences above {abs(mean) + half:.4f} are excluded"
        yield (
            f"That the cross-entropy of the student with a teacher is {claim} {found} over "
            f"{len(distilled)} runs: by {mean:.4f} ± {half:.4f}{excluded}."
        ).replace("is rises", "rises")


def overfitting_sentence(table):
    """Say which part of the gain is that the student with a teacher overfits more slowly."""
    ends = ends_of(table).groupby("method")[["lowest", "last"]].mean()
    baseline, distilled = ends.loc[WITHOUT], ends.loc[IMAGES]
    gain = baseline - distilled
    share = 100 * (1 - gain["lowest"] / gain["last"])
    return (
        f"Of the gain of {gain['last']:.4f} after the last epoch, {share:.0f} % is slower "
        "overfitting, and the rest is there at the best epochs. Stopped at its best epoch, the "
        f"student without a teacher has a cross-entropy of {baseline['lowest']:.4f}; the student "
        f"with a teacher has {distilled['last']:.4f} after the last epoch."
    )


def strip_sentence(table):
    """Say how far the students are from the truth on the samples shown."""
    truth = strip_probabilities(table, "the truth")
    distances = {
        name: kl_divergence_from_proba(truth, strip_probabilities(table, name))
        for name in (WITHOUT, WRITTEN)
    }
    return (
        f"On the {N_SAMPLES} samples of figures 4 to 6 the mean divergence from the truth is "
        f"{distances[WITHOUT]:.3f} nats without a teacher and {distances[WRITTEN]:.3f} with one "
        "(one draw; the table has the test set)."
    )


def surface_sentence(table, softened):
    """Say how concentrated the predictions are at the ends of T, for λ = 1."""
    rows = table[(table["softened"] == softened) & (table["imitation"] == 1)]
    largest = rows.groupby(["temperature", "sample"])["probability"].max().groupby(level=0).mean()
    low, high = largest.index.min(), largest.index.max()
    return (
        f"Figure 7, {softened}: with λ = 1 the largest probability of the three samples is "
        f"{largest[low]:.2f} on average at T = {low:g}, and {largest[high]:.2f} at T = {high:g}; "
        f"the true one is {rows.groupby('sample')['truth'].max().mean():.2f}."
    )


FIGURES = FigurePage(
    __file__,
    captions={
        "figure_3.png": "Figure 3: cross-entropy of the labels by epoch, means over the runs; the "
        "points are the lowest values on the test images.",
        "figures_4_5_6.png": "Figures 4, 5 and 6: class probabilities of 20 training samples.",
        "figure_7.png": "Figure 7: class probabilities of three test samples over λ and T, with "
        "student and teacher softened.",
        "figure_7_teacher.png": "The same with the teacher alone softened, as in the authors' "
        "code.",
    },
    findings=findings,
)


def main():
    """Compute the numbers, and draw and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args()
    tables = {
        "figures_4_5_6": strips(seed=0),
        "figure_7": surfaces(seed=0),
        "figure_3": curves(options.device),
    }
    for name, table in tables.items():
        table.to_csv(HERE / f"{name}.csv", index=False, float_format="%.5g")
    figures = {
        "figures_4_5_6": draw_strips(tables["figures_4_5_6"]),
        "figure_3": draw_curves(tables["figure_3"]),
    }
    for name, softened in zip(("figure_7", "figure_7_teacher"), SOFTENED, strict=True):
        figures[name] = draw_surfaces(tables["figure_7"], softened)
    for name, figure in figures.items():
        figure.savefig(HERE / f"{name}.png", dpi=100)
    print(f"written to {HERE}: {', '.join(figures)}")


if __name__ == "__main__":
    main()
