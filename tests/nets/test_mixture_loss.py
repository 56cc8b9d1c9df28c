"""The loss as a function of λ and T equals the student's loss; its derivatives are differences."""

import numpy as np
import pytest
import torch

from sklearn_distill.nets.losses import SoftTargetLoss, target_table
from sklearn_distill.nets.mixture_loss import MixtureLoss, mixture_table
from sklearn_distill.targets import Labels, TargetMixture, Teachers, label_weights
from tests.helpers import central_difference, random_problem

N = 30
VALUES = {"imitation": 0.3, "temperature": 2.0}
FORMS = [
    {},
    {"soften_student": False},
    {"t_squared": True},
    {"soften_student": False, "t_squared": True},
]
every_form = pytest.mark.parametrize("form", FORMS, ids=str)
every_regularizer = pytest.mark.parametrize(
    "regularizer", [None, "grabovoy", "continuous_categorical"]
)
every_class_weight = pytest.mark.parametrize(
    "class_weight", [None, [0.5, 3.0, 1.0, 2.0]], ids=["", "class_weight"]
)
every_size = pytest.mark.parametrize(
    ("K", "M", "trusted"), [(2, 1, False), (3, 1, True), (4, 2, False), (4, 2, True)]
)


class Problem:
    """Random labels and scores, and teachers with some missing predictions."""

    def __init__(self, K, M, class_weight=None, trusted=False):
        rng = np.random.default_rng(K)
        problem = random_problem(rng, n=N, K=K, M=M)
        logits = problem["teacher_logits"].transpose(1, 2, 0)
        trust = rng.uniform(0, 5, size=(M, N)) if trusted else None
        self.teachers = Teachers(np.ascontiguousarray(logits), trust)
        self.labels, self.weight = Labels(problem["codes"], K), problem["weight"]
        self.z = torch.tensor(3 * rng.normal(size=(N, K)))
        self.class_weight = None if class_weight is None else np.array(class_weight[:K])
        weight = label_weights(self.weight, self.class_weight, self.labels)
        self.table = torch.tensor(mixture_table(self.labels, self.teachers, weight))


@pytest.mark.parametrize("form", FORMS[:3], ids=str)  # students reject the last
@every_regularizer
@every_class_weight
@every_size
def test_loss_and_residual_are_those_of_fixed_values(
    K, M, trusted, class_weight, regularizer, form
):
    problem = Problem(K, M, class_weight, trusted)
    form = {"class_weight": problem.class_weight, **form}
    options = {**VALUES, "regularizer": regularizer, **form}
    mixture = TargetMixture(problem.labels, problem.teachers, problem.weight, **options)
    targets = mixture.targets()
    static, table = SoftTargetLoss.of(targets), torch.tensor(target_table(targets))
    tunable = MixtureLoss(K, M, regularizer=regularizer, **form)
    found = tunable.residuals(problem.z, problem.table, **VALUES)
    assert found.mixed == ()
    z = problem.z.clone().requires_grad_()
    loss = static(z, table)
    (expected,) = torch.autograd.grad(loss, z)
    torch.testing.assert_close(found.loss, loss.detach())
    torch.testing.assert_close(found.scores, expected)
    torch.testing.assert_close(static.residual(problem.z, table), expected)
    with_mixed = tunable.residuals(problem.z, problem.table, **VALUES, mixed=True)
    torch.testing.assert_close(with_mixed.loss, found.loss)
    torch.testing.assert_close(with_mixed.scores, found.scores)


@every_form
@every_regularizer
@every_class_weight
@every_size
def test_derivatives_are_differences(K, M, trusted, class_weight, regularizer, form):
    problem = Problem(K, M, class_weight, trusted)
    loss = MixtureLoss(K, M, regularizer=regularizer, class_weight=problem.class_weight, **form)

    def residual(name, value):
        residuals = loss.residuals(problem.z, problem.table, **VALUES | {name: value})
        return residuals.scores.numpy()

    def mean_loss(name, value):
        return float(loss.residuals(problem.z, problem.table, **VALUES | {name: value}).loss)

    mixed = loss.residuals(problem.z, problem.table, **VALUES, mixed=True).mixed
    gradient = loss.metaparameter_gradient(problem.z, problem.table, **VALUES)
    for (name, at), found, derivative in zip(VALUES.items(), mixed, gradient, strict=True):
        step = 1e-5
        difference = (residual(name, at + step) - residual(name, at - step)) / (2 * step)
        np.testing.assert_allclose(found, difference, rtol=1e-6, atol=1e-9)
        expected = central_difference(lambda value, name=name: mean_loss(name, value), at, step)
        assert derivative == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_one_logit_has_the_residual_of_two():
    loss = SoftTargetLoss([(1.0, None)], n_classes=2)
    table = torch.tensor([[0.3, 0.7, 1.0], [1.0, 0.0, 1.0]])
    eta = torch.tensor([0.2, -1.0])
    both = loss.residual(torch.stack([torch.zeros(2), eta], dim=1), table)
    for scores in (eta, eta[:, None]):
        torch.testing.assert_close(loss.residual(scores, table), both)


def test_certain_teachers_of_any_logits_leave_finite_numbers():
    low = -1e6 - np.log(3)
    sure = Teachers(np.array([[[1e6, -1e6, np.nan], [-1e6, -np.inf, np.nan], [0.0, low, np.nan]]]))
    table = mixture_table(Labels(np.array([0, 1, 2]), 3), sure, np.ones(3))
    certain = np.log([[[1.0, 0.75, np.nan], [1e-300, 1e-300, np.nan], [1e-300, 0.25, np.nan]]])
    same = mixture_table(Labels(np.array([0, 1, 2]), 3), Teachers(certain), np.ones(3))
    z = torch.tensor([[0.5, -1.0, 0.0], [2.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    loss = MixtureLoss(3, 1)
    at, nearly = (loss.residuals(z, torch.tensor(t), **VALUES, mixed=True) for t in (table, same))
    torch.testing.assert_close([at.loss, at.scores], [nearly.loss, nearly.scores])
    torch.testing.assert_close(at.mixed, nearly.mixed)
    assert all(torch.isfinite(part).all() for part in (at.loss, at.scores, *at.mixed))
