"""
Four looks at a teacher and its students
========================================

A figure in a table says whether a student gained; drawings say how. The four here take fitted
models, or plain numbers, and keep what they draw as attributes. Two more draw λ and T: over a
:doc:`search </auto_examples/plot_11_hypergradient_cv>`, and over a
:doc:`training </auto_examples/plot_12_trajectories>`.
"""

# %%
# The teacher is a forest with 600 digits of its own. The students are small networks with 150 other
# digits, four without the teacher and four with it; the rest of the digits is for testing.

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


def students(**lesson):
    """Return four students that differ in their first weights, watched on the test rows."""
    return [
        DistilledNeuralClassifier(
            hidden_layer_sizes=(16,),
            imitation=0.75,
            temperature=2.0,
            lr=0.01,
            batch_size=50,
            max_epochs=60,
            random_state=seed,
        ).fit(X_train, y_train, X_val=X_test, y_val=y_test, **lesson)
        for seed in range(4)
    ]


runs = {"alone": students(), "distilled": students(teacher_proba=teacher_proba)}
first = {"teacher": teacher} | {name: models[0] for name, models in runs.items()}

# %%
# The course of the training
# --------------------------
# :class:`~sklearn_distill.inspection.TrainingCurveDisplay`: models in one list are runs of the same
# student, drawn as their mean with a band of one standard deviation.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for column, ax in {"train_loss": left, "valid_loss": right}.items():
    TrainingCurveDisplay.from_estimator(runs, columns=column, ax=ax)
left.set_ylabel("objective, nats")
right.set_ylabel("cross-entropy on test rows, nats")
plt.show()

# %%
# On the left each student has an objective of its own, one with the teacher's term; only the curves
# on the right measure the same.
#
# How sure the models are
# -----------------------
# :class:`~sklearn_distill.inspection.PredictionHistogramDisplay` counts the probability of the
# answer, in 20 bins. The legend gives the
# :func:`degree of uncertainty <sklearn_distill.metrics.uncertainty_degree>`.

PredictionHistogramDisplay.from_estimator(first, X_test)
plt.show()

# %%
# The forest is seldom sure, and the student has taken much of this over. With labels there is a
# panel for each true class, and with one class named its probability is counted: here that of an 8,
# for threes and for eights.

threes_and_eights = np.isin(y_test, [3, 8])
axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")[1]
PredictionHistogramDisplay.from_estimator(
    first, X_test[threes_and_eights], y_test[threes_and_eights], label=8, ax=axes
)
axes[1].set_ylabel("")
plt.show()

# %%
# What they say of single rows
# ----------------------------
# :class:`~sklearn_distill.inspection.ProbabilityStripDisplay`: a bar for each row, a panel for each
# model. These are the 20 test rows of which the teacher is least sure.

doubtful = np.argsort(teacher.predict_proba(X_test).max(axis=1))[:20]
ProbabilityStripDisplay.from_estimator(first, X_test, y_test, rows=doubtful)
plt.show()

# %%
# The same as cells, which many classes need.

ProbabilityStripDisplay.from_estimator(first, X_test, y_test, rows=doubtful, kind="cells")
plt.show()

# %%
# Quality and cost
# ----------------
# :func:`~sklearn_distill.inspection.distillation_report` measures the models, and draws itself
# (:class:`~sklearn_distill.inspection.ReportDisplay`). The bar is the interval of the difference
# between the students, laid on the level of the one that had no teacher.

report = distillation_report(
    teacher=teacher,
    student_alone=first["alone"],
    student_distilled=first["distilled"],
    X=X_test,
    y=y_test,
    teacher_saw="600 other digits",
    random_state=0,
)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
report.plot(ax=left)
report.plot("cross_entropy", cost="n_bytes", ax=right)
plt.show()

# %%
# The table has what the points leave out: the student gained accuracy and took over the forest's
# doubts, which raise its calibration error. This is one split and one pair of students.

report
