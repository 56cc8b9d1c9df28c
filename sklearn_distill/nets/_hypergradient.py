r"""The exact derivative of the validation loss with respect to λ and T, after one step of training.

With g = ∇L_train(w) and the optimiser's step w' = w'(g),

.. math:: \frac{dL_\mathrm{val}(w')}{dθ}
          = \big\langle D ∘ ∇L_\mathrm{val}(w'),\; ∂_θ ∇L_\mathrm{train}(w) \big\rangle,
          \qquad D = \frac{∂w'}{∂g},

and :math:`∂_θ∇L_\mathrm{train} = J^⊤ ∂_θ r`, where the residual r is the closed-form derivative of
the loss with respect to the scores, and J the Jacobian of the scores with respect to the weights.
No second derivative of the network is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

Gradients = list[Tensor | None]

# Measured speed of the product that gives a matrix of validation by training rows, relative to that
# of the other products.
GRAM_SPEED = 0.6


class BackwardStrategy(Protocol):
    """A way from the residuals of a mini-batch to the weights' gradients and the hypergradient."""

    def register_hooks(self) -> None:
        """Record the forward passes from now on."""

    def close(self) -> None:
        """Remove the hooks from the network; they can be registered again."""

    def backward(self, scores: Tensor, residuals: Sequence[Tensor]) -> None:
        """Set the weights' gradients from the first residual; keep the mixed ones' signals."""

    def hypergradient(
        self, jacobian: Iterable[Tensor | float], scores: Tensor, residual: Tensor
    ) -> list[float]:
        """Return ⟨D∘∇L_val, ∂_θ∇L_train⟩ for each mixed residual, given z at w' and ∂L_val/∂z."""


class WeightStrategy:
    """The general strategy: a backward pass for each residual, for any network and optimiser.

    Parameters
    ----------
    parameters : list of Parameter
        The weights that are trained.
    """

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters
        self.mixed_gradients: list[Gradients] = []

    def register_hooks(self) -> None:
        """Do nothing: the graph of the scores is enough."""

    def close(self) -> None:
        """Do nothing."""

    def backward(self, scores: Tensor, residuals: Sequence[Tensor]) -> None:
        """Run a backward pass for each residual."""
        train, *mixed = residuals
        self.mixed_gradients = [
            weight_gradients(scores, self.parameters, r, keep=True) for r in mixed
        ]
        for parameter in self.parameters:
            parameter.grad = None
        # as in a plain step: unlike autograd.grad, it calls the hooks after accumulation
        scores.backward(train, inputs=self.parameters)

    def hypergradient(
        self, jacobian: Iterable[Tensor | float], scores: Tensor, residual: Tensor
    ) -> list[float]:
        """Return the inner products over all weights."""
        validation = weight_gradients(scores, self.parameters, residual)
        scaled = [None if g is None else d * g for d, g in zip(jacobian, validation, strict=True)]
        return [_inner_product(scaled, mixed) for mixed in self.mixed_gradients]


def weight_gradients(
    scores: Tensor, parameters: Sequence[Tensor], residual: Tensor, *, keep: bool = False
) -> Gradients:
    """Return the gradient of each weight for a residual.

    Parameters
    ----------
    scores : Tensor of shape (n_rows, n_classes)
        Scores of the network, with their graph.
    parameters : sequence of Tensor
        Weights of the network.
    residual : Tensor of shape (n_rows, n_classes)
        Derivative of a loss with respect to the scores.
    keep : bool, default=False
        Whether to keep the graph for another backward pass.

    Returns
    -------
    list of Tensor or None
        The gradient of each weight; None for a weight that was not used.
    """
    return list(
        torch.autograd.grad(scores, parameters, residual, retain_graph=keep, allow_unused=True)
    )


def _inner_product(left: Gradients, right: Gradients) -> float:
    pairs = zip(left, right, strict=True)
    products = [(a * b).sum() for a, b in pairs if a is not None and b is not None]
    return float(torch.stack(products).sum()) if products else 0.0


class LinearLayerStrategy:
    r"""The fast strategy, for chains of linear layers: from their inputs H and backward signals Δ.

    The weight gradient of a layer is ΔᵀH, so the inner product of two is

    .. math:: \langle D∘Δ'^⊤H', Δ^⊤H \rangle = \langle H\,(D∘Δ'^⊤H')^⊤, Δ \rangle
              = D \sum_{ij} (Δ'Δ^⊤ ∘ H'H^⊤)_{ij},

    the latter if D is a number, as for SGD, and if it costs less. One pass sends the signals of all
    ∂_θ r back: their weight gradients are never formed. A bias adds 1 to H'Hᵀ.

    Parameters
    ----------
    layers : list of Linear
        All layers that have weights, in the order of the forward pass; between them there are only
        elementwise operations.
    has_dropout : bool, default=False
        Whether the network has dropout layers.
    """

    def __init__(self, layers: list[nn.Linear], *, has_dropout: bool = False) -> None:
        self.layers = layers
        self.has_dropout = has_dropout
        self.passes: dict[nn.Linear, LayerPass] = {}
        self.train_signals: list[tuple[Tensor, Tensor]] = []
        self.hooks: list[Any] = []

    def register_hooks(self) -> None:
        """Record inputs and outputs of the layers from now on."""
        if not self.hooks:
            self.hooks = [layer.register_forward_hook(self._record) for layer in self.layers]

    def close(self) -> None:
        """Remove the hooks: they would slow down the steps without a hypergradient."""
        for hook in self.hooks:
            hook.remove()
        self.hooks, self.passes = [], {}

    def backward(self, scores: Tensor, residuals: Sequence[Tensor]) -> None:
        """Send the residuals back to the layers' outputs; set the gradients from the first one."""
        self.train_signals = []
        by_layer = zip(self.layers, self._layer_signals(scores, residuals), strict=True)
        for layer, (H, signals) in by_layer:
            layer.weight.grad = signals[0].T @ H
            if layer.bias is not None:
                layer.bias.grad = signals[0].sum(0)
            self.train_signals.append((H, signals[1:]))

    def hypergradient(
        self, jacobian: Iterable[Tensor | float], scores: Tensor, residual: Tensor
    ) -> list[float]:
        """Return the inner products, summed layer by layer."""
        D = iter(jacobian)
        n_mixed = len(self.train_signals[0][1])
        total = torch.zeros(n_mixed, dtype=residual.dtype, device=residual.device)
        validation = self._layer_signals(scores, [residual])
        by_layer = zip(self.layers, validation, self.train_signals, strict=True)
        for layer, (H_val, signals), (H, mixed) in by_layer:
            derivative = _output_derivative(
                H_val, signals[0], H, next(D), next(D) if layer.bias is not None else 0
            )
            total.addmv_(mixed.flatten(1), derivative.flatten())
        return total.tolist()

    def _layer_signals(
        self, scores: Tensor, residuals: Sequence[Tensor]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield H of each layer, and Δ of each residual at its output, as matrices."""
        # removed, so that the activations are not kept until the next step
        passes = [self.passes.pop(layer) for layer in self.layers]
        last = [_pull_back(scores, passes[-1].outputs, residual) for residual in residuals]
        # all residuals in one tensor, so that one product per layer sends them back
        signals = [torch.stack(last) if len(last) > 1 else last[0][None]]
        for lower, upper in reversed(list(pairwise(passes))):
            slope = _activation_derivative(lower.outputs, upper.inputs)
            signal = (signals[-1].flatten(0, -2) @ upper.weight).reshape(-1, *slope.shape)
            signals.append(signal.mul_(slope))
        for layer_pass, signal in zip(passes, reversed(signals), strict=True):
            yield layer_pass.inputs.detach().flatten(0, -2), signal.flatten(1, -2)

    def _record(self, layer: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        assert isinstance(layer, nn.Linear)
        self.passes[layer] = LayerPass(inputs[0], layer.weight.detach(), outputs)


class LayerPass(NamedTuple):
    """Input and output of a linear layer in the last forward pass, and its weights there.

    The weights are those of a functional call, or the layer's own, which a step changes in place.
    """

    inputs: Tensor
    weight: Tensor
    outputs: Tensor


def _pull_back(output: Tensor, source: Tensor, signal: Tensor) -> Tensor:
    """Return the derivative with respect to `source`, given that with respect to `output`."""
    if output is source:
        return signal
    return torch.autograd.grad(output, source, signal, retain_graph=True)[0]


def _activation_derivative(before: Tensor, after: Tensor) -> Tensor:
    """Return the elementwise derivative of the activation between two linear layers."""
    relu: Any = after.grad_fn
    if (
        relu is not None
        and relu.name() == "ReluBackward0"
        and relu.next_functions[0][0] is before.grad_fn
    ):
        # 0 or 1. A comparison takes three times as long, since its booleans have to be converted,
        # and autograd takes longer only to start.
        return after.detach().sign()
    return _pull_back(after, before, torch.ones_like(after))


def _output_derivative(
    H_val: Tensor, delta_val: Tensor, H: Tensor, D: Tensor | float, D_bias: Tensor | float
) -> Tensor:
    """Return H(D∘Δ'ᵀH')ᵀ + 1 (D_b∘1ᵀΔ'), in the cheaper of both orders if D is a number.

    It is the derivative of a layer's outputs on the training rows along D∘∇L_val.
    """
    (n_val, d_out), n = delta_val.shape, len(H)
    bias_gradient = delta_val.sum(0)
    if isinstance(D, Tensor) or isinstance(D_bias, Tensor):
        return torch.addmm(D_bias * bias_gradient, H, (D * (delta_val.T @ H_val)).T)
    # multiplications per input feature of the layer; the narrow product with delta_val is left out
    if n * n_val < GRAM_SPEED * (n + n_val) * d_out:
        return torch.addmm(bias_gradient, (H_val @ H.T).T, delta_val, beta=D_bias, alpha=D)
    # without a transposed second factor it is twice as fast
    return torch.addmm(bias_gradient, H, H_val.T @ delta_val, beta=D_bias, alpha=D)


def choose_strategy(
    network: nn.Module, optimizer: torch.optim.Optimizer
) -> WeightStrategy | LinearLayerStrategy:
    """Return the cheapest exact strategy for the weights that are trainable now.

    Parameters
    ----------
    network : Module
        The network that is trained.
    optimizer : Optimizer
        The optimiser of its weights.

    Returns
    -------
    WeightStrategy or LinearLayerStrategy
        The latter if the trainable weights are those of all linear layers, in their order, and the
        network is a chain that uses each of them once.
    """
    parameters = trained_parameters(optimizer)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    # the order matters: D is read off weight by weight, layer by layer
    of_layers = [p for layer in layers for p in layer.parameters()]
    same = list(map(id, parameters)) == list(map(id, of_layers))
    if same and _is_plain_chain(network):
        has_dropout = any(isinstance(part, nn.Dropout) for part in network.modules())
        return LinearLayerStrategy(layers, has_dropout=has_dropout)
    return WeightStrategy(parameters)


def trained_parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """Return the weights that an optimiser changes: those that are not frozen.

    Parameters
    ----------
    optimizer : Optimizer
        Any optimiser of torch.

    Returns
    -------
    list of Parameter
        Its trainable parameters, group by group.
    """
    return [p for group in optimizer.param_groups for p in _trainable(group)]


def sgd_steps(optimizer: torch.optim.Optimizer) -> list[float]:
    """Return −γ for each trainable weight: D for a step of plain SGD.

    Parameters
    ----------
    optimizer : Optimizer
        An optimiser of any kind, whose learning rates γ are used.

    Returns
    -------
    list of float
        One number for each of :func:`trained_parameters`.
    """
    return [-group["lr"] for group in optimizer.param_groups for _ in _trainable(group)]


def _trainable(group: dict[str, Any]) -> list[nn.Parameter]:
    return [p for p in group["params"] if p.requires_grad]


# Layers without weights that act on each number separately (Flatten only changes the shape).
_ELEMENTWISE = {
    nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid,
    nn.Softplus, nn.Dropout, nn.Flatten, nn.Identity,
}  # fmt: skip


def _is_plain_chain(network: nn.Module) -> bool:
    """Return whether a network is a sequence of known layers.

    Types are compared exactly, since a subclass may have another ``forward``.
    """
    from sklearn_distill.nets.modules import MLP

    parts = [part for _, part in network.named_modules(remove_duplicate=False)]
    if len(parts) > len(set(parts)):  # a shared layer: only its last pass would be recorded
        return False
    chains = {MLP, nn.Sequential, nn.Linear}
    are_known = all(type(part) in _ELEMENTWISE | chains and _is_plain(part) for part in parts)
    # an attribute that was added to an MLP is not part of its forward pass
    mlps = all(set(part._modules) == {"body", "head"} for part in parts if type(part) is MLP)
    return are_known and mlps and type(network) in chains


def _is_plain(part: nn.Module) -> bool:
    """Return whether a layer leaves its input unchanged and has no hooks, which may do anything."""
    hooks: list[Any] = [part._forward_hooks, part._forward_pre_hooks]
    hooks += [part._backward_hooks, part._backward_pre_hooks]
    for p in part.parameters(recurse=False):
        hooks += [p._backward_hooks, p._post_accumulate_grad_hooks]
    return not (any(hooks) or getattr(part, "inplace", False))


def step_jacobian(optimizer: torch.optim.Optimizer) -> list[Tensor | float]:
    r"""Return D = ∂w'/∂g of each weight, for the step that the optimiser is about to make.

    SGD: −γ, from the second step on −γ(1 − dampening), with Nesterov's momentum −γ(1 + μ). Adam,
    with t the number of this step, m̂ and v̂ its moments after it and :math:`s = \sqrt{v̂}`:

    .. math:: D = -γ\Big[\frac{1-β_1}{(1-β_1^t)(s+ε)}
              - \frac{\hat m\,(1-β_2)\,g}{(1-β_2^t)\,s\,(s+ε)^2}\Big], \qquad 0 \text{ at } s = 0.

    Parameters
    ----------
    optimizer : Optimizer
        SGD, Adam or AdamW, after the backward pass: the weights' ``grad`` are set.

    Returns
    -------
    list of Tensor or float
        D of each weight that is not frozen.

    Raises
    ------
    ValueError
        If the optimiser is another one, or a variant without such a derivative.
    """
    known: dict[type, _StepJacobian] = {torch.optim.SGD: _sgd, torch.optim.Adam: _adam}
    adamw = _adam if isinstance(optimizer, torch.optim.AdamW) else None
    jacobian = known.get(type(optimizer), adamw)
    groups = optimizer.param_groups
    if not jacobian or any(group.get("amsgrad") or group.get("maximize") for group in groups):
        raise ValueError(
            f"optimizer {type(optimizer).__name__} has no known derivative of its step: take SGD, "
            "Adam or AdamW (without amsgrad and maximize), or virtual_step='sgd'"
        )
    return [D for group in groups for D in jacobian(group, optimizer.state)]


_StepJacobian = Callable[[dict[str, Any], Mapping[Tensor, Any]], Sequence[Tensor | float]]


def _sgd(group: dict[str, Any], state: Mapping[Tensor, Any]) -> list[float]:
    momentum, lr = group["momentum"], group["lr"]
    steps = []
    for p in _trainable(group):
        # torch starts the momentum with the gradient itself, without dampening
        is_first = state[p].get("momentum_buffer") is None
        share = 1.0 if is_first or not momentum else 1 - group["dampening"]
        steps.append(float(-lr * (1 + momentum * share if group["nesterov"] else share)))
    return steps


def _adam(group: dict[str, Any], state: Mapping[Tensor, Any]) -> list[Tensor]:
    """Return D of each weight, computed together for weights with the same number of steps."""
    weights = _trainable(group)
    steps = [int(state[p].get("step", 0)) + 1 for p in weights]
    jacobian: dict[int, Tensor] = {}
    for t in set(steps):
        of_step = [p for p, step in zip(weights, steps, strict=True) if step == t]
        jacobian |= zip(map(id, of_step), _adam_at(t, group, of_step, state), strict=True)
    return [jacobian[id(p)] for p in weights]


def _adam_at(
    t: int, group: dict[str, Any], weights: Sequence[Tensor], state: Mapping[Tensor, Any]
) -> list[Tensor]:
    """Return D of weights that make their t-th step, in one vector: calls dominate the cost."""
    beta1, beta2 = group["betas"]
    g = _flat([torch.zeros_like(p) if p.grad is None else p.grad for p in weights])
    # Adam adds the decay of the weights to the gradient; AdamW applies it to the weights directly
    if not group.get("decoupled_weight_decay", False):
        g = g + group["weight_decay"] * _flat(weights)
    m = (1 - beta1) * g
    v = (1 - beta2) * g * g
    if t > 1:
        m += beta1 * _flat([state[p]["exp_avg"] for p in weights])
        v += beta2 * _flat([state[p]["exp_avg_sq"] for p in weights])
    m_hat, s = m / (1 - beta1**t), (v / (1 - beta2**t)).sqrt()
    denominator, eps = s + group["eps"], group["eps"]
    via_m = (1 - beta1) / ((1 - beta1**t) * denominator)
    # the clamp avoids 0/0 at s = 0, where D is 0
    via_s = m_hat * (1 - beta2) * g / ((1 - beta2**t) * s.clamp(min=eps**2) * denominator**2)
    D = torch.where(s > 0, -group["lr"] * (via_m - via_s), 0.0)
    parts = D.split([p.numel() for p in weights])
    return [part.view_as(p) for part, p in zip(parts, weights, strict=True)]


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
