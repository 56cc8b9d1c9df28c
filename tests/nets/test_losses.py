"""The torch version of the NumPy losses: values, gradients and second derivatives agree."""

import numpy as np
import pytest
import torch

from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.nets.losses import SoftTargetLoss, SquaredLoss, target_table
from sklearn_distill.targets import Labels, TargetMixture, Teachers
from tests.helpers import random_problem, written_objective

REGULARIZERS = ["grabovoy", "continuous_categorical"]


def mixture_of(problem, K, **options):
    teachers = Teachers(np.ascontiguousarray(problem["teacher_logits"].transpose(1, 2, 0)))
    return TargetMixture(Labels(problem["codes"], K), teachers, problem["weight"], **options)


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("imitation", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 1.0},
        {"temperature": 3.0},
        {"temperature": 3.0, "t_squared": True},
        {"temperature": 0.5, "soften_student": False},
    ],
)
def test_equals_the_objective_written_row_by_row(K, imitation, options):
    rng = np.random.default_rng(0)
    problem = random_problem(rng, n=30, K=K)
    z = 3 * rng.normal(size=(30, K))
    targets = mixture_of(problem, K, imitation=imitation, **options).targets()
    loss = SoftTargetLoss.of(targets)(torch.tensor(z), torch.tensor(target_table(targets)))
    written = written_objective(
        z,
        problem["codes"],
        problem["teacher_logits"],
        problem["weight"],
        imitation=imitation,
        **options,
    )
    np.testing.assert_allclose(loss.item(), written / 30, rtol=1e-12)


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_the_mean_and_its_closed_gradient_are_those_of_the_rows(K, temperature):
    rng = np.random.default_rng(4)
    targets = mixture_of(
        random_problem(rng, n=20, K=K), K, imitation=0.4, temperature=temperature
    ).targets()
    loss, table = SoftTargetLoss.of(targets), torch.tensor(target_table(targets))
    z = torch.tensor(30 * rng.normal(size=(20, K)), requires_grad=True)
    means = 3 * loss(z, table), 3 * loss.of_rows(z, table).mean()
    gradients = [torch.autograd.grad(mean, z) for mean in means]
    torch.testing.assert_close(*means)
    torch.testing.assert_close(*gradients)


def test_one_logit_is_the_log_odds_of_the_second_class():
    rng = np.random.default_rng(1)
    targets = mixture_of(
        random_problem(rng, n=20, K=2), 2, imitation=0.5, temperature=2.0
    ).targets()
    loss, table = SoftTargetLoss.of(targets), torch.tensor(target_table(targets))
    eta = torch.tensor(rng.normal(size=20))
    both = torch.stack([torch.zeros_like(eta), eta], 1)
    for scores in (eta, eta[:, None]):
        torch.testing.assert_close(loss.of_rows(scores, table), loss.of_rows(both, table))
        torch.testing.assert_close(loss(scores, table), loss(both, table))


def test_a_table_of_named_terms_has_zeros_for_those_that_targets_lack():
    problem = random_problem(np.random.default_rng(0), n=6, K=3)
    targets = mixture_of(problem, 3, imitation=1.0, temperature=3.0).targets()
    own = {term.temperature: term.weight for term in targets.terms}
    table = target_table(targets, [(3.0, None), (5.0, None), (1.0, None)])
    np.testing.assert_array_equal(table[:, :3], targets.linear.T)
    np.testing.assert_array_equal(table[:, 3], own[3.0])
    np.testing.assert_array_equal(table[:, 4], 0)
    np.testing.assert_array_equal(table[:, 5], own.get(1.0, 0))


@pytest.mark.parametrize("shape", [(20, 3), (20, 1), (20,)])
def test_closed_form_gradients_are_those_of_autograd(shape):
    rng = np.random.default_rng(6)
    K = 2 if shape[1:] in [(), (1,)] else 3
    problem = random_problem(rng, n=20, K=K)
    targets = mixture_of(problem, K, imitation=0.4, temperature=2.0).targets()
    n_outputs = int(np.prod(shape[1:]))
    numbers = np.column_stack([rng.normal(size=(20, n_outputs)), rng.uniform(size=20)])
    for loss, table in (
        (SoftTargetLoss.of(targets), target_table(targets)),
        (SquaredLoss(), numbers),
    ):
        z, table = torch.tensor(rng.normal(size=shape), requires_grad=True), torch.tensor(table)
        (exact,) = torch.autograd.grad(loss.of_rows(z, table).mean(), z)
        (of_mean,) = torch.autograd.grad(loss(z, table), z)
        closed = loss.gradient(z.detach(), table)
        assert closed.shape == z.shape
        torch.testing.assert_close(closed, exact)
        torch.testing.assert_close(closed, of_mean, rtol=0, atol=0)


def test_scores_of_half_precision_give_a_loss_in_the_tables():
    problem = random_problem(np.random.default_rng(0), n=50, K=3)
    targets = mixture_of(problem, 3, imitation=0.5, temperature=2.0).targets()
    loss, table = SoftTargetLoss.of(targets), torch.tensor(target_table(targets)).float()
    z = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)).half()
    for mean in (loss(z, table), loss.of_rows(z, table).mean()):
        torch.testing.assert_close(mean, loss(z.float(), table))
    torch.testing.assert_close(loss.residual(z, table), loss.residual(z.float(), table))


@pytest.mark.parametrize("name", REGULARIZERS)
@pytest.mark.parametrize("K", [2, 5])
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0])
def test_regularizers_are_those_of_numpy(name, K, scale):
    rng = np.random.default_rng(2)
    numbers, direction = scale * rng.normal(size=(8, K)), rng.normal(size=(8, K))
    if scale:
        numbers[0] = 0  # all tie
    u = torch.tensor(numbers, requires_grad=True)
    table = torch.tensor(np.column_stack([np.zeros((8, K)), np.ones(8)]))
    bare = SoftTargetLoss([(1.0, None)], K).of_rows(u, table)
    value = SoftTargetLoss([(1.0, name)], K).of_rows(u, table) - bare
    (gradient,) = torch.autograd.grad(value.sum(), u, create_graph=True)
    (product,) = torch.autograd.grad((gradient * torch.tensor(direction)).sum(), u)
    numpy = make_regularizer(name)
    at, along = np.ascontiguousarray(numbers.T), np.ascontiguousarray(direction.T)
    tight = {"rtol": 1e-8, "atol": 1e-10}
    np.testing.assert_allclose(value.detach().numpy(), numpy.value(at), **tight)
    np.testing.assert_allclose(gradient.detach().numpy(), numpy.gradient(at).T, **tight)
    expected = numpy.hessian_product(at, along).T
    np.testing.assert_allclose(product.detach().numpy(), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", REGULARIZERS)
def test_regularizers_stay_finite_at_extreme_scores(name):
    u = torch.tensor([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]], requires_grad=True)
    table = torch.tensor([[0.0, 0.0, 0.0, 1.0]] * 2)
    SoftTargetLoss([(1.0, name)], 3)(u, table).backward()
    assert torch.isfinite(u.grad).all()


def test_squared_loss_is_the_mean_over_rows_and_outputs():
    rng = np.random.default_rng(3)
    z, m, s = rng.normal(size=(6, 2)), rng.normal(size=(6, 2)), rng.uniform(size=6)
    loss = SquaredLoss()(torch.tensor(z), torch.tensor(np.column_stack([m, s])))
    np.testing.assert_allclose(loss.item(), np.mean(s * ((z - m) ** 2).mean(axis=1)))
