"""
Distilling gradient boosting into small students
================================================

Gradient boosting is accurate but slow to predict, while a logistic regression or a shallow tree is
fast but less accurate. This example measures how much of the teacher's accuracy such students reach
by distillation, and at which prediction time. The data is a sample of Covertype, with seven types
of forest cover, 1000 labelled and 11,000 unlabelled rows.
"""

# %%
# The rows are those of Kaggle's sample if its file is at hand, or else drawn from scikit-learn's
# ``fetch_covtype``, with slightly different results.

from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from sklearn_distill import (
    DistilledLogisticRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill.datasets import fetch_covertype_sample
from sklearn_distill.inspection import distillation_report

X, y = fetch_covertype_sample(return_X_y=True)
X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=3000, stratify=y, random_state=0)
X_labelled, X_unlabelled, y_labelled, _ = train_test_split(
    X_rest, y_rest, train_size=1000, stratify=y_rest, random_state=0
)
len(X_labelled), len(X_unlabelled), len(X_test)

# %%
# The teacher is fitted on the 1000 labelled rows and predicts all 12,000 rows. λ and T have their
# default values. With ``memory``, the fitted teacher is cached for the second student. The
# attribute ``student_`` is the distilled student itself, which predicts without the teacher and the
# wrapper.

students = {
    "logistic regression": lambda **params: make_pipeline(
        StandardScaler(), DistilledLogisticRegression(**params)
    ),
    "tree of depth 8": lambda **params: SoftTargetClassifier(
        DecisionTreeClassifier(max_depth=8, random_state=0), **params
    ),
}


def report_of(student, memory):
    """Return the report on the teacher, the baseline and the distilled student."""
    boosting = HistGradientBoostingClassifier(random_state=0)
    model = TeacherStudentClassifier(boosting, student(), memory=memory, random_state=0)
    model.fit(X_labelled, y_labelled, X_unlabeled=X_unlabelled)
    return distillation_report(
        teacher=model.teacher_,
        baseline=student(imitation=0).fit(X_labelled, y_labelled),
        distilled=model.student_,
        X=X_test,
        y=y_test,
        teacher_saw="the 1000 labelled samples",
    )


with threadpool_limits(1), TemporaryDirectory() as memory:
    reports = {name: report_of(student, memory) for name, student in students.items()}
print(reports["tree of depth 8"])

# %%
# The result depends on the split. ``python -m benchmarks.covertype`` repeats the comparison on ten
# splits, and the :doc:`benchmarks </benchmarks>` give the intervals of the differences.

columns = ["accuracy", "log_loss", "rows_per_second", "n_bytes"]
pd.concat({name: report.table[columns] for name, report in reports.items()}).round(3)

# %%
# The teacher has 100 rounds, and boosting with fewer rounds predicts faster. We compare the
# students with such smaller models (grey line), which need no distillation.


def measure_boosting(max_iter):
    """Return prediction time, accuracy and log loss of boosting with `max_iter` rounds."""
    model = HistGradientBoostingClassifier(max_iter=max_iter, random_state=0)
    model.fit(X_labelled, y_labelled)
    report = distillation_report(
        teacher=model,
        baseline=model,
        distilled=model,
        X=X_test,
        y=y_test,
        scoring=["log_loss", "accuracy"],
    )
    row = report.table.loc["teacher"]
    return 1e6 / row["rows_per_second"], row["accuracy"], row["log_loss"]


with threadpool_limits(1):
    fewer_rounds = np.array([measure_boosting(rounds) for rounds in (1, 3, 10, 30)], dtype=float)
figure, axes = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
teacher = reports["tree of depth 8"].table.loc["teacher"]
for column, (ax, metric) in enumerate(zip(axes, ["accuracy", "log_loss"], strict=True)):
    ax.plot(fewer_rounds[:, 0], fewer_rounds[:, 1 + column], "o-", color="0.7", markersize=4,
            label="boosting, 1, 3, 10, 30 rounds")  # fmt: skip
    ax.plot(1e6 / teacher["rows_per_second"], teacher[metric], "s", color="0.2",
            label="boosting, 100 rounds: the teacher")  # fmt: skip
    for (name, report), colour in zip(reports.items(), ["#1b9e77", "#d95f02"], strict=True):
        baseline = report.table.loc["baseline"]
        distilled = report.table.loc["distilled"]
        before, after = (
            (1e6 / row["rows_per_second"], row[metric]) for row in (baseline, distilled)
        )
        ax.plot(*before, "o", mfc="none", color=colour, label=f"{name}, baseline")
        ax.plot(*after, "o", color=colour, label=f"{name}, distilled")
        ax.annotate("", after, before, arrowprops={"arrowstyle": "->", "color": colour})
    ax.set(xscale="log", xlabel="prediction time, µs per row", ylabel=metric.replace("_", " "))
axes[1].set_yscale("log")
axes[1].set_yticks([0.8, 1, 2, 4, 6], ["0.8", "1", "2", "4", "6"])
axes[1].minorticks_off()
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
figure.suptitle("Covertype: 1000 labels, one split")
plt.show()

# %%
# The reports say that distillation helps both students, at no cost in prediction time. The leaves
# of the baseline tree contain a single class each, so its predictions are overconfident and its log
# loss is high. The soft targets of the unlabelled rows correct this, and the log loss of both
# students is even lower than the teacher's.
#
# The teacher is larger than necessary: 30 rounds are as good as 100. But even with so few rounds
# that boosting is only as accurate as the students, it still takes longer to predict.
