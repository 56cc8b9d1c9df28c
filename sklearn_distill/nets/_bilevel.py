"""A net that tunes λ and T while it trains: their steps alternate with those of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from skorch.utils import to_device
from torch import Tensor, nn
from torch.func import functional_call

from sklearn_distill.nets._hypergradient import (
    BackwardStrategy,
    LinearLayerStrategy,
    choose_strategy,
    sgd_steps,
    step_jacobian,
    trained_parameters,
    weight_gradients,
)
from sklearn_distill.nets._inputs import ModelInput, call_arguments, call_network
from sklearn_distill.nets._loader import RowTensors
from sklearn_distill.nets._net import StudentNet
from sklearn_distill.nets.losses import as_scores
from sklearn_distill.nets.mixture_loss import Residuals


class MetaparameterSchedule(Protocol):
    """How λ and T change during one training."""

    imitation: float
    temperature: float
    validation_temperature: float
    validation_batch_size: int | None
    virtual_step: str
    gradient: str

    def wants_gradient(self) -> bool:
        """Return whether the next step needs dL_val/d(λ, T)."""

    def move(self, gradient: Sequence[float] | None) -> None:
        """Change λ and T after a step of the weights; None if there was no hypergradient."""

    def state(self) -> dict[str, Any]:
        """Return λ, T and how they were found, for the history."""


class BilevelNet(StudentNet):
    """A student's net whose λ and T follow a schedule.

    Parameters
    ----------
    *args, **kwargs : Any
        Arguments of :class:`StudentNet`; the criterion is a MixtureLoss.
    schedule : MetaparameterSchedule
        Gives λ and T of each step, and changes them by the hypergradient.
    validation : RowTensors
        Features and label table of the validation rows.
    """

    def __init__(
        self,
        *args: Any,
        schedule: MetaparameterSchedule,
        validation: RowTensors | None = None,
        **kwargs: Any,
    ) -> None:
        self.schedule = schedule
        self.validation = validation
        self.schedule_history_: list[dict[str, Any]] = []
        self._strategy: BackwardStrategy | None = None
        self._strategy_weights: list[int] = []
        self._batches: Iterator[tuple[ModelInput, Tensor]] | None = None
        super().__init__(*args, **kwargs)

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Step the weights, then λ and T.

        Parameters
        ----------
        batch : tuple
            Features and rows of the table.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        dict
            ``loss`` and ``y_pred`` at the weights before the step.
        """
        if not self.module_.training:  # a callback may have predicted in between
            self._set_training(True)
        schedule = self.schedule
        needs_gradient = schedule.wants_gradient()
        is_exact = needs_gradient and schedule.gradient == "exact"
        self._prepare_strategy(is_exact)
        features, table = batch[:2]
        augmented, mixing = self.augmented(features)
        if mixing is not None:
            raise ValueError(
                "augmentation returned a mixture, which metaparameter_optimizer does not support: "
                "leave one of the two out"
            )
        table = self._with_predictions(
            to_device(table, self.device), self._predict_by_teacher(augmented)
        )
        scores = self.infer(augmented, **fit_params)
        z = as_scores(scores, self.criterion_.n_classes)
        residuals = self._residuals(z, table, mixed=is_exact)
        gradient = None
        if is_exact:
            gradient = self._exact_step(z, residuals)
        elif needs_gradient:
            gradient = self._finite_difference_step(z, residuals, augmented, table)
        else:
            self._backward(z, residuals)
            self.optimizer_.step()
        self._after_step()
        schedule.move(gradient)
        self.metaparameters |= {
            "imitation": float(schedule.imitation),
            "temperature": float(schedule.temperature),
        }
        self.schedule_history_.append({"step": len(self.schedule_history_), **schedule.state()})
        return {"loss": residuals.loss, "y_pred": scores}

    def _with_predictions(self, table: Tensor, predictions: Tensor | None) -> Tensor:
        """Return rows of the table of MixtureLoss, whose last columns are logits."""
        if predictions is None:
            return table
        return torch.cat([table, predictions.to(table.dtype)], dim=1)

    def close(self) -> None:
        """Release what only the training needs."""
        super().close()
        if self._strategy is not None:
            self._strategy.close()
        self._strategy = self._batches = self.validation = None

    def _prepare_strategy(self, is_needed: bool) -> None:
        """Have a strategy record the next forward pass, if it is needed."""
        weights = list(map(id, trained_parameters(self.optimizer_))) if is_needed else []
        # choosing goes through the network: only when the trainable weights have changed
        if self._strategy is not None and weights != self._strategy_weights:
            self._strategy.close()
        if is_needed and (self._strategy is None or weights != self._strategy_weights):
            # callbacks may have frozen weights, which keep the gradient of their last step, or
            # unfrozen some
            self.optimizer_.zero_grad()
            self._strategy = choose_strategy(self.trainee, self.optimizer_)
            self._strategy_weights = weights
        if is_needed and self._strategy is not None:
            self._strategy.register_hooks()

    def _residuals(self, z: Tensor, table: Tensor, *, mixed: bool) -> Residuals:
        """Return the training loss and its derivatives at the current λ and T."""
        residuals: Residuals = self.criterion_.residuals(
            z,
            to_device(table, self.device),
            imitation=self.schedule.imitation,
            temperature=self.schedule.temperature,
            mixed=mixed,
        )
        return residuals

    def _backward(self, z: Tensor, residuals: Residuals) -> None:
        """Set the gradients of the weights."""
        self.optimizer_.zero_grad()
        z.backward(residuals.scores)

    def _exact_step(self, z: Tensor, residuals: Residuals) -> list[float]:
        """Step the weights; return dL_val/d(λ, T)."""
        strategy = self._strategy
        assert strategy is not None
        strategy.backward(z, [residuals.scores, *residuals.mixed])
        if self.schedule.virtual_step == "sgd":
            steps = sgd_steps(self.optimizer_)
            # before the optimiser's step, which would change the weights that w' starts from
            validation = self._validation_residual(self._virtual_weights())
            gradient = strategy.hypergradient(steps, *validation)
            self.optimizer_.step()
            return gradient
        # before the step, which changes the moments that the derivative is a function of
        jacobian = step_jacobian(self.optimizer_)
        self.optimizer_.step()
        return strategy.hypergradient(jacobian, *self._validation_residual())

    def _finite_difference_step(
        self, z: Tensor, residuals: Residuals, features: ModelInput, table: Tensor
    ) -> list[float]:
        """Step the weights; return central differences of ∂L_train/∂(λ, T) along D∘∇L_val."""
        self._backward(z, residuals)
        weights = self._trained_weights()
        before = {name: p.detach().clone() for name, p in weights.items()}
        direction = self._step_and_direction(weights)
        length = sum(float(v.square().sum()) for v in direction.values()) ** 0.5
        eps = 0.01 / max(length, 1e-30)  # a displacement of length 0.01, as in the authors' code
        plus, minus = (
            self._metaparameter_gradient(
                before | {name: before[name] + sign * eps * v for name, v in direction.items()},
                features,
                table,
            )
            for sign in (1, -1)
        )
        return [(right - left) / (2 * eps) for right, left in zip(plus, minus, strict=True)]

    def _step_and_direction(self, weights: dict[str, nn.Parameter]) -> dict[str, Tensor]:
        """Step the weights; return D∘∇L_val(w') of those that the scores depend on."""
        is_sgd = self.schedule.virtual_step == "sgd"
        jacobian = sgd_steps(self.optimizer_) if is_sgd else step_jacobian(self.optimizer_)
        virtual = self._virtual_weights() if is_sgd else None
        if not is_sgd:
            self.optimizer_.step()
        scores, residual = self._validation_residual(virtual)
        gradients = weight_gradients(scores, list(weights.values()), residual)
        if is_sgd:
            self.optimizer_.step()
        scaled = zip(weights, jacobian, gradients, strict=True)
        return {name: d * g for name, d, g in scaled if g is not None}

    def _metaparameter_gradient(
        self, weights: dict[str, Tensor], features: ModelInput, table: Tensor
    ) -> tuple[float, float]:
        """Return ∂L_train/∂(λ, T) of a mini-batch at given weights."""
        with torch.no_grad():
            arguments = call_arguments(to_device(features, self.device))
            scores = functional_call(self.module_, weights, *arguments)
        gradient: tuple[float, float] = self.criterion_.metaparameter_gradient(
            as_scores(scores, self.criterion_.n_classes),
            to_device(table, self.device),
            imitation=self.schedule.imitation,
            temperature=self.schedule.temperature,
        )
        return gradient

    def _validation_residual(
        self, weights: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return z of the next validation batch and ∂L_val/∂z, at the net's or given weights."""
        # without dropout and batch normalisation; the training step keeps both
        if self._depends_on_mode:
            self._set_training(False)
        features, table = next(self._validation_batches())
        scores = (
            call_network(self.module_, features)
            if weights is None
            else functional_call(self.module_, weights, *call_arguments(features))
        )
        if self._depends_on_mode:
            self._set_training(True)
        z, T = as_scores(scores, self.criterion_.n_classes), self.schedule.validation_temperature
        residual = self.criterion_valid.residual
        return z, residual(z, table) if T == 1 else residual(z / T, table) / T

    @property
    def _depends_on_mode(self) -> bool:
        """Whether the network may compute differently in training and in evaluation mode."""
        return not isinstance(self._strategy, LinearLayerStrategy) or self._strategy.has_dropout

    def _trained_weights(self) -> dict[str, nn.Parameter]:
        """Return the trainable weights by name, in the optimiser's order."""
        names = {id(p): name for name, p in self.module_.named_parameters()}
        return {names[id(p)]: p for p in trained_parameters(self.optimizer_)}

    def _virtual_weights(self) -> dict[str, Tensor]:
        """Return w − γ∇L_train(w), as a function of w so that its gradients can be taken."""
        steps = zip(self._trained_weights().items(), sgd_steps(self.optimizer_), strict=True)
        # The step is a constant, so that the gradient with respect to w is that with respect to w'.
        return {name: p + step * (0.0 if p.grad is None else p.grad) for (name, p), step in steps}

    def _validation_batches(self) -> Iterator[tuple[ModelInput, Tensor]]:
        if self._batches is None:
            self._batches = self._endless_batches()
        return self._batches

    def _endless_batches(self) -> Iterator[tuple[ModelInput, Tensor]]:
        """Cycle through the validation rows, shuffled once: slices cost less than a lookup of rows.

        All mini-batches are full, so that each row is used equally often.
        """
        assert self.validation is not None
        rows, schedule = self.validation.to(torch.device(self.device)), self.schedule
        n, size = len(rows), min(schedule.validation_batch_size or self.batch_size, len(rows))
        if size < n:
            order = torch.randperm(n, generator=self.generator)
            # the first rows again at the end, for the mini-batches that wrap around
            wrapped = torch.cat([order, order[: size - 1]]).to(self.device)
            rows = rows.rows(wrapped)
        start = 0
        while True:
            batch = slice(start, start + size)
            yield rows.input(batch), rows.table[batch]
            start = (start + size) % n
