"""Learning curves, maps φ and their images: figures 1 to 17 of Bayazitov.

    python -m examples.papers.bayazitov_2022.figures

The small scale of the tables, and one run of each table for the curves; the thesis averages five
runs, and the pages of the tables have intervals over several.

**Noise.** N(0, 1/10) is read as a standard deviation of 0.1 in the tables. The other reading, a
variance of 0.1, is a standard deviation of 0.32; both are compared here over several runs, with
pixels clipped to [0, 1].

**Definition 1.5** calls a population B close to A if there is an injective map from A to B. It
restricts little: an injective map exists whenever B has at least as many elements as A, whatever
the images are, and distinct images of a sample have distinct images under nearly any map. What the
teacher needs is that φ preserves classes, so that the table below has the accuracy of the teacher
through φ beside the distances. An injective map has a distance ratio above 0: the smallest distance
between two different images after φ, over that before it.

**Manifold.** As in the thesis, an autoencoder with a latent space of two dimensions shows how both
decoders change over z; its clothes and digits are paired by label.
"""

import argparse
from functools import lru_cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.spatial.distance import pdist
from scipy.stats import norm
from skorch.callbacks import EpochScoring

from examples.papers.bayazitov_2022 import table_fashion_mnist as fashion
from examples.papers.bayazitov_2022 import table_imagenette as imagenette
from examples.papers.bayazitov_2022 import table_regression as regression
from examples.papers.figures import FigurePage, mean_and_half
from sklearn_distill import (
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    GaussianNoise,
    RandomConvolution,
    StyleTransfer,
    TwoDecoderVAE,
)

HERE = Path(__file__).parent
SCALE, SEED, N_NOISE_RUNS, N_SHOWN, N_COMPARED = "small", 0, 5, 8, 500
CLOTHES, PHOTOGRAPHS, NUMBERS = "Fashion-MNIST", "Imagenette", "regression"
BASELINE = "no teacher"
NOISES = {"σ = 0.1": 0.1, "σ² = 0.1": 0.1**0.5}
ACCURACY = EpochScoring("accuracy", name="valid_accuracy", lower_is_better=False)
PANELS = {  # figures of the thesis, and the rows of the tables that they show
    "1: all labels": (CLOTHES, [fashion.BASELINE_OF_ALL, fashion.SAME_OF_ALL]),
    "2: 1000 labels": (CLOTHES, [fashion.BASELINE, fashion.SAME]),
    "4, 6: noise, dilation": (CLOTHES, [fashion.BASELINE, fashion.NOISE, fashion.DILATION]),
    "10, 11: VAE": (
        CLOTHES,
        [fashion.BASELINE, fashion.MAPPED, fashion.MAPPED_BY_ALL, fashion.UNMAPPED],
    ),
    "12: generated digits": (
        CLOTHES,
        [fashion.BASELINE, fashion.GENERATED, fashion.GENERATED_BY_ALL],
    ),
    "14: style": (PHOTOGRAPHS, list(imagenette.ROWS)),
}
REGRESSIONS = {
    "15: Reg-Train": "Reg-Train",
    "16, 17: Reg-Small, 200 epochs": "Reg-Small, 200 epochs",
}


@lru_cache(maxsize=1)
def clothes(seed, device):
    """Return the data, maps and teachers of a run on Fashion-MNIST."""
    return fashion.Run(fashion.load_data(), fashion.SCALES[SCALE], seed, device)


@lru_cache(maxsize=1)
def photographs(device):
    """Return the data and teachers of a run on Imagenette."""
    return imagenette.Run(imagenette.SCALES[SCALE], SEED, device)


def teacher_of(run, row):
    """Return the teacher of a row of the Fashion-MNIST table; None without one."""
    make_teacher, _ = fashion.ROWS[row]
    teacher = None if make_teacher is None else make_teacher(run)
    return teacher[0] if isinstance(teacher, tuple) else teacher


def clothes_curves(row, device):
    """Return test accuracy and cross-entropy by epoch of a student of clothes."""
    run = clothes(SEED, device)
    rows = slice(None) if row[1] == fashion.FULL else run.fashion.small
    X, y = run.fashion.X[rows], run.fashion.y[rows]
    teacher = teacher_of(run, row)
    student = fit_student(run, X, y, None if teacher is None else teacher.predict_proba(X))
    return student.history_


def fit_student(run, X, y, teacher_proba):
    """Fit a student of clothes that records accuracy and loss on the test set."""
    student = DistilledNeuralClassifier(
        **fashion.STUDENT, random_state=run.seed, device=run.device, callbacks=[ACCURACY]
    )
    if teacher_proba is None:
        student.set_params(imitation=0)
    X_test, y_test = run.test
    return student.fit(X, y, teacher_proba=teacher_proba, X_val=X_test, y_val=y_test)


def photograph_curves(row, device):
    """Return test accuracy and cross-entropy by epoch of a student of photographs."""
    run, (predict, _) = photographs(device), imagenette.ROWS[row]
    proba = None if predict is None else predict(run)
    return run.fit_student(proba, callbacks=[ACCURACY]).history_


def curves(device):
    """Return the curves of all panels, a line for each row and epoch."""
    compute = {CLOTHES: clothes_curves, PHOTOGRAPHS: photograph_curves}
    keys = dict.fromkeys((kind, row) for kind, rows in PANELS.values() for row in rows)
    tables = [as_table(compute[kind](row, device), kind, row) for kind, row in keys]
    tables += [
        as_table(regression_curves(method, setting, device), NUMBERS, (method, setting))
        for setting in REGRESSIONS.values()
        for method in regression.methods(setting)
    ]
    return pd.concat(tables)


def regression_curves(method, setting, device):
    """Return the test error by epoch of a student of numbers."""
    options = regression.SETTINGS[setting]
    run = regression.shared(options.depends, SEED, regression.SCALES[SCALE], device)
    rows = slice(None) if options.everything else run.small
    X, y = run.X[rows], run.y[rows]
    make_teacher = regression.TEACHERS[method]
    prediction = None if make_teacher is None else make_teacher(run).predict(X)
    student = DistilledNeuralRegressor(
        **regression.STUDENT, max_epochs=options.epochs, **run.options
    )
    if prediction is None:
        student.set_params(imitation=0)
    student.fit(X, y, teacher_prediction=prediction, X_val=run.X_test, y_val=run.y_test)
    return student.history_


def as_table(history, kind, row):
    """Return loss and accuracy by epoch with the name of their row."""
    kept = history.filter(["valid_loss", "valid_accuracy"]).rename_axis("epoch").reset_index()
    return kept.assign(data=kind, method=row[0], setting=row[1])


def draw_curves(table):
    """Draw the accuracy of each panel above its cross-entropy."""
    n = len(PANELS)
    figure, axes = plt.subplots(2, n, figsize=(3.4 * n, 6), layout="constrained")
    for column, (title, (kind, rows)) in zip(axes.T, PANELS.items(), strict=True):
        for row in rows:
            of_row = rows_of(table, kind, row)
            for ax, measure in zip(column, ("valid_accuracy", "valid_loss"), strict=True):
                ax.plot(of_row["epoch"], of_row[measure], label=row[0])
        column[0].set_title(title)
        column[1].set(xlabel="epoch")
        column[1].legend(fontsize="x-small")
    axes[0, 0].set_ylabel("accuracy, test")
    axes[1, 0].set_ylabel("cross-entropy, test")
    return figure


def draw_regression(table):
    """Draw the test error of the students of numbers."""
    figure, axes = plt.subplots(1, len(REGRESSIONS), figsize=(8, 3.4), layout="constrained")
    for ax, (title, setting) in zip(axes, REGRESSIONS.items(), strict=True):
        for method in regression.methods(setting):
            of_row = rows_of(table, NUMBERS, (method, setting))
            ax.plot(of_row["epoch"], of_row["valid_loss"], label=method)
        ax.set(title=title, xlabel="epoch", yscale="log")
        ax.legend(fontsize="small")
    axes[0].set_ylabel("squared error, test")
    return figure


def rows_of(table, kind, row):
    """Return the epochs of a row."""
    method, setting = row
    return table[
        (table["data"] == kind) & (table["method"] == method) & (table["setting"] == setting)
    ]


def noise_readings(device):
    """Return accuracy and cross-entropy of students with both readings of the noise."""
    lines = []
    for seed in range(N_NOISE_RUNS):
        run = clothes(seed, device)
        X, y = run.fashion.X[run.fashion.small], run.fashion.y[run.fashion.small]
        teachers = {BASELINE: None} | {
            name: run.mapped_teacher(GaussianNoise(std, random_state=seed))
            for name, std in NOISES.items()
        }
        for name, teacher in teachers.items():
            student = fit_student(run, X, y, None if teacher is None else teacher.predict_proba(X))
            last = student.history_.iloc[-1]
            lines.append(
                {"seed": seed, "noise": name, "accuracy": last["valid_accuracy"]}
                | {"cross_entropy": last["valid_loss"]}
            )
    return pd.DataFrame(lines)


def fitted_maps(device):
    """Return each φ from clothes with its teacher, of the run of the curves."""
    run = clothes(SEED, device)
    through = {
        "noise": run.mapped_teacher(GaussianNoise(0.1, random_state=SEED)),
        "random convolution": run.mapped_teacher(RandomConvolution(random_state=SEED)),
        "the author's dilation": teacher_of(run, fashion.DILATION),
        "VAE": teacher_of(run, fashion.MAPPED),
        "VAE of all labels": teacher_of(run, fashion.MAPPED_BY_ALL),
    }
    return {name: (pipe[0], pipe) for name, pipe in through.items()}


def closeness(device):
    """Return distances after φ over those before, and the accuracy of the teacher through φ."""
    run = clothes(SEED, device)
    X = run.fashion.X[run.fashion.small][:N_COMPARED]
    before = pdist(X)
    return pd.DataFrame(
        {
            "map": name,
            "smallest": (pdist(phi.transform(X)) / before).min(),
            "median": np.median(pdist(phi.transform(X)) / before),
            "teacher_on_test": teacher.score(*run.test),
        }
        for name, (phi, teacher) in fitted_maps(device).items()
    )


def draw_maps(device):
    """Draw clothes before and after each φ, generated digits, and reconstructions."""
    run = clothes(SEED, device)
    X = run.fashion.X[run.fashion.small]
    y = run.fashion.y[run.fashion.small]
    X = X[[np.flatnonzero(y == k)[0] for k in range(N_SHOWN)]]
    maps = fitted_maps(device)
    rows = {"clothes": X} | {name: phi.transform(X) for name, (phi, _) in maps.items()}
    rows["drawn by the VAE"] = maps["VAE"][0].sample(X, 1, random_state=SEED)[:, 0]
    rows["reconstructed"] = maps["VAE"][0].reconstruct(X)
    return draw_rows({name: as_images(values) for name, values in rows.items()})


def as_images(X):
    """Return rows of pixels as square images."""
    side = int(X.shape[1] ** 0.5)
    return X.reshape(-1, side, side)


def draw_rows(rows):
    """Draw named rows of images."""
    n = len(next(iter(rows.values())))
    figure, axes = plt.subplots(len(rows), n, figsize=(n, 1.1 * len(rows)), layout="constrained")
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, images, strict=True):
            ax.imshow(image, cmap="gray")
            ax.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def draw_manifold(device):
    """Draw what both decoders of a two-dimensional latent space give on a grid of z."""
    run = clothes(SEED, device)
    phi = TwoDecoderVAE(2, kl_weight=1.0, max_epochs=30, random_state=SEED, device=device)
    big = run.digits.big
    phi.fit(
        run.fashion.X, run.fashion.y,
        X_source=run.digits.X[big], y_source=run.digits.y[big],
    )  # fmt: skip
    quantiles = norm.ppf(np.linspace(0.05, 0.95, 12))
    z = torch.tensor([[a, b] for b in quantiles for a in quantiles], dtype=torch.float32)
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
    parts = {"9a: digits": phi.network_.to_source, "9b: clothes": phi.network_.to_target}
    for ax, (title, decoder) in zip(axes, parts.items(), strict=True):
        with torch.inference_mode():
            tiles = torch.sigmoid(decoder(z)).numpy().reshape(12, 12, 28, 28)
        ax.imshow(tiles.swapaxes(1, 2).reshape(12 * 28, 12 * 28), cmap="gray")
        ax.set(title=title, xticks=[], yticks=[], xlabel="z₁", ylabel="z₂")
    return figure


def draw_style(device):
    """Draw photographs before and after the style transfer."""
    scale = imagenette.SCALES[SCALE]
    X, _ = imagenette.photographs("train", scale.n_images, scale.pixels)
    layers = scale.style_layers
    phi = StyleTransfer(
        style_layers=layers, content_layer=layers[-1], device=device, **imagenette.STYLE
    ).fit(imagenette.style_image())
    shown = X[:N_SHOWN]
    return draw_rows({"photographs": shown, "in the style": phi.transform(shown).clip(0, 1)})


def findings():
    """Return what the stored numbers show."""
    yield noise_table(pd.read_csv(FIGURES.file("figures_noise.csv")))
    yield closeness_table(pd.read_csv(FIGURES.file("figures_closeness.csv")))
    yield curve_sentence(pd.read_csv(FIGURES.file("figures_curves.csv")))


def noise_table(table):
    """Return the two readings of the noise in Markdown, against no teacher."""
    by_noise = {name: rows.set_index("seed") for name, rows in table.groupby("noise")}
    lines = [
        "| noise | accuracy | gain | cross-entropy | gain |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in (BASELINE, *NOISES):
        cells = []
        for measure, sign in (("accuracy", 1), ("cross_entropy", -1)):
            values, baseline = by_noise[name][measure], by_noise[BASELINE][measure]
            mean, half = mean_and_half(sign * (values - baseline))
            gain = "–" if name == BASELINE else f"{mean:+.4f} ± {half:.4f}"
            cells += [f"{values.mean():.4f}", gain]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def closeness_table(table):
    """Return what each φ preserves, in Markdown."""
    lines = [
        "| φ | smallest distance ratio | median | accuracy of the teacher through φ |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {line.map} | {line.smallest:.3g} | {line.median:.3g} | {line.teacher_on_test:.3f} |"
        for line in table.itertuples()
    ]
    return "\n".join(lines)


def curve_sentence(table):
    """Say how the students of clothes with few labels end."""
    parts = []
    for row in (fashion.BASELINE, fashion.SAME, fashion.MAPPED, fashion.UNMAPPED):
        last = rows_of(table, CLOTHES, row).iloc[-1]
        parts.append(f"{last['valid_accuracy']:.3f} and {last['valid_loss']:.3f} ({row[0]})")
    return (
        "After the last epoch, accuracy and cross-entropy of the students of clothes with 1000 "
        f"labels in this run are {', '.join(parts)}."
    )


FIGURES = FigurePage(
    __file__,
    captions={
        "figures_curves.png": "Figures 1, 2, 4, 6, 10, 11, 12 and 14: accuracy and cross-entropy "
        "on the test set by epoch.",
        "figures_maps.png": "Figures 3, 5, 7 and 8: clothes before and after each φ, digits drawn "
        "by the autoencoder, and its reconstructions.",
        "figures_manifold.png": "Figure 9: both decoders over a latent space of two dimensions.",
        "figures_style.png": "Figure 13: photographs before and after the style transfer.",
        "figures_regression.png": "Figures 15, 16 and 17: squared error on the test set by epoch.",
    },
    findings=findings,
)


def main():
    """Compute the numbers, and draw and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    device = parser.parse_args().device
    figures = {
        "style": draw_style(device),
        "maps": draw_maps(device),
        "manifold": draw_manifold(device),
    }
    tables = {"closeness": closeness(device), "curves": curves(device)}
    tables["noise"] = noise_readings(device)
    figures["curves"] = draw_curves(tables["curves"])
    figures["regression"] = draw_regression(tables["curves"])
    for name, table in tables.items():
        table.round(6).to_csv(HERE / f"figures_{name}.csv", index=False)
    for name, figure in figures.items():
        figure.savefig(HERE / f"figures_{name}.png", dpi=90)


if __name__ == "__main__":
    main()
