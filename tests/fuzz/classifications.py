r"""Random problems of the linear classifier, and their minimum by damped Newton steps.

``flags(seed)`` fits one of them and returns what is wrong with the fit. Of the package only the
estimator is used: the objective is written anew from the documented formula.
"""

import time
import traceback
import warnings
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning

from sklearn_distill import DistilledLogisticRegression
from tests.fuzz.newton import Objectives, minimise, solve

MOST_SECONDS = 30  # of CPU time, beyond which a problem counts as hanging
# At the default tol: how far the mean over the samples is above the minimum, in nats, and by how
# much probabilities differ. The distance to the minimum, in the Hessian's norm, is estimated to be
# below 1e-7; a row of little weight may depend on it more.
LARGEST_EXCESS, PROBA_ATOL, DISTANCE = 1e-9, 1e-6, 3e-6
# Where float32 hides further progress, the value is above the minimum by at most this share of that
# at zero.
FLOAT32_SHARE = 1e-5
TEMPERATURES = (0.05, 0.3, 1.0, 1.0, 3.0, 10.0, 50.0)


@dataclass
class Problem:
    """The arguments of a fit. ``logits`` (n, M, K) and ``y`` are NaN where they are missing."""

    X: np.ndarray
    y: np.ndarray
    logits: np.ndarray | None
    weight: np.ndarray | None
    params: dict
    n_classes: int
    storage: str = "dense"
    dtype: type = np.float64
    scaled: bool = True
    as_proba: bool = False

    @classmethod
    def draw(cls, seed):
        rng = np.random.default_rng([seed, 23])
        K, (n, d) = int(rng.integers(2, 7)), shape(rng)
        X, scaled = random_features(rng, n, d)
        spread = X - X.mean(axis=0)
        spread /= np.where(spread.any(axis=0), np.abs(spread).max(axis=0), 1)
        Z = rng.choice([0.5, 2, 8]) * spread @ rng.normal(size=(d, K)) / np.sqrt(d)
        if rng.random() < 0.3:  # rare classes
            Z -= 2.0 * np.arange(K)
        y = (softmax(Z, axis=1).cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
        y = y.clip(0, K - 1).astype(float)
        logits = None if rng.random() < 0.15 else random_teachers(rng, Z)
        if logits is not None and rng.random() < 0.4:
            taught = ~np.isnan(logits).all(axis=(1, 2))
            y[taught & (rng.random(n) < rng.choice([0.2, 0.7, 1.0]))] = np.nan
        weight = random_weights(rng, n)
        has_teacher = logits is not None and not np.isnan(logits[kept(weight, n)]).all()
        return cls(X, y, logits, weight, random_params(rng, K, has_teacher), K,
                   storage=str(rng.choice(["dense", "dense", "fortran", "csr", "csc"])),
                   dtype=np.float32 if rng.random() < 0.15 else np.float64,
                   scaled=scaled,
                   as_proba=bool(rng.random() < 0.5))  # fmt: skip

    def fit(self, **params):
        X = self.X.astype(self.dtype)
        if self.storage != "dense":
            X = {"csr": sparse.csr_array, "csc": sparse.csc_array, "fortran": np.asfortranarray}[
                self.storage
            ](X)
        teacher = {}
        if self.logits is not None:
            given = softmax(self.logits, axis=2) if self.as_proba else self.logits
            name = "teacher_proba" if self.as_proba else "teacher_logits"
            teacher = {name: given[:, 0] if given.shape[1] == 1 else given}
        params = {"classes": range(self.n_classes), **self.params, **params}
        student = DistilledLogisticRegression(**params)
        return student.fit(X, self.y, self.weight, **teacher)


def shape(rng):
    """Return n and d, sometimes more columns than rows, seldom above 100."""
    kind = rng.random()
    if kind < 0.75:
        return int(rng.integers(4, 150)), int(rng.integers(1, 10))
    if kind < 0.97:
        return int(rng.integers(4, 20)), int(rng.integers(10, 30))
    return int(rng.integers(20, 150)), int(rng.integers(101, 130))


def random_features(rng, n, d):
    """Return columns of which some are constant, equal, sparse or shifted, and if they are scaled.

    They are numbers of float32, so that X is the same in either precision.
    """
    X = rng.normal(size=(n, d))
    if rng.random() < 0.4:
        X *= rng.random((n, d)) < rng.choice([0.1, 0.5])
    if rng.random() < 0.2:
        X[:, rng.integers(d)] = rng.choice([0.0, 1.0, -3.0])
    if rng.random() < 0.2:
        X[:, rng.integers(d)] = X[:, rng.integers(d)]
    if rng.random() < 0.15:
        X += 20 * rng.normal(size=d)
    scaled = bool(rng.random() < 0.7)
    if not scaled:
        X *= 2.0 ** rng.integers(-10, 10, size=d)
    return X.astype(np.float32).astype(np.float64), scaled


def random_teachers(rng, Z):
    """Return logits of 1-3 teachers, some of whose predictions are missing or certain."""
    n, K = Z.shape
    M = int(rng.choice([1, 1, 1, 2, 3]))
    noise = rng.choice([0.0, 1.0, 3.0]) * rng.normal(size=(n, M, K))
    logits = rng.choice([0.3, 1, 1, 4]) * (Z[:, None] + noise)
    if rng.random() < 0.2:
        impossible = rng.random(logits.shape) < 0.3
        impossible[..., 0] = False
        logits[impossible] = -np.inf
    logits[rng.random((n, M)) < rng.choice([0, 0, 0.2, 0.6])] = np.nan
    return logits


def random_weights(rng, n):
    if rng.random() < 0.5:
        return None
    weight = rng.uniform(0.1, 3, size=n)
    weight[rng.random(n) < rng.choice([0, 0.3])] = 0
    weight[rng.integers(n)] = 1.0
    return weight


def kept(weight, n):
    """Return the rows of positive weight."""
    return np.ones(n, dtype=bool) if weight is None else weight > 0


def random_params(rng, K, has_teacher):
    soften_student = bool(rng.random() < 0.7)
    class_weight = None
    if rng.random() < 0.3:
        class_weight = dict(enumerate(rng.uniform(0.2, 5, size=K).tolist()))
    elif rng.random() < 0.2:
        class_weight = "balanced"
    return {
        "imitation": float(rng.choice([0, 0.3, 0.9, 1, rng.random()])) if has_teacher else 0.0,
        "temperature": float(rng.choice([*TEMPERATURES, np.exp(rng.uniform(-3, 4))])),
        "C": float(rng.choice([1.0, 10.0 ** rng.uniform(-6, 6)])),
        "fit_intercept": bool(rng.random() < 0.8),
        "soften_student": soften_student,
        "t_squared": bool(soften_student and rng.random() < 0.4),
        "class_weight": class_weight,
        "solver": str(rng.choice(["auto", "auto", "lbfgs", "newton-cg"])),
    }


# --- the oracle -----------------------------------------------------------------------------------


@dataclass
class Exact:
    """The objective and its minimum, of the classes that have target mass."""

    problem: Problem
    rows: np.ndarray = field(init=False)

    def __post_init__(self):
        self.rows = kept(self.problem.weight, len(self.problem.X))

    @cached_property
    def s(self):
        weight = self.problem.weight
        return np.ones(self.rows.sum()) if weight is None else weight[self.rows]

    @cached_property
    def labelled(self):
        return ~np.isnan(self.problem.y[self.rows])

    @cached_property
    def one_hot(self):
        codes = np.nan_to_num(self.problem.y[self.rows]).astype(int)
        return np.eye(self.problem.n_classes)[codes] * self.labelled[:, None]

    def soft_labels(self, T):
        """Return the mean over the teachers that have a prediction; 0 without one."""
        logits = self.problem.logits
        if logits is None:
            return np.zeros_like(self.one_hot)
        logits = logits[self.rows]
        available = ~np.isnan(logits[..., :1])
        q = np.where(available, softmax(np.where(available, logits, 0.0) / T, axis=2), 0.0)
        return q.sum(axis=1) / np.maximum(available.sum(axis=1), 1)

    @cached_property
    def class_weight(self):
        given, K = self.problem.params["class_weight"], self.problem.n_classes
        if given is None:
            return np.ones(K)
        if isinstance(given, dict):
            return np.array([given[k] for k in range(K)])
        mass = self.s @ np.where(self.labelled[:, None], self.one_hot, self.soft_labels(1.0))
        return np.where(mass > 0, mass.sum() / ((mass > 0).sum() * np.where(mass > 0, mass, 1)), 1)

    @cached_property
    def parts(self):
        """Return the targets A of the linear form, and the weights and temperatures of the terms.

        Labels with weight s c_y (1 − λ); copies of a row for each class with weight s τ λ times q,
        times c_y where the row has a label and c of the copy's class otherwise.
        """
        params, c = self.problem.params, self.class_weight
        T = params["temperature"]
        student_T = T if params["soften_student"] else 1.0
        q = self.soft_labels(T)
        taught, of_label = q.any(axis=1), self.one_hot @ c
        imitation = np.where(taught, np.where(self.labelled, params["imitation"], 1.0), 0.0)
        label = self.s * of_label * (1 - imitation)
        copies = q * np.where(self.labelled[:, None], of_label[:, None], c)
        tau = student_T**2 if params["t_squared"] else 1.0
        copies *= (self.s * tau * imitation)[:, None]
        A = label[:, None] * self.one_hot + copies / student_T
        return A, [(label, 1.0), (copies.sum(axis=1), student_T)]

    @cached_property
    def weight_sum(self):
        """Return Σ s: a row without a label has the weight of its copies at T = 1."""
        of_copies = self.soft_labels(1.0) @ self.class_weight
        return self.s @ np.where(self.labelled, self.one_hot @ self.class_weight, of_copies)

    @cached_property
    def active(self):
        return self.parts[0].sum(axis=0) > 0

    def columns(self, X):
        """Return X with a column for the intercept: zeros without one."""
        ones = np.full(len(X), float(self.problem.params["fit_intercept"]))
        return np.column_stack([X, ones])

    @cached_property
    def objectives(self):
        A, terms = self.parts
        return Objectives(
            self.columns(self.problem.X[self.rows]),
            A[None][..., self.active],
            [(weight[None], np.array([T])) for weight, T in terms],
            np.array([self.problem.params["C"]]),
        )

    @cached_property
    def minimiser(self):
        return minimise(self.objectives)

    def mean_value(self, W):
        """Return the objective divided by Σ s."""
        return float(self.objectives.value(W)[0]) / self.weight_sum

    def weights_of(self, student):
        """Return the student's weights, of shape (1, n_scores, n_columns)."""
        W = np.column_stack([student.coef_, student.intercept_]).astype(float)
        if self.problem.n_classes > 2:
            W = W[self.active]
            if len(W) == 2:
                W = W[1:] - W[:1]
        return W[None]

    def proba(self, W):
        Z = self.objectives.scores(W, self.columns(self.problem.X))[0]
        P = np.zeros((len(Z), self.problem.n_classes))
        P[:, self.active] = softmax(Z, axis=1)
        return P

    @property
    def best_proba(self):
        """The probabilities of all rows at the minimum; those of one class if it has all mass."""
        if self.active.sum() == 1:
            return np.tile(self.active.astype(float), (len(self.problem.X), 1))
        return self.proba(self.minimiser)

    def proba_error(self, distance):
        """Return the largest error of each row's probabilities at a distance to the minimum.

        Scores z = V·x with ‖V‖_H ≤ distance are at most distance · ‖x‖ in the norm of H⁻¹, and
        probabilities move by half as much.
        """
        X, S = self.columns(self.problem.X), self.objectives.n_scores
        _, H = self.objectives.gradient_and_hessian(self.minimiser)
        norms = np.zeros(len(X))
        for k in range(S):
            V = np.zeros((S, X.shape[1], len(X)))
            V[k] = X.T
            V = V.reshape(-1, len(X))
            norms = np.maximum(norms, np.einsum("pn,pn->n", V, solve(H, V[None])[0]))
        return distance * np.sqrt(norms.clip(0) * self.weight_sum)


# --- the checks -----------------------------------------------------------------------------------


def flags(seed):
    """Return what is wrong with the fit of this seed, in words."""
    problem = Problem.draw(seed)
    start = time.process_time()
    try:
        student, stopped = fitted(problem)
    except Exception:  # whatever it is, the seed is needed
        return [f"seed {seed}: crash: {traceback.format_exc(limit=-2)}"]
    seconds = time.process_time() - start
    found = [f"slow: {seconds:.0f} CPU seconds"] if seconds > MOST_SECONDS else []
    found += differences(problem, student, stopped)
    name = f"seed {seed}, {problem.X.shape}, {problem.storage} {problem.dtype.__name__}"
    name += "" if problem.scaled else " unscaled"
    return [f"{name}, {student.solver_} {student.n_iter_[0]}, {problem.params}: {flag}"
            for flag in found]  # fmt: skip


def fitted(problem, **params):
    """Return the student, and whether a warning announced that it stopped before the minimum."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        student = problem.fit(**params)
    return student, any(issubclass(one.category, ConvergenceWarning) for one in caught)


def differences(problem, student, stopped):
    """Return how the student differs from the minimum."""
    exact = Exact(problem)
    P = student.predict_proba(problem.X)
    if exact.active.sum() == 1:
        certain = np.broadcast_to(exact.active.astype(float), P.shape)
        return [] if np.array_equal(P, certain) else ["one class has all mass: not certain"]
    W, best = exact.weights_of(student), exact.minimiser
    if not np.isfinite(W).all():
        return ["weights are not finite"]
    at_zero = exact.mean_value(np.zeros_like(W))
    excess = exact.mean_value(W) - exact.mean_value(best)
    if stopped:
        found = [f"value {excess:.1e} above the minimum"] if excess > at_zero else []
        return found if may_stop(problem) else [*found, "ConvergenceWarning"]
    if problem.dtype == np.float32:
        small = excess <= FLOAT32_SHARE * at_zero
        return [] if small else [f"value {excess:.1e} above the minimum, {at_zero:.1e} at zero"]
    found = []
    if excess > LARGEST_EXCESS + 1e-13 * at_zero:
        found.append(f"value {excess:.1e} above the minimum")
    gradient = np.abs(exact.objectives.gradient_and_hessian(W)[0]).max() / exact.weight_sum
    if gradient > 1.01 * student.tol:
        found.append(f"gradient {gradient:.1e}")
    error = np.abs(P - exact.proba(best)).max(axis=1)
    if not (error <= PROBA_ATOL + exact.proba_error(DISTANCE)).all():
        found.append(f"probabilities differ by {error.max():.1e}")
    return found


def may_stop(problem):
    """Return whether the warning is in order: X is not scaled, and more steps end the fit.

    Newton's method is documented to need more than 200 steps.
    """
    if problem.params["solver"] == "newton-cg":
        return True
    if problem.scaled:
        return False
    student, stopped = fitted(problem, max_iter=1000)
    return not (stopped or differences(problem, student, stopped))
