"""Histograms of the predicted probability of a dog: figures 6 to 8 of Biryukova.

    python -m examples.papers.biryukova.figure_histograms --scale medium

Histograms of teacher and students on the test images, with 20 bins, separately for cats and dogs,
normalised to shares of the class. The legend gives the degree of uncertainty, the mean of
(p − [p > ½])². Teacher and students are those of a run of ``table_students``. The script writes
``figure_histograms.png`` and the shares, ``figure_histograms.csv``, to its folder.
"""

import argparse
from pathlib import Path

import pandas as pd

from examples.papers.biryukova.data import draw
from examples.papers.biryukova.estimators import (
    TARGETS,
    dog_proba,
    fit_student,
    untrained_student,
)
from examples.papers.biryukova.scales import SCALES
from sklearn_distill.inspection import PredictionHistogramDisplay
from sklearn_distill.nets import resolve_device

CLASSES = ("cat", "dog")
N_BINS = 20


def probabilities(scale, seed, device):
    """Return the probabilities of teacher and students on the test images, and the labels."""
    data = draw(seed, scale, device)
    X_test, y_test = data.test
    probas = {"teacher": data.teacher_test_proba}
    for method in TARGETS:
        student = untrained_student(scale, device, seed)
        probas[method] = dog_proba(fit_student(student, data, data.teacher_proba, method), X_test)
    return probas, y_test


def shares(display):
    """Return the share of the images of a class in each bin, one line for each bin."""
    return pd.concat(
        pd.DataFrame(
            {
                "model": one.name,
                "class": one.label,
                "from": one.edges[:-1],
                "to": one.edges[1:],
                "share": one.heights,
            }
        )
        for one in display.histograms_
    )


def main():
    """Draw and write the figure and the shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", choices=SCALES, default="medium")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()
    device = str(resolve_device(options.device))
    probas, y = probabilities(SCALES[options.scale], options.seed, device)
    names = [CLASSES[k] for k in y]
    display = PredictionHistogramDisplay.from_predictions(
        probas, names, bins=N_BINS, classes=CLASSES, linewidth=1.5
    )
    target = Path(__file__).with_suffix(".png")
    display.figure_.savefig(target, dpi=120)
    shares(display).to_csv(target.with_suffix(".csv"), index=False, float_format="%.6g")
    print(f"written to {target} and {target.with_suffix('.csv').name}")


if __name__ == "__main__":
    main()
