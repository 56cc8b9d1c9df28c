"""
λ and T by the gradient of the cross-validated loss
===================================================

:class:`~sklearn_distill.DistilledLogisticRegressionCV` follows the exact gradient of the
cross-validated loss in λ and T instead of trying a grid. Where does it go, where does it end, and
what does it cost?
"""

# %%
# The student sees digits of 4×4 pixels, the teacher the same ones at 8×8. The teacher has 900 rows
# of its own, the student 200, the rest tests.

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
X, X_better, y = digits.data / 16, digits.privileged / 16, digits.target
for_teacher, rest = train_test_split(np.arange(len(y)), train_size=900, random_state=0)
for_student, for_test = train_test_split(rest, train_size=200, random_state=0)

teacher = MLPClassifier((64,), max_iter=500, random_state=0)
teacher.fit(X_better[for_teacher], y[for_teacher])
lesson = {
    "X": X[for_student],
    "y": y[for_student],
    "teacher_proba": teacher.predict_proba(X_better[for_student]),
}

# %%
# The search, with five folds. It looks around on the first fold, descends there, and descends on
# all five from where that ended.

search = DistilledLogisticRegressionCV(("imitation", "temperature"), C=10.0)
search.fit(**lesson)
search.path_.drop(columns="seconds").round(4)

# %%
# A grid of 8 × 8 settings on the same folds, for the view from above and for the bill.

grid = {"imitation": np.linspace(0, 1, 8), "temperature": np.geomspace(0.1, 10, 8)}
grid_search = GridSearchCV(DistilledLogisticRegression(C=10.0), grid, scoring="neg_log_loss", cv=5)
grid_search.fit(**lesson)

display = MetaparameterDisplay.from_estimator(
    search,
    surface=grid_search,
    norm=PowerNorm(0.3),  # colours for the valley
)
display.ax_.set_title("The path over the surface that a grid found")
plt.show()

# %%
# What each of them found, with what the choice is worth on rows that neither saw. A fit is one to
# the training rows of one fold; the search's fits cost less than the grid's, as each begins near
# its end, and those that were differentiated a little more.

test = X[for_test], y[for_test]
found = {"descent": (search, search.n_fits_), "grid of 8 × 8": (grid_search, 8 * 8 * 5)}
pd.DataFrame(
    {
        name: {
            "λ": model.imitation_ if model is search else model.best_params_["imitation"],
            "T": model.temperature_ if model is search else model.best_params_["temperature"],
            "fits": n_fits,
            "loss, cross-validated": -model.best_score_,
            "loss, test rows": log_loss(test[1], model.predict_proba(test[0])),
        }
        for name, (model, n_fits) in found.items()
    }
).T.round(4)

# %%
# The cross-validated loss is one of 200 labels: that two settings differ in its third digit says
# little about other rows. What the descent saves is fits, not errors.
#
# The best setting is a matter of all rows: single ones may ask for another. Of the test rows that
# the student alone gets wrong, here is the one where it gave the true class the most, and what
# students give it at each λ and T. A student is fitted for each cell.

alone = DistilledLogisticRegression(C=10.0).fit(lesson["X"], lesson["y"])
wrong = np.flatnonzero(alone.predict(test[0]) != test[1])
row = wrong[alone.predict_proba(test[0])[wrong, test[1][wrong]].argmax()]
display = MetaparameterDisplay.from_probability(
    DistilledLogisticRegression(C=10.0),
    lesson["X"],
    lesson["y"],
    row=test[0][row],
    label=test[1][row],
    imitation=grid["imitation"],
    temperature=grid["temperature"],
    fit_params={"teacher_proba": lesson["teacher_proba"]},
)
display.ax_.set_title(f"Test row {row}, a {test[1][row]}: one row's own view")
plt.show()
