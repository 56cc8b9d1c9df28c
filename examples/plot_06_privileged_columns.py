"""
Privileged features that exist only at training time
====================================================

Some features are available when a model is trained but not when it predicts: a biopsy, a later
measurement, a sharper image. :class:`~sklearn_distill.TeacherStudentClassifier` passes such
*privileged* features to the teacher and never to the student.

This example shows when they help. Lopez-Paz et al. (2016) construct three problems, one of which
should show no gain. A fourth problem, with real images, shows a loss.
"""

# %%
# Three problems
# --------------
# - *clean labels*: the privileged feature is the score of the label without noise;
# - *clean features*: the privileged features are the features without noise. They are informative
#   about the label, but not about how the label depends on the noisy features;
# - *relevant features*: the privileged features are the three relevant features out of fifty.
#
# Student and teacher are logistic regressions, fitted on the same 200 samples. The teacher's
# predictions are out-of-fold, and accuracies are computed on a held-out test set of 5000 samples.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from sklearn_distill import DistilledLogisticRegression, TeacherStudentClassifier
from sklearn_distill.datasets import load_digits_privileged, make_privileged_classification

N_DRAWS, N_FEATURES = 20, 50
IMITATIONS = [0.5, 1.0]


def distill(teacher, student, n_regular, X, y):
    """Fit a student on the first columns, and its teacher on the others."""
    model = TeacherStudentClassifier(
        teacher,
        student,
        privileged_features=range(n_regular, X.shape[1]),
        teacher_features="privileged",
    )
    return model.fit(X, y)


def one_draw(kind, seed):
    """Return the accuracies of the baseline, the distilled student for each λ, and the teacher."""
    train = make_privileged_classification(200, N_FEATURES, kind=kind, random_state=seed)
    test = make_privileged_classification(5000, kind=kind, coef=train.coef, random_state=100 + seed)
    baseline = DistilledLogisticRegression(imitation=0).fit(train.data, train.target)
    X = np.hstack([train.data, train.privileged])
    models = [
        distill(LogisticRegression(), DistilledLogisticRegression(λ), N_FEATURES, X, train.target)
        for λ in IMITATIONS
    ]
    students = [model.score(test.data, test.target) for model in [baseline, *models]]
    return [*students, models[0].teacher_.score(test.privileged, test.target)]


kinds = ["clean_labels", "clean_features", "relevant_features"]
accuracy = np.array([[one_draw(kind, seed) for seed in range(N_DRAWS)] for kind in kinds])
accuracy.shape  # problems × draws × models

# %%
# All models share the draws, so we compute the standard error of the paired differences.


def gain_and_error(accuracies):
    """Return mean and standard error of distilled − baseline for each λ."""
    gains = accuracies[:, 1:-1] - accuracies[:, :1]
    return gains.mean(axis=0), gains.std(axis=0, ddof=1) / np.sqrt(len(gains))


def print_gains(name, accuracies):
    gain, error = gain_and_error(accuracies)
    for λ, g, e in zip(IMITATIONS, gain, error, strict=True):
        print(f"{name:18s} λ = {λ:.1f}  gain {g:+.3f} ± {e:.3f}")


for name, accuracies in zip(kinds, accuracy, strict=True):
    print_gains(name, accuracies)

# %%
# The student gains where the privileged features tell which features are relevant, or how certain
# the label is. Where they only reveal the features without noise, there is next to no gain or loss,
# although that teacher is far more accurate.
#
# The error bars of the figure are those of the accuracies over the draws, which all four models
# share. The printed errors are those of the gains.

names = ["baseline", *(f"distilled, λ = {λ:g}" for λ in IMITATIONS), "teacher, privileged"]
colours = ["0.7", "#a6d8c8", "#1b9e77", "#d95f02"]
figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
for m, (name, colour) in enumerate(zip(names, colours, strict=True)):
    values = accuracy[:, :, m]
    error = values.std(axis=1, ddof=1) / np.sqrt(N_DRAWS)
    at = np.arange(len(kinds)) + 0.2 * (m - 1.5)
    ax.bar(at, values.mean(axis=1), 0.18, yerr=error, color=colour, label=name, capsize=2)
ax.set_xticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
ax.set(ylim=(0.5, 1), ylabel="test accuracy")
ax.legend(ncols=2, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.1))
plt.show()

# %%
# Images
# ------
# The teacher is fitted on digits of 8×8 pixels, the student on the same 200 digits at 4×4 pixels.
# The teacher is far more accurate than the student, and yet its predictions for these samples are
# no better as targets than the labels.


def one_split(seed):
    digits = load_digits_privileged()
    X, y = np.hstack([digits.data, digits.privileged]) / 16, digits.target
    n_regular = digits.data.shape[1]
    X, X_test, y, y_test = train_test_split(X, y, train_size=200, stratify=y, random_state=seed)
    baseline = DistilledLogisticRegression(imitation=0, C=10.0).fit(X[:, :n_regular], y)
    models = [
        distill(SVC(C=10.0), DistilledLogisticRegression(λ, C=10.0), n_regular, X, y)
        for λ in IMITATIONS
    ]
    students = [model.score(X_test[:, :n_regular], y_test) for model in [baseline, *models]]
    return [*students, models[0].teacher_.score(X_test[:, n_regular:], y_test)]


images = np.array([one_split(seed) for seed in range(10)])
for name, mean in zip(names, images.mean(axis=0), strict=True):
    print(f"{name:20s} {mean:.3f}")
print_gains("digits", images)

# %%
# A more accurate teacher does not always give better targets. Include λ = 0 in the search, and
# decide on held-out data (see the :doc:`user guide </user_guide/choosing_lambda_and_t>`). On data
# of your own, :func:`~sklearn_distill.inspection.privileged_gain` tests whether the privileged
# features help.
