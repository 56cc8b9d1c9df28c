"""A net that moves λ and T while it trains: each step of the weights may be followed by theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from skorch.dataset import unpack_data
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
from sklearn_distill.nets._loader import RowTensors
from sklearn_distill.nets._net import StudentNet
from sklearn_distill.nets.losses import as_scores
from sklearn_distill.nets.mixture_loss import Residuals


class MetaparameterSchedule(Protocol):
    """How λ and T move in one training."""

    imitation: float
    temperature: float
    validation_temperature: float
    validation_batch_size: int | None
    virtual_step: str
    gradient: str

    def wants_gradient(self) -> bool:
        """Tell whether the next step needs dL_val/d(λ, T)."""

    def move(self, gradient: Sequence[float] | None) -> None:
        """Move λ and T after a step of the weights."""

    def state(self) -> dict[str, Any]:
        """Return λ, T and where they come from, for the history."""


class BilevelNet(StudentNet):
    """A student's net whose λ and T follow a course.

    Parameters
    ----------
    *args, **kwargs : Any
        As :class:`StudentNet` takes them; the criterion is a MixtureLoss.
    course : MetaparameterSchedule
        Moves λ and T.
    validation : RowTensors
        Rows and labels of the validation loss.
    """

    def __init__(
        self,
        *args: Any,
        course: MetaparameterSchedule,
        validation: RowTensors | None = None,
        **kwargs: Any,
    ) -> None:
        self.course = course
        self.validation = validation
        self.course_history_: list[dict[str, Any]] = []
        self._route: BackwardStrategy | None = None
        self._on_route: list[int] = []
        self._batches: Iterator[tuple[Tensor, Tensor]] | None = None
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
        if not self.module_.training:
            self._set_training(True)
        course = self.course
        wanted = course.wants_gradient()
        exact = wanted and course.gradient == "exact"
        self._set_listening(exact)
        features, table = unpack_data(batch)
        scores = self.infer(self.augmented(features), **fit_params)
        z = as_scores(scores, self.criterion_.n_classes)
        at: Residuals = self.criterion_.at(
            z,
            to_device(table, self.device),
            imitation=course.imitation,
            temperature=course.temperature,
            mixed=exact,
        )
        gradient = None
        if wanted:
            gradient = self._step(z, at, features, table)
        else:
            self._plain_step(z, at)
        course.move(gradient)
        self.course_history_.append({"step": len(self.course_history_), **course.state()})
        return {"loss": at.loss, "y_pred": scores}

    def close(self) -> None:
        """Let go of what only the training needed."""
        if self._route is not None:
            self._route.close()
        self._route = self._batches = self.validation = None

    def _set_listening(self, wanted: bool) -> None:
        """Have a route listen to the forward pass that comes, where it is wanted."""
        moving = list(map(id, trained_parameters(self.optimizer_))) if wanted else []
        if self._route is not None and moving != self._on_route:
            self._route.close()
        if wanted and (self._route is None or moving != self._on_route):
            # callbacks may have frozen weights, with a gradient of their last step, or freed some
            self.optimizer_.zero_grad()
            self._route, self._on_route = choose_strategy(self.module_, self.optimizer_), moving
        if wanted and self._route is not None:
            self._route.register_hooks()

    def _plain_step(self, z: Tensor, at: Residuals) -> None:
        self.optimizer_.zero_grad()
        z.backward(at.scores)
        self.optimizer_.step()

    def _step(self, z: Tensor, at: Residuals, features: Tensor, table: Tensor) -> list[float]:
        """Step the weights; return dL_val/d(λ, T)."""
        if self.course.gradient == "finite_difference":
            return self._differences(z, at, features, table)
        route = self._route
        assert route is not None
        route.pull_back(z, [at.scores, *at.mixed])
        if self.course.virtual_step == "sgd":
            steps = sgd_steps(self.optimizer_)
            gradient = route.products(steps, *self._validation(self._descended()))
            self.optimizer_.step()
            return gradient
        jacobian = step_jacobian(self.optimizer_)
        self.optimizer_.step()
        return route.products(jacobian, *self._validation())

    def _differences(
        self, z: Tensor, at: Residuals, features: Tensor, table: Tensor
    ) -> list[float]:
        """Step the weights; return central differences of ∂L_train/∂(λ, T) along D∘∇L_val."""
        self.optimizer_.zero_grad()
        z.backward(at.scores)
        weights = self._trained()
        before = {name: p.detach().clone() for name, p in weights.items()}
        sgd = self.course.virtual_step == "sgd"
        jacobian = sgd_steps(self.optimizer_) if sgd else step_jacobian(self.optimizer_)
        virtual = self._descended() if sgd else None
        if not sgd:
            self.optimizer_.step()
        scores, residual = self._validation(virtual)
        outer = weight_gradients(scores, list(weights.values()), residual)
        if sgd:
            self.optimizer_.step()
        scaled = zip(weights, jacobian, outer, strict=True)
        along = {name: d * g for name, d, g in scaled if g is not None}
        length = sum(float(v.square().sum()) for v in along.values()) ** 0.5
        eps = 0.01 / max(length, 1e-30)  # the authors move the weights as far
        slopes = [
            self._slopes(
                before | {name: before[name] + sign * eps * v for name, v in along.items()},
                features,
                table,
            )
            for sign in (1, -1)
        ]
        return [(plus - minus) / (2 * eps) for plus, minus in zip(*slopes, strict=True)]

    def _slopes(
        self, weights: dict[str, Tensor], features: Tensor, table: Tensor
    ) -> tuple[float, float]:
        """Return ∂L_train/∂(λ, T) of a mini-batch at other weights."""
        with torch.no_grad():
            scores = functional_call(self.module_, weights, (to_device(features, self.device),))
        slopes: tuple[float, float] = self.criterion_.slopes(
            as_scores(scores, self.criterion_.n_classes),
            to_device(table, self.device),
            imitation=self.course.imitation,
            temperature=self.course.temperature,
        )
        return slopes

    def _validation(self, weights: dict[str, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Return z of the next validation rows, at the net's weights or others, and ∂L_val/∂z."""
        if self._has_modes:
            self._set_training(False)
        features, table = next(self._validation_batches())
        scores = (
            self.module_(features)
            if weights is None
            else functional_call(self.module_, weights, (features,))
        )
        if self._has_modes:
            self._set_training(True)
        z, T = as_scores(scores, self.criterion_.n_classes), self.course.validation_temperature
        of_labels = self.criterion_valid.residual
        return z, of_labels(z, table) if T == 1 else of_labels(z / T, table) / T

    @property
    def _has_modes(self) -> bool:
        """Whether the network may do else in evaluation than in training."""
        return not isinstance(self._route, LinearLayerStrategy) or self._route.has_dropout

    def _trained(self) -> dict[str, nn.Parameter]:
        """Return the weights that move, by name, in the optimiser's order."""
        names = {id(p): name for name, p in self.module_.named_parameters()}
        return {names[id(p)]: p for p in trained_parameters(self.optimizer_)}

    def _descended(self) -> dict[str, Tensor]:
        """Return w − γ∇L_train(w), at which gradients in the weights themselves are taken."""
        moved = zip(self._trained().items(), sgd_steps(self.optimizer_), strict=True)
        # the same tensors in the graph, so that a gradient in w is one in w' there
        return {name: p + step * (0.0 if p.grad is None else p.grad) for (name, p), step in moved}

    def _validation_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        if self._batches is None:
            self._batches = self._endless_batches()
        return self._batches

    def _endless_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Go round the rows, in an order drawn once: slices cost nothing, and rows do.

        All mini-batches are full, so that each row counts as much as any other.
        """
        assert self.validation is not None
        rows = self.validation.to(torch.device(self.device))
        n, size = len(rows), min(self.course.validation_batch_size or self.batch_size, len(rows))
        if size < n:
            order = torch.randperm(n, generator=self.generator)
            rows = RowTensors(*rows.take(torch.cat([order, order[: size - 1]]).to(self.device)))
        start = 0
        while True:
            batch = slice(start, start + size)
            yield rows.features[batch], rows.table[batch]
            start = (start + size) % n
