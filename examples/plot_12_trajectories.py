"""
Tuning λ and T while a network is trained
=========================================

To tune λ and T you do not have to train a network to the end for each candidate: after each step of
the weights, the loss on a validation set has an exact derivative in λ and T, the hypergradient.
:class:`~sklearn_distill.GreedyHypergradient` updates them with it in every step.
:class:`~sklearn_distill.LinearTrajectory` computes it in some of the steps only, and extrapolates λ
and T along straight lines in the others (Gorpinich, Bakhteev and Strijov 2022).
"""

# %%
# The teacher is fitted on digits whose labels 3 and 8 are exchanged, so it is partly wrong. It has
# samples of its own; 200 samples are for the student, 200 for validation, and the rest for testing.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.inspection import TrajectoryDisplay
from sklearn_distill.search import GreedyHypergradient, LinearTrajectory

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
X_teacher, X, y_teacher, y = train_test_split(X, y, train_size=600, stratify=y, random_state=0)
X_student, X, y_student, y = train_test_split(X, y, train_size=200, stratify=y, random_state=0)
X_val, X_test, y_val, y_test = train_test_split(X, y, train_size=200, stratify=y, random_state=0)

exchanged = np.arange(10)
exchanged[[3, 8]] = 8, 3
teacher = MLPClassifier(64, max_iter=1000, random_state=0).fit(X_teacher, exchanged[y_teacher])
teacher_proba = teacher.predict_proba(X_student)
print(f"test accuracy of the teacher: {teacher.score(X_test, y_test):.2f}")


def student(batch_size=50, **options):
    """Return an unfitted student; all students are trained for the same 400 steps."""
    return DistilledNeuralClassifier(
        hidden_layer_sizes=(32,),
        optimizer="sgd",
        lr=0.2,
        batch_size=batch_size,
        max_epochs=100,
        random_state=0,
        **options,
    )


# %%
# We train three students with λ and T that start at 0.5 and 1. They are updated with a
# hypergradient in every step, in half of the steps, and in one step out of five.

optimizers = {
    "greedy": GreedyHypergradient(lr=1.0),
    "linear, 10 of 20 computed": LinearTrajectory(10, 10, lr=1.0),
    "linear, 20 of 100 computed": LinearTrajectory(20, 80, lr=1.0),
}
tuned = {
    name: student(metaparameter_optimizer=optimizer).fit(
        X_student, y_student, teacher_proba=teacher_proba, X_val=X_val, y_val=y_val
    )
    for name, optimizer in optimizers.items()
}

figure, axes = plt.subplots(2, 3, figsize=(11, 5), sharex=True, sharey="row", layout="constrained")
displays = {
    name: TrajectoryDisplay.from_estimator(model, name=name, ax=pair, lw=1)
    for (name, model), pair in zip(tuned.items(), axes.T, strict=True)
}
for ax in axes[:, 1:].flat:
    ax.set_ylabel("")
plt.show()

# %%
# A line that is fitted to a few noisy steps and extrapolated for many can leave the interval [0, 1]
# of λ. λ is then projected to 0 or 1, and stays there until the next hypergradients are computed.
# This happens less with shorter extrapolations.
#
# We compare these students with fixed values of λ and T, each with its own training. The student of
# the last row is also trained on the 200 validation labels instead of tuning on them, so its
# validation loss is a training loss.

fixed = {
    f"λ = {lam:g}, T = {T:g}": student(imitation=lam, temperature=T).fit(
        X_student, y_student, teacher_proba=teacher_proba
    )
    for lam, T in [(0.5, 1), (0.25, 1), (0.75, 1), (0.25, 3), (0.75, 3)]
}
fixed["baseline"] = student(imitation=0).fit(X_student, y_student)
both = np.concatenate([X_student, X_val]), np.concatenate([y_student, y_val])
fixed["baseline, with validation labels"] = student(imitation=0, batch_size=100).fit(*both)


def evaluate(model):
    """Return the validation loss, the test loss and the test accuracy."""
    return {
        "validation loss": log_loss(y_val, model.predict_proba(X_val)),
        "test loss": log_loss(y_test, model.predict_proba(X_test)),
        "test accuracy": model.score(X_test, y_test),
    }


table = pd.DataFrame({name: evaluate(model) for name, model in {**tuned, **fixed}.items()}).T
table.insert(0, "hypergradients", 0)
for name, display in displays.items():
    table.loc[name, "hypergradients"] = display.trajectory_.n_computed
table.round(3)

# %%
# At the initial values, the student relies too much on this teacher. Within a single training, λ
# and T move close to the better ones of the fixed values, each of which takes a training of its
# own. They do not reach the optimum: λ stays above 0 although the baseline has a test loss as low
# as theirs, since each update takes only one step of the weights into account.
#
# The last row shows the cost of tuning: labels that are used for validation are not used for
# training. These are the results of one split and one seed; 1 % of accuracy corresponds to 8 of the
# 797 test samples.
