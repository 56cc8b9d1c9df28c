"""
Visualising a teacher and its students
======================================

A table of metrics shows whether a student gains from its teacher; figures show how. The four
displays of this example are created from fitted models or from arrays, and store the plotted data
as attributes. Two further displays show λ and T: in a
:doc:`search </auto_examples/plot_11_hypergradient_cv>`, and during
:doc:`training </auto_examples/plot_12_trajectories>`.
"""

# %%
# The teacher is a forest that is fitted on 600 digits. The students are small networks that are
# trained on 150 other digits, four without the teacher and four with it. The remaining digits are
# the test set.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import train_test_split

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.inspection import (
    PredictionHistogramDisplay,
    ProbabilityStripDisplay,
    TrainingCurveDisplay,
    distillation_report,
)

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
X_teacher, X, y_teacher, y = train_test_split(X, y, train_size=600, stratify=y, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=150, stratify=y, random_state=0
)
teacher = ExtraTreesClassifier(100, random_state=0).fit(X_teacher, y_teacher)
teacher_proba = teacher.predict_proba(X_train)


def fit_students(imitation, **fit_params):
    """Fit four students with different initial weights, and record the loss on the test set."""
    return [
        DistilledNeuralClassifier(
            hidden_layer_sizes=(16,),
            imitation=imitation,
            temperature=2.0,
            lr=0.01,
            batch_size=50,
            max_epochs=60,
            random_state=seed,
        ).fit(X_train, y_train, X_val=X_test, y_val=y_test, **fit_params)
        for seed in range(4)
    ]


runs = {"baseline": fit_students(0), "distilled": fit_students(0.75, teacher_proba=teacher_proba)}
first = {"teacher": teacher} | {name: models[0] for name, models in runs.items()}

# %%
# Training curves
# ---------------
# :class:`~sklearn_distill.inspection.TrainingCurveDisplay` plots the loss over the epochs. A list
# of models is treated as runs of the same student, plotted as their mean with a band of one
# standard deviation.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for column, ax in {"train_loss": left, "valid_loss": right}.items():
    TrainingCurveDisplay.from_estimator(runs, columns=column, ax=ax)
left.set_ylabel("objective, nats")
right.set_ylabel("test cross-entropy, nats")
plt.show()

# %%
# On the left, the objectives differ: only that of the distilled student contains the teacher's
# term. Only the curves on the right can be compared.
#
# Histograms of the predicted probabilities
# -----------------------------------------
# :class:`~sklearn_distill.inspection.PredictionHistogramDisplay` plots a histogram of the
# probability of the predicted class, with 20 bins. The legend gives the
# :func:`degree of uncertainty <sklearn_distill.metrics.uncertainty_degree>`,
# ``mean_i ½ ‖p_i − onehot(argmax_k p_ik)‖²``.

PredictionHistogramDisplay.from_estimator(first, X_test)
plt.show()

# %%
# The forest is rarely confident, and the distilled student adopts much of its uncertainty. If you
# pass the true labels, there is a panel for each true class. With ``label``, the histogram is that
# of the probability of this class: here the probability of an 8, for true threes and for true
# eights.

threes_and_eights = np.isin(y_test, [3, 8])
axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")[1]
PredictionHistogramDisplay.from_estimator(
    first, X_test[threes_and_eights], y_test[threes_and_eights], label=8, ax=axes
)
axes[1].set_ylabel("")
plt.show()

# %%
# Predicted probabilities of single samples
# -----------------------------------------
# :class:`~sklearn_distill.inspection.ProbabilityStripDisplay` plots a bar for each sample and a
# panel for each model. Here we select the 20 test samples on which the teacher is least confident.

uncertain = np.argsort(teacher.predict_proba(X_test).max(axis=1))[:20]
ProbabilityStripDisplay.from_estimator(first, X_test, y_test, rows=uncertain)
plt.show()

# %%
# With many classes, cells are easier to read than bars:

ProbabilityStripDisplay.from_estimator(first, X_test, y_test, rows=uncertain, kind="cells")
plt.show()

# %%
# Quality and cost
# ----------------
# :func:`~sklearn_distill.inspection.distillation_report` compares the models, and its method
# ``plot`` returns a :class:`~sklearn_distill.inspection.ReportDisplay`. On the left are the
# differences between the two students with their intervals, each on its own scale; on the right is
# the metric that decides against the time to predict one row.

report = distillation_report(
    teacher=teacher,
    baseline=first["baseline"],
    distilled=first["distilled"],
    X=X_test,
    y=y_test,
    teacher_saw="600 other digits",
)
report.plot()
plt.show()

# %%
# Any column of the table can be plotted against any cost, on axes of your own:

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
report.plot("accuracy", cost="rows_per_second", ax=left)
report.plot("brier_score", cost="n_bytes", ax=right)
plt.show()

# %%
# The table contains further metrics: the distilled student gains accuracy, and it adopts the
# forest's uncertainty, which raises its calibration error. These are the results of one split and
# one pair of students.

report
