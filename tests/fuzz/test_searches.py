"""Random searches end at the minimum of a dense grid, with a loss that is an evaluation.

``FUZZ_PROBLEMS`` is their number; ``make fuzz PROBLEMS=1000`` sets it.
"""

import os

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import softmax

from tests.fuzz.newton import Objectives, minimise
from tests.fuzz.searches import SearchProblem, flags, grid_flags

SHORT_RUN = 4
# Another minimum was taken for the best: of a teacher that is sharpened, softened, or copied; and a
# loss that depends on the intercept of a class that has hardly any mass in the targets, or none. Of
# three minima, only two were descended. With few samples, minima in corners and near edges were not
# descended to, or not far enough.
FLAGGED_ONCE = [
    *(9, 22, 66, 69, 92, 119, 129, 150, 282, 338, 354, 375, 697, 1012, 2148, 2228, 4032, 4084)
]

# The loss of a clearly worse setting was not, and after the loss of the best one was found to be
# larger, the next one was not fitted again.
GRIDS_FLAGGED_ONCE = [5, 56, 193]


def chunks():
    """Divide the seeds, so that workers share them."""
    n_problems = int(os.environ.get("FUZZ_PROBLEMS", SHORT_RUN))
    return [range(start, min(start + 50, n_problems)) for start in range(0, n_problems, 50)]


@pytest.mark.fuzz
@pytest.mark.parametrize("seeds", chunks(), ids=str)
def test_random_searches(seeds):
    found = [flag for seed in seeds for flag in flags(seed)]
    misses = [flag for flag in found if ": miss:" in flag]
    # 99.5 % of all searches end at the minimum: on average 0.25 of 50 do not
    assert len(found) == len(misses), "\n".join(found)
    assert len(misses) <= len(seeds) // 50, "\n".join(misses)


@pytest.mark.fuzz
@pytest.mark.parametrize("larger", [False, True])
@pytest.mark.parametrize("seeds", chunks(), ids=str)
def test_random_grids(seeds, larger):
    """Grids on little data, and on data whose folds go in lockstep."""
    found = [flag for seed in seeds for flag in grid_flags(seed, larger=larger)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("seed", GRIDS_FLAGGED_ONCE)
def test_grids_that_once_chose_by_a_wrong_loss(seed):
    assert grid_flags(seed, larger=True) == []


@pytest.mark.slow
@pytest.mark.fuzz
@pytest.mark.parametrize("seed", FLAGGED_ONCE)
def test_searches_that_once_missed_the_minimum(seed):
    assert flags(seed) == []


@pytest.mark.slow
@pytest.mark.fuzz
def test_a_start_that_is_not_descended_hides_no_other():
    """A sharp teacher and classes with a single label: the default start has better neighbours."""
    rng = np.random.default_rng(22)
    X = rng.normal(size=(200, 3))
    Z = X @ (3 * rng.normal(size=(3, 10))) - 2.0 * np.arange(10)
    y = (softmax(Z, axis=1).cumsum(axis=1) < rng.random(200)[:, None]).sum(axis=1).clip(0, 9)
    problem = SearchProblem(("imitation", "temperature", "C"), X, y, 4 * Z, None, 10)
    found = problem.search()
    loss = -found.best_score_
    assert loss <= problem.losses([1 / 6, 10.0, 1e4])[0] + 0.01
    chosen = [found.imitation_, found.temperature_, found.C_]
    assert loss == pytest.approx(problem.losses(chosen)[0], abs=1e-3)


def test_a_minimum_in_a_corner_of_the_box_is_found_and_ends_the_descent():
    """The teacher is right and log-linear: without a penalty the student copies it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 10))
    logits = X @ (3 * rng.normal(size=(10, 2)))
    y = (softmax(logits, axis=1).cumsum(axis=1) < rng.random(40)[:, None]).sum(axis=1).clip(0, 1)
    problem = SearchProblem(("imitation", "C"), X, y, logits, None, 2)
    found = problem.search()
    assert -found.best_score_ <= problem.losses([1.0, 1.0, 1e4])[0] + 1e-3
    assert (found.imitation_, found.C_) == (1.0, 1e4)
    assert (found.path_["stage"] == "descent").sum() < 10


@pytest.mark.parametrize("K", [2, 3])
def test_the_oracles_minimiser_is_scipys(K):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(20, 2)), np.ones(20)])
    A = rng.dirichlet(np.ones(K), size=(1, 20))
    terms = [(np.full((1, 20), 0.5), np.ones(1)), (np.full((1, 20), 1.5), np.full(1, 3.0))]
    objectives = Objectives(X, A, terms, np.full(1, 10.0))
    W = minimise(objectives)
    shape = (1, objectives.n_scores, 3)
    theirs = minimize(
        lambda w: objectives.value(w.reshape(shape))[0], np.zeros(np.prod(shape)), tol=1e-9
    )
    assert objectives.value(W)[0] == pytest.approx(theirs.fun, abs=1e-8)
    np.testing.assert_allclose(W.ravel(), theirs.x, atol=1e-4)
