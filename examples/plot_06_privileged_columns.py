"""
Columns that exist in training only
===================================

A biopsy, a later measurement, a sharper image: some columns are there when a model is trained and
not when it predicts. :class:`~sklearn_distill.TeacherStudentClassifier` gives such *privileged*
columns to the teacher and never to the student. When does that help? Lopez-Paz et al. (2016) built
three problems, one of which should show no gain; a fourth, with real images, shows a loss here.
"""

# %%
# Three problems
# --------------
# - *clean labels*: the privileged column is the label's score before noise was added;
# - *clean features*: the privileged columns are the features before noise was added. They tell the
#   teacher more about the label, but nothing about how the label depends on the noisy ones;
# - *relevant features*: the privileged columns are the three features of fifty that matter.
#
# Student and teacher are logistic regressions with 200 rows and the same labels. The teacher's
# answers are out of fold, and the figures are from 5000 rows that nobody saw.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from sklearn_distill import DistilledLogisticRegression, TeacherStudentClassifier
from sklearn_distill.datasets import load_digits_privileged, make_privileged_classification

N_DRAWS, N_FEATURES = 20, 50
IMITATIONS = [0.5, 1.0]


def taught(teacher, student, n_regular, X, y):
    """Return a student that sees the first columns, taught by a teacher that sees the others."""
    model = TeacherStudentClassifier(
        teacher,
        student,
        privileged_features=range(n_regular, X.shape[1]),
        teacher_features="privileged",
    )
    return model.fit(X, y)


def one_draw(kind, seed):
    """Return the accuracies of student alone, distilled at each λ, and teacher."""
    train = make_privileged_classification(200, N_FEATURES, kind=kind, random_state=seed)
    test = make_privileged_classification(5000, kind=kind, coef=train.coef, random_state=100 + seed)
    alone = DistilledLogisticRegression().fit(train.data, train.target)
    X = np.hstack([train.data, train.privileged])
    models = [
        taught(LogisticRegression(), DistilledLogisticRegression(λ), N_FEATURES, X, train.target)
        for λ in IMITATIONS
    ]
    students = [model.score(test.data, test.target) for model in [alone, *models]]
    return [*students, models[0].teacher_.score(test.privileged, test.target)]


kinds = ["clean_labels", "clean_features", "relevant_features"]
accuracy = np.array([[one_draw(kind, seed) for seed in range(N_DRAWS)] for kind in kinds])
accuracy.shape  # problems × draws × models

# %%
# The gain is measured on the same draws, so its error is that of the differences.


def gain_and_error(accuracies):
    """Return mean and standard error of distilled − alone for each λ."""
    gains = accuracies[:, 1:-1] - accuracies[:, :1]
    return gains.mean(axis=0), gains.std(axis=0, ddof=1) / np.sqrt(len(gains))


def print_gains(name, accuracies):
    gain, error = gain_and_error(accuracies)
    for λ, g, e in zip(IMITATIONS, gain, error, strict=True):
        print(f"{name:18s} λ = {λ:.1f}  gain {g:+.3f} ± {e:.3f}")


for name, accuracies in zip(kinds, accuracy, strict=True):
    print_gains(name, accuracies)

# %%
# Where the privileged columns say which features matter, or how sure the label is, the student
# gains; where they only say what the features were before noise came, there is next to nothing
# either way, although that teacher is so much better. The bars' errors are those of the draws,
# which all four models share; the printed ones are those of the gains.

names = ["student alone", *(f"distilled, λ = {λ:g}" for λ in IMITATIONS), "teacher, privileged"]
colours = ["0.7", "#a6d8c8", "#1b9e77", "#d95f02"]
figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
for m, (name, colour) in enumerate(zip(names, colours, strict=True)):
    values = accuracy[:, :, m]
    error = values.std(axis=1, ddof=1) / np.sqrt(N_DRAWS)
    at = np.arange(len(kinds)) + 0.2 * (m - 1.5)
    ax.bar(at, values.mean(axis=1), 0.18, yerr=error, color=colour, label=name, capsize=2)
ax.set_xticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
ax.set(ylim=(0.5, 1), ylabel="accuracy on new rows")
ax.legend(ncols=2, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.1))
plt.show()

# %%
# Images
# ------
# Digits at 8×8 pixels for the teacher, at 4×4 for the student, 200 rows for both: this teacher is
# far better than the student, and its answers for these rows are still no better a lesson than
# their labels.


def one_split(seed):
    digits = load_digits_privileged()
    X, y = np.hstack([digits.data, digits.privileged]) / 16, digits.target
    n_regular = digits.data.shape[1]
    X, X_test, y, y_test = train_test_split(X, y, train_size=200, stratify=y, random_state=seed)
    alone = DistilledLogisticRegression(C=10.0).fit(X[:, :n_regular], y)
    models = [
        taught(SVC(C=10.0), DistilledLogisticRegression(λ, C=10.0), n_regular, X, y)
        for λ in IMITATIONS
    ]
    students = [model.score(X_test[:, :n_regular], y_test) for model in [alone, *models]]
    return [*students, models[0].teacher_.score(X_test[:, n_regular:], y_test)]


images = np.array([one_split(seed) for seed in range(10)])
for name, mean in zip(names, images.mean(axis=0), strict=True):
    print(f"{name:20s} {mean:.3f}")
print_gains("digits", images)

# %%
# A better teacher is not a better lesson: put λ = 0 into the search, and let held-out rows decide
# (see :doc:`the guide </user_guide/choosing_lambda_and_t>`).
