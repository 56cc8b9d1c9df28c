"""Small problems with missing predictions, labels and weights; cross-validation by definition."""

import numpy as np
from scipy.special import logsumexp
from sklearn.model_selection import StratifiedKFold

from sklearn_distill import DistilledLogisticRegression
from tests.helpers import random_problem

METAPARAMETERS = {"imitation": 0.4, "temperature": 2.0, "C": 0.7}


def make_problem(K, seed=0, n=60, d=3):
    """Return X, y with missing labels, teacher logits with missing rows, and weights."""
    problem = random_problem(np.random.default_rng(seed), n=n, d=d, K=K)
    y = np.where(problem["codes"] < 0, np.nan, problem["codes"])
    return problem["X"], y, problem["teacher_logits"], problem["weight"]


def split(y, n_splits=3):
    """Yield folds of the labelled rows; rows without a label always train."""
    labelled, unlabelled = np.flatnonzero(~np.isnan(y)), np.flatnonzero(np.isnan(y))
    for train, test in StratifiedKFold(n_splits).split(labelled, y[labelled]):
        yield np.concatenate([labelled[train], unlabelled]), labelled[test]


def cross_validated_loss(
    X, y, logits, weight, validation_temperature=1.0, n_splits=3, trust=None, **parameters
):
    """Return, by definition, the mean over folds of the weighted cross-entropy at T_val."""
    losses = []
    for train, test in split(y, n_splits):
        student = DistilledLogisticRegression(**parameters)
        student.fit(
            X[train],
            y[train],
            weight[train],
            teacher_logits=logits[train],
            teacher_weight=None if trust is None else trust[train],
        )
        z = student.decision_function(X[test]) / validation_temperature
        z = np.column_stack([np.zeros(len(z)), z]) if z.ndim == 1 else z
        row_losses = logsumexp(z, axis=1) - z[np.arange(len(z)), y[test].astype(int)]
        losses.append(weight[test] @ row_losses / weight[test].sum())
    return float(np.mean(losses))
