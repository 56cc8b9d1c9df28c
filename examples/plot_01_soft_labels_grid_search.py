"""
Soft labels in a grid search
============================

A teacher that saw many rows answers with probabilities for the few rows that a small student is
fitted on. :class:`~sklearn_distill.DistilledLogisticRegression` takes them as a fit parameter, so
scikit-learn's own :class:`~sklearn.model_selection.GridSearchCV` chooses how much the student
imitates (λ) and at which temperature (T). The teacher's rows are sliced with those of X.
"""

# %%
# The data is Grabovoy and Strijov's synthetic set, where the true class probabilities are known:
# the best teacher there can be. The student sees 60 rows with one drawn label each.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import make_teacher_probabilities
from sklearn_distill.metrics import cross_entropy_from_proba

train = make_teacher_probabilities(n_samples=60, random_state=0)
test = make_teacher_probabilities(n_samples=2000, coef=train.coef, random_state=1)

# %%
# The search. ``imitation=0`` in the grid is the student without a teacher, so the search itself
# says whether the teacher is of use.

grid = {"imitation": [0.0, 0.25, 0.5, 0.75, 1.0], "temperature": [0.5, 1.0, 2.0, 4.0, 8.0]}
search = GridSearchCV(
    DistilledLogisticRegression(C=10.0, classes=[0, 1, 2]), grid, scoring="neg_log_loss", cv=5
)
search.fit(train.data, train.target, teacher_proba=train.teacher_proba)
search.best_params_

# %%
# How far is each student from the true probabilities, on rows that it never saw? The search only
# saw the labels of 60 rows; here we can look at what it could not know.

alone = DistilledLogisticRegression(C=10.0).fit(train.data, train.target)
for name, student in {"alone": alone, "distilled": search.best_estimator_}.items():
    distance = cross_entropy_from_proba(test.teacher_proba, student.predict_proba(test.data))
    print(f"{name:9s} cross-entropy with the true probabilities: {distance:.3f} nats")
floor = cross_entropy_from_proba(test.teacher_proba, test.teacher_proba)
print(f"{'floor':9s} (the true probabilities themselves):       {floor:.3f} nats")

# %%
# The search's loss over λ and T. At λ = 0 the temperature means nothing, so the top row is one
# number.

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
    colour = "white" if value > middle else "black"  # the small losses are yellow
    ax.text(j, i, f"{value:.3f}", ha="center", va="center", color=colour)
ax.set(xlabel="temperature T", ylabel="imitation λ", title="Cross-validated loss of the labels")
figure.colorbar(image, label="nats")
plt.show()
