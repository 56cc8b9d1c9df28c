"""Random searches over λ, T and C, and their cross-validated loss on a dense grid.

``flags(seed)`` fits one search and returns what is wrong with it. The loss is computed by
:mod:`tests.fuzz.newton`, which shares no code with the package.
"""

import time
import traceback
import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.model_selection import StratifiedKFold

from sklearn_distill.search import DistilledLogisticRegressionCV
from tests.fuzz.newton import Objectives, minimise

ZERO_PROBA_LOSS = -np.log(np.finfo(float).eps)  # of a label with probability 0
START = {"imitation": 0.5, "temperature": 1.0, "C": 1.0}
AXES = {
    "imitation": lambda m: np.linspace(0, 1, m),
    "temperature": lambda m: np.logspace(-1, 1, m),
    "C": lambda m: np.logspace(-4, 4, m),
}
N_VALUES = {1: 33, 2: 13, 3: 7}  # values of each metaparameter, by their number
SEARCHED = [("imitation", "temperature", "C"), ("imitation", "C"), ("temperature", "C")]
SEARCHED += [("imitation", "temperature"), ("imitation",), ("C",)]
SMALLEST_SHARE = 3e-11  # of a class in the targets, below which it counts as one without mass
LARGEST_ERROR, LARGEST_MISS, MOST_SECONDS = 1e-3, 0.01, 30


@dataclass
class SearchProblem:
    """A data set with a teacher, and what is searched."""

    names: tuple[str, ...]
    X: np.ndarray
    y: np.ndarray
    logits: np.ndarray  # NaN in rows without a prediction
    weight: np.ndarray | None
    n_classes: int

    @classmethod
    def draw(cls, seed):
        rng = np.random.default_rng([seed, 19])
        n, d, K = rng.choice([30, 40, 60, 100]), rng.integers(1, 8), rng.choice([2, 3, 4, 6])
        return cls._of_shape(rng, n, d, K)

    @classmethod
    def draw_larger(cls, seed):
        """Draw so many numbers that the folds of a grid go in lockstep."""
        rng = np.random.default_rng([seed, 23])
        n, d, K = rng.choice([100, 150, 250]), rng.choice([20, 40, 60]), rng.choice([3, 4, 6])
        return cls._of_shape(rng, n, d, K)

    @classmethod
    def _of_shape(cls, rng, n, d, K):
        scale, power = rng.choice([0.5, 1, 3]), rng.choice([0.25, 0.5, 1, 1, 2, 4, 8])
        X = rng.normal(size=(n, d))
        Z = scale * X @ rng.normal(size=(d, K)) / np.sqrt(max(1, d / 8))
        if rng.random() < 0.3:  # rare classes
            Z -= 2.0 * np.arange(K)
        y = (softmax(Z, axis=1).cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1).clip(0, K - 1)
        noise = rng.choice([0, 0, 0, 1, 3]) * rng.normal(size=Z.shape)
        logits = log_softmax(power * (Z + noise), axis=1)
        logits[rng.random(n) < rng.choice([0, 0, 0.3])] = np.nan
        weight = rng.uniform(0.1, 3, n) if rng.random() < 0.3 else None
        return cls(
            SEARCHED[rng.choice(6, p=[0.4, 0.3, 0.1, 0.1, 0.05, 0.05])], X, y, logits, weight, K
        )

    def search(self):
        found = DistilledLogisticRegressionCV(self.names, classes=range(self.n_classes))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # rare classes, bad teachers
            return found.fit(self.X, self.y, self.weight, teacher_logits=self.logits)

    def grid(self):
        """Return the settings of a dense grid, of shape (n_settings, 3)."""
        m = N_VALUES[len(self.names)]
        axes = [AXES[name](m) if name in self.names else [START[name]] for name in START]
        return np.array(np.meshgrid(*axes, indexing="ij")).reshape(3, -1).T

    def losses(self, settings):
        """Return the cross-validated loss of each (λ, T, C)."""
        settings = np.atleast_2d(settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds
            folds = list(StratifiedKFold(5).split(self.X, self.y))
        return np.mean([self._fold_losses(settings, *fold) for fold in folds], axis=0)

    def _fold_losses(self, settings, train, test):
        losses = np.empty(len(settings))
        linear = np.array([self._linear(train, *setting) for setting in settings])
        mass = linear.sum(axis=1)
        active = mass > SMALLEST_SHARE * mass.sum(axis=1, keepdims=True)
        for classes in np.unique(active, axis=0):
            same = (active == classes).all(axis=1)
            losses[same] = self._of_classes(
                classes, linear[same][..., classes], settings[same], train, test
            )
        return losses

    def _parts(self, rows, imitation):
        """Return the weights of the labels' and of the teacher's cross-entropy in each row."""
        s = np.ones(len(rows)) if self.weight is None else self.weight[rows]
        has_teacher = ~np.isnan(self.logits[rows, 0])
        return s * np.where(has_teacher, 1 - imitation, 1.0), s * has_teacher * imitation

    def _linear(self, rows, imitation, T, _):
        of_label, of_teacher = self._parts(rows, imitation)
        teacher = softmax(np.nan_to_num(self.logits[rows]) / T, axis=1)
        labels = np.eye(self.n_classes)[self.y[rows]]
        return of_label[:, None] * labels + (of_teacher / T)[:, None] * teacher

    def _of_classes(self, classes, A, settings, train, test):
        s = np.ones(len(test)) if self.weight is None else self.weight[test]
        possible = classes[self.y[test]]
        row_losses = np.where(possible, 0.0, ZERO_PROBA_LOSS) * np.ones((len(settings), 1))
        if classes.sum() > 1:
            X = np.column_stack([self.X, np.ones(len(self.X))])
            parts = np.array([self._parts(train, imitation) for imitation in settings[:, 0]])
            T = settings[:, 1]
            terms = [(parts[:, 0], np.ones_like(T)), (parts[:, 1], T)]
            objectives = Objectives(X[train], A, terms, settings[:, 2])
            Z = objectives.scores(minimise(objectives), X[test])
            codes = (np.cumsum(classes) - 1)[self.y[test]]
            of_label = np.take_along_axis(Z, np.broadcast_to(codes[:, None], (*Z.shape[:2], 1)), -1)
            found = logsumexp(Z, axis=-1) - of_label[..., 0]
            row_losses = np.where(possible, found, row_losses)
        return row_losses @ s / s.sum()


def flags(seed):
    """Return what is wrong with the search of this seed, in words."""
    problem = SearchProblem.draw(seed)
    start = time.process_time()
    try:
        found = problem.search()
    except Exception:  # whatever it is, the seed is needed
        return [f"seed {seed}: crash: {traceback.format_exc(limit=-2)}"]
    seconds = time.process_time() - start
    chosen = (found.imitation_, found.temperature_, found.C_)
    named = f"seed {seed}, {problem.names}, λ T C {np.round(chosen, 3)}"
    found_flags = []
    if found.path_["loss"].min() < 0:
        found_flags.append(f"{named}: error: a loss of {found.path_['loss'].min()}")
    found_flags += [f"{named}: {flag}" for flag in loss_flags(problem, found, chosen)]
    if seconds > MOST_SECONDS:
        found_flags.append(f"{named}: slow: {seconds:.0f} CPU seconds")
    return found_flags


def grid_flags(seed, *, larger=False):
    """Return what is wrong with a grid over C, or over λ and C, in words.

    The loss of the setting chosen is exact, and no other one is better. Of a worse setting the loss
    is known roughly: it has to be worse, too.
    """
    problem = SearchProblem.draw_larger(seed) if larger else SearchProblem.draw(seed)
    names = ("imitation", "C") if seed % 2 else ("C",)
    grid = {"C": np.logspace(-4, 4, 7), "imitation": np.linspace(0, 1, 3 if larger else 7)}
    search = DistilledLogisticRegressionCV(
        names,
        method="grid",
        grid={name: grid[name] for name in names},
        classes=range(problem.n_classes),
    )
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # rare classes, bad teachers
        found = search.fit(problem.X, problem.y, problem.weight, teacher_logits=problem.logits)
    seconds = time.process_time() - start
    settings = [(imitation, 1.0, C) for imitation in found.imitations_ for C in found.Cs_]
    exact, losses = problem.losses(settings), -found.scores_.mean(axis=0)[:, 0].ravel()
    chosen = problem.losses((found.imitation_, found.temperature_, found.C_))[0]
    flags = [] if seconds <= MOST_SECONDS else [f"slow: {seconds:.0f} CPU seconds"]
    if abs(-found.best_score_ - chosen) > LARGEST_ERROR or chosen > exact.min() + LARGEST_ERROR:
        flags.append(f"error: loss {chosen} reported as {-found.best_score_}, best {exact.min()}")
    if losses.min() < -found.best_score_ - 1e-12:
        flags.append(f"error: {losses.min()} is reported below the best {-found.best_score_}")
    return [f"seed {seed}, {names}: {flag}" for flag in flags]


def loss_flags(problem, found, chosen):
    """Return how the reported loss differs from the loss of the chosen setting and of the grid."""
    loss = problem.losses(chosen)[0]
    miss = loss - problem.losses(problem.grid()).min()
    flags = []
    if abs(-found.best_score_ - loss) > LARGEST_ERROR:
        flags.append(f"error: best_score_ {found.best_score_}, loss {loss}")
    if miss > LARGEST_MISS:
        flags.append(f"miss: {miss:.3f} nats above the grid")
    return flags
