"""Classes preserved by a map from clothes to digits: ``python -m benchmarks.domain_mapping``.

:class:`~sklearn_distill.TwoDecoderVAE` is fitted on labelled images of Fashion-MNIST and of MNIST,
and a classifier of MNIST then predicts the labels of the mapped images. The script writes the CSV
file, and from it the table of the user guide; with ``--page-only`` the CSV file stays as it is.
Each row is one run, and all runs take about 20 minutes of one core. Both data sets are needed.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.neural import all_versions
from benchmarks.record import with_part, write_guide
from sklearn_distill import TwoDecoderVAE
from sklearn_distill.datasets import fetch_fashion_mnist, fetch_mnist

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "domains.md"
LONG_TRAINING = {
    "hidden_size": 400, "kl_weight": 0.01, "batch_size": 128, "lr": 2e-3, "lr_schedule": "cosine"
}  # fmt: skip
# number of labels that φ is fitted on, and its parameters
MAPS: list[tuple[int, dict[str, Any]]] = [
    (1000, {"max_epochs": 200}),
    (1000, {"max_epochs": 200, "kl_weight": 0.1}),
    (5000, {"max_epochs": 50, "kl_weight": 0.1}),
    (5000, {"max_epochs": 50, "kl_weight": 0.1, "pairing": "once"}),
    (60_000, {"max_epochs": 50, "pairing": "once"}),
    (60_000, {"max_epochs": 50, **LONG_TRAINING}),
]


def run_benchmark() -> pd.DataFrame:
    """Return the accuracy of a classifier of digits on mapped images, by map."""
    digits, clothes = fetch_mnist(), fetch_fashion_mnist()
    classifier = fit_digit_classifier(digits)
    digit_accuracy = classifier.score(*fetch_mnist(subset="test", return_X_y=True))
    clothes_test = fetch_fashion_mnist(subset="test", return_X_y=True)
    rows = []
    for n_labels, options in tqdm(MAPS, unit="map"):
        X, y = clothes.data[:n_labels], clothes.target[:n_labels]
        start = time.process_time()
        phi = TwoDecoderVAE(random_state=0, **options)
        phi.fit(X, y, X_source=digits.data, y_source=digits.target)
        seconds = time.process_time() - start
        scores = (
            classifier.score(phi.transform(images), labels)
            for images, labels in ((X, y), clothes_test)
        )
        rows.append((n_labels, format_params(options), *scores, seconds, digit_accuracy))
    columns = ["labels", "parameters", "training", "test", "seconds", "digit_accuracy"]
    return pd.DataFrame(rows, columns=columns).assign(versions=all_versions())


def fit_digit_classifier(digits: Bunch) -> MLPClassifier:
    """Fit a classifier of digits."""
    classifier = MLPClassifier((256,), max_iter=8, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # eight epochs are enough
        return classifier.fit(digits.data, digits.target)


def format_params(options: dict[str, Any]) -> str:
    """Format parameters as keyword arguments."""
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


def part(results: pd.DataFrame) -> str:
    """Return the table and its caption."""
    lines = [
        "| labels that φ is fitted on | training images | test images |",
        "|---|---|---|",
    ]
    for row in results.to_dict("records"):
        name = f"{row['labels']} (`{row['parameters']}`)"
        lines.append(f"| {name} | {row['training']:.3f} | {row['test']:.3f} |")
    one = results.iloc[0]
    lines += [
        "",
        "`python -m benchmarks.domain_mapping`: accuracy of the classifier of digits, which is "
        f"{one['digit_accuracy']:.3f} on real digits; one run each, "
        f"{results['seconds'].sum() / 60:.0f} minutes of one core in all; {one['versions']}.",
    ]
    return "\n".join(lines)


def with_table(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table of these results."""
    return with_part(page, "benchmarks/domain_mapping.py", part(results))


if __name__ == "__main__":
    with threadpool_limits(1):
        write_guide(__doc__, CSV, PAGE, run_benchmark, with_table)
