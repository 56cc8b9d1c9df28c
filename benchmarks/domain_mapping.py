"""How well a map from clothes to digits preserves classes: ``python -m benchmarks.domain_mapping``.

:class:`~sklearn_distill.TwoDecoderVAE` is fitted on labelled images of Fashion-MNIST and of MNIST;
the accuracy of a classifier of MNIST is then measured on the mapped images. Writes the CSV file
and, from it, the table of the user guide; ``--page-only`` leaves the CSV file unchanged.
One run of each row, about 20 minutes of one core; needs both data sets.
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
LONG = {
    "hidden_size": 400, "kl_weight": 0.01, "batch_size": 128, "lr": 2e-3, "lr_schedule": "cosine"
}  # fmt: skip
# number of labels that φ is fitted with, and its parameters
MAPS: list[tuple[int, dict[str, Any]]] = [
    (1000, {"max_epochs": 200}),
    (1000, {"max_epochs": 200, "kl_weight": 0.1}),
    (5000, {"max_epochs": 50, "kl_weight": 0.1}),
    (5000, {"max_epochs": 50, "kl_weight": 0.1, "pairing": "once"}),
    (60_000, {"max_epochs": 50, "pairing": "once"}),
    (60_000, {"max_epochs": 50, **LONG}),
]


def measured() -> pd.DataFrame:
    """Return the accuracy of the classifier on the mapped images, for each map."""
    digits, clothes = fetch_mnist(), fetch_fashion_mnist()
    judge = judge_of(digits)
    sight = judge.score(*fetch_mnist(subset="test", return_X_y=True))
    unseen = fetch_fashion_mnist(subset="test", return_X_y=True)
    rows = []
    for n_labels, options in tqdm(MAPS, unit="map"):
        X, y = clothes.data[:n_labels], clothes.target[:n_labels]
        start = time.process_time()
        phi = TwoDecoderVAE(random_state=0, **options)
        phi.fit(X, y, X_source=digits.data, y_source=digits.target)
        seconds = time.process_time() - start
        shares = (judge.score(phi.transform(images), of) for images, of in ((X, y), unseen))
        rows.append((n_labels, described(options), *shares, seconds, sight))
    columns = ["labels", "parameters", "fitted", "unseen", "seconds", "judge"]
    return pd.DataFrame(rows, columns=columns).assign(versions=all_versions())


def judge_of(digits: Bunch) -> MLPClassifier:
    """Return a classifier of digits."""
    judge = MLPClassifier((256,), max_iter=8, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # eight epochs on purpose
        return judge.fit(digits.data, digits.target)


def described(options: dict[str, Any]) -> str:
    """Return the parameters as keyword arguments."""
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


def part(results: pd.DataFrame) -> str:
    """Return the table and what it depends on."""
    lines = [
        "| labels used to fit φ | accuracy on the fitted images | accuracy on unseen images |",
        "|---|---|---|",
    ]
    for row in results.to_dict("records"):
        name = f"{row['labels']} (`{row['parameters']}`)"
        lines.append(f"| {name} | {row['fitted']:.3f} | {row['unseen']:.3f} |")
    one = results.iloc[0]
    lines += [
        "",
        f"`python -m benchmarks.domain_mapping`: one run each, {results['seconds'].sum() / 60:.0f} "
        f"minutes on one core in total; the accuracy of the classifier on real digits is "
        f"about {one['judge']:.3f}; {one['versions']}.",
    ]
    return "\n".join(lines)


def with_table(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table of these results."""
    return with_part(page, "benchmarks/domain_mapping.py", part(results))


def main() -> None:
    with threadpool_limits(1):
        write_guide(__doc__, CSV, PAGE, measured, with_table)


if __name__ == "__main__":
    main()
