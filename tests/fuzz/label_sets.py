"""Random fits of MultiLabelStudent, and the minimum of each label's objective."""

from dataclasses import replace

import numpy as np

from sklearn_distill import DistilledLogisticRegression, MultiLabelStudent
from tests.fuzz.classifications import DISTANCE, PROBA_ATOL, Exact
from tests.fuzz.students import class_problem


def label_sets(seed):
    """Labels and predictions are missing one by one; each label has two classes."""
    problem, _, rng = class_problem(seed)
    X = np.clip(problem.X, -5, 5)
    n, n_labels = len(X), int(rng.integers(2, 5))
    Y = (X @ rng.normal(size=(X.shape[1], n_labels)) + rng.normal(size=(n, n_labels)) > 0) * 1.0
    log_odds = rng.choice([0.5, 2]) * rng.normal(size=(n, n_labels)) + 2 * Y - 1
    Y[rng.random(Y.shape) < rng.choice([0, 0.3])] = np.nan
    log_odds[rng.random(Y.shape) < rng.choice([0, 0.3])] = np.nan
    nothing = (np.isnan(Y) & np.isnan(log_odds)).all(axis=1)
    Y[nothing] = 1.0
    params = problem.params | {"solver": "auto"}
    given = {"teacher_logits": log_odds}
    if rng.random() < 0.5:
        given = {"teacher_proba": 1 / (1 + np.exp(-log_odds))}
    weight = problem.weight
    with_weight = np.ones(n, dtype=bool) if weight is None else weight > 0
    if np.isnan(log_odds[with_weight]).all(axis=0).any():
        return []  # of a label without any teacher, which is tested elsewhere
    model = MultiLabelStudent(DistilledLogisticRegression(**params))
    P = model.fit(X, Y, weight, **given).predict_proba(X)
    flags = []
    for label in range(n_labels):
        logits = np.column_stack([np.zeros(n), log_odds[:, label]])[:, None]
        logits[np.isnan(log_odds[:, label])] = np.nan
        exact = Exact(replace(problem, X=X, y=Y[:, label], logits=logits, params=params,
                              n_classes=2))  # fmt: skip
        error = np.abs(P[:, label] - exact.best_proba[:, 1])
        bound = PROBA_ATOL + (exact.proba_error(DISTANCE) if exact.active.all() else 0.0)
        if (error > bound).any():
            flags.append(f"label {label} differs by {error.max():.1e}")
    return flags


CHECKS = [label_sets]
