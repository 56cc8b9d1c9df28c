"""
A teacher that answered for some rows only
==========================================

Teachers can be slow, dear, or missing for a part of the data, and labels can be missing too. A row
of NaN is a teacher's silence: there the label speaks alone. A missing label (NaN in y) leaves the
word to the teacher. A row that has both shares its weight: label 1 − λ, teacher λ.
"""

# %%
# One student, 40 labelled rows and 360 rows without a label, and a teacher whose logits carry noise
# of standard deviation 1. How many of the 400 rows should it be asked about?

import matplotlib.pyplot as plt
import numpy as np

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.metrics import cross_entropy_from_proba

N_ROWS, N_LABELLED, N_REPEATS = 400, 40, 20
ASKED = [0, 20, 40, 80, 160, 400]


def distance_from_truth(n_asked, random_state):
    """Return the student's cross-entropy with the true probabilities of new rows."""
    train = make_teacher_probabilities(N_ROWS, random_state=random_state)
    test = make_teacher_probabilities(2000, coef=train.coef, random_state=1000 + random_state)
    y = train.target.astype(float)
    y[N_LABELLED:] = np.nan
    noise = np.random.default_rng(random_state).normal(size=train.teacher_proba.shape)
    teacher = np.log(train.teacher_proba) + noise
    teacher[n_asked:] = np.nan
    spoken = np.arange(N_ROWS) < max(N_LABELLED, n_asked)  # a row needs one of the two
    student = DistilledLogisticRegression(imitation=0.5, classes=[0, 1, 2])
    student.fit(train.data[spoken], y[spoken], teacher_logits=teacher[spoken])
    return cross_entropy_from_proba(test.teacher_proba, student.predict_proba(test.data))


# %%
# The first 40 rows have labels. Beyond them the teacher answers for rows that have no label at all.

distances = np.array([[distance_from_truth(n, seed) for n in ASKED] for seed in range(N_REPEATS)])
for n, mean in zip(ASKED, distances.mean(axis=0), strict=True):
    print(f"teacher asked about {n:3d} rows: {mean:.3f} nats")

# %%
# The bars are the standard error over twenty draws of the whole problem.

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
error = distances.std(axis=0, ddof=1) / np.sqrt(N_REPEATS)
ax.errorbar(ASKED, distances.mean(axis=0), yerr=error, marker="o", capsize=4, color="#1b9e77")
ax.axvline(N_LABELLED, color="0.6", lw=1)
ax.annotate("labels end here", (N_LABELLED, ax.get_ylim()[1]), xytext=(5, -12),
            textcoords="offset points", color="0.4")  # fmt: skip
ax.set(
    xlabel="rows that the teacher answered for",
    ylabel="cross-entropy with the truth, nats",
    title="40 labels and a teacher that answers for some rows",
)
plt.show()

# %%
# How many rows a teacher spoke for is kept with the student.

train = make_teacher_probabilities(6, random_state=0)
teacher = train.teacher_proba.copy()
teacher[[1, 4]] = np.nan
student = DistilledLogisticRegression(classes=[0, 1, 2])
student.fit(train.data, train.target, teacher_proba=teacher).n_taught_rows_
