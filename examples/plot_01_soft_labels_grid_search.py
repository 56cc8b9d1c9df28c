"""
Soft labels in a grid search
============================

This example tunes the two metaparameters of distillation with scikit-learn's
:class:`~sklearn.model_selection.GridSearchCV`: the imitation λ, which is the weight of the teacher
in the loss, and the temperature T, which smooths its probabilities.

:class:`~sklearn_distill.DistilledLogisticRegression` takes the teacher's predicted probabilities as
a fit parameter. The search therefore splits them into folds together with the rows of X.
"""

# %%
# We use the synthetic data set of Grabovoy and Strijov. Its true class probabilities are known, and
# they are the best possible teacher. The student is trained on 60 samples, with a label drawn from
# these probabilities for each.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.inspection import distillation_report
from sklearn_distill.metrics import get_scorer

train = make_teacher_probabilities(n_samples=60, random_state=0)
test = make_teacher_probabilities(n_samples=2000, coef=train.coef, random_state=1)

# %%
# With ``imitation=0`` the student ignores the teacher. This value is part of the grid, so the
# search also decides whether to use the teacher at all.

grid = {"imitation": [0.0, 0.25, 0.5, 0.75, 1.0], "temperature": [0.25, 0.5, 1.0, 2.0, 4.0]}
search = GridSearchCV(
    DistilledLogisticRegression(C=10.0, classes=[0, 1, 2]),
    grid,
    scoring=get_scorer("neg_log_loss"),
    cv=5,
)
search.fit(train.data, train.target, teacher_proba=train.teacher_proba)
search.best_params_

# %%
# We compare both students with the true probabilities on a held-out test set: they are its soft
# labels, and the log loss of the teacher, which predicts them, is the least possible. The search
# does not have access to these probabilities: it only scores the labels of the 60 training samples.

report = distillation_report(
    teacher_proba=test.teacher_proba,
    baseline=DistilledLogisticRegression(imitation=0, C=10.0).fit(train.data, train.target),
    distilled=search.best_estimator_,
    X=test.data,
    y=test.teacher_proba,
    y_train=train.target,
)
print(report.headline)
report.table[["log_loss", "accuracy"]]

# %%
# Finally, we plot the cross-validated loss over λ and T. At λ = 0 the temperature has no effect, so
# all values of the top row are equal.

results = pd.DataFrame(search.cv_results_)
loss = -results.pivot(
    index="param_imitation", columns="param_temperature", values="mean_test_score"
).astype(float)

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
image = ax.imshow(loss, cmap="viridis_r", aspect="auto")
ax.set_xticks(range(loss.shape[1]), loss.columns)
ax.set_yticks(range(loss.shape[0]), loss.index)
middle = (loss.to_numpy().min() + loss.to_numpy().max()) / 2
for (i, j), value in np.ndenumerate(loss.to_numpy()):
    colour = "white" if value > middle else "black"  # small losses are yellow
    ax.text(j, i, f"{value:.3f}", ha="center", va="center", color=colour)
ax.set(xlabel="temperature T", ylabel="imitation λ", title="Cross-validated log loss")
figure.colorbar(image, label="nats")
plt.show()
