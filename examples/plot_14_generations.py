"""
Six generations of one student
==============================

A student can be its own teacher: each generation learns what the one before says, and no label any
more. Biryukova taught six generations of a ResNet-18, by probabilities (soft) and by predictions
(hard), and saw the *degree of uncertainty* on test images grow from .0045 to .0227 over the soft
ones, and stay between .005 and .009 over the hard ones. Accuracy fell slowly in both. Do smaller
students do the same?
"""

# %%
# Two students on the digits of scikit-learn: a logistic regression, and a network of 32 hidden
# units. Each split has 600 rows to learn from and the rest to judge by; each generation of the
# network begins from other weights, drawn by ``random_state``.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import t as student_t
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
)

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
STUDENTS = {
    "logistic regression": DistilledLogisticRegression(C=1.0),
    "network": DistilledNeuralClassifier(
        hidden_layer_sizes=(32,), lr=0.01, batch_size=50, max_epochs=15
    ),
}
N_SPLITS = 6


def generations(student, labels, seed):
    """Return the figures of six generations on the test rows of a split."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=600, stratify=y, random_state=seed
    )
    model = BornAgainClassifier(student, labels=labels, random_state=seed)
    model.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    return model.generations_[["validation_uncertainty", "validation_accuracy"]]


runs = pd.concat(
    {
        (name, labels, seed): generations(student, labels, seed)
        for name, student in STUDENTS.items()
        for labels in ("soft", "hard")
        for seed in range(N_SPLITS)
    },
    names=["student", "labels", "split"],
)
runs.columns = ["uncertainty", "accuracy"]

# %%
# The mean over the splits, and the interval (95 %) of the difference to the first generation of the
# same split. These differences are paired: the same rows taught and judged both generations. The
# splits overlap, so the interval is about further splits of these digits, not about other data.

by_generation = runs.unstack("split")
changes = by_generation - by_generation.groupby(["student", "labels"]).transform("first")
mean = changes.T.groupby(level=0).mean().T
half = changes.T.groupby(level=0).sem().T * student_t.ppf(0.975, N_SPLITS - 1)

last = pd.DataFrame(
    {
        f"{figure}, {end}": side[figure].xs(6, level="generation")
        for figure in mean
        for end, side in {"change": mean, "low": mean - half, "high": mean + half}.items()
    }
)
last.round(4)

# %%
figure, axes = plt.subplots(2, 2, figsize=(8, 6), sharex=True, layout="constrained")
colors = {"soft": "#1b9e77", "hard": "#d95f02"}
start = by_generation.T.groupby(level=0).mean().T.xs(1, level="generation")
for column, name in zip(axes.T, STUDENTS, strict=True):
    for ax, what in zip(column, ["uncertainty", "accuracy"], strict=True):
        for labels, color in colors.items():
            at = start.loc[(name, labels), what] + mean.loc[(name, labels), what]
            error = half.loc[(name, labels), what]
            ax.errorbar(at.index, at, error, color=color, marker="o", capsize=3, label=labels)
        ax.set_ylabel(f"{what} on test rows")
    column[0].set_title(name)
    column[1].set_xlabel("generation")
axes[0, 0].legend(title="labels")
plt.show()

# %%
# The direction is the published one, for both students. A soft generation is a little less sure
# than its teacher, whose doubts it learns with its own penalty, or its own end of training, on
# top; over six generations that adds up. A hard generation rounds the doubts away before it hands
# them on. What generation 1 got wrong, all later ones learn as if it were right.
#
# Doubt and accuracy are two things: the network's soft and hard generations lose about the same
# accuracy, although only the soft ones grow unsure. The guide's page on generations says for which
# students the uncertainty does not grow, and why.
