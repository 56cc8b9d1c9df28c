"""Random fits of the students around other models, and what each has to equal.

Each function returns, for a seed, what is wrong with one fit. The expected model is one of another
library, fitted by hand: on copies of the rows with the weights of the terms, on mixed targets, on
out-of-fold predictions, by damped Newton steps or by steps of the gradient. Where equal splits of a
tree may be chosen in another order, losses are compared instead of predictions.
"""

import traceback
import warnings
from dataclasses import replace
from functools import wraps

import numpy as np
from scipy.linalg import LinAlgWarning
from scipy.optimize import brentq
from scipy.special import softmax
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.naive_bayes import BernoulliNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from tests.fuzz.classifications import (
    DISTANCE,
    PROBA_ATOL,
    Exact,
    Problem,
    random_features,
    random_weights,
)

PRIOR = DecisionTreeRegressor(max_depth=1, random_state=0)
# whose leaves have the means of their rows
SMALL_BOOSTING = {
    "learning_rate": 1.0,
    "max_iter": 2,
    "max_leaf_nodes": 3,
    "min_samples_leaf": 1,
    "random_state": 0,
}


def flags_of(check):
    """Return a function of the seed that returns flags: differences, crashes and warnings."""

    def flags(seed):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                # teachers are random, and rare classes are missing in folds
                warnings.simplefilter("ignore", UserWarning)
                warnings.simplefilter("ignore", LinAlgWarning)  # of Ridge, on columns of any scale
                found = check(seed)
        except Exception:  # whatever it is, the seed is needed
            found = [f"crash: {traceback.format_exc(limit=-2)}"]
        return [f"{check.__name__} {seed}: {flag}" for flag in found]

    return flags


def difference(name, found, expected, rtol=1e-6):
    """Return a flag if two arrays differ, relative to the largest number."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    error = np.abs(found - expected).max()
    size = max(1.0, np.abs(expected).max())
    return [] if error <= rtol * size else [f"{name} differs by {error:.1e} of {size:.1e}"]


def excess(name, found, expected, rtol=1e-3):
    """Return a flag if a loss is above the expected one."""
    above = found - expected
    return [] if above <= rtol * max(1.0, abs(expected)) else [f"{name}: loss {above:.1e} above"]


# --- classes ----------------------------------------------------------------------------------


def unless_tied(check):
    """Return a check that flags a difference only if it stays where no gains of splits are equal.

    Equal weights and targets give equal gains, of which rounding chooses one: with weights that
    differ by up to 1 % there are none.
    """

    @wraps(check)
    def with_other_weights(seed):
        found = check(seed)
        for draw in (1, 2):
            if found:
                found = check(seed, uneven=draw)
        return found

    return with_other_weights


def uneven_weights(weight, n, draw):
    """Return weights that differ by up to 1 % from those given; the same without a draw."""
    if draw is None:
        return weight
    factor = 1 + 0.01 * np.random.default_rng([draw, 47]).random(n)
    return factor if weight is None else weight * factor


def class_problem(seed, uneven=None, **params):
    """Return a problem of classes without class weights, and its formula; T is moderate."""
    problem = Problem.draw(seed)
    problem.weight = uneven_weights(problem.weight, len(problem.X), uneven)
    rng = np.random.default_rng([seed, 41])
    problem.params |= {"class_weight": None, "temperature": float(rng.choice([0.5, 1, 2, 5]))}
    problem.params |= params
    return problem, Exact(problem), rng


def arguments(problem):
    """Return the arguments of fit, with the teachers as logits or as probabilities."""
    given = {"X": problem.X.astype(problem.dtype), "y": problem.y, "sample_weight": problem.weight}
    if problem.logits is not None:
        values = softmax(problem.logits, axis=2) if problem.as_proba else problem.logits
        name = "teacher_proba" if problem.as_proba else "teacher_logits"
        given[name] = values[:, 0] if values.shape[1] == 1 else values
    return given


def mixed_targets(exact):
    """Return (1 − λ_i) onehot(y_i) + λ_i q_i of the rows of positive weight."""
    params = exact.problem.params
    q = exact.soft_labels(params["temperature"])
    taught = q.any(axis=1)
    share = np.where(taught, np.where(exact.labelled, params["imitation"], 1.0), 0.0)[:, None]
    return (1 - share) * exact.one_hot + share * q


def copies(X, targets, weight):
    """Return each row once for each class, with the share of the class as its weight."""
    n, K = targets.shape
    share = (weight[:, None] * targets).ravel()
    some = share > 0
    return np.repeat(X, K, axis=0)[some], np.tile(np.arange(K), n)[some], share[some]


def on_simplex(v):
    """Return the projection onto the simplex of one row, by the root of Σ max(v − θ, 0) = 1."""
    theta = brentq(lambda t: np.maximum(v - t, 0).sum() - 1, v.min() - 1, v.max(), xtol=1e-14)
    return np.maximum(v - theta, 0)


def soft_targets_of_classes(seed):
    """A regressor fitted on weighted copies of the rows, or on targets mixed by hand."""
    problem, exact, rng = class_problem(seed)
    X, m = problem.X.astype(problem.dtype), mixed_targets(exact)
    kind, rows = rng.choice(["ridge", "tree", "neighbours"]), exact.rows
    regressor = {
        "ridge": Ridge(10.0 ** rng.uniform(-2, 2), solver="cholesky"),
        "tree": PRIOR,
        "neighbours": KNeighborsRegressor(int(rng.integers(1, min(4, rows.sum()) + 1))),
    }[kind]
    if kind == "neighbours":
        problem.weight, rows = None, np.ones(len(X), dtype=bool)
        exact = Exact(problem)
        m = mixed_targets(exact)
    student = SoftTargetClassifier(
        regressor,
        imitation=problem.params["imitation"],
        temperature=problem.params["temperature"],
        classes=range(problem.n_classes),
    ).fit(**arguments(problem))
    if kind == "tree":
        return excess("tree", brier(student.estimator_, X[rows], m, exact.s),
                      brier(Stump(X[rows], m, exact.s), X[rows], m, exact.s), 1e-6)  # fmt: skip
    if kind == "ridge" and X.dtype == np.float64:
        X_copies, codes, weight = copies(problem.X[rows], m, exact.s)
        expected = clone(regressor).fit(X_copies, np.eye(problem.n_classes)[codes], weight)
    elif kind == "ridge":  # in float32 it rounds: columns are up to 2^10 apart
        expected = clone(regressor).fit(X[rows], m, exact.s)
    else:
        expected = clone(regressor).fit(X, m)
    active = exact.s @ m > 0
    P = np.zeros((len(X), problem.n_classes))
    P[:, active] = [on_simplex(v) for v in expected.predict(X)[:, active]]
    return difference(kind, student.predict_proba(X), P, 1e-6 if X.dtype == float else 1e-2)


def brier(regressor, X, targets, weight):
    error = regressor.predict(X).reshape(targets.shape) - targets
    return float(weight @ (error**2).reshape(len(X), -1).sum(axis=1)) / weight.sum()


class Stump:
    """The best single split, by trying each of them."""

    def __init__(self, X, Y, weight):
        Y = Y.reshape(len(X), -1)
        mean = weight @ Y / weight.sum()
        self.split, self.means, best = None, (mean, mean), -np.inf
        for j in range(X.shape[1]):
            for threshold in np.unique(X[:, j])[:-1]:
                left = X[:, j] <= threshold
                sums = [(weight[side] @ Y[side], weight[side].sum()) for side in (left, ~left)]
                gain = sum(total @ total / size for total, size in sums)
                if gain > best:
                    best, self.split = gain, (j, threshold)
                    self.means = tuple(total / size for total, size in sums)

    def predict(self, X):
        if self.split is None:
            return np.tile(self.means[0], (len(X), 1))
        j, threshold = self.split
        return np.where(X[:, [j]] <= threshold, *self.means)


def teacher_and_student_of_classes(seed):
    """Teachers of the other folds, and the minimum of the student's objective, by hand."""
    problem, exact, rng = class_problem(seed)
    teacher = [DecisionTreeClassifier(max_depth=2, random_state=0), BernoulliNB()][rng.integers(2)]
    params = {"imitation": float(rng.choice([0.0, 0.3, 1.0])), "fit_intercept": True,
              "temperature": float(rng.choice([0.5, 1, 3])), "C": 1.0,
              "soften_student": True, "t_squared": False}  # fmt: skip
    student = DistilledLogisticRegression(classes=range(problem.n_classes), **params)
    X, y, weight, rows = problem.X, problem.y, problem.weight, exact.rows
    labelled = rows & ~np.isnan(y)
    if len(np.unique(y[labelled])) < 2 or labelled.sum() < 4:
        return []
    folds = list(KFold(int(rng.integers(2, 5)), shuffle=True, random_state=seed).split(X))
    if any(len(np.unique(y[a][labelled[a]])) < 2 for a, _ in folds):
        return []  # of a single class; their errors are tested elsewhere
    if not all(labelled[test].any() for _, test in folds):
        return []
    routed = {} if weight is None else {"sample_weight": weight}
    both = TeacherStudentClassifier(teacher, student, cv=folds, random_state=0)
    both.fit(X, y, **routed)
    q = np.full((len(X), problem.n_classes), np.nan)
    for train, test in [*folds, (np.arange(len(X)), np.flatnonzero(~labelled))]:
        used, asked = train[labelled[train]], test[rows[test]]
        if len(asked):
            fitted = clone(teacher).fit(X[used], y[used], *(w[used] for w in routed.values()))
            q[asked] = 0.0
            q[np.ix_(asked, fitted.classes_.astype(int))] = fitted.predict_proba(X[asked])
    with np.errstate(divide="ignore"):
        exact = Exact(replace(problem, logits=np.log(q)[:, None], params=problem.params | params))
    if exact.active.sum() == 1:
        return difference("student", both.predict_proba(X), exact.best_proba, 1e-12)
    error = np.abs(both.predict_proba(X) - exact.best_proba).max(axis=1)
    too_large = error > PROBA_ATOL + exact.proba_error(DISTANCE)
    return [f"student differs by {error[too_large].max():.1e}"] if too_large.any() else []


def networks_of_classes(seed):
    """Steps of the gradient over all rows, of a linear network, in plain NumPy."""
    import torch

    problem, exact, rng = class_problem(seed, fit_intercept=True)
    X, K = np.clip(problem.X, -3, 3), problem.n_classes
    torch.manual_seed(seed)
    module = torch.nn.Linear(X.shape[1], K).double()
    lr, n_steps = float(rng.choice([0.01, 0.1])), 4
    params = {name: problem.params[name] for name in (
        "imitation", "temperature", "soften_student", "t_squared")}  # fmt: skip
    student = DistilledNeuralClassifier(
        module, optimizer="sgd", lr=lr, max_epochs=n_steps, batch_size=1000, precision="float64",
        classes=range(K), random_state=0, **params,
    ).fit(**arguments(problem) | {"X": X})  # fmt: skip
    A, terms = exact.parts
    ones = np.column_stack([X[exact.rows], np.ones(exact.rows.sum())])
    W = np.column_stack([module.weight.detach(), module.bias.detach()])
    for _ in range(n_steps):
        Z = ones @ W.T
        R = -A + sum(c[:, None] / T * softmax(Z / T, axis=1) for c, T in terms)
        W = W - lr * (R.T @ ones) / exact.weight_sum
    Z = np.column_stack([X, np.ones(len(X))]) @ W.T
    return difference("scores", student.predict_proba(X), softmax(Z, axis=1), 1e-8)


@unless_tied
def boosting_of_classes(seed, uneven=None):
    """The library's own classifier: on the labels, and on copies of the rows."""
    problem, exact, rng = class_problem(seed, uneven, soften_student=False, t_squared=False)
    X, rows, K = problem.X, exact.rows, problem.n_classes
    estimator = HistGradientBoostingClassifier(**SMALL_BOOSTING)
    kind = rng.choice(["labels", "one-hot", "copies"])
    given = arguments(problem) | {"X": X}
    if kind != "copies":
        y = np.where(np.isnan(problem.y), 0, problem.y)
        if len(np.unique(y[rows])) < K:
            return []
        given |= {"y": y}
        given.pop("teacher_proba", None)
        given.pop("teacher_logits", None)
        if kind == "one-hot":
            given["teacher_proba"] = np.eye(K)[y.astype(int)]
        student = DistilledBoostingClassifier(estimator, imitation=float(kind == "one-hot"))
        student.fit(**given)
        expected = clone(estimator).fit(X[rows], y[rows],
                                        None if problem.weight is None else exact.s)  # fmt: skip
        return difference(kind, student.predict_proba(X), expected.predict_proba(X), 1e-6)
    m = mixed_targets(exact)
    if not exact.active.all():
        return []
    student = DistilledBoostingClassifier(
        estimator,
        imitation=problem.params["imitation"],
        temperature=problem.params["temperature"],
        soften_student=False,
        classes=range(K),
    ).fit(**given)
    expected = clone(estimator).fit(*copies(X[rows], m, exact.s))
    losses = [
        -(exact.s[:, None] * m * np.log(one.predict_proba(X[rows]).clip(1e-16))).sum()
        / exact.s.sum()
        for one in (student, expected)
    ]
    return excess(kind, *losses, 1e-3)


# --- numbers ----------------------------------------------------------------------------------


def number_problem(seed):
    """Return X, y, predictions (n, M), weights, λ, and the rows of positive weight."""
    rng = np.random.default_rng([seed, 43])
    n, d = int(rng.integers(8, 100)), int(rng.integers(1, 7))
    X, _ = random_features(rng, n, d)
    X = np.clip(X, -5, 5)
    y = X @ rng.normal(size=d) + rng.choice([0.1, 3]) * rng.normal(size=n)
    M = int(rng.choice([1, 1, 2, 3]))
    t = y[:, None] + rng.normal(size=(n, M))
    y[rng.random(n) < rng.choice([0, 0.3, 0.9])] = np.nan
    t[rng.random((n, M)) < rng.choice([0, 0.3])] = np.nan
    neither = np.isnan(y) & np.isnan(t).all(axis=1)
    y[neither] = rng.normal(size=neither.sum())
    weight = random_weights(rng, n)
    rows = np.ones(n, dtype=bool) if weight is None else weight > 0
    imitation = float(rng.choice([0, 0.3, 1.0, rng.random()]))
    if np.isnan(t[rows]).all():
        t[np.flatnonzero(rows)[0]] = 1.0
    return X, y, t, weight, imitation, rows, rng


def as_argument(t):
    """Return one teacher as (n,), several as (n, n_teachers, 1)."""
    return t[:, 0] if t.shape[1] == 1 else t[:, :, None]


def number_copies(X, y, t, weight, imitation, rows):
    """Return each row once for its label and once for the mean prediction, with their weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(t, axis=1)
    share = np.where(np.isnan(mean), 0.0, np.where(np.isnan(y), 1.0, imitation))
    s = np.ones(len(X)) if weight is None else weight
    numbers = np.concatenate([y[rows], mean[rows]])
    weights = np.concatenate([(s * (1 - share))[rows], (s * share)[rows]])
    some = weights > 0
    return np.vstack([X[rows]] * 2)[some], numbers[some], weights[some]


def soft_targets_of_numbers(seed):
    X, y, t, weight, imitation, rows, rng = number_problem(seed)
    dtype = np.float32 if rng.random() < 0.2 else np.float64
    regressor = [Ridge(1.0, solver="cholesky"), PRIOR][rng.integers(2)]
    student = SoftTargetRegressor(regressor, imitation=imitation)
    student.fit(X.astype(dtype), y, weight, teacher_prediction=as_argument(t))
    X_copies, numbers, weights = number_copies(X, y, t, weight, imitation, rows)
    if isinstance(regressor, Ridge):
        expected = clone(regressor).fit(X_copies, numbers, weights)
        return difference("ridge", student.predict(X.astype(dtype)), expected.predict(X),
                          1e-8 if dtype == np.float64 else 1e-3)  # fmt: skip
    found = [brier(one, X_copies, numbers, weights)
             for one in (student, Stump(X_copies, numbers, weights))]  # fmt: skip
    return excess("tree", *found, 1e-6)


def teacher_and_student_of_numbers(seed):
    X, y, _, weight, imitation, rows, rng = number_problem(seed)
    labelled = rows & ~np.isnan(y)
    folds = list(KFold(int(rng.integers(2, 5)), shuffle=True, random_state=seed).split(X))
    if any(labelled[train].sum() < 2 or not labelled[test].any() for train, test in folds):
        return []
    teacher = [Ridge(1.0), DecisionTreeRegressor(max_depth=2, random_state=0)][rng.integers(2)]
    student = SoftTargetRegressor(Ridge(1.0), imitation=imitation)
    routed = {} if weight is None else {"sample_weight": weight}
    both = TeacherStudentRegressor(teacher, student, cv=folds, random_state=0).fit(X, y, **routed)
    t = np.full(len(X), np.nan)
    for train, test in [*folds, (np.arange(len(X)), np.flatnonzero(~labelled))]:
        used, asked = train[labelled[train]], test[rows[test]]
        if len(asked):
            fitted = clone(teacher).fit(X[used], y[used], *(w[used] for w in routed.values()))
            t[asked] = fitted.predict(X[asked])
    by_hand = Ridge(1.0).fit(*number_copies(X, y, t[:, None], weight, imitation, rows))
    return difference("student", both.predict(X), by_hand.predict(X), 1e-8)


def networks_of_numbers(seed):
    import torch

    X, y, t, weight, imitation, rows, rng = number_problem(seed)
    t = t[:, :1]
    neither = np.isnan(y) & np.isnan(t[:, 0])
    y[neither], t[np.flatnonzero(rows)[0]] = 0.0, 1.0
    torch.manual_seed(seed)
    module = torch.nn.Linear(X.shape[1], 1).double()
    lr, n_steps = float(rng.choice([0.001, 0.01])), 4
    student = DistilledNeuralRegressor(
        module, optimizer="sgd", lr=lr, max_epochs=n_steps, batch_size=1000, precision="float64",
        imitation=imitation, normalize_y=False, random_state=0,
    ).fit(X, y, weight, teacher_prediction=as_argument(t))  # fmt: skip
    X_copies, numbers, weights = number_copies(X, y, t, weight, imitation, rows)
    ones = np.column_stack([X_copies, np.ones(len(X_copies))])
    w = np.append(module.weight.detach(), module.bias.detach())
    total = rows.sum() if weight is None else weight[rows].sum()
    for _ in range(n_steps):
        w = w - lr * 2 * ((ones @ w - numbers) * weights) @ ones / total
    expected = X @ w[:-1] + w[-1]
    return difference("predictions", student.predict(X), expected, 1e-8)


def boosting_of_numbers(seed):
    """The library's own regressor on copies of the rows; losses, for splits may be equal."""
    X, y, t, weight, imitation, rows, rng = number_problem(seed)
    loss = str(rng.choice(["squared_error", "absolute_error"]))
    estimator = HistGradientBoostingRegressor(loss, **SMALL_BOOSTING)
    student = DistilledBoostingRegressor(estimator, imitation=imitation)
    student.fit(X, y, weight, teacher_prediction=as_argument(t))
    X_copies, numbers, weights = number_copies(X, y, t, weight, imitation, rows)
    # the median of an even number of rows is another one with weights, even if they are all 1
    given = (weights,) if weight is not None or (weights != 1).any() else ()
    expected = clone(estimator).fit(X_copies, numbers, *given)
    power = 2 if loss == "squared_error" else 1
    losses = [
        float(weights @ np.abs(one.predict(X_copies) - numbers) ** power) / weights.sum()
        for one in (student, expected)
    ]
    return excess(loss, *losses, 1e-3)


CHECKS = [
    soft_targets_of_classes,
    soft_targets_of_numbers,
    teacher_and_student_of_classes,
    teacher_and_student_of_numbers,
    networks_of_classes,
    networks_of_numbers,
    boosting_of_classes,
    boosting_of_numbers,
]
