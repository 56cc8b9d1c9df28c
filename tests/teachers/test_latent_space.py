"""The triplet loss against a loop, and its properties."""

import itertools

import pytest
import torch

from sklearn_distill.teachers._latent_space import (
    AlignmentData,
    LatentSpace,
    alignment_losses,
    reconstruction_loss,
    to_unit_length,
    triplet_loss,
)

M, N, D = 3, 12, 4
EACH = list(itertools.permutations(range(M), 2))
FIRST = [(0, 1), (0, 2)]


def problem(seed=0):
    """Return codes, a mask of available rows, and labels, of which some are missing."""
    generator = torch.Generator().manual_seed(seed)
    codes = [to_unit_length(torch.randn(N, D, generator=generator)) for _ in range(M)]
    available = torch.rand(M, N, generator=generator) < 0.7
    labels = torch.randint(-1, 3, (N,), generator=generator)
    return codes, available, labels


def written_loss(codes, available, labels, pairs, margin):
    """MATHEMATICS §6, triplet by triplet."""
    losses = []
    for a, m in pairs:
        for i, j in itertools.product(range(N), repeat=2):
            is_available = available[a, i] and available[m, i] and available[m, j]
            if is_available and labels[i] >= 0 and labels[j] >= 0 and labels[i] != labels[j]:
                near = (codes[a][i] - codes[m][i]).square().sum()
                far = (codes[a][i] - codes[m][j]).square().sum()
                losses.append(max(0.0, float(margin + near - far)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("pairs", [FIRST, EACH], ids=["first", "each"])
@pytest.mark.parametrize("margin", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_all_triplets_at_once_are_those_of_a_loop(pairs, margin, seed):
    data = problem(seed)
    expected = written_loss(*data, pairs, margin)
    assert float(triplet_loss(*data, pairs, margin)) == pytest.approx(expected, rel=1e-5)


def test_the_order_of_rows_does_not_matter():
    codes, available, labels = problem()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    permuted = triplet_loss(
        [c[order] for c in codes], available[:, order], labels[order], EACH, 1.0
    )
    torch.testing.assert_close(permuted, triplet_loss(codes, available, labels, EACH, 1.0))


@pytest.mark.parametrize("order", list(itertools.permutations(range(M))), ids=str)
def test_the_order_of_models_does_not_matter_where_each_is_an_anchor(order):
    codes, available, labels = problem()
    permuted = triplet_loss([codes[m] for m in order], available[list(order)], labels, EACH, 1.0)
    torch.testing.assert_close(permuted, triplet_loss(codes, available, labels, EACH, 1.0))


def test_rows_without_a_representation_have_no_influence():
    codes, available, labels = problem()
    other = [torch.where(s[:, None], c, 99.0) for c, s in zip(codes, available, strict=True)]
    for made in (codes, other):
        for one in made:
            one.requires_grad_()
        triplet_loss(made, available, labels, EACH, 1.0).backward()
    for c, o, s in zip(codes, other, available, strict=True):
        torch.testing.assert_close(c.grad, o.grad)
        assert (c.grad[~s] == 0).all()


def test_identical_codes_need_no_more_than_no_margin():
    codes, available, labels = problem()
    assert float(triplet_loss([codes[0]] * M, available, labels, EACH, 0.0)) == 0
    assert float(triplet_loss([codes[0]] * M, available, labels, EACH, 1.0)) > 0


@pytest.mark.parametrize("labels", [torch.zeros(N), -torch.ones(N)], ids=["one class", "no label"])
def test_without_triplets_the_loss_is_zero(labels):
    codes, available, _ = problem()
    assert float(triplet_loss(codes, available, labels.long(), EACH, 1.0)) == 0


def test_codes_have_length_one_and_zero_a_gradient():
    vectors = torch.tensor([[3.0, 4.0], [1e-3, 0.0], [0.0, 0.0]], requires_grad=True)
    codes = to_unit_length(vectors)
    torch.testing.assert_close(codes.norm(dim=1), torch.tensor([1.0, 1.0, 0.0]), atol=0.01, rtol=0)
    codes.sum().backward()
    assert vectors.grad.isfinite().all()


def test_reconstruction_is_the_mean_over_available_rows():
    rows, available = torch.tensor([[1.0, 3.0], [7.0, 7.0]]), torch.tensor([True, False])
    assert float(reconstruction_loss(torch.zeros(2, 2), rows, available)) == 5.0
    assert float(reconstruction_loss(torch.zeros(2, 2), rows, ~available & available)) == 0.0


def test_the_derivatives_are_those_of_the_losses():
    """Central differences, in float64 and away from the corners of max(0, ·)."""
    space = LatentSpace([5, 3], 2, (4,), seed=0).double()
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randn(6, w, generator=generator, dtype=torch.float64) for w in (5, 3)]
    data = AlignmentData(rows, torch.ones(2, 6, dtype=torch.bool), torch.arange(6) % 2, [(0, 1)])
    weight = space.encoders[0][0].weight
    for k in range(2):
        loss = alignment_losses(space, data, 1.0)[k]
        (gradient,) = torch.autograd.grad(loss, weight)
        direction = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        ends = []
        for step in (1e-6, -1e-6):
            with torch.no_grad():
                weight += step * direction
                ends.append(alignment_losses(space, data, 1.0)[k])
                weight -= step * direction
        numeric = (ends[0] - ends[1]) / 2e-6
        torch.testing.assert_close((gradient * direction).sum(), numeric, rtol=1e-5, atol=1e-8)


def test_initial_weights_are_drawn_for_each_model_without_the_global_generator():
    state = torch.get_rng_state()
    space = LatentSpace([5, 5], 2, (4,), seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    first, second = (encoder.state_dict() for encoder in space.encoders)
    assert all(torch.equal(first[name], second[name]) for name in first)
