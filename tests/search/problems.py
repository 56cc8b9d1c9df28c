"""Small problems with silent teachers, missing labels and weights; slow, plain cross-validation."""

import numpy as np
from scipy.special import logsumexp
from sklearn.model_selection import StratifiedKFold

from sklearn_distill import DistilledLogisticRegression
from tests.helpers import random_problem

NATURAL = {"imitation": 0.4, "temperature": 2.0, "C": 0.7}


def lesson(K, seed=0, n=60, d=3):
    """Return X, y with missing labels, teacher logits with silent rows, and weights."""
    problem = random_problem(np.random.default_rng(seed), n=n, d=d, K=K)
    y = np.where(problem["codes"] < 0, np.nan, problem["codes"])
    return problem["X"], y, problem["teacher_logits"], problem["weight"]


def split(y, n_splits=3):
    """Folds over the labelled rows; the others always train."""
    labelled, unlabelled = np.flatnonzero(~np.isnan(y)), np.flatnonzero(np.isnan(y))
    for train, test in StratifiedKFold(n_splits).split(labelled, y[labelled]):
        yield np.concatenate([labelled[train], unlabelled]), labelled[test]


def cross_validated(X, y, logits, weight, validation_temperature=1.0, n_splits=3, **parameters):
    """The definition: the mean over folds of the weighted cross-entropy at T_val."""
    losses = []
    for train, test in split(y, n_splits):
        student = DistilledLogisticRegression(**parameters)
        student.fit(X[train], y[train], weight[train], teacher_logits=logits[train])
        z = student.decision_function(X[test]) / validation_temperature
        z = np.column_stack([np.zeros(len(z)), z]) if z.ndim == 1 else z
        rows = logsumexp(z, axis=1) - z[np.arange(len(z)), y[test].astype(int)]
        losses.append(weight[test] @ rows / weight[test].sum())
    return float(np.mean(losses))
