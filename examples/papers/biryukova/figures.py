"""Training curves, uncertainty and histograms of predictions on Dogs vs. Cats: Biryukova.

    python -m examples.papers.biryukova.figures

The medium scale of the tables, 3000 images and 10 epochs, and one run: a teacher and its three
students, and six further generations of the hard and of the soft student, with the split and the
initial weights of the first run of the tables. The published numbers beside ours are of 25,000
images and 100 epochs; the differences between models, and between sets, are what can be compared.

The degree of uncertainty is the mean of (p − [p > ½])². Histograms have 20 bins, over all images
of a set. "Augmented" test images are flipped and shifted as in the training of the model, with the
mean over five draws; the thesis gives the best of several draws. The teacher's head is trained on
features of images that are not augmented, so that it has no such row here. The "teacher's classes"
are its predictions above ½, which the thesis takes as the labels of a further test.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, log_loss
from skorch.callbacks import EpochScoring

from examples.papers.biryukova.data import downsampled, features, pictures, split
from examples.papers.biryukova.estimators import (
    TARGETS,
    dog_proba,
    untrained_student,
    untrained_teacher,
)
from examples.papers.biryukova.scales import SCALES
from examples.papers.biryukova.table_generations import N_GENERATIONS
from examples.papers.figures import FigurePage
from sklearn_distill.metrics import uncertainty_degree

HERE = Path(__file__).parent
SCALE, SEED, N_BINS, N_DRAWS = "medium", 0, 20, 5
SETS = ("training", "validation", "test")
TEACHER = "teacher"
EDGES = np.linspace(0, 1, N_BINS + 1)
PUBLISHED = {  # accuracy and uncertainty on training, validation and test images
    TEACHER: ((0.99983, 0.97526, 0.97333), (0.00006, 0.00252, 0.00197)),
    "classic": ((0.98048, 0.95105, 0.96160), (0.00262, 0.00402, 0.00467)),
    "hard": ((0.97762, 0.95293, 0.95440), (0.005, 0.00674, 0.00713)),
    "soft": ((0.98546, 0.94917, 0.96320), (0.00163, 0.00421, 0.00403)),
    "hard 1": ((0.98225, 0.94621, 0.95760), (0.00391, 0.0069, 0.006)),
    "hard 2": ((0.97463, 0.94567, 0.94880), (0.00379, 0.00569, 0.00515)),
    "hard 3": ((0.98025, 0.94809, 0.94773), (0.00292, 0.0062, 0.00668)),
    "hard 4": ((0.98117, 0.94567, 0.94293), (0.0021, 0.00556, 0.00575)),
    "hard 5": ((0.96336, 0.94621, 0.93600), (0.00616, 0.00866, 0.00895)),
    "hard 6": ((0.97281, 0.94594, 0.93520), (0.00352, 0.00572, 0.00561)),
    "soft 1": ((0.98397, 0.95535, 0.96320), (0.00268, 0.00529, 0.00454)),
    "soft 2": ((0.98363, 0.95697, 0.95733), (0.00636, 0.00934, 0.00935)),
    "soft 3": ((0.97933, 0.95966, 0.95093), (0.00937, 0.01236, 0.01272)),
    "soft 4": ((0.97670, 0.95858, 0.95307), (0.01249, 0.01547, 0.01576)),
    "soft 5": ((0.97384, 0.95320, 0.94507), (0.01433, 0.01795, 0.01856)),
    "soft 6": ((0.97258, 0.95643, 0.94587), (0.01940, 0.02302, 0.02268)),
}
PUBLISHED_TESTS = {  # cross-entropy and accuracy on test images
    ("classic", "labels", "plain"): (0.14394, 0.96160),
    ("classic", "labels", "augmented"): (0.30252, 0.94987),
    ("hard", "labels", "plain"): (0.13251, 0.95440),
    ("hard", "labels", "augmented"): (0.36285, 0.94560),
    ("hard", "teacher's classes", "plain"): (0.12143, 0.95493),
    ("hard", "teacher's classes", "augmented"): (0.35090, 0.94667),
    ("soft", "labels", "plain"): (0.12629, 0.96320),
    ("soft", "labels", "augmented"): (0.14906, 0.95040),
    ("soft", "teacher's classes", "plain"): (0.13455, 0.96053),
    ("soft", "teacher's classes", "augmented"): (0.15217, 0.95120),
}


class Run:
    """The split of a run, and the models that are fitted on it."""

    def __init__(self, device):
        self.scale, self.device = SCALES[SCALE], device
        _, y = pictures(self.scale.n_images)
        images = downsampled(self.scale.n_images, self.scale.pixels)
        self.rows = dict(zip(SETS, split(y, SEED), strict=True))
        self.X = {name: images[rows] for name, rows in self.rows.items()}
        self.y = {name: y[rows] for name, rows in self.rows.items()}
        every = features(self.scale.n_images, self.scale.teacher_pixels, device)
        inputs = {name: every[rows] for name, rows in self.rows.items()}
        teacher = untrained_teacher(self.scale, device).set_params(random_state=SEED)
        self._fit(teacher, inputs)
        self.curves = [by_epoch(teacher, TEACHER)]
        self.probas = {TEACHER: {name: dog_proba(teacher, X) for name, X in inputs.items()}}
        self.students = {}

    def fit(self, name, method, seed, proba):
        """Fit a student on targets from probabilities; keep curves and predictions."""
        student = untrained_student(self.scale, self.device, seed)
        target = TARGETS[method](proba)
        student.set_params(imitation=0 if target is None else 1)
        self._fit(student, self.X, teacher_proba=target)
        self.curves.append(by_epoch(student, name))
        self.probas[name] = {of: dog_proba(student, X) for of, X in self.X.items()}
        self.students[name] = student

    def _fit(self, model, X, **options):
        """Fit a model on training images, and record losses and accuracies by epoch."""
        scores = [
            EpochScoring("accuracy", name="train_accuracy", on_train=True, lower_is_better=False),
            EpochScoring("accuracy", name="valid_accuracy", lower_is_better=False),
        ]
        validation = {"X_val": X["validation"], "y_val": self.y["validation"]}
        model.set_params(callbacks=scores)
        model.fit(X["training"], self.y["training"], **validation, **options)

    def augmented_probas(self, name):
        """Return the predictions of a student for augmented test images, by draw."""
        student = self.students[name]
        augment = student.get_params()["augmentation"]
        generator = torch.Generator().manual_seed(SEED)
        images = torch.tensor(self.X["test"])
        return [dog_proba(student, augment(images, generator).numpy()) for _ in range(N_DRAWS)]


def by_epoch(fitted, name):
    """Return the history of a training, a line for each epoch."""
    kept = fitted.history_.filter(["train_loss", "valid_loss", "train_accuracy", "valid_accuracy"])
    return kept.rename_axis("epoch").reset_index().assign(model=name)


def fit_all(device):
    """Fit teacher, students and generations, which start as those of the tables."""
    run = Run(device)
    for method in TARGETS:
        run.fit(method, method, SEED, run.probas[TEACHER]["training"])
    for method in ("hard", "soft"):
        previous = method
        for number in range(1, N_GENERATIONS + 1):
            name = f"{method} {number}"
            seed = (N_GENERATIONS + 1) * SEED + number
            run.fit(name, method, seed, run.probas[previous]["training"])
            previous = name
    return run


def measures(run):
    """Return accuracy and uncertainty of each model on each set."""
    return pd.DataFrame(
        {
            "model": name,
            "images": images,
            "accuracy": accuracy_score(run.y[images], p > 0.5),
            "uncertainty": uncertainty_degree(p),
        }
        for name, probas in run.probas.items()
        for images, p in probas.items()
    )


def tests(run):
    """Return cross-entropy and accuracy on plain and augmented test images, for two labels."""
    labels = {
        "labels": run.y["test"],
        "teacher's classes": (run.probas[TEACHER]["test"] > 0.5).astype(int),
    }
    return pd.DataFrame(
        {
            "model": name,
            "evaluated against": judge,
            "images": images,
            "cross_entropy": np.mean([log_loss(y, p) for p in draws]),
            "accuracy": np.mean([accuracy_score(y, p > 0.5) for p in draws]),
        }
        for name in TARGETS
        for images, draws in (
            ("plain", [run.probas[name]["test"]]),
            ("augmented", run.augmented_probas(name)),
        )
        for judge, y in labels.items()
    )


def histograms(run):
    """Return the share of the images in each bin of the predicted probability of a dog."""
    return pd.DataFrame(
        {"model": name, "images": images, "from": start, "share": count / len(p)}
        for name, probas in run.probas.items()
        for images, p in probas.items()
        for start, count in zip(EDGES[:-1], np.histogram(p, EDGES)[0], strict=True)
    )


def draw_curves(table):
    """Draw losses above accuracies by epoch, a column for teacher and students each."""
    names = [TEACHER, *TARGETS]
    figure, axes = plt.subplots(
        2, len(names), figsize=(13, 5.5), layout="constrained", sharey="row"
    )
    for number, (column, name) in enumerate(zip(axes.T, names, strict=True), start=2):
        rows = table[table["model"] == name].set_index("epoch")
        for ax, measure in zip(column, ("loss", "accuracy"), strict=True):
            for part in ("train", "valid"):
                ax.plot(rows[f"{part}_{measure}"], label=part)
            ax.set(xlabel="epoch")
        column[0].set_title(f"{number}: {name}")
    axes[0, 0].set_ylabel("loss, nats")
    axes[1, 0].set_ylabel("accuracy")
    axes[0, 0].legend()
    return figure


def draw_histograms(table, names, columns):
    """Draw the shares of the bins as lines: some models in each of several sets."""
    figure, axes = plt.subplots(
        1, len(columns), figsize=(4.5 * len(columns), 3.6), layout="constrained", sharey=True,
        squeeze=False,
    )  # fmt: skip
    for ax, (images, title) in zip(axes[0], columns.items(), strict=True):
        for name in names:
            rows = table[(table["model"] == name) & (table["images"] == images)]
            ax.plot(rows["from"] + 0.5 / N_BINS, rows["share"], marker=".", label=name)
        ax.set(title=title, xlabel="predicted probability of a dog", yscale="log")
    axes[0, 0].set_ylabel("share of the images")
    axes[0, 0].legend(fontsize="small")
    return figure


def findings():
    """Return the tables of the measures, and what they show."""
    table = pd.read_csv(FIGURES.file("figures_measures.csv")).set_index(["model", "images"])
    yield measures_table(table)
    tested = pd.read_csv(FIGURES.file("figures_tests.csv"))
    yield tests_table(tested.set_index(["model", "evaluated against", "images"]))
    yield growth_sentence(table)
    yield augmentation_sentence(tested)
    yield ends_sentence(pd.read_csv(FIGURES.file("figures_histograms.csv")))


def measures_table(table):
    """Return accuracy and uncertainty on three sets in Markdown, with the published ones."""
    lines = [
        "| model | images | accuracy | published | uncertainty | published |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for (model, images), row in table.iterrows():
        accuracy, uncertainty = (of[SETS.index(images)] for of in PUBLISHED[model])
        lines.append(
            f"| {model} | {images} | {row['accuracy']:.3f} | {accuracy:.5f} | "
            f"{row['uncertainty']:.5f} | {uncertainty:.5f} |"
        )
    return "\n".join(lines)


def tests_table(table):
    """Return the tests on plain and augmented images in Markdown, with the published ones."""
    lines = [
        "| student | evaluated against | test images | cross-entropy | published | accuracy "
        "| published |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for key, row in table.iterrows():
        loss, accuracy = (
            (f"{x:.5f}" for x in PUBLISHED_TESTS[key]) if key in PUBLISHED_TESTS else "––"
        )
        lines.append(
            f"| {' | '.join(key)} | {row['cross_entropy']:.4f} | {loss} | "
            f"{row['accuracy']:.4f} | {accuracy} |"
        )
    return "\n".join(lines)


def growth_sentence(table):
    """Say how the uncertainty on the test images changes over the generations."""
    parts = []
    for method in ("hard", "soft"):
        first, last = (
            table.loc[(name, "test"), "uncertainty"]
            for name in (method, f"{method} {N_GENERATIONS}")
        )
        parts.append(f"from {first:.4f} to {last:.4f} over the {method} ones")
    return (
        f"In this run the degree of uncertainty on the test images goes {' and '.join(parts)} "
        "(published: .0071 to .0056 and .0040 to .0227). The page of the generations has more runs."
    )


def augmentation_sentence(table):
    """Say how much worse augmented test images are predicted."""
    by_label = table[table["evaluated against"] == "labels"].pivot(
        index="model", columns="images", values="cross_entropy"
    )
    rise = by_label["augmented"] - by_label["plain"]
    parts = ", ".join(f"{rise[name]:+.3f} ({name})" for name in TARGETS)
    return f"Augmentation of the test images changes the cross-entropy of their labels by {parts}."


def ends_sentence(table):
    """Say which share of the predictions is in the first and the last bin."""
    ends = table[table["from"].isin([0.0, EDGES[-2].round(6)])]
    share = ends.groupby(["images", "model"])["share"].sum()
    parts = "; ".join(
        f"{images}: "
        + ", ".join(f"{name} {share[images][name]:.2f}" for name in (TEACHER, *TARGETS))
        for images in SETS
    )
    return f"Share of the predictions below .05 or from .95 on, by set: {parts}."


FIGURES = FigurePage(
    __file__,
    captions={
        "figures_curves.png": "Figures 2 to 5: loss and accuracy by epoch of the teacher and its "
        "students, on training and validation images.",
        "figures_histograms.png": "Figures 6, 7 and 8: share of the images by predicted "
        "probability, on test, validation and training images.",
        "figures_generations.png": "Figure 9, and the same for hard generations: share of the test "
        "images by predicted probability.",
    },
    findings=findings,
)


def main():
    """Fit the models, write their numbers and draw the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    run = fit_all(parser.parse_args().device)
    tables = {
        "curves": pd.concat(run.curves),
        "measures": measures(run),
        "tests": tests(run),
        "histograms": histograms(run),
    }
    for name, table in tables.items():
        table.round(6).to_csv(HERE / f"figures_{name}.csv", index=False)
    draw(tables)


def draw(tables):
    """Draw and write the figures."""
    sets = {"test": "6: test", "validation": "7: validation", "training": "8: training"}
    figures = {
        "curves": draw_curves(tables["curves"]),
        "histograms": draw_histograms(tables["histograms"], [TEACHER, *TARGETS], sets),
    }
    fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", sharey=True)
    for ax, method in zip(axes, ("soft", "hard"), strict=True):
        for name in (method, *(f"{method} {number}" for number in range(1, N_GENERATIONS + 1))):
            table = tables["histograms"]
            rows = table[(table["model"] == name) & (table["images"] == "test")]
            ax.plot(rows["from"] + 0.5 / N_BINS, rows["share"], marker=".", label=name)
        ax.set(title=f"{method} generations", xlabel="predicted probability of a dog", yscale="log")
        ax.legend(fontsize="x-small")
    axes[0].set_ylabel("share of the images")
    figures["generations"] = fig
    for name, figure in figures.items():
        figure.savefig(HERE / f"figures_{name}.png", dpi=100)


if __name__ == "__main__":
    main()
