"""
Learning a class that is missing from the training set
======================================================

Hinton, Vinyals and Dean (2015, section 3) omit all digits 3 from the training set of a student, for
which 3 becomes a "mythical digit". The student still recognises most of them, since the teacher's
predicted probabilities for other digits show how similar each of them is to a 3. This example
repeats the experiment with a logistic regression on scikit-learn's digits.
"""

# %%
# The teacher is fitted on its own samples, which contain all ten digits. The student's samples
# contain nine, and the parameter ``classes`` declares all ten.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from sklearn_distill import DistilledLogisticRegression, TeacherStudentClassifier

X, y = load_digits(return_X_y=True)
X = X / 16
X_teacher, X_rest, y_teacher, y_rest = train_test_split(
    X, y, train_size=600, stratify=y, random_state=0
)
X_student, X_test, y_student, y_test = train_test_split(
    X_rest, y_rest, train_size=600, stratify=y_rest, random_state=0
)
teacher = MLPClassifier(64, max_iter=1000, random_state=0).fit(X_teacher, y_teacher)
not_3 = y_student != 3
X_train, y_train = X_student[not_3], y_student[not_3]
print(f"training samples of the student: {len(y_train)}, digits 3: {(y_train == 3).sum()}")


def distill(imitation, temperature, **options):
    """Return a student that is distilled on digits other than 3."""
    student = DistilledLogisticRegression(
        imitation, temperature, C=100.0, classes=range(10), **options
    )
    return TeacherStudentClassifier(teacher, student, cv="prefit").fit(X_train, y_train)


def evaluate(model):
    """Return the recall of digit 3, and the accuracy on all digits."""
    return model.score(X_test[y_test == 3], y_test[y_test == 3]), model.score(X_test, y_test)


# %%
# Without the teacher, the student cannot recognise a 3 by construction. With the teacher, we vary
# the imitation λ and the temperature T.

baseline = DistilledLogisticRegression(imitation=0, C=100.0).fit(X_train, y_train)
print("          recall of 3  accuracy")
print("teacher   {:.2f}         {:.3f}".format(*evaluate(teacher)))
print("baseline  {:.2f}         {:.3f}".format(*evaluate(baseline)))

temperatures = [0.5, 1, 2, 4, 8, 16, 32]
settings = {
    "λ = 0.5": (0.5, {}),
    "λ = 0.9": (0.9, {}),
    "λ = 1": (1.0, {}),
    "λ = 0.5, t_squared=True": (0.5, {"t_squared": True}),
}
curves = {
    name: np.array([evaluate(distill(imitation, T, **options)) for T in temperatures])
    for name, (imitation, options) in settings.items()
}
for name, curve in curves.items():
    best = curve[:, 0].argmax()
    print(f"{name:24s} highest recall of 3 at T = {temperatures[best]:<4g} {curve[best, 0]:.2f}")

# %%
# Most digits 3 are recognised over a wide range of T, but not all of them.
#
# At a high T the labels dominate, and no label is a 3: the gradient of the teacher's term decreases
# as 1/T², until the labels (λ < 1) or the penalty (λ = 1) determine the solution.
# ``t_squared=True`` compensates for this factor. A low T sharpens the teacher's probabilities until
# that of a 3 is close to zero.
#
# The best T above is selected on the test set, so its recall is a description of this figure and
# not an estimate of the performance.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
styles = ["-", "-", "-", "--"]
colours = ["#7570b3", "#d95f02", "#1b9e77", "#7570b3"]
labels = ("recall of digit 3", "accuracy on all digits")
for column, (ax, label) in enumerate(zip(axes, labels, strict=True)):
    for (name, curve), style, colour in zip(curves.items(), styles, colours, strict=True):
        ax.plot(temperatures, curve[:, column], style, marker="o", color=colour, label=name)
    ax.axhline(evaluate(teacher)[column], color="0.3", lw=1, ls=":", label="teacher")
    ax.axhline(evaluate(baseline)[column], color="0.7", lw=1, ls=":", label="baseline")
    ax.set(xscale="log", xlabel="temperature T", ylabel=label)
    ax.set_xticks(temperatures, [f"{T:g}" for T in temperatures])
    ax.minorticks_off()
axes[0].legend(fontsize="small")
figure.suptitle("A logistic regression without a 3 in its training set")
plt.show()

# %%
# The teacher's probabilities of a 3
# ----------------------------------
# These are the training samples with the highest predicted probability of a 3. None of them is a 3,
# and such probabilities are the only information about this class that the student gets.

proba_3 = teacher.predict_proba(X_train)[:, 3]
most_similar = proba_3.argsort()[::-1][:8]
figure, axes = plt.subplots(1, 8, figsize=(9, 1.7), layout="constrained")
for ax, row in zip(axes, most_similar, strict=True):
    ax.imshow(X_train[row].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{y_train[row]}: P(3) = {proba_3[row]:.2f}", fontsize="x-small")
    ax.set_axis_off()
plt.show()
