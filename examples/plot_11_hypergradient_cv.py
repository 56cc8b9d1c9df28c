"""
Tuning λ and T with the gradient of the cross-validated loss
============================================================

:class:`~sklearn_distill.DistilledLogisticRegressionCV` minimises the cross-validated loss over the
metaparameters λ and T with its exact gradient (the hypergradient), instead of evaluating a grid.
This example plots the path of the descent and compares its result and cost with a grid search.
"""

# %%
# The features of the student are digits of 4×4 pixels, those of the teacher the same digits at 8×8.
# The teacher is fitted on 900 samples of its own, the student on 200, and the rest is the test set.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import PowerNorm
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import load_digits_privileged
from sklearn_distill.inspection import MetaparameterDisplay
from sklearn_distill.search import DistilledLogisticRegressionCV

digits = load_digits_privileged()
X, X_privileged, y = digits.data / 16, digits.privileged / 16, digits.target
for_teacher, rest = train_test_split(np.arange(len(y)), train_size=900, random_state=0)
for_student, for_test = train_test_split(rest, train_size=200, random_state=0)

teacher = MLPClassifier((64,), max_iter=500, random_state=0)
teacher.fit(X_privileged[for_teacher], y[for_teacher])
train = {
    "X": X[for_student],
    "y": y[for_student],
    "teacher_proba": teacher.predict_proba(X_privileged[for_student]),
}

# %%
# The search evaluates a coarse grid, and then descends from its best point. With 200 samples, both
# steps use all five folds; on larger data, the search explores on the first folds only, and then
# descends on all of them.

search = DistilledLogisticRegressionCV(("imitation", "temperature"), C=10.0)
search.fit(**train)
search.path_.drop(columns="seconds").round(4)

# %%
# For comparison, we run a grid search over 8 × 8 candidates on the same folds. Its results are the
# background of the figure.

grid = {"imitation": np.linspace(0, 1, 8), "temperature": np.geomspace(0.1, 10, 8)}
grid_search = GridSearchCV(DistilledLogisticRegression(C=10.0), grid, scoring="neg_log_loss", cv=5)
grid_search.fit(**train)

display = MetaparameterDisplay.from_estimator(
    search,
    surface=grid_search,
    norm=PowerNorm(0.3),  # more colours for small losses
)
display.ax_.set_title("Path of the descent over the loss of the grid search")
plt.show()

# %%
# The table compares the selected metaparameters and their loss on the held-out test set. The column
# "fits" counts fits on the training part of one fold. Most fits of the descent cost less than those
# of the grid search, because they are warm-started; those that are differentiated cost a little
# more.

test = X[for_test], y[for_test]
searches = {"descent": (search, search.n_fits_), "grid of 8 × 8": (grid_search, 8 * 8 * 5)}
pd.DataFrame(
    {
        name: {
            "λ": model.imitation_ if model is search else model.best_params_["imitation"],
            "T": model.temperature_ if model is search else model.best_params_["temperature"],
            "fits": n_fits,
            "cross-validated loss": -model.best_score_,
            "test loss": log_loss(test[1], model.predict_proba(test[0])),
        }
        for name, (model, n_fits) in searches.items()
    }
).T.round(4)

# %%
# The cross-validated loss is estimated from 200 labels, so a difference in its third digit is not
# informative about other samples. The descent saves fits; it does not find a better model.
#
# The optimal λ and T minimise the mean loss, and a single sample may favour others. Among the test
# samples that the baseline misclassifies, we select the one with the highest predicted probability
# of the true class, and plot this probability over λ and T. A student is fitted for each cell.

baseline = DistilledLogisticRegression(imitation=0, C=10.0).fit(train["X"], train["y"])
wrong = np.flatnonzero(baseline.predict(test[0]) != test[1])
row = wrong[baseline.predict_proba(test[0])[wrong, test[1][wrong]].argmax()]
display = MetaparameterDisplay.from_probability(
    DistilledLogisticRegression(C=10.0),
    train["X"],
    train["y"],
    row=test[0][row],
    label=test[1][row],
    imitation=grid["imitation"],
    temperature=grid["temperature"],
    fit_params={"teacher_proba": train["teacher_proba"]},
)
display.ax_.set_title(f"Test row {row}, a {test[1][row]}: probability of its class")
plt.show()
