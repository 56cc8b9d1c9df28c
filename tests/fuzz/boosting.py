"""Random boosted students of LightGBM, XGBoost and CatBoost, and what each has to equal.

The same trees are grown by the library's own training function, on gradients and Hessians written
by hand, from the best constant scores. Of the package only the estimators are used. Where splits of
equal gain are chosen in another order, losses are compared instead of predictions.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import softmax

from sklearn_distill import DistilledBoostingClassifier, DistilledBoostingRegressor
from tests.fuzz.newton import Objectives, minimise
from tests.fuzz.students import (
    arguments,
    as_argument,
    class_problem,
    difference,
    number_problem,
    uneven_weights,
    unless_tied,
)

N_TREES = 3
LIGHT = {"num_leaves": 4, "learning_rate": 0.5, "min_child_samples": 2, "verbose": -1,
         "min_child_weight": 1e-3, "reg_lambda": 0.1, "random_state": 0, "n_jobs": 1}  # fmt: skip
EXTREME = {"max_depth": 2, "learning_rate": 0.5, "min_child_weight": 0.1, "reg_lambda": 1.0,
           "tree_method": "hist", "random_state": 0, "n_jobs": 1}  # fmt: skip
EXTREME_PARAMS = {"disable_default_eval_metric": True, "nthread": 1, **EXTREME}
del EXTREME_PARAMS["n_jobs"]
# without the samples and permutations that it draws; a single step for the values of the leaves
CAT = {"depth": 2, "learning_rate": 0.5, "l2_leaf_reg": 1.0, "boosting_type": "Plain",
       "bootstrap_type": "No", "random_strength": 0, "leaf_estimation_method": "Newton",
       "leaf_estimation_iterations": 1, "leaf_estimation_backtracking": "No", "random_seed": 0,
       "boost_from_average": False, "score_function": "L2",
       "allow_writing_files": False, "thread_count": 1, "verbose": False}  # fmt: skip
SAME, SAME_LOSS = 1e-4, 0.005  # of single precision; of trees of equal gains


# --- classes --------------------------------------------------------------------------------------


def problem_of_classes(seed, uneven=None, **params):
    """Return a problem without columns or rows that are equal, whose splits would be."""
    problem, exact, rng = class_problem(seed, uneven, **params)
    scale = np.abs(problem.X).max(axis=0)
    X = problem.X / np.where(scale > 0, scale, 1) + 0.1 * rng.normal(size=problem.X.shape)
    problem.X, problem.dtype = X, np.float64
    return problem, exact


def student_of_classes(model, problem):
    params = {name: problem.params[name]
              for name in ("imitation", "temperature", "soften_student", "t_squared")}  # fmt: skip
    student = DistilledBoostingClassifier(model, classes=range(problem.n_classes), **params)
    return student.fit(**arguments(problem))


def start_of(exact):
    """Return the best constant scores: the minimum over an intercept alone."""
    A, terms = exact.parts
    terms = [(weight[None], np.array([T])) for weight, T in terms]
    ones = np.ones((len(A), 1))
    return minimise(Objectives(ones, A[None], terms, np.ones(1)))[0, :, 0]


def derivatives(exact, Z):
    """Return the gradients and the Hessians' diagonals of the rows, (n, n_scores)."""
    A, terms = exact.parts
    n_scores = Z.shape[1]
    Z = np.column_stack([np.zeros(len(Z)), Z]) if n_scores == 1 else Z
    gradient, hessian = -A, np.zeros_like(A)
    for weight, T in terms:
        P = softmax(Z / T, axis=1)
        gradient = gradient + (weight / T)[:, None] * P
        hessian = hessian + (weight / T**2)[:, None] * P * (1 - P)
    return gradient[:, -n_scores:], hessian[:, -n_scores:]


def class_flags(exact, found, scores):
    """Compare probabilities with those of scores, or losses if splits of equal gain differ."""
    Z = np.column_stack([np.zeros(len(scores)), scores]) if scores.shape[1] == 1 else scores
    expected = softmax(Z, axis=1)
    flags = difference("probabilities", found, expected, SAME)
    losses = [
        -(exact.parts[0] * np.log(P[exact.rows].clip(1e-16))).sum() / exact.weight_sum
        for P in (found, expected)
    ]
    return flags if abs(losses[0] - losses[1]) > SAME_LOSS else []


@unless_tied
def lightgbm_of_classes(seed, uneven=None):
    """LightGBM's train with an objective in Python."""
    lightgbm = pytest.importorskip("lightgbm")
    problem, exact = problem_of_classes(seed, uneven)
    if not exact.active.all() or exact.rows.sum() < 10:
        return []  # an objective in Python fails where no column can be split
    K = problem.n_classes
    student = student_of_classes(lightgbm.LGBMClassifier(n_estimators=N_TREES, **LIGHT), problem)
    start, rows = start_of(exact), exact.rows
    factor = K / (K - 1) if K > 2 else 1.0  # the library's, of its own objective

    def objective(raw, data):
        g, h = derivatives(exact, raw.reshape(len(start), -1).T if raw.ndim == 1 else raw)
        return (g, factor * h) if K > 2 else (g[:, 0], h[:, 0])

    params = LIGHT | {"objective": objective, "num_class": K if K > 2 else 1}
    scores = np.tile(start, (rows.sum(), 1))
    data = lightgbm.Dataset(problem.X[rows], np.zeros(rows.sum()),
                            init_score=scores if K > 2 else scores[:, 0])  # fmt: skip
    trees = lightgbm.train(params, data, N_TREES)
    raw = trees.predict(problem.X, raw_score=True).reshape(len(problem.X), -1)
    return class_flags(exact, student.predict_proba(problem.X), raw + start)


@unless_tied
def xgboost_of_classes(seed, uneven=None):
    """XGBoost's train with an objective in Python."""
    xgboost = pytest.importorskip("xgboost")
    problem, exact = problem_of_classes(seed, uneven)
    if not exact.active.all():
        return []
    K = problem.n_classes
    if exact.rows.sum() < K:
        return []  # an error
    student = student_of_classes(xgboost.XGBClassifier(n_estimators=N_TREES, **EXTREME), problem)
    start, rows = start_of(exact), exact.rows
    factor = 2.0 if K > 2 else 1.0  # the library's, of its own objective

    def objective(raw, data):
        g, h = derivatives(exact, raw.reshape(rows.sum(), -1))
        return g, factor * h

    data, asked = (
        xgboost.DMatrix(X, np.zeros(len(X)), base_margin=np.tile(start, (len(X), 1)))
        for X in (problem.X[rows], problem.X)
    )
    params = EXTREME_PARAMS | {"num_class": K if K > 2 else 1}
    trees = xgboost.train(params, data, N_TREES, obj=objective)
    scores = trees.predict(asked, output_margin=True).reshape(len(problem.X), -1)
    return class_flags(exact, student.predict_proba(problem.X), scores)


@unless_tied
def catboost_of_classes(seed, uneven=None):
    """CatBoost's train with an objective in Python, of two classes and an unsoftened student."""
    catboost = pytest.importorskip("catboost")
    problem, exact = problem_of_classes(seed, uneven, soften_student=False, t_squared=False)
    if problem.n_classes > 2 or not exact.active.all():
        return []
    if np.ptp(exact.parts[0][:, 1] / exact.parts[0].sum(axis=1)) == 0:
        return []  # each row has the same target, which is an error
    student = student_of_classes(catboost.CatBoostClassifier(iterations=N_TREES, **CAT), problem)
    A, terms = exact.parts
    weight = sum(of_term for of_term, _ in terms)
    target = A[:, 1] / weight

    class Objective:
        def calc_ders_range(self, approxes, targets, weights):
            P = 1 / (1 + np.exp(-np.array(approxes)))
            return [
                (float(w * (t - p)), float(-w * p * (1 - p)))
                for p, t, w in zip(P, targets, weights, strict=True)
            ]

    rows = exact.rows
    data = catboost.Pool(problem.X[rows], target, weight=weight)
    params = CAT | {"iterations": N_TREES, "loss_function": Objective(), "eval_metric": "RMSE"}
    trees = catboost.train(data, params)
    scores = trees.predict(problem.X, prediction_type="RawFormulaVal")[:, None]
    return class_flags(exact, student.predict_proba(problem.X), scores)


# --- numbers --------------------------------------------------------------------------------------


@dataclass
class Numbers:
    """The arguments of a fit, and Σ s [(1 − λ_i) (f − y)² + λ_i (f − t)²] / 2 of its rows."""

    given: dict
    imitation: float
    X: np.ndarray  # of the rows of positive weight, like all below
    y: np.ndarray
    t: np.ndarray
    share: np.ndarray
    s: np.ndarray

    @classmethod
    def draw(cls, seed, uneven):
        X, y, t, weight, imitation, rows, rng = number_problem(seed)
        weight = uneven_weights(weight, len(X), uneven)
        X = X + 0.1 * rng.normal(size=X.shape)  # no columns or rows that are equal
        given = {"X": X, "y": y, "sample_weight": weight, "teacher_prediction": as_argument(t)}
        has_teacher = ~np.isnan(t).all(axis=1)
        mean = np.array([of_row[~np.isnan(of_row)].sum() for of_row in t])
        mean /= (~np.isnan(t)).sum(axis=1).clip(1)
        share = np.where(has_teacher, np.where(np.isnan(y), 1.0, imitation), 0.0)
        s = np.ones(len(X)) if weight is None else weight
        return cls(given, imitation, *(a[rows] for a in (X, np.nan_to_num(y), mean, share, s)))

    @property
    def best_constant(self):
        return self.s @ ((1 - self.share) * self.y + self.share * self.t) / self.s.sum()

    def fit(self, model):
        return DistilledBoostingRegressor(model, imitation=self.imitation).fit(**self.given)

    def derivatives(self, f):
        of_labels, of_teacher = (1 - self.share) * (f - self.y), self.share * (f - self.t)
        return self.s * (of_labels + of_teacher), self.s.copy()


@unless_tied
def lightgbm_of_numbers(seed, uneven=None):
    """LightGBM's train with an objective in Python."""
    lightgbm = pytest.importorskip("lightgbm")
    problem = Numbers.draw(seed, uneven)
    student = problem.fit(lightgbm.LGBMRegressor(n_estimators=N_TREES, **LIGHT))
    start, n = problem.best_constant, len(problem.X)
    if n < 10:
        return []  # an objective in Python fails where no column can be split

    def objective(predictions, data):
        return problem.derivatives(predictions)

    data = lightgbm.Dataset(problem.X, np.zeros(n), init_score=np.full(n, start))
    trees = lightgbm.train(LIGHT | {"objective": objective}, data, N_TREES)
    X = problem.X  # on other rows splits at other columns, with the same gain, would differ
    return difference("predictions", student.predict(X), trees.predict(X) + start, SAME)


@unless_tied
def xgboost_of_numbers(seed, uneven=None):
    """XGBoost's train with an objective in Python."""
    xgboost = pytest.importorskip("xgboost")
    problem = Numbers.draw(seed, uneven)
    student = problem.fit(xgboost.XGBRegressor(n_estimators=N_TREES, **EXTREME))

    def objective(predictions, data):
        return problem.derivatives(predictions)

    data, asked = (
        xgboost.DMatrix(X, np.zeros(len(X)), base_margin=np.full(len(X), problem.best_constant))
        for X in (problem.X, problem.given["X"])
    )
    trees = xgboost.train(EXTREME_PARAMS, data, N_TREES, obj=objective)
    found = student.predict(problem.given["X"])
    return difference("predictions", found, trees.predict(asked), SAME)


@unless_tied
def catboost_of_numbers(seed, uneven=None):
    """CatBoost's train with an objective in Python."""
    catboost = pytest.importorskip("catboost")
    problem = Numbers.draw(seed, uneven)
    # the library shuffles the rows, and hands on one target and one weight of each
    target = -problem.derivatives(0.0)[0] / problem.s
    if np.ptp(target) == 0:
        return []
    student = problem.fit(catboost.CatBoostRegressor(iterations=N_TREES, **CAT))

    class Objective:
        def calc_ders_range(self, approxes, targets, weights):
            rows = zip(approxes, targets, weights, strict=True)
            return [(w * (y - f), -w) for f, y, w in rows]

    params = CAT | {"iterations": N_TREES, "loss_function": Objective(), "eval_metric": "RMSE"}
    trees = catboost.train(catboost.Pool(problem.X, target, weight=problem.s), params)
    X = problem.given["X"]
    return difference("predictions", student.predict(X), trees.predict(X), SAME)


CHECKS = [
    lightgbm_of_classes,
    lightgbm_of_numbers,
    xgboost_of_classes,
    xgboost_of_numbers,
    catboost_of_classes,
    catboost_of_numbers,
]
