"""Training on several GPUs or machines with Hugging Face accelerate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from skorch.utils import to_tensor
from torch import Tensor, nn

from sklearn_distill.nets._batch import Batch
from sklearn_distill.nets._inputs import call_network, map_tensors
from sklearn_distill.nets._net import StudentNet
from sklearn_distill.nets._share import Share

_SUPPORTED = {"NO", "MULTI_CPU", "MULTI_GPU", "MULTI_NPU", "MULTI_XPU", "MULTI_MLU", "MULTI_HPU"}


@dataclass(frozen=True)
class Part:
    """What a mini-batch is of its step.

    Parameters
    ----------
    weight : float
        Factor of its mean loss.
    is_first, is_last : bool
        Whether the step begins or ends with it.
    """

    weight: float
    is_first: bool
    is_last: bool


class AcceleratedStudentNet(StudentNet):
    """A student's net whose mini-batches the processes of an accelerator share.

    All processes draw the same mini-batches and compute the gradients of their own rows; the step
    is that of one process on the whole mini-batch, or on ``gradient_accumulation_steps`` of them.

    Parameters
    ----------
    *args, **kwargs : Any
        Arguments of :class:`StudentNet`.
    accelerator : accelerate.Accelerator
        Knows the processes, and wraps the network for them.
    seed : int
        Seed, equal in all processes, for what differs between them: dropout and augmentation.
    """

    def __init__(self, *args: Any, accelerator: Any, seed: int, **kwargs: Any) -> None:
        if accelerator.distributed_type.value not in _SUPPORTED:
            raise ValueError(
                f"accelerator of the type {accelerator.distributed_type.value}, which shards the "
                "weights: use one that copies the network to each process"
            )
        self.accelerator = accelerator
        self.seed = seed
        self._part = Part(1.0, is_first=True, is_last=True)
        super().__init__(*args, **kwargs)

    @property
    def is_main_process(self) -> bool:
        """Whether this process writes files and shows progress."""
        return bool(self.accelerator.is_main_process)

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.accelerator.wait_for_everyone()

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> AcceleratedStudentNet:
        """Build the optimiser; the accelerator has the scaler of the loss.

        Parameters
        ----------
        *args, **kwargs : Any
            Arguments of skorch's method.

        Returns
        -------
        AcceleratedStudentNet
            The net itself.
        """
        super().initialize_optimizer(*args, **kwargs)
        if self.accelerator.scaler is not None:
            self.scaler_ = self.accelerator.scaler
        return self

    def n_steps(self, n_epochs: int) -> int:
        """Return the number of steps of a training, each of several mini-batches.

        Parameters
        ----------
        n_epochs : int
            Number of epochs.

        Returns
        -------
        int
            Number of steps.
        """
        per_step: int = self.accelerator.gradient_accumulation_steps
        return n_epochs * -(-super().n_steps(1) // per_step)

    def _make_trainee(self) -> nn.Module:
        trainee = super()._make_trainee()
        # the accelerator changes the forward of what it gets, which must not be the user's module
        own = _Wrapped(trainee) if trainee is self.module_ else trainee
        prepared: nn.Module = self.accelerator.prepare_model(own)
        return prepared

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Run the module on a mini-batch, in training on the share of this process.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Features.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        Tensor or tuple of Tensor
            Scores; in training with a projection also the approximation of the embedding.
        """
        if self.module_.training:
            return super().infer(x, **fit_params)
        with self.accelerator.autocast():
            return call_network(self.module_, to_tensor(x, device=self.device), **fit_params)

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Make one pass over the mini-batches.

        Parameters
        ----------
        iterator : iterable or None
            The mini-batches; None, without validation rows, does nothing.
        training : bool
            Whether the module is in training mode.
        prefix : {"train", "valid"}
            Prefix of the loss's name in the history.
        step_fn : callable
            Training or validation step for a mini-batch.
        **fit_params : dict
            Further arguments of the module.
        """
        if training:
            self._follow_frozen_weights()
            iterator = _Parts(self, iterator)
        super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
        if training and self._share.world > 1:
            # those of batch normalisation, which each process computes from its rows
            for buffer in self.module_.buffers():
                torch.distributed.broadcast(buffer, 0)

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Add the gradients of a mini-batch; step the optimiser after the last one of a step.

        Parameters
        ----------
        batch : Batch
            Features and rows of the table.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        dict
            ``loss`` and ``y_pred`` at the weights before the step.
        """
        part = self._part
        if part.is_first:
            self.optimizer_.zero_grad()
        # the processes exchange gradients once a step
        with nullcontext() if part.is_last else self.accelerator.no_sync(self.trainee):
            step = self.train_step_single(batch, **fit_params)
        if part.is_last:
            self._notify_gradient(batch)
            self.scaler_.step(self.optimizer_)
            self.scaler_.update()
            self._after_step()
        return step

    def _backward_loss(self, loss: Tensor) -> None:
        self.scaler_.scale(loss * self._part.weight).backward()
        if self._part.is_last and self.scaler_.is_enabled():
            self.scaler_.unscale_(self.optimizer_)

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute scores and loss of a mini-batch of validation: each process those of its rows.

        Parameters
        ----------
        batch : Batch
            Features and rows of the table, the same in all processes.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        dict
            ``loss`` and ``y_pred`` of all rows.
        """
        if self._share.world == 1:
            return super().validation_step(batch, **fit_params)
        self._set_training(False)
        with torch.no_grad():
            own = self.infer(map_tensors(self._share.positions, batch.features), **fit_params)
            scores = self._gather(own, len(batch.table))
            return {"loss": self.get_loss(scores, batch.table), "y_pred": scores}

    def _gather(self, own: Tensor, n_rows: int) -> Tensor:
        """Return the scores of all rows, of which each process has computed its share."""
        shares = [Share(rank, self._share.world) for rank in range(self._share.world)]
        sizes = [share.size(n_rows) for share in shares]
        padded = own.new_zeros(max(sizes), *own.shape[1:])
        padded[: len(own)] = own
        parts = self.accelerator.gather(padded).split(max(sizes))
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    def _mean_loss(self, losses: Tensor, sizes: Sequence[int]) -> float:
        n_rows = losses.new_tensor(sizes)
        sums = torch.stack([(losses * n_rows).sum(), n_rows.sum()])
        if self._share.world > 1 and self.module_.training:  # those of validation are of all rows
            sums = self.accelerator.reduce(sums, "sum")
        total, number = sums.tolist()
        return float(total / number)

    def _sum(self, sums: Tensor) -> Tensor:
        if self._share.world == 1:
            return sums
        total: Tensor = self.accelerator.reduce(sums.to(self.accelerator.device), "sum")
        return total

    @property
    def _share(self) -> Share:
        return Share(self.accelerator.process_index, self.accelerator.num_processes)

    def _follow_frozen_weights(self) -> None:
        """Wrap the network anew if callbacks have frozen or unfrozen weights."""
        trained = [name for name, p in self.get_all_learnable_params() if p.requires_grad]
        if trained != self.__dict__.get("_trained_names"):
            self.__dict__.pop("_trainee", None)
            self.__dict__["_trained_names"] = trained

    def seed_epoch(self, *, by_process: bool) -> None:
        """Seed the generators of an epoch, so that a training resumes with any number of processes.

        Parameters
        ----------
        by_process : bool
            Whether each process gets a seed of its own.
        """
        rank = self._share.rank + 1 if by_process else 0
        state = np.random.SeedSequence([self.seed, len(self.history), rank]).generate_state(2)
        torch.manual_seed(int(state[0]))
        if by_process and self.augmentation is not None:
            # not that of the order of the rows, which all processes draw alike
            self.__dict__["augmentation_generator"] = torch.Generator().manual_seed(int(state[1]))


class _Wrapped(nn.Module):
    """A network in a module of its own, with the same inputs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.network(*args, **kwargs)


class _Parts:
    """The mini-batches of an epoch; the net is told what each is of its step."""

    def __init__(self, net: AcceleratedStudentNet, batches: Any) -> None:
        self.net = net
        self.batches = batches

    @property
    def with_labels(self) -> bool:
        return bool(self.batches.with_labels)

    @with_labels.setter
    def with_labels(self, value: bool) -> None:
        self.batches.with_labels = value

    def __iter__(self) -> Iterator[Batch]:
        net = self.net
        n_steps, world = net.accelerator.gradient_accumulation_steps, net._share.world
        if world > 1:
            net.seed_epoch(by_process=False)  # a sampler may draw the order from torch's generator
        batches, is_begun = iter(self.batches), False
        while group := list(islice(batches, n_steps)):
            if world > 1 and not is_begun:
                net.seed_epoch(by_process=True)
            is_begun = True
            total = sum(batch.total_size for batch in group)
            for i, batch in enumerate(group):
                # gradients are averaged over the processes, which have different numbers of rows
                weight = batch.size * world / total
                net._part = Part(weight, is_first=i == 0, is_last=i == len(group) - 1)
                yield batch
