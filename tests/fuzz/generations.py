"""Random chains of generations, each minimised anew by damped Newton steps.

Of the package only the estimator is used: objective, targets, and the chains of the folds are
written from the documented formula.
"""

from dataclasses import replace

import numpy as np
from sklearn.model_selection import KFold

from sklearn_distill import BornAgainClassifier, DistilledLogisticRegression
from tests.fuzz.classifications import Exact, Problem, kept

PROBA_ATOL = (
    1e-4  # errors of 1e-6 grow by temperatures below 1, and from one generation to the next
)
SURE = 1e-3  # a larger difference between two probabilities is the same in both computations


class Generations:
    """The probabilities of each generation, by the formula."""

    def __init__(self, problem, labels):
        self.problem = problem
        self.labels = labels
        self.smallest_margin = np.inf
        self.labelled = ~np.isnan(problem.y)

    def first(self, rows):
        """Return the probabilities of the first generation, trained on the labels of rows."""
        return self._fit(rows & self.labelled, None)

    def following(self, rows, P):
        """Return those of the generation that is trained on rows with predictions P."""
        margin = np.diff(np.sort(P[rows], axis=1)[:, -2:], axis=1)
        self.smallest_margin = min(self.smallest_margin, np.nanmin(margin, initial=np.inf))
        if self.labels == "hard":
            hard = np.eye(P.shape[1])[P.argmax(axis=1)]
            P = np.where(np.isnan(P), np.nan, hard)
        with np.errstate(divide="ignore"):
            return self._fit(rows, np.log(P)[:, None])

    def in_sample(self, rows, n):
        """Return the probabilities of n generations, each trained on the previous one's."""
        chain = [self.first(rows)]
        while len(chain) < n:
            chain.append(self.following(rows, chain[-1]))
        return chain

    def out_of_fold(self, rows, n, folds):
        """Return those of generations trained on predictions of the folds' own chains."""
        unlabelled = rows & ~self.labelled
        chain, of_folds = [self.first(rows)], []
        for train, test in folds:
            mask = np.zeros(len(rows), dtype=bool)
            mask[train] = True
            of_folds.append((test, self.in_sample(mask & rows & self.labelled | unlabelled, n)))
        for g in range(n - 1):
            P = np.full_like(chain[-1], np.nan)
            for test, of_fold in of_folds:
                P[test] = of_fold[g][test]
            P[unlabelled] = chain[-1][unlabelled]
            chain.append(self.following(rows, P))
        return chain

    def _fit(self, rows, logits):
        weight = np.ones(len(rows)) if self.problem.weight is None else self.problem.weight
        imitation = 0.0 if logits is None else self.problem.params["imitation"]
        exact = Exact(
            replace(
                self.problem,
                logits=logits,
                weight=np.where(rows, weight, 0.0),
                params=self.problem.params | {"imitation": imitation},
            )
        )
        return exact.best_proba


def generations(seed):
    """Generations of linear students, in sample or by folds, on probabilities or on classes."""
    problem = Problem.draw(seed)
    rng = np.random.default_rng([seed, 47])
    scale = np.abs(problem.X).max(axis=0)
    problem = replace(problem, logits=None, X=problem.X / np.where(scale > 0, scale, 1))
    problem.y[rng.random(len(problem.y)) < rng.choice([0, 0.3])] = np.nan
    params = problem.params = problem.params | {
        "C": 10.0 ** rng.uniform(-2, 2),
        "temperature": float(rng.choice([0.5, 1, 2, 5])),
        "imitation": float(rng.choice([0.3, 0.7, 1.0])),
        "class_weight": None,
    }
    rows = kept(problem.weight, len(problem.X))
    labelled = rows & ~np.isnan(problem.y)
    if len(np.unique(problem.y[labelled])) < 2:
        return []
    labels, n, ensemble = rng.choice(["soft", "hard"]), int(rng.integers(2, 5)), rng.random() < 0.3
    folds = None
    if rng.random() < 0.4 and labelled.sum() > 4:
        folds = list(KFold(2, shuffle=True, random_state=seed).split(np.flatnonzero(labelled)))
        folds = [tuple(np.flatnonzero(labelled)[part] for part in fold) for fold in folds]
    student = DistilledLogisticRegression(
        **params | {"solver": "auto", "tol": 1e-6, "max_iter": 1000},
        classes=range(problem.n_classes),
    )
    model = BornAgainClassifier(
        student, n_generations=n, labels=str(labels), imitation=params["imitation"],
        cv=folds, ensemble=bool(ensemble), random_state=0,
    )  # fmt: skip
    model.fit(problem.X, problem.y, problem.weight)
    by_hand = Generations(problem, labels)
    chain = by_hand.in_sample(rows, n) if folds is None else by_hand.out_of_fold(rows, n, folds)
    if labels == "hard" and by_hand.smallest_margin < SURE:
        return []  # either class may be the most probable one
    expected = np.mean(chain, axis=0) if ensemble else chain[-1]
    error = np.abs(model.predict_proba(problem.X) - expected).max()
    return [] if error <= PROBA_ATOL else [f"{n} generations, {labels}: differ by {error:.1e}"]
