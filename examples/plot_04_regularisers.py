"""
What the regularisers do to probabilities
=========================================

Grabovoy and Strijov's likelihood of distillation has a fourth term that can be left out, and the
normaliser of the density behind it is another. Both are at hand: ``regularizer="grabovoy"`` and
``regularizer="continuous_categorical"`` add a function r of the student's probabilities to the
teacher's term. The default is ``None``, and this example shows why: one makes the student too shy,
the other too sure.
"""

# %%
# Where each of them pulls
# ------------------------
# For two classes r is a curve over the student's probability p. Where the teacher says q, the
# student pays CE(q, p) + r(p), and its best answer is where the gradient is zero, p − q + r′ = 0,
# with r differentiated in the log-odds. So every p tells the q that it answers: q = p + r′.

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
    print(f"where the teacher says 0.8, {name} says {np.interp(0.8, q, p):.2f}")
left.set(
    xlabel="student's probability p",
    ylabel="r(p) − r(½), nats",
    ylim=(-4, 6),
    title="The regularisers",
)
right.set(
    xlabel="teacher's probability q",
    ylabel="student's best answer p",
    xlim=(0, 1),
    title="What the student answers",
)
left.legend(loc="lower center")
right.legend(loc="upper left")
plt.show()

# %%
# ``"grabovoy"`` is least at one half and pulls every answer there. ``"continuous_categorical"``
# falls towards certainty, without a bound, and pushes the answers out.
#
# A set with known probabilities
# ------------------------------
# The synthetic set of the paper: 1000 training rows, and a teacher that gives the true
# probabilities, which a linear student can reach. How near does it come, and how wide is the gap
# between its most and its least probable class, as it imitates more?

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
        "cross-entropy": cross_entropy_from_proba(test.teacher_proba, answer),
        "max-min gap": max_min_gap(answer),
        "right class": (answer.argmax(axis=1) == true_class).mean(),
    }
    for answer in proba.values()
)
measures.index = pd.MultiIndex.from_tuples(
    [(str(name), imitation) for name, imitation in proba], names=["regularizer", "λ"]
)
measures.round(3)

# %%
# "Right class" is the share of rows where the student's most probable class is the truly most
# probable one.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
truth = {
    "cross-entropy": cross_entropy_from_proba(test.teacher_proba, test.teacher_proba),
    "max-min gap": max_min_gap(test.teacher_proba),
}
for ax, (measure, of_truth) in zip(axes, truth.items(), strict=True):
    for name, colour in COLOURS.items():
        line = measures.loc[str(name), measure]
        ax.plot(line.index, line, marker="o", markersize=4, color=colour, label=str(name))
    ax.axhline(of_truth, color="black", ls=":", label="the true probabilities")
    ax.set(xlabel="imitation λ", xticks=imitations, title=measure)
axes[0].set_ylabel("nats")
axes[1].set_ylim(0, 1)
axes[0].legend(loc="upper left")
plt.show()

# %%
# Without a regulariser more of this teacher is better, to within 0.001 nats of the truth at λ = 1.
# With either of them more of it is worse, although the teacher is perfect: the gap closes under
# ``"grabovoy"`` and widens under ``"continuous_categorical"``. The most probable class hardly
# suffers: at every λ > 0 it is right at least as often as without a teacher, though never as often
# as without a regulariser. So accuracy alone would not notice.
#
# Twenty rows
# -----------
# The same in the paper's form: one strip a row, one colour a class, at the paper's λ = ¾.

shown = {
    "truth": test.teacher_proba,
    **{str(name): proba[name, 0.75] for name in COLOURS},
}
order = np.argsort(test.teacher_proba[:20, 0])
figure, axes = plt.subplots(4, 1, figsize=(7, 6), sharex=True, sharey=True, layout="constrained")
for ax, (name, answer) in zip(axes, shown.items(), strict=True):
    rows = answer[:20][order]
    bottom = np.zeros(len(rows))
    for k, column in enumerate(rows.T):
        ax.bar(range(len(rows)), column, bottom=bottom, width=1, color=plt.cm.Set2(k))
        bottom += column
    ax.set_ylabel(name.replace("_", "\n"))
    ax.set(ylim=(0, 1), yticks=[0, 1])
axes[-1].set(xlim=(-0.5, 19.5), xticks=[], xlabel="test rows, by the probability of class 0")
plt.show()

# %%
# Reading the answer differently
# ------------------------------
# Under the continuous categorical density the teacher's answer is a random point of the simplex,
# and softmax(z) is its parameter, not its mean. Its mean is softmax(z) + ∇r(z).

sure = students["continuous_categorical", 1.0]
z = sure.decision_function(test.data).T
mean = sure.predict_proba(test.data) + make_regularizer("continuous_categorical").gradient(z).T
for name, answer in {"softmax(z)": sure.predict_proba(test.data), "its mean": mean}.items():
    distance = cross_entropy_from_proba(test.teacher_proba, answer)
    print(f"{name:10s} cross-entropy with the true probabilities: {distance:.3f} nats")

# %%
# Read so, most of the damage is undone. The student without a regulariser, whose softmax(z) needs
# no second reading, is nearer still: 0.385 nats at λ = 1.
