"""Random searches of PrivilegedLinearRegressionCV, and the same folds fitted one by one."""

from itertools import product

import numpy as np
from sklearn.model_selection import KFold

from sklearn_distill import PrivilegedLinearRegressionCV
from tests.fuzz.students import difference, number_problem

ALPHAS, IMITATIONS, RATIOS = [0.1, 1.0, 100.0], [0.0, 0.4, 1.0], [0.2, 5.0]


def linear_searches(seed):
    """Scores of all settings, and the coefficients of the best one, by least squares on rows."""
    X, y, t, weight, _, rows, rng = number_problem(seed)
    t, labelled = t[:, 0], ~np.isnan(y)
    t[~labelled & np.isnan(t)] = 1.0
    s = np.ones(len(X)) if weight is None else weight
    validated = np.flatnonzero(labelled & rows)
    n_splits = int(rng.integers(2, 5))
    if len(validated) < 2 * n_splits or np.isnan(t[rows]).all():
        return []
    intercept = bool(rng.random() < 0.7)
    search = PrivilegedLinearRegressionCV(
        alphas=ALPHAS,
        imitations=IMITATIONS,
        noise_ratios=RATIOS,
        cv=KFold(n_splits, shuffle=True, random_state=0),
        fit_intercept=intercept,
        solver=str(rng.choice(["auto", "gram", "tsqr"])),
    ).fit(X, y, weight, teacher_prediction=t)
    if settings_of(labelled[rows], ~np.isnan(t[rows])) != settings_tried(search):
        return [f"settings {settings_tried(search)}"]
    by_hand = ByHand(X, y, t, s, intercept)
    splits = list(KFold(n_splits, shuffle=True, random_state=0).split(validated))
    expected = np.empty((len(search.cv_results_["params"]), n_splits))
    for f, (_, test) in enumerate(splits):
        held_out = validated[test]
        train = np.setdiff1d(np.flatnonzero(rows), held_out)
        for i, params in enumerate(search.cv_results_["params"]):
            coef, bias = by_hand.fit(train, **params)
            error = y[held_out] - X[held_out] @ coef - bias
            expected[i, f] = -(s[held_out] @ error**2) / s[held_out].sum()
    found = np.column_stack([search.cv_results_[f"split{f}_test_score"] for f in range(n_splits)])
    means = expected.mean(axis=1)
    size = np.abs(expected).max()
    flags = difference("scores", found, expected, 1e-7)
    if means[search.best_index_] < means.max() - 1e-7 * size:
        flags.append(f"chosen {means[search.best_index_]}, best {means.max()}")
    coef, bias = by_hand.fit(
        np.flatnonzero(rows),
        alpha=search.alpha_,
        imitation=search.imitation_,
        noise_ratio=search.noise_ratio_,
    )
    return flags + difference("predictions", search.predict(X), X @ coef + bias, 1e-7)


def settings_of(labelled, taught):
    """Return the settings that are to be tried: those that may differ."""
    imitations = IMITATIONS if (labelled & taught).any() else IMITATIONS[:1]
    ratios = [1.0] if (labelled & taught).all() else RATIOS
    return set(product(ALPHAS, imitations, ratios))


def settings_tried(search):
    names = ("alpha", "imitation", "noise_ratio")
    return {tuple(float(one[name]) for name in names) for one in search.cv_results_["params"]}


class ByHand:
    """Minimise Σ s a (y'/a − x·β − b)² + α‖β‖², with a = c_y + c_s and y' = c_y y + c_s t."""

    def __init__(self, X, y, t, s, fit_intercept):
        self.X, self.s, self.fit_intercept = X, s, fit_intercept
        self.y, self.t = np.nan_to_num(y), np.nan_to_num(t)
        self.labelled, self.taught = ~np.isnan(y), ~np.isnan(t)

    def fit(self, train, alpha, imitation, noise_ratio):
        c_y = np.where(self.labelled, np.where(self.taught, 1 - imitation, 1.0), 0.0)
        c_s = np.where(self.taught, np.where(self.labelled, imitation, 1.0), 0.0) * noise_ratio
        a = c_y + c_s
        used = train[a[train] > 0]
        w = (self.s * a)[used]
        target = (c_y * self.y + c_s * self.t)[used] / a[used]
        X = self.X[used]
        x_mean = w @ X / w.sum() if self.fit_intercept else np.zeros(X.shape[1])
        t_mean = w @ target / w.sum() if self.fit_intercept else 0.0
        root = np.sqrt(w)[:, None]
        stacked = np.vstack([root * (X - x_mean), np.sqrt(alpha) * np.eye(X.shape[1])])
        right = np.append(root[:, 0] * (target - t_mean), np.zeros(X.shape[1]))
        coef = np.linalg.lstsq(stacked, right)[0]
        return coef, t_mean - x_mean @ coef


CHECKS = [linear_searches]
