r"""The exact derivative of the validation loss after one step of training in λ and T.

With g = ∇L_train(w) and the optimiser's step w' = w'(g),

.. math:: \frac{dL_\mathrm{val}(w')}{dθ}
          = \big\langle D ∘ ∇L_\mathrm{val}(w'),\; ∂_θ ∇L_\mathrm{train}(w) \big\rangle,
          \qquad D = \frac{∂w'}{∂g},

and :math:`∂_θ∇L_\mathrm{train} = J^⊤ ∂_θ r`, with r the closed-form derivative of the loss in the
scores and J theirs in the weights: no second derivative of the network is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

Grads = list[Tensor | None]

# A table of rows against rows is made at about this share of the speed of other products.
NARROW = 0.6


class BackwardStrategy(Protocol):
    """A way from the residuals of a mini-batch to gradients and hypergradients."""

    def pull_back(self, scores: Tensor, residuals: Sequence[Tensor]) -> None:
        """Set the weights' gradients from the first residual; keep what the others need."""

    def register_hooks(self) -> None:
        """Take notice of the forward passes that come."""

    def close(self) -> None:
        """Leave the network as it was found; it may be listened to again."""

    def products(
        self, jacobian: Iterable[Tensor | float], scores: Tensor, residual: Tensor
    ) -> list[float]:
        """Return ⟨D∘∇L_val, ∂_θ∇L_train⟩ of the other residuals, given z at w' and ∂L_val/∂z."""


class WeightStrategy:
    """Gradients of all weights, one backward pass for each residual: any network, any optimiser.

    Parameters
    ----------
    parameters : list of Parameter
        The weights that are trained.
    """

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters
        self.mixed: list[Grads] = []

    def register_hooks(self) -> None:
        """Do nothing: autograd knows all that is needed."""

    def close(self) -> None:
        """Do nothing."""

    def pull_back(self, scores: Tensor, residuals: Sequence[Tensor]) -> None:
        """Go back through the network once for each residual."""
        train, *mixed = residuals
        self.mixed = [weight_gradients(scores, self.parameters, r, keep=True) for r in mixed]
        for parameter in self.parameters:
            parameter.grad = None
        scores.backward(train, inputs=self.parameters)  # as in a plain step, its hooks included

    def products(
        self, jacobian: Iterable[Tensor | float], scores: Tensor, residual: Tensor
    ) -> list[float]:
        """Return the inner products over all weights."""
        outer = weight_gradients(scores, self.parameters, residual)
        scaled = [None if g is None else d * g for d, g in zip(jacobian, outer, strict=True)]
        return [_inner_product(scaled, mixed) for mixed in self.mixed]


def weight_gradients(
    scores: Tensor, parameters: Sequence[Tensor], residual: Tensor, *, keep: bool = False
) -> Grads:
    """Send a residual back to the weights.

    Parameters
    ----------
    scores : Tensor of shape (n_rows, n_classes)
        What the network gave.
    parameters : sequence of Tensor
        Its weights.
    residual : Tensor of shape (n_rows, n_classes)
        A derivative in the scores.
    keep : bool, default=False
        Whether others will be sent back.

    Returns
    -------
    list of Tensor or None
        The gradient of each weight; None of one that was not used.
    """
    return list(
        torch.autograd.grad(scores, parameters, residual, retain_graph=keep, allow_unused=True)
    )


def _inner_product(one: Grads, other: Grads) -> float:
    pairs = zip(one, other, strict=True)
    products = [(a * b).sum() for a, b in pairs if a is not None and b is not None]
    return float(torch.stack(products).sum()) if products else 0.0


class LinearLayerStrategy:
    r"""Inputs H and backward signals Δ of linear layers: for networks of nothing else.

    The weight gradient of a layer is ΔᵀH, so an inner product of two is

    .. math:: \langle D∘Δ'^⊤H', Δ^⊤H \rangle = \langle H\,(D∘Δ'^⊤H')^⊤, Δ \rangle
              = D \sum_{ij} (Δ'Δ^⊤ ∘ H'H^⊤)_{ij},

    the latter where D is one number, as for SGD, and where it costs less. Only signals go back for
    ∂_θ r, all in one pass: their weight gradients are never formed. A bias adds 1 to H'Hᵀ.

    Parameters
    ----------
    layers : list of Linear
        All layers that have weights, in their order; between them a network does nothing but
        what acts on each number for itself.
    has_dropout : bool, default=False
        Whether others drop numbers in training.
    """

    def __init__(self, layers: list[nn.Linear], *, has_dropout: bool = False) -> None:
        self.layers = layers
        self.has_dropout = has_dropout
        self.seen: dict[nn.Linear, LayerPass] = {}
        self.train: list[tuple[Tensor, Tensor]] = []
        self.hooks: list[Any] = []

    def register_hooks(self) -> None:
        """Keep what the layers take and give from now on."""
        if not self.hooks:
            self.hooks = [layer.register_forward_hook(self._keep) for layer in self.layers]

    def close(self) -> None:
        """Take the hooks off the network: they cost, in steps that need none."""
        for hook in self.hooks:
            hook.remove()
        self.hooks, self.seen = [], {}

    def pull_back(self, scores: Tensor, residuals: Sequence[Tensor]) -> None:
        """Send the residuals back to the layers' outputs; make the weights' gradients of one."""
        self.train = []
        for layer, (H, signals) in zip(self.layers, self._back(scores, residuals), strict=True):
            layer.weight.grad = signals[0].T @ H
            if layer.bias is not None:
                layer.bias.grad = signals[0].sum(0)
            self.train.append((H, signals[1:]))

    def products(
        self, jacobian: Iterable[Tensor | float], scores: Tensor, residual: Tensor
    ) -> list[float]:
        """Return the inner products, layer by layer."""
        D = iter(jacobian)
        total = torch.zeros(len(self.train[0][1]), dtype=residual.dtype, device=residual.device)
        layers = zip(self.layers, self._back(scores, [residual]), self.train, strict=True)
        for layer, (H_val, signals), (H, mixed) in layers:
            pulled = _pulled(
                H_val, signals[0], H, next(D), next(D) if layer.bias is not None else 0
            )
            total.addmv_(mixed.flatten(1), pulled.flatten())
        return total.tolist()

    def _back(self, scores: Tensor, residuals: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield H of each layer, and Δ of each residual at its output, all rows two-dimensional."""
        uses = [self.seen.pop(layer) for layer in self.layers]
        top = [_sent_back(scores, uses[-1].outputs, residual) for residual in residuals]
        signals = [torch.stack(top) if len(top) > 1 else top[0][None]]
        for below, above in reversed(list(pairwise(uses))):
            slope = _slope(above.inputs, below.outputs)
            passed = (signals[-1].flatten(0, -2) @ above.weight).reshape(-1, *slope.shape)
            signals.append(passed.mul_(slope))
        for use, signal in zip(uses, reversed(signals), strict=True):
            yield use.inputs.detach().flatten(0, -2), signal.flatten(1, -2)

    def _keep(self, layer: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        assert isinstance(layer, nn.Linear)
        self.seen[layer] = LayerPass(inputs[0], layer.weight.detach(), outputs)


class LayerPass(NamedTuple):
    """What a linear layer took and gave in the last forward pass, and its weights.

    They are the layer's own, or others that it was called with; a step changes the former.
    """

    inputs: Tensor
    weight: Tensor
    outputs: Tensor


def _sent_back(above: Tensor, below: Tensor, signal: Tensor) -> Tensor:
    """Send a signal back from a tensor to the one that it was made from."""
    if above is below:
        return signal
    return torch.autograd.grad(above, below, signal, retain_graph=True)[0]


def _slope(above: Tensor, below: Tensor) -> Tensor:
    """Return the derivative of each number above in that below which it was made from."""
    relu = above.grad_fn
    if relu is not None and relu.name() == "ReluBackward0" and _follows(relu, below):
        # 0 or 1; a comparison takes three times as long, as its truth values have to be made
        # numbers, and autograd longer only to begin
        return above.detach().sign()
    return _sent_back(above, below, torch.ones_like(above))


def _follows(node: Any, below: Tensor) -> bool:
    return node.next_functions[0][0] is below.grad_fn


def _pulled(
    H_val: Tensor, delta_val: Tensor, H: Tensor, D: Tensor | float, D_bias: Tensor | float
) -> Tensor:
    """Return H(D∘Δ'ᵀH')ᵀ + 1 (D_b∘1ᵀΔ'), by the cheaper of both ways where D is a number."""
    (n_val, d_out), n = delta_val.shape, len(H)
    of_bias = delta_val.sum(0)
    if isinstance(D, Tensor) or isinstance(D_bias, Tensor):
        return torch.addmm(D_bias * of_bias, H, (D * (delta_val.T @ H_val)).T)
    if n * n_val < NARROW * (n + n_val) * d_out:
        return torch.addmm(of_bias, (H_val @ H.T).T, delta_val, beta=D_bias, alpha=D)
    # no factor turned: twice as fast
    return torch.addmm(of_bias, H, H_val.T @ delta_val, beta=D_bias, alpha=D)


def choose_strategy(
    network: nn.Module, optimizer: torch.optim.Optimizer
) -> WeightStrategy | LinearLayerStrategy:
    """Return the cheapest exact route, for the weights that are not frozen now.

    Parameters
    ----------
    network : Module
        What is trained.
    optimizer : Optimizer
        What trains it.

    Returns
    -------
    WeightStrategy or LinearLayerStrategy
        The latter where the weights are those of linear layers, in their order, each of which is
        used once on rows of numbers, and none is frozen.
    """
    parameters = trained_parameters(optimizer)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    of_layers = [p for layer in layers for p in layer.parameters()]
    same = list(map(id, parameters)) == list(map(id, of_layers))
    if same and _is_a_chain(network):
        drops = any(isinstance(part, nn.Dropout) for part in network.modules())
        return LinearLayerStrategy(layers, has_dropout=drops)
    return WeightStrategy(parameters)


def trained_parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """Return the weights that an optimiser moves: those that are not frozen.

    Parameters
    ----------
    optimizer : Optimizer
        The optimiser.

    Returns
    -------
    list of Parameter
        Its parameters, group by group.
    """
    return [p for group in optimizer.param_groups for p in _moved(group)]


def sgd_steps(optimizer: torch.optim.Optimizer) -> list[float]:
    """Return −γ of each weight that an optimiser moves: D of a step of plain SGD.

    Parameters
    ----------
    optimizer : Optimizer
        The optimiser, of any kind.

    Returns
    -------
    list of float
        One for each of :func:`trained_parameters`.
    """
    return [-group["lr"] for group in optimizer.param_groups for _ in _moved(group)]


def _moved(group: dict[str, Any]) -> list[nn.Parameter]:
    return [p for p in group["params"] if p.requires_grad]


# layers that act on each number for itself, and have no weights
_ELEMENTWISE = {
    nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid,
    nn.Softplus, nn.Dropout, nn.Flatten, nn.Identity,
}  # fmt: skip


def _is_a_chain(network: nn.Module) -> bool:
    """Tell whether a network is a sequence of known layers; others may do anything else."""
    from sklearn_distill.nets.modules import MLP

    every_use = [part for _, part in network.named_modules(remove_duplicate=False)]
    if len(every_use) > len(set(every_use)):  # a layer that is used twice
        return False
    chains = {MLP, nn.Sequential, nn.Linear}
    kinds = all(type(part) in _ELEMENTWISE | chains and _is_plain(part) for part in every_use)
    own = all(set(part._modules) == {"body", "head"} for part in every_use if type(part) is MLP)
    return kinds and own and type(network) in chains


def _is_plain(part: nn.Module) -> bool:
    """Tell whether a layer leaves its input as it is, and has no hooks that change what it does."""
    hooks: list[Any] = [part._forward_hooks, part._forward_pre_hooks]
    hooks += [part._backward_hooks, part._backward_pre_hooks]
    for p in part.parameters(recurse=False):
        hooks += [p._backward_hooks, p._post_accumulate_grad_hooks]
    return not (any(hooks) or getattr(part, "inplace", False))


def step_jacobian(optimizer: torch.optim.Optimizer) -> list[Tensor | float]:
    r"""Return D = ∂w'/∂g of each weight for the step that the optimiser is about to make.

    SGD: −γ, from the second step on −γ(1 − dampening), with Nesterov's momentum −γ(1 + μ). Adam,
    with t the number of this step, m̂ and v̂ its moments after it and :math:`s = \sqrt{v̂}`:

    .. math:: D = -γ\Big[\frac{1-β_1}{(1-β_1^t)(s+ε)}
              - \frac{\hat m\,(1-β_2)\,g}{(1-β_2^t)\,s\,(s+ε)^2}\Big], \qquad 0 \text{ at } s = 0.

    Parameters
    ----------
    optimizer : Optimizer
        SGD, Adam or AdamW, the weights' ``grad`` set.

    Returns
    -------
    list of Tensor or float
        One for each weight that is not frozen.

    Raises
    ------
    ValueError
        If the optimiser is another one, or a variant without such a derivative.
    """
    known: dict[Any, Any] = {torch.optim.SGD: _sgd, torch.optim.Adam: _adam}
    jacobian = known.get(type(optimizer), _adam if isinstance(optimizer, torch.optim.AdamW) else 0)
    groups = optimizer.param_groups
    if not jacobian or any(group.get("amsgrad") or group.get("maximize") for group in groups):
        raise ValueError(
            f"optimizer {type(optimizer).__name__} has no known derivative of its step: take SGD, "
            "Adam or AdamW (without amsgrad and maximize), or virtual_step='sgd'"
        )
    return [D for group in groups for D in jacobian(group, optimizer.state)]


def _sgd(group: dict[str, Any], state: Mapping[Tensor, Any]) -> list[float]:
    momentum, lr = group["momentum"], group["lr"]
    steps = []
    for p in _moved(group):
        first = state[p].get("momentum_buffer") is None
        share = 1.0 if first or not momentum else 1 - group["dampening"]
        steps.append(float(-lr * (1 + momentum * share if group["nesterov"] else share)))
    return steps


def _adam(group: dict[str, Any], state: Mapping[Tensor, Any]) -> list[Tensor]:
    """Return D of each weight; those that were stepped as often are taken together."""
    weights = _moved(group)
    steps = [int(state[p].get("step", 0)) + 1 for p in weights]
    jacobian: dict[int, Tensor] = {}
    for t in set(steps):
        same = [p for p, own in zip(weights, steps, strict=True) if own == t]
        jacobian |= zip(map(id, same), _adam_at(t, group, same, state), strict=True)
    return [jacobian[id(p)] for p in weights]


def _adam_at(
    t: int, group: dict[str, Any], weights: Sequence[Tensor], state: Mapping[Tensor, Any]
) -> list[Tensor]:
    """Return D of weights whose step is their t-th; of all at once, as calls cost the most."""
    beta1, beta2 = group["betas"]
    g = _flat([torch.zeros_like(p) if p.grad is None else p.grad for p in weights])
    if not group.get("decoupled_weight_decay", False):
        g = g + group["weight_decay"] * _flat(weights)
    m = (1 - beta1) * g
    v = (1 - beta2) * g * g
    if t > 1:
        m += beta1 * _flat([state[p]["exp_avg"] for p in weights])
        v += beta2 * _flat([state[p]["exp_avg_sq"] for p in weights])
    m_hat, s = m / (1 - beta1**t), (v / (1 - beta2**t)).sqrt()
    near, eps = s + group["eps"], group["eps"]
    own = (1 - beta1) / ((1 - beta1**t) * near)
    through_s = m_hat * (1 - beta2) * g / ((1 - beta2**t) * s.clamp(min=eps**2) * near**2)
    D = torch.where(s > 0, -group["lr"] * (own - through_s), 0.0)
    parts = D.split([p.numel() for p in weights])
    return [part.view_as(p) for part, p in zip(parts, weights, strict=True)]


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
