"""
Effect of the regularisers on predicted probabilities
=====================================================

The distillation likelihood of Grabovoy and Strijov has an optional fourth term, and the normaliser
of the underlying density is another optional term. With ``regularizer="grabovoy"`` or
``regularizer="continuous_categorical"``, the corresponding function r of the student's
probabilities is added to the teacher's term of the loss.

The default is ``regularizer=None``. This example shows why: the first regulariser makes the student
underconfident, the second makes it overconfident.
"""

# %%
# The regularisers for two classes
# --------------------------------
# For two classes, r is a function of the student's probability p. Where the teacher predicts q, the
# student minimises CE(q, p) + r(p). At the minimum the gradient in the log-odds is zero,
# p − q + r′ = 0, so every p is the optimal prediction for q = p + r′.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import expit

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.metrics import cross_entropy_from_proba, max_min_gap

COLOURS = {None: "0.3", "grabovoy": "#d95f02", "continuous_categorical": "#7570b3"}

log_odds = np.linspace(-60, 60, 4001)
scores = np.stack([np.zeros_like(log_odds), log_odds])
p = expit(log_odds)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
right.plot(p, p, color=COLOURS[None], label="None: p = q")
for name in ("grabovoy", "continuous_categorical"):
    value, gradient = make_regularizer(name).value_and_gradient(scores)
    q = p + gradient[1]
    at_half = value[len(value) // 2]
    left.plot(p, value - at_half, color=COLOURS[name], label=name)
    right.plot(q, p, color=COLOURS[name], label=name)
    print(f"teacher predicts 0.80, optimal student with {name}: {np.interp(0.8, q, p):.2f}")
left.set(
    xlabel="student's probability p",
    ylabel="r(p) − r(½), nats",
    ylim=(-4, 6),
    title="The regularisers",
)
right.set(
    xlabel="teacher's probability q",
    ylabel="student's optimal probability p",
    xlim=(0, 1),
    title="Optimal predictions of the student",
)
left.legend(loc="lower center")
right.legend(loc="upper left")
plt.show()

# %%
# ``"grabovoy"`` has its minimum at one half and pulls all predictions towards it.
# ``"continuous_categorical"`` decreases without bound towards 0 and 1 and pushes the predictions
# outwards.
#
# Data with known probabilities
# -----------------------------
# On the synthetic data set of the paper, with 1000 training samples, the teacher predicts the true
# probabilities, which a linear student can represent. For growing λ we measure the cross-entropy
# with the true probabilities, and the gap between the most and the least probable class.

train = make_teacher_probabilities(1000, random_state=0)
test = make_teacher_probabilities(2000, coef=train.coef, random_state=1)
imitations = [0.0, 0.25, 0.5, 0.75, 1.0]

students = {
    (name, imitation): DistilledLogisticRegression(imitation, regularizer=name).fit(
        train.data, train.target, teacher_proba=train.teacher_proba
    )
    for name in COLOURS
    for imitation in imitations
}
proba = {key: student.predict_proba(test.data) for key, student in students.items()}

true_class = test.teacher_proba.argmax(axis=1)
measures = pd.DataFrame(
    {
        "cross-entropy": cross_entropy_from_proba(test.teacher_proba, predicted),
        "max-min gap": max_min_gap(predicted),
        "top class": (predicted.argmax(axis=1) == true_class).mean(),
    }
    for predicted in proba.values()
)
measures.index = pd.MultiIndex.from_tuples(
    [(str(name), imitation) for name, imitation in proba], names=["regularizer", "λ"]
)
measures.round(3)

# %%
# "Top class" is the share of samples where the class with the highest predicted probability is the
# one with the highest true probability.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
true_values = {
    "cross-entropy": cross_entropy_from_proba(test.teacher_proba, test.teacher_proba),
    "max-min gap": max_min_gap(test.teacher_proba),
}
for ax, (measure, true_value) in zip(axes, true_values.items(), strict=True):
    for name, colour in COLOURS.items():
        line = measures.loc[str(name), measure]
        ax.plot(line.index, line, marker="o", markersize=4, color=colour, label=str(name))
    ax.axhline(true_value, color="black", ls=":", label="the true probabilities")
    ax.set(xlabel="imitation λ", xticks=imitations, title=measure)
axes[0].set_ylabel("nats")
axes[1].set_ylim(0, 1)
axes[0].legend(loc="upper left")
plt.show()

# %%
# Without a regulariser, the cross-entropy decreases with λ and is within 0.001 nats of the truth at
# λ = 1. With either regulariser it increases with λ, although the teacher is perfect: the gap
# closes with ``"grabovoy"`` and widens with ``"continuous_categorical"``.
#
# The most probable class is hardly affected: at every λ > 0 it is correct at least as often as
# without a teacher, though never as often as without a regulariser. Accuracy alone does not show
# the damage.
#
# Probabilities of twenty samples
# -------------------------------
# The next figure has the form of the paper: one bar for each test sample, one colour for each
# class, at the paper's λ = ¾.

shown = {
    "truth": test.teacher_proba,
    **{str(name): proba[name, 0.75] for name in COLOURS},
}
order = np.argsort(test.teacher_proba[:20, 0])
figure, axes = plt.subplots(4, 1, figsize=(7, 6), sharex=True, sharey=True, layout="constrained")
for ax, (name, predicted) in zip(axes, shown.items(), strict=True):
    rows = predicted[:20][order]
    bottom = np.zeros(len(rows))
    for k, column in enumerate(rows.T):
        ax.bar(range(len(rows)), column, bottom=bottom, width=1, color=plt.cm.Set2(k))
        bottom += column
    ax.set_ylabel(name.replace("_", "\n"))
    ax.set(ylim=(0, 1), yticks=[0, 1])
axes[-1].set(
    xlim=(-0.5, 19.5), xticks=[], xlabel="test samples, ordered by the true probability of class 0"
)
plt.show()

# %%
# The mean of the continuous categorical density
# ----------------------------------------------
# Under the continuous categorical density, the teacher's prediction is a random point of the
# simplex. softmax(z) is a parameter of this density and not its mean, which is softmax(z) + ∇r(z).

student = students["continuous_categorical", 1.0]
z = student.decision_function(test.data).T
mean = student.predict_proba(test.data) + make_regularizer("continuous_categorical").gradient(z).T
for name, predicted in {"softmax(z)": student.predict_proba(test.data), "mean": mean}.items():
    distance = cross_entropy_from_proba(test.teacher_proba, predicted)
    print(f"{name:10s} cross-entropy with the true probabilities: {distance:.3f} nats")

# %%
# Most of the damage is undone if you predict the mean. The student without a regulariser is closer
# still, and needs no such correction: 0.385 nats at λ = 1.
