"""
Six generations of one student
==============================

A student can be distilled into another student of the same kind: each generation is trained on the
predictions of the previous one, without the labels. Biryukova trains six generations of a ResNet-18
on probabilities (soft labels) and on predicted classes (hard labels), and measures the *degree of
uncertainty* ``mean_i ½ ‖p_i − onehot(argmax_k p_ik)‖²`` of the predicted probabilities on test
images. It grows from .0045 to .0227 over the soft generations, and stays between .005 and .009 over
the hard ones. The accuracy decreases slowly in both. This example repeats the experiment with
smaller students.
"""

# %%
# The students are a logistic regression and a network with 32 hidden units, on scikit-learn's
# digits. Each split has 600 training samples, and the rest is the test set. Each generation of the
# network starts from other initial weights, which are drawn with ``random_state``.

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
    """Return the test uncertainty and accuracy of six generations on one split."""
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
# We compute the mean over the splits, and a 95 % confidence interval of the difference from the
# first generation of the same split. The differences are paired: both generations have the same
# training and test samples. The splits overlap, so the interval holds for further splits of these
# digits, not for other data.

by_generation = runs.unstack("split")
changes = by_generation - by_generation.groupby(["student", "labels"]).transform("first")
mean = changes.T.groupby(level=0).mean().T
half = changes.T.groupby(level=0).sem().T * student_t.ppf(0.975, N_SPLITS - 1)

last = pd.DataFrame(
    {
        f"{metric}, {end}": side[metric].xs(6, level="generation")
        for metric in mean
        for end, side in {"change": mean, "low": mean - half, "high": mean + half}.items()
    }
)
last.round(4)

# %%
figure, axes = plt.subplots(2, 2, figsize=(8, 6), sharex=True, layout="constrained")
colors = {"soft": "#1b9e77", "hard": "#d95f02"}
start = by_generation.T.groupby(level=0).mean().T.xs(1, level="generation")
for column, name in zip(axes.T, STUDENTS, strict=True):
    for ax, metric in zip(column, ["uncertainty", "accuracy"], strict=True):
        for labels, color in colors.items():
            at = start.loc[(name, labels), metric] + mean.loc[(name, labels), metric]
            error = half.loc[(name, labels), metric]
            ax.errorbar(at.index, at, error, color=color, marker="o", capsize=3, label=labels)
        ax.set_ylabel(f"test {metric}")
    column[0].set_title(name)
    column[1].set_xlabel("generation")
axes[0, 0].legend(title="labels")
plt.show()

# %%
# For both students, the results agree with the published ones in direction. A soft generation is a
# little less confident than its teacher: it is trained on the teacher's probabilities, and its own
# penalty, or the end of its training, adds further uncertainty. Over six generations this
# accumulates. A hard generation is trained on predicted classes, which carry no uncertainty. In
# both cases, the errors of generation 1 are passed on to the targets of all later generations.
#
# Uncertainty and accuracy are not the same: the soft and the hard generations of the network lose
# about the same accuracy, although the uncertainty grows for the soft ones only. The
# :doc:`user guide </user_guide/generations>` explains for which students the uncertainty does not
# grow, and why.
