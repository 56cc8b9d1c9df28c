"""
Few labels, many rows that the teacher labels
=============================================

Labels are dear, rows are not. A teacher that learns more from a hundred labels than the student
does can answer for rows that nobody labelled: ``fit(X, y, X_unlabeled=...)`` gives them to the
student with the teacher's answer alone (Buciluǎ, Caruana and Niculescu-Mizil 2006, "Model
compression"). Whether that pays depends on the student.
"""

# %%
# A support vector machine learns from 100 labelled digits and teaches two students: a decision
# tree, which lacks rows, and a logistic regression, which does not lack them so much.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    DistilledLogisticRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)

N_LABELLED, N_SPLITS = 100, 10
N_UNLABELLED = [0, 50, 100, 200, 400, 1000]
STUDENTS = {
    "tree": SoftTargetClassifier(DecisionTreeRegressor(random_state=0)),
    "logistic regression": DistilledLogisticRegression(),
}
X, y = load_digits(return_X_y=True)
X = X / 16


def one_split(student, seed):
    """Return the accuracies of student alone, distilled with more and more rows, and teacher."""
    X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=600, random_state=seed)
    X_labelled, X_more, y_labelled, _ = train_test_split(
        X_rest, y_rest, train_size=N_LABELLED, stratify=y_rest, random_state=seed
    )
    scores = [clone(student).fit(X_labelled, y_labelled).score(X_test, y_test)]
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
    alone, most, teacher = values[:, 0], values[:, -2], values[:, -1]
    gain = most - alone
    print(
        f"{name:20s} alone {alone.mean():.3f}, with {N_UNLABELLED[-1]} unlabelled rows "
        f"{most.mean():.3f}, gain {gain.mean():+.3f} ± {gain.std(ddof=1) / N_SPLITS**0.5:.3f} "
        f"(teacher {teacher.mean():.3f})"
    )

# %%
# The tree comes a long way towards its teacher, row by row. The logistic regression does not: with
# the labels alone it is already nearly as good as it can get, and the teacher's answers for the
# labelled rows (the point at 0) cost it more than the further rows bring. Bars are standard errors
# over splits.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, (name, values) in zip(axes, accuracy.items(), strict=True):
    distilled = values[:, 1:-1]
    error = distilled.std(axis=0, ddof=1) / np.sqrt(N_SPLITS)
    ax.errorbar(
        N_UNLABELLED, distilled.mean(axis=0), error, marker="o", capsize=3, color="#1b9e77",
        label="distilled",
    )  # fmt: skip
    ax.axhline(values[:, 0].mean(), color="0.5", ls="--", label="student alone")
    ax.axhline(values[:, -1].mean(), color="#d95f02", ls=":", label="teacher")
    ax.set(xlabel="rows that the teacher alone labels", title=name)
    ax.set_xscale("symlog", linthresh=50)
    ax.set_xticks(N_UNLABELLED, N_UNLABELLED)
    ax.minorticks_off()
axes[0].set_ylabel(f"accuracy, {N_LABELLED} labels")
axes[1].legend(loc="lower right")
plt.show()

# %%
# The labelled rows still count with their labels (λ), and a row that the teacher alone answers for
# weighs as much as one with a label. How many of the student's rows a teacher spoke for:

model = TeacherStudentClassifier(SVC(C=10.0), DistilledLogisticRegression())
model.fit(X[:100], y[:100], X_unlabeled=X[100:1100])
model.student_.n_taught_rows_
