"""The factor of class means inverts the blocks that it describes."""

import numpy as np
import pytest

from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
from sklearn_distill.solvers import ClassMeansFactor, coarse_to_fine, newton_cg
from sklearn_distill.targets import Labels, TargetMixture, Teachers

K, D = 4, 3


def moments(*, scales=1.0, curvature=None):
    rng = np.random.default_rng(0)
    root = rng.normal(size=(2 * D, D)) * scales
    a = rng.uniform(0.1, 2.0, size=K) if curvature is None else np.asarray(curvature)
    return a, rng.normal(size=(K, D)) * scales, root.T @ root


def block(a, m, S, alpha, fit_intercept):
    A = a * (S + np.outer(m, m)) + alpha * np.eye(D)
    if not fit_intercept:
        return A
    return np.block([[A, a * m[:, None]], [a * m[None], np.full((1, 1), a)]])


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 10.0])
@pytest.mark.parametrize("scales", [1.0, np.geomspace(1e-4, 1e4, D)], ids=["one scale", "many"])
def test_it_inverts_the_blocks(fit_intercept, alpha, scales):
    a, means, S = moments(scales=scales)
    factor = ClassMeansFactor(a, means, S, alpha, fit_intercept=fit_intercept)
    V = np.random.default_rng(1).normal(size=(K, D + fit_intercept))
    centred = V - V.mean(axis=0)
    expected = [
        np.linalg.solve(block(a[k], means[k], S, alpha, fit_intercept), centred[k])
        for k in range(K)
    ]
    expected -= np.mean(expected, axis=0)
    scale = np.append(np.broadcast_to(scales, D), [1.0] * fit_intercept)
    solved = factor.solve(V.ravel()).reshape(V.shape)
    np.testing.assert_allclose(solved * scale, expected * scale, rtol=1e-6, atol=1e-6)


def test_it_is_symmetric_and_positive_on_centred_vectors():
    a, means, S = moments(curvature=[1.0, 1.0, 0.0, 1e-9])
    factor = ClassMeansFactor(a, means, S, 0.1, fit_intercept=True)
    M = np.array([factor.solve(e) for e in np.eye(K * (D + 1))])
    np.testing.assert_allclose(M, M.T, rtol=1e-9, atol=1e-9 * np.abs(M).max())
    assert np.linalg.eigvalsh(M).min() > -1e-9 * np.abs(M).max()
    assert np.isfinite(M).all()


@pytest.mark.parametrize("curvature", [np.zeros(K), np.full(K, np.nan)])
def test_without_curvature_there_is_no_factor(curvature):
    _, means, S = moments()
    with pytest.raises(np.linalg.LinAlgError):
        ClassMeansFactor(curvature, means, S, 0.1, fit_intercept=True)


def many_classes(
    n_classes=40, *, n=800, d=12, distance=2.0, change=None, fit_intercept=True, C=1.0
):
    rng = np.random.default_rng(0)
    centres = distance * rng.normal(size=(n_classes, d))
    y = rng.integers(n_classes, size=n)
    X = centres[y] + rng.normal(size=(n, d))
    logits = X @ centres.T - 0.5 * (centres**2).sum(axis=1) + 0.3 * rng.normal(size=(n, n_classes))
    mixture = TargetMixture(Labels(y, n_classes), Teachers(logits.T[None]), np.ones(n), 0.5, 2.0)
    X = X if change is None else change(X)
    sums = RowSums(as_design(X, fit_intercept), mixture.targets(), np.ones(n))
    return SoftTargetObjective(sums, 1 / (C * n))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fit_intercept": False},
        {"C": 1e6},
        {"C": 1e-6},
        {"change": lambda X: X * np.geomspace(1e-4, 1e4, X.shape[1])},
        {"change": lambda X: X + 1e3},
        {"change": lambda X: np.column_stack([X, np.ones(len(X)), X[:, 0]])},
        {"change": lambda X: X.astype(np.float32).astype(np.float64)},
    ],
    ids=["plain", "no intercept", "C=1e6", "C=1e-6", "scales", "large mean", "repeated", "float32"],
)
def test_many_classes_have_the_minimum_of_newton(options, monkeypatch):
    made = []
    monkeypatch.setattr(
        "sklearn_distill.solvers._factor_choice.ClassMeansFactor",
        lambda *a, **k: made.append(ClassMeansFactor(*a, **k)) or made[-1],
    )
    for name, rate in ("FULL", 0.9), ("BLOCKS", 0.9), ("MOMENTS", 0.1):
        monkeypatch.setattr(f"sklearn_distill.solvers._factor_choice.RATE_OF_{name}", rate)
    objective = many_classes(**options)
    solution = coarse_to_fine(
        objective, objective.zeros(), tol=1e-6, distance_tol=1e-7, max_iter=500
    )
    newton = newton_cg(
        objective, solution.w, tol=1e-12, max_iter=50, precondition=solution.factor.solve
    )
    assert made
    assert solution.converged
    assert solution.value - newton.value <= 1e-12


def test_many_classes_take_few_passes(monkeypatch):
    objective = many_classes(60, n=3000, d=100, distance=0.3)
    evaluations = []
    original = SoftTargetObjective.value_and_gradient

    def counting(self, w):
        evaluations.append(self.n_rows / objective.n_rows)
        return original(self, w)

    monkeypatch.setattr(SoftTargetObjective, "value_and_gradient", counting)
    monkeypatch.setattr(SoftTargetObjective, "hessian_blocks", None)  # not needed
    solution = coarse_to_fine(
        objective, objective.zeros(), tol=1e-4, distance_tol=1e-6, max_iter=100
    )
    assert solution.converged
    assert sum(evaluations) <= 40
