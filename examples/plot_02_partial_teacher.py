"""
Missing teacher predictions and missing labels
==============================================

A teacher can be slow, expensive or unavailable for a part of the data, and labels can be missing
too. The loss of a student uses what is available for each row:

- where the teacher's prediction is missing (a row of NaN), only the label is used;
- where the label is missing (NaN in y), only the teacher's prediction is used;
- where both are available, the label has weight 1 − λ and the teacher weight λ.
"""

# %%
# The training set has 40 labelled and 360 unlabelled rows. The teacher's logits are the true ones
# with Gaussian noise of standard deviation 1. We vary the number of rows for which the student gets
# the teacher's predictions.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.metrics import cross_entropy_from_proba

N_ROWS, N_LABELLED, N_REPEATS = 400, 40, 20
N_TAUGHT = [0, 20, 40, 80, 160, 400]


def distance_from_truth(n_taught, random_state):
    """Return the student's cross-entropy with the true probabilities of the test set."""
    train = make_teacher_probabilities(N_ROWS, random_state=random_state)
    test = make_teacher_probabilities(2000, coef=train.coef, random_state=1000 + random_state)
    y = train.target.astype(float)
    y[N_LABELLED:] = np.nan
    noise = np.random.default_rng(random_state).normal(size=train.teacher_proba.shape)
    teacher = np.log(train.teacher_proba) + noise
    teacher[n_taught:] = np.nan
    used = np.arange(N_ROWS) < max(N_LABELLED, n_taught)  # a row needs a label or a prediction
    student = DistilledLogisticRegression(imitation=0.5, classes=[0, 1, 2])
    student.fit(train.data[used], y[used], teacher_logits=teacher[used])
    return cross_entropy_from_proba(test.teacher_proba, student.predict_proba(test.data))


# %%
# The first 40 rows are labelled. Beyond them, the teacher's predictions add rows that have no
# label.

distances = np.array(
    [[distance_from_truth(n, seed) for n in N_TAUGHT] for seed in range(N_REPEATS)]
)
for n, mean in zip(N_TAUGHT, distances.mean(axis=0), strict=True):
    print(f"teacher predictions for {n:3d} rows: {mean:.3f} nats")

# %%
# The error bars show the standard error over twenty draws of the whole problem.

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
error = distances.std(axis=0, ddof=1) / np.sqrt(N_REPEATS)
ax.errorbar(N_TAUGHT, distances.mean(axis=0), yerr=error, marker="o", capsize=4, color="#1b9e77")
ax.axvline(N_LABELLED, color="0.6", lw=1)
ax.annotate("end of the labels", (N_LABELLED, ax.get_ylim()[1]), xytext=(5, -12),
            textcoords="offset points", color="0.4")  # fmt: skip
ax.set(
    xlabel="rows with a teacher prediction",
    ylabel="cross-entropy with the truth, nats",
    title="40 labels and a partial teacher",
)
plt.show()

# %%
# The attribute ``n_taught_rows_`` is the number of training rows with a teacher prediction.

train = make_teacher_probabilities(6, random_state=0)
teacher = train.teacher_proba.copy()
teacher[[1, 4]] = np.nan
student = DistilledLogisticRegression(classes=[0, 1, 2])
student.fit(train.data, train.target, teacher_proba=teacher).n_taught_rows_
