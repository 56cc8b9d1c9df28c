import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.losses import LockstepObjective, RowSums, SoftTargetObjective, as_design
from sklearn_distill.targets import Labels, TargetMixture, Teachers
from tests.helpers import random_problem

CONTAINERS = {"dense": np.asarray, "float32": np.float32, "sparse": sparse.csr_array}


def objectives(K, container, n_folds=3, temperature=2.0):
    """Objectives over all rows, in which the rows of a fold have weight 0."""
    problem = random_problem(np.random.default_rng(0), n=50, K=K)
    design = as_design(CONTAINERS[container](problem["X"]), fit_intercept=True)
    teachers = Teachers(np.moveaxis(problem["teacher_logits"], 0, 2))
    labels, found = Labels(problem["codes"], K), []
    for f in range(n_folds):
        s = np.where(np.arange(50) % n_folds == f, 0.0, problem["weight"])
        targets = TargetMixture(labels, teachers, s, 0.4, temperature).targets()
        found.append(SoftTargetObjective(RowSums(design, targets, s), alpha=0.1 * (f + 1)))
    return found


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("which", [[0, 1, 2], [2, 0], [1]], ids=str)
def test_it_is_each_objective(K, container, temperature, which, monkeypatch):
    monkeypatch.setattr("sklearn_distill.losses.design.TILE_BYTES", 256)
    alone = objectives(K, container, temperature=temperature)
    together = LockstepObjective(alone)
    rng = np.random.default_rng(1)
    W = rng.normal(size=(len(which), len(alone[0].zeros())))
    before = W.copy()
    values, G = together.value_and_gradient(W, np.array(which))
    np.testing.assert_array_equal(W, before)
    tol = 1e-5 if container == "float32" else 1e-12
    for i, f in enumerate(which):
        value, gradient = alone[f].value_and_gradient(W[i])
        assert values[i] == pytest.approx(value, rel=tol)
        np.testing.assert_allclose(G[i], gradient, atol=tol)
