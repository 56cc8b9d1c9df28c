"""How often teacher and students give which probability of a dog: figures 6 to 8 of Biryukova.

    python -m examples.papers.biryukova.figure_histograms --scale medium

The probabilities for the test images are counted in 20 bins, cats and dogs apart, as shares of the
class; the legend tells the degree of uncertainty. Teacher and students are those of a run of
``table_students``. Writes ``figure_histograms.png`` and the shares, ``figure_histograms.csv``,
beside this file.
"""

import argparse
from pathlib import Path

import pandas as pd

from examples.papers.biryukova.estimators import HEARD, dog, taught, untrained_student
from examples.papers.biryukova.lessons import draw
from examples.papers.biryukova.scales import SCALES
from sklearn_distill.inspection import PredictionHistogramDisplay
from sklearn_distill.nets import resolve_device

CLASSES = ("cat", "dog")
N_BINS = 20


def probabilities(scale, seed, device):
    """Return what teacher and students say of the test images, by name, and the labels."""
    lesson = draw(seed, scale, device)
    X_test, y_test = lesson.test
    said = {"teacher": lesson.teacher_test_proba}
    for way in HEARD:
        student = untrained_student(scale, device, seed)
        said[way] = dog(taught(student, lesson, lesson.teacher_proba, way), X_test)
    return said, y_test


def shares(display):
    """Return the share of a class's images in each bin, a line each."""
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
    """Draw, and write figure and shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", choices=SCALES, default="medium")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()
    device = str(resolve_device(options.device))
    said, y = probabilities(SCALES[options.scale], options.seed, device)
    names = [CLASSES[k] for k in y]
    display = PredictionHistogramDisplay.from_predictions(
        said, names, bins=N_BINS, classes=CLASSES, linewidth=1.5
    )
    target = Path(__file__).with_suffix(".png")
    display.figure_.savefig(target, dpi=120)
    shares(display).to_csv(target.with_suffix(".csv"), index=False, float_format="%.6g")
    print(f"written to {target} and {target.with_suffix('.csv').name}")


if __name__ == "__main__":
    main()
