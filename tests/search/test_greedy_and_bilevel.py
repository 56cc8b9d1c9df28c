"""Greedy hypergradients against those of the bilevel problem that they approximate.

Gorpinich, Bakhteev and Strijov 2022: U is a step of the training, U^η are η steps from w₀, and the
metaparameters minimise L_val(U^η(w₀, θ)). The greedy algorithm has η = 1; the search by
cross-validation has the minimiser itself, to which U^η tends. The theorem: where the Hessian of
L_train is the identity and w is its minimiser, the greedy algorithm solves the bilevel problem.
"""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sklearn_distill import DistilledLogisticRegression, DistilledNeuralClassifier
from sklearn_distill.search import DistilledLogisticRegressionCV
from sklearn_distill.search._cv_loss import CrossValidatedLoss
from sklearn_distill.search._space import Space
from sklearn_distill.search.greedy_hypergradient import GreedyHypergradient
from sklearn_distill.students._problem import LossParams, TrainingTargets
from tests.search.test_greedy import RecordingSchedule

LAM, T, D = 0.4, 2.0, 3
STUDENT = {"imitation": LAM, "temperature": T, "C": np.inf, "fit_intercept": False, "tol": 1e-12}
RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(50, D)) * [1, 2, 3], RNG.normal(size=(30, D)) * [1, 2, 3]
Y = (X @ [1.0, -0.5, 0.2] + RNG.logistic(size=50) > 0).astype(int)
Y_VAL = (X_VAL @ [1.0, -0.5, 0.2] + RNG.logistic(size=30) > 0).astype(int)
TEACHER = X @ [1.5, 0.2, 0.1] + RNG.normal(size=50)  # log-odds of class 1


def minimiser():
    """Return w*, the minimiser of the training loss."""
    student = DistilledLogisticRegression(**STUDENT).fit(X, Y, teacher_logits=TEACHER)
    return student.coef_[0]


def hessian(w):
    """Return the Hessian of the mean training loss."""

    def curvature(t):
        p = 1 / (1 + np.exp(-X @ w / t))
        return p * (1 - p) / t**2

    weights = (1 - LAM) * curvature(1) + LAM * curvature(T)
    return (X * weights[:, None]).T @ X / len(X)


def bilevel_gradient():
    """Return dL_val(w*(θ))/d(λ, T), as the search by cross-validation computes it."""
    folds = [(np.arange(50), np.arange(50, 80))]
    names = ("imitation", "temperature")
    search = DistilledLogisticRegressionCV(names, cv=folds, **STUDENT)
    y, logits = np.r_[Y, Y_VAL], np.r_[TEACHER, np.zeros(30)]
    targets = TrainingTargets.read(search, 80, y, None, None, logits)
    space = Space.of(names, LossParams.of(search), None)
    made = search._make_folds(np.r_[X, X_VAL], targets, {}, weighted=False)
    cv_loss = CrossValidatedLoss(made, space, None, lambda evaluation: None)
    evaluation = cv_loss.evaluate(space.start_coordinates, "test", gradient=True)
    return evaluation.gradient / evaluation.jacobian


def greedy_gradient(A, lr):
    """Return the greedy hypergradient at w*, in the coordinates w = A v, so that X v is X A."""
    layer = nn.Linear(D, 1, bias=False).double()
    with torch.no_grad():
        layer.weight[:] = torch.tensor(np.linalg.solve(A, minimiser())[None])
    schedule = RecordingSchedule([(LAM, T)])
    student = DistilledNeuralClassifier(
        layer,
        optimizer="sgd",
        lr=lr,
        precision="float64",
        batch_size=50,
        max_epochs=1,
        metaparameter_optimizer=schedule,
        random_state=0,
    )
    student.fit(X @ A, Y, teacher_logits=TEACHER, X_val=X_VAL @ A, y_val=Y_VAL)
    return np.array(schedule.gradients[0])


@pytest.mark.parametrize("lr", [0.1, 1.0])
def test_with_the_identity_as_hessian_the_greedy_gradient_is_that_of_the_problem(lr):
    values, vectors = np.linalg.eigh(hessian(minimiser()))
    whitening = vectors / np.sqrt(values) @ vectors.T
    np.testing.assert_allclose(
        greedy_gradient(whitening, lr), lr * bilevel_gradient(), rtol=1e-5, atol=1e-9
    )


def test_with_another_hessian_it_has_another_direction():
    of_imitation, of_temperature = greedy_gradient(np.eye(D), 0.1) / bilevel_gradient()
    assert abs(of_imitation / of_temperature - 1) > 0.05


def unrolled_gradient(n_steps, lr):
    """Return dL_val(U^η(w₀, θ))/dθ with w₀ = w*(θ) held fixed, through η steps of SGD."""
    theta = torch.tensor([LAM, T], dtype=torch.float64, requires_grad=True)
    x, y, logits, x_val, y_val = (
        torch.tensor(a, dtype=torch.float64) for a in (X, Y, TEACHER, X_VAL, Y_VAL)
    )
    w = torch.tensor(minimiser(), requires_grad=True)
    for _ in range(n_steps):
        z = x @ w
        of_labels = binary_cross_entropy_with_logits(z, y)
        q = torch.sigmoid(logits / theta[1])
        of_teacher = binary_cross_entropy_with_logits(z / theta[1], q)
        loss = (1 - theta[0]) * of_labels + theta[0] * of_teacher
        (gradient,) = torch.autograd.grad(loss, w, create_graph=True)
        w = w - lr * gradient
    validation = binary_cross_entropy_with_logits(x_val @ w, y_val)
    return torch.autograd.grad(validation, theta)[0].numpy()


def test_more_unrolled_steps_approach_the_problem():
    """η = 1 is the greedy gradient; its error falls with η, for η times the cost."""
    lr = 1 / np.linalg.eigvalsh(hessian(minimiser())).max()
    np.testing.assert_allclose(unrolled_gradient(1, lr), greedy_gradient(np.eye(D), lr), rtol=1e-6)
    exact = bilevel_gradient()
    errors = [np.abs(unrolled_gradient(n, lr) - exact).max() for n in (1, 3, 10, 30, 300)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-6 < errors[2]


# With equal H a loss of constant Hessian, L_train = ½(1−λ)‖w − a‖²_H + ½λ‖w − b‖²_H.
# Its minimiser is a without the teacher and b without the labels; L_val = ½‖w − c‖².
A, B, C = np.array([0.0, 0.0]), np.array([1.0, 0.5]), np.array([0.1, 0.9])


def greedy_minimum(H_labels, H_teacher, lr):
    """Train w by gradient steps and λ by greedy hypergradients; return the last λ."""
    schedule = GreedyHypergradient(lr=0.05, metaparameters=["imitation"]).start(0.9, 1.0)
    w = np.zeros(2)
    for _ in range(5000):
        lam = schedule.imitation
        pulls = H_labels @ (w - A), H_teacher @ (w - B)
        w = w - lr * ((1 - lam) * pulls[0] + lam * pulls[1])
        schedule.move([-lr * (w - C) @ (pulls[1] - pulls[0]), 0.0])
    return schedule.imitation


def bilevel_minimum(H_labels, H_teacher):
    """Return the λ whose minimiser w*(λ) is nearest to C, on a fine grid."""

    def distance(lam):
        H = (1 - lam) * H_labels + lam * H_teacher
        w = np.linalg.solve(H, (1 - lam) * H_labels @ A + lam * H_teacher @ B)
        return np.sum((w - C) ** 2)

    grid = np.linspace(0, 1, 10_001)
    return grid[np.argmin([distance(lam) for lam in grid])]


@pytest.mark.parametrize("lr", [0.1, 1.0])
def test_with_the_identity_as_hessian_the_greedy_algorithm_solves_the_problem(lr):
    identity = np.eye(2)
    expected = (C - A) @ (B - A) / np.sum((B - A) ** 2)
    assert greedy_minimum(identity, identity, lr) == pytest.approx(expected, abs=1e-6)
    assert bilevel_minimum(identity, identity) == pytest.approx(expected, abs=1e-4)


def test_with_another_hessian_the_greedy_algorithm_ends_elsewhere():
    H = np.diag([0.1, 1.0])
    expected = bilevel_minimum(H, H)
    assert abs(greedy_minimum(H, H, lr=1.0) - expected) > 0.1
