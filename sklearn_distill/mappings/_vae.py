"""The network of the two-decoder autoencoder: loss, training and decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus
from torch.nn.utils import skip_init

from sklearn_distill.nets._callbacks import make_scheduler, step_scheduler
from sklearn_distill.nets._loader import RowTensors, TensorLoader, as_tensor

CHUNK = 4096  # rows mapped at once: bounds the memory of the hidden layers


class TwoDecoderNetwork(nn.Module):
    """One encoder, and a decoder for each domain; the decoders give logits of pixels.

    Parameters
    ----------
    n_target, n_source : int
        Pixels of an image of each domain.
    hidden_size : int
        Width of the hidden layers.
    n_components : int
        Dimensions of the latent z.
    generator : Generator
        Draws the initial weights, from torch's usual uniform distributions.
    """

    def __init__(
        self,
        n_target: int,
        n_source: int,
        hidden_size: int,
        n_components: int,
        generator: Generator,
    ) -> None:
        super().__init__()

        def linear(n_in: int, n_out: int) -> nn.Module:
            # without skip_init the layer would draw from torch's global generator
            layer: nn.Module = skip_init(nn.Linear, n_in, n_out)
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -(n_in**-0.5), n_in**-0.5, generator=generator)
            return layer

        def decoder(n_out: int) -> nn.Sequential:
            inner, outer = linear(n_components, hidden_size), linear(hidden_size, n_out)
            return nn.Sequential(inner, nn.LeakyReLU(), outer)

        self.body = nn.Sequential(linear(n_target, hidden_size), nn.LeakyReLU())
        self.mean = linear(hidden_size, n_components)
        self.deviation = linear(hidden_size, n_components)
        self.to_source = decoder(n_source)
        self.to_target = decoder(n_target)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return μ(x) and σ(x), (n, n_components) each."""
        hidden = self.body(x)
        # the divergence takes the logarithm, and softplus underflows to 0
        floor = torch.finfo(hidden.dtype).tiny
        return self.mean(hidden), softplus(self.deviation(hidden)).clamp_min(floor)

    def negative_elbo(self, x: Tensor, x_source: Tensor, noise: Tensor, kl_weight: float) -> Tensor:
        """Return the mean over the rows; noise (2, n, n_components) is ξ of z₁ and of z₂."""
        mean, deviation = self.encode(x)
        z_1, z_2 = mean + deviation * noise
        log_p = _log_likelihood(self.to_source(z_1), x_source)
        log_p = log_p + _log_likelihood(self.to_target(z_2), x)
        divergence = 0.5 * (mean.square() + deviation.square() - 1) - deviation.log()
        return (kl_weight * divergence.sum(1) - log_p).mean()


def _log_likelihood(logits: Tensor, pixels: Tensor) -> Tensor:
    """Return log p(x | z) of each row, with p Bernoulli."""
    return -binary_cross_entropy_with_logits(logits, pixels, reduction="none").sum(1)


@dataclass(frozen=True)
class TrainingConfig:
    """Hyperparameters of the training.

    Parameters
    ----------
    lr : float
        Learning rate of Adam.
    lr_schedule : {"cosine"}, callable or None
        Schedule of the learning rate, stepped after each epoch.
    max_epochs : int
        Number of epochs, at which a cosine schedule ends.
    batch_size : int
        Rows of a mini-batch.
    kl_weight : float
        Weight β of the Kullback-Leibler term.
    device : torch.device
        Device of the network and the data during training.
    generator : Generator
        Generator on the CPU that draws the order of the rows and ξ.
    """

    lr: float
    lr_schedule: Any
    max_epochs: int
    batch_size: int
    kl_weight: float
    device: torch.device
    generator: Generator


def train(
    network: TwoDecoderNetwork,
    X: NDArray[Any],
    X_source: NDArray[Any],
    partners: Callable[[], NDArray[np.intp]],
    epochs: Iterable[int],
    config: TrainingConfig,
) -> list[float]:
    """Train the network and move it to the CPU; return the loss of each epoch.

    ``partners()`` is called before each epoch and returns the row of X_source for each row of X.
    """
    network.to(config.device)
    x, x_source = (as_tensor(images).to(config.device) for images in (X, X_source))
    # one kernel for all weights takes a fifth off the step of a network of this size
    optimizer = torch.optim.Adam(network.parameters(), config.lr, fused=True)
    scheduler = None
    if config.lr_schedule is not None:
        scheduler = make_scheduler(config.lr_schedule, optimizer, config.max_epochs)
    losses: list[float] = []
    for epoch in epochs:
        paired = x_source.index_select(0, torch.from_numpy(partners()).to(config.device))
        losses.append(_run_epoch(network, optimizer, RowTensors(x, paired), config))
        if not np.isfinite(losses[-1]):
            raise ValueError(
                f"the training diverged: the loss of epoch {epoch + 1} is {losses[-1]}; lower lr, "
                f"which is {config.lr}"
            )
        if scheduler is not None:
            step_scheduler(scheduler, losses[-1])
    network.cpu().requires_grad_(False)
    return losses


def _run_epoch(
    network: TwoDecoderNetwork,
    optimizer: torch.optim.Optimizer,
    pairs: RowTensors,
    config: TrainingConfig,
) -> float:
    """Make one step for each mini-batch; return the mean loss of the rows."""
    total = torch.zeros((), device=config.device)
    for batch in TensorLoader(pairs, config.batch_size, generator=config.generator):
        x, x_source = batch[:2]
        noise = _noise(2, len(x), network, config.generator)
        loss = network.negative_elbo(x, x_source, noise, config.kl_weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(x)
    return float(total) / len(pairs)


def decode_means(
    network: TwoDecoderNetwork, decoder: str, X: NDArray[Any], device: torch.device
) -> NDArray[np.float32]:
    """Return the pixels that a decoder gives for z = μ(x)."""
    network = _copy_on(device, network)
    images = [
        _pixels(network, decoder, network.encode(chunk.to(device))[0])
        for chunk in as_tensor(X).split(CHUNK)
    ]
    return np.concatenate(images)


def decode_draws(
    network: TwoDecoderNetwork,
    X: NDArray[Any],
    n_draws: int,
    generator: Generator,
    device: torch.device,
) -> NDArray[np.float32]:
    """Return the source-domain pixels of n_draws z ~ N(μ(x), σ²(x)) for each row."""
    network = _copy_on(device, network)
    images = []
    for chunk in as_tensor(X).split(max(1, CHUNK // n_draws)):
        mean, deviation = network.encode(chunk.to(device))
        noise = _noise(len(chunk), n_draws, network, generator)
        z = mean[:, None] + deviation[:, None] * noise
        images.append(_pixels(network, "to_source", z))
    return np.concatenate(images)


def _copy_on(device: torch.device, network: TwoDecoderNetwork) -> TwoDecoderNetwork:
    """Return the network on a device; the original stays on the CPU for other threads."""
    return network if device.type == "cpu" else deepcopy(network).to(device)


def _pixels(network: TwoDecoderNetwork, decoder: str, z: Tensor) -> NDArray[np.float32]:
    logits = getattr(network, decoder)(z)
    return np.asarray(torch.sigmoid(logits).detach().cpu().numpy())


def _noise(n: int, m: int, network: TwoDecoderNetwork, generator: Generator) -> Tensor:
    """Draw ξ of shape (n, m, n_components) on the CPU: it is the same for every device."""
    bias = network.mean.bias
    assert isinstance(bias, Tensor)
    return torch.randn(n, m, len(bias), generator=generator).to(bias.device)
