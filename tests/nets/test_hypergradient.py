"""Both backward strategies agree with autograd, and each network gets the one that fits it."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_distill.nets import MLP
from sklearn_distill.nets._hypergradient import LinearLayerStrategy, WeightStrategy, choose_strategy


class SquaredMLP(MLP):
    """An MLP whose forward pass does more than its layers."""

    def forward(self, x):
        return super().forward(x).square()


class SkippedChain(nn.Sequential):
    """Linear layers that are not used in the order in which they are listed."""

    def forward(self, x):
        return self[2](self[1](self[0](x))) + self[0](x)[:, :2]


def hooked():
    chain = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    chain[1].register_forward_hook(lambda module, inputs, output: 2 * output)
    return chain


def masked():
    chain = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    chain[0].weight.register_hook(torch.zeros_like)
    return chain


def with_more():
    network = MLP(3, 2)
    network.aside = nn.Linear(3, 3)
    return network


CHAINS = {
    "MLP": lambda: MLP(3, 2, (4,), dropout=0.1),
    "sequential": lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)),
    "linear": lambda: nn.Linear(3, 2),
    "nothing between": lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2, bias=False)),
    "activation at its end": lambda: nn.Sequential(
        nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2), nn.Tanh()
    ),
    "nested": lambda: nn.Sequential(nn.Flatten(), MLP(3, 4), nn.ELU(), nn.Linear(4, 2)),
}
OTHERS = {
    "changed in place": lambda: nn.Sequential(
        nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)
    ),
    "dropped in place": lambda: nn.Sequential(
        nn.Linear(3, 4), nn.Dropout(0.0, True), nn.Linear(4, 2)
    ),
    "input changed in place": lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 2)),
    "own forward of an MLP": lambda: SquaredMLP(3, 2),
    "own forward of a chain": lambda: SkippedChain(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)),
    "hooked": hooked,
    "masked weights": masked,
    "an MLP with more": with_more,
    "normed weights": lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))),
    "a layer twice": lambda: (lambda one: nn.Sequential(one, one, nn.Linear(3, 2)))(
        nn.Linear(3, 3)
    ),
    "normed rows": lambda: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)),
}


def strategy_for(network, optimizer=torch.optim.SGD):
    return choose_strategy(network, optimizer(network.parameters(), lr=0.1))


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
@pytest.mark.parametrize("build", CHAINS.values(), ids=CHAINS)
def test_a_plain_chain_takes_the_fast_strategy(build, optimizer):
    assert type(strategy_for(build(), optimizer)) is LinearLayerStrategy


@pytest.mark.parametrize("build", OTHERS.values(), ids=OTHERS)
def test_any_other_network_takes_the_general_strategy(build):
    assert type(strategy_for(build())) is WeightStrategy


@pytest.mark.parametrize("build", (CHAINS | OTHERS).values(), ids=CHAINS | OTHERS)
def test_the_gradients_of_a_strategy_are_those_of_autograd(build):
    torch.manual_seed(0)
    network = build().eval().double()
    x, x_val = torch.randn(8, 3).double(), torch.randn(5, 3).double()
    train, *mixed = (torch.randn(8, 2).double() for _ in range(3))
    ahead = torch.randn(5, 2).double()

    def gradient(rows, residual):
        scores, weights = network(rows.clone()), list(network.parameters())
        return torch.autograd.grad(scores, weights, residual, materialize_grads=True)

    expected = [
        -0.1
        * sum((a * b).sum() for a, b in zip(gradient(x, m), gradient(x_val, ahead), strict=True))
        for m in mixed
    ]
    train_gradient = gradient(x, train)
    strategy = strategy_for(network)
    strategy.register_hooks()
    strategy.backward(network(x.clone()), [train, *mixed])
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in network.parameters()]
    torch.testing.assert_close(grads, list(train_gradient))
    found = strategy.hypergradient([-0.1] * len(train_gradient), network(x_val.clone()), ahead)
    np.testing.assert_allclose(found, [float(value.detach()) for value in expected], rtol=1e-12)


def test_hooks_after_a_gradient_are_called():
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))

    def clipped(weight):
        weight.grad.clamp_(-0.01, 0.01)

    for weight in network.parameters():
        weight.register_post_accumulate_grad_hook(clipped)
    strategy, x, residual = strategy_for(network), torch.randn(8, 3), torch.randn(8, 2)
    network(x).backward(residual)
    plain = [weight.grad.clone() for weight in network.parameters()]
    strategy.backward(network(x), [residual, torch.randn(8, 2)])
    assert max(float(grad.abs().max()) for grad in plain) == pytest.approx(0.01)
    torch.testing.assert_close([weight.grad for weight in network.parameters()], plain)


def test_rows_of_several_positions():
    """A linear layer that acts on each position of a row, and one on all."""
    torch.manual_seed(0)
    layers = nn.Linear(4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(6, 2)
    network = nn.Sequential(*layers).double()
    x, x_val = torch.randn(8, 2, 4).double(), torch.randn(5, 2, 4).double()
    residuals = [torch.randn(8, 2).double() for _ in range(3)]
    ahead, parameters = torch.randn(5, 2).double(), list(network.parameters())
    found = []
    for strategy in (LinearLayerStrategy([layers[0], layers[3]]), WeightStrategy(parameters)):
        strategy.register_hooks()
        strategy.backward(network(x), residuals)
        found.append(strategy.hypergradient([-0.1] * 4, network(x_val), ahead))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize("n_val", [2, 50])
@pytest.mark.parametrize("own_steps", [False, True])
def test_strategies_agree(n_val, own_steps):
    """Products of rows, products of weights and autograd give the same number."""
    torch.manual_seed(0)
    network = MLP(6, 3, (4,)).double()
    x, x_val = torch.randn(8, 6).double(), torch.randn(n_val, 6).double()
    residuals = [torch.randn(8, 3).double() for _ in range(3)]
    ahead = torch.randn(n_val, 3).double()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    found = []
    for strategy in (LinearLayerStrategy(layers), WeightStrategy(list(network.parameters()))):
        strategy.register_hooks()
        strategy.backward(network(x), residuals)
        grads = [p.grad.clone() for p in network.parameters()]
        steps = [torch.cos(p.detach()) if own_steps else -0.1 for p in network.parameters()]
        found.append((grads, strategy.hypergradient(steps, network(x_val), ahead)))
    torch.testing.assert_close(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-12)
