"""
From a slow ensemble to boosted trees
=====================================

A forest is more accurate here than boosting on the same labels, and slow for a single row. This
example distils it into boosted trees. It shows what unlabelled samples add, and why the temperature
matters for an underconfident teacher. Boosting learns the teacher's probabilities by one
loss, the cross-entropy; a regressor for each class, the common way to fit trees to probabilities,
minimises squared errors.
"""

# %%
# The data is scikit-learn's digits: 200 images have labels, and up to 1000 have none.

from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.multioutput import MultiOutputRegressor

from sklearn_distill import (
    DistilledBoostingClassifier,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill.inspection import distillation_report
from sklearn_distill.teachers import out_of_fold_proba

N_LABELLED, N_UNLABELLED = 200, [0, 250, 500, 1000]
X, y = load_digits(return_X_y=True)
X_train, X_more, y_train, y_more = train_test_split(
    X, y, train_size=N_LABELLED, stratify=y, random_state=0
)
X_more, X_test, _, y_test = train_test_split(
    X_more, y_more, train_size=max(N_UNLABELLED), stratify=y_more, random_state=0
)

# %%
# A forest averages many trees, and so its probabilities are often too near to each other. Its
# out-of-fold predictions and the labels tell the temperature at which they fit the labels best.
# With ``soften_student=False`` only the teacher's logits are divided by it, so that T < 1 makes the
# targets sharper.

teacher = ExtraTreesClassifier(200, random_state=0)
log_p = np.log(out_of_fold_proba(teacher, X_train, y_train).clip(1e-12))
loss_of = {T: log_loss(y_train, softmax(log_p / T, axis=1)) for T in (0.3, 0.5, 0.7, 1.0)}
T = min(loss_of, key=loss_of.get)
print(f"out of fold: log loss {loss_of[1.0]:.3f} at T = 1, {loss_of[T]:.3f} at T = {T}")

# %%
# The teacher predicts each labelled row out of fold, and the unlabelled rows after it was fitted on
# all labels. All students have the same trees. With ``memory`` the teacher is fitted once for all.

trees = {"max_iter": 40, "max_leaf_nodes": 8, "early_stopping": False}
boosting = HistGradientBoostingClassifier(**trees)
regressors = MultiOutputRegressor(HistGradientBoostingRegressor(**trees))
students = {
    "a regressor a class": SoftTargetClassifier(regressors),
    "boosting, T = 1": DistilledBoostingClassifier(boosting),
    f"boosting, T = {T}": DistilledBoostingClassifier(
        boosting, temperature=T, soften_student=False
    ),
}


def fit(student, n_unlabelled, memory):
    """Return the fitted teacher and student."""
    model = TeacherStudentClassifier(teacher, student, memory=memory, random_state=0)
    X_unlabeled = X_more[:n_unlabelled] if n_unlabelled else None
    return model.fit(X_train, y_train, X_unlabeled=X_unlabeled)


with TemporaryDirectory() as memory:
    models = {
        name: [fit(student, n, memory) for n in N_UNLABELLED] for name, student in students.items()
    }
alone = HistGradientBoostingClassifier(**trees).fit(X_train, y_train)

# %%
# ``to_sklearn()`` returns a plain HistGradientBoostingClassifier, which is all that needs to be
# deployed. The report compares it with boosting on the labels alone, with 95 % intervals of the
# differences on other images of the same kind.

best = models[f"boosting, T = {T}"][-1]
report = distillation_report(
    teacher=best.teacher_,
    baseline=alone,
    distilled=best.student_.to_sklearn(),
    X=X_test,
    y=y_test,
    y_train=y_train,
)
print(report)

# %%
# The teacher's log loss is worse than that of boosting on the labels, although it is right more
# often, and a student at T = 1 learns to be as unsure. At the temperature that the labels chose,
# the student is much better than both, the more so the more samples the teacher predicts. This is
# one split; the :doc:`benchmarks </benchmarks>` give intervals over several splits of four tables.

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for (name, fitted), colour in zip(models.items(), ["#7570b3", "#66c2a5", "#1b9e77"], strict=True):
    # a regressor a class is as good as certain now and then, and wrong: 36 nats for such an image
    losses = [log_loss(y_test, model.predict_proba(X_test).clip(1e-3)) for model in fitted]
    ax.plot(N_UNLABELLED, losses, "o-", color=colour, label=f"distilled: {name}")
for name, estimator, colour, style in [
    ("boosting on the labels alone", alone, "0.5", "--"),
    ("teacher", best.teacher_, "#d95f02", ":"),
]:
    loss = log_loss(y_test, estimator.predict_proba(X_test))
    ax.axhline(loss, color=colour, ls=style, label=name)
ax.set(xlabel="unlabelled samples", ylabel="log loss of test labels")
ax.legend()
plt.show()
