"""
Distillation with unlabelled samples
====================================

Labels are often expensive while unlabelled samples are cheap. If the teacher is more accurate than
the student on a few labels, its predictions can serve as targets for unlabelled samples:
``fit(X, y, X_unlabeled=...)`` adds them to the training set of the student (Buciluǎ, Caruana and
Niculescu-Mizil 2006, "Model compression"). This example shows that the gain depends on the student.
"""

# %%
# The teacher is a support vector machine that is fitted on 100 labelled digits. The students are a
# decision tree, which needs many samples, and a logistic regression, which needs fewer.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_distill import (
    DistilledLogisticRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)

N_LABELLED, N_SPLITS = 100, 10
N_UNLABELLED = [0, 50, 100, 200, 400, 1000]
STUDENTS = {
    "tree": SoftTargetClassifier(DecisionTreeClassifier(random_state=0)),
    "logistic regression": DistilledLogisticRegression(),
}
X, y = load_digits(return_X_y=True)
X = X / 16


def one_split(student, seed):
    """Return the accuracies of the baseline, of the distilled students, and of the teacher."""
    X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=600, random_state=seed)
    X_labelled, X_more, y_labelled, _ = train_test_split(
        X_rest, y_rest, train_size=N_LABELLED, stratify=y_rest, random_state=seed
    )
    baseline = clone(student).set_params(imitation=0).fit(X_labelled, y_labelled)
    scores = [baseline.score(X_test, y_test)]
    model = TeacherStudentClassifier(SVC(C=10.0), student)
    for n in N_UNLABELLED:
        model.fit(X_labelled, y_labelled, X_unlabeled=X_more[:n] if n else None)
        scores.append(model.score(X_test, y_test))
    return [*scores, model.teacher_.score(X_test, y_test)]


accuracy = {
    name: np.array([one_split(student, seed) for seed in range(N_SPLITS)])
    for name, student in STUDENTS.items()
}
for name, values in accuracy.items():
    baseline, distilled, teacher = values[:, 0], values[:, -2], values[:, -1]
    gain = distilled - baseline
    print(
        f"{name:20s} baseline {baseline.mean():.3f}, with {N_UNLABELLED[-1]} unlabelled samples "
        f"{distilled.mean():.3f}, gain {gain.mean():+.3f} ± {gain.std(ddof=1) / N_SPLITS**0.5:.3f} "
        f"(teacher {teacher.mean():.3f})"
    )

# %%
# The accuracy of the tree comes much closer to the teacher's as unlabelled samples are added. That
# of the logistic regression does not: on the labels alone it is already close to the best that it
# can reach, and the teacher's predictions for the labelled samples (the point at 0) cost it more
# than the unlabelled samples bring. Error bars show the standard error over the splits.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, (name, values) in zip(axes, accuracy.items(), strict=True):
    distilled = values[:, 1:-1]
    error = distilled.std(axis=0, ddof=1) / np.sqrt(N_SPLITS)
    ax.errorbar(
        N_UNLABELLED, distilled.mean(axis=0), error, marker="o", capsize=3, color="#1b9e77",
        label="distilled",
    )  # fmt: skip
    ax.axhline(values[:, 0].mean(), color="0.5", ls="--", label="baseline")
    ax.axhline(values[:, -1].mean(), color="#d95f02", ls=":", label="teacher")
    ax.set(xlabel="unlabelled samples", title=name)
    ax.set_xscale("symlog", linthresh=50)
    ax.set_xticks(N_UNLABELLED, N_UNLABELLED)
    ax.minorticks_off()
axes[0].set_ylabel(f"accuracy, {N_LABELLED} labels")
axes[1].legend(loc="lower right")
plt.show()

# %%
# The labels of the labelled samples are still used, with weight 1 − λ, and an unlabelled sample has
# the same total weight as a labelled one. The attribute ``n_taught_rows_`` of the student is the
# number of its training samples with a teacher prediction:

model = TeacherStudentClassifier(SVC(C=10.0), DistilledLogisticRegression())
model.fit(X[:100], y[:100], X_unlabeled=X[100:1100])
model.student_.n_taught_rows_
