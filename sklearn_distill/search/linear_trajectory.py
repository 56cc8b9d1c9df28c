"""Tune λ and T by hypergradients for some steps, then by lines fitted to these steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_distill.search.greedy_hypergradient import (
    GreedyHypergradient,
    GreedySchedule,
    check_gradient_search,
    project,
)


class LinearTrajectory(GreedyHypergradient):
    r"""Tune λ and T by hypergradients for e₁ steps, predict them by lines for the next e₂, repeat.

    For each metaparameter, a least-squares line over the step number z is fitted to the values
    after e₁ steps of :class:`.GreedyHypergradient`. In the next e₂ steps λ and T are the lines'
    values at z = e₁, …, e₁ + e₂ − 1, always projected to their ranges, and no hypergradient is
    computed.

    Parameters
    ----------
    gradient_steps : int, default=10
        Number e₁ ≥ 2 of steps with a hypergradient.
    predicted_steps : int, default=10
        Number e₂ ≥ 1 of steps along the lines.
    lr : float, default=0.1
        Learning rate γ_θ of the metaparameters.
    metaparameters : tuple of {"imitation", "temperature"}, default=("imitation", "temperature")
        The metaparameters that are tuned; the other one is fixed.
    temperature_range : tuple of float, default=(0.1, 10.0)
        Interval to which T is projected; λ is projected to [0, 1].
    validation_temperature : float, default=1.0
        Temperature of the validation loss.
    virtual_step : {"own", "sgd"}, default="own"
        The step after which the validation loss is taken, as in :class:`.GreedyHypergradient`.
    gradient : {"exact", "finite_difference"}, default="exact"
        How the hypergradient is computed, as in :class:`.GreedyHypergradient`.
    clip : float or None, default=None
        Largest absolute value of each entry of the hypergradient.
    validation_batch_size : int or None, default=None
        Number of validation samples for a hypergradient, as in :class:`.GreedyHypergradient`.

    References
    ----------
    Gorpinich, Bakhteev and Strijov 2022, "Gradient-based metaparameter optimisation in knowledge
    distillation", section 4. The authors did not project predicted values.

    Examples
    --------
    >>> schedule = LinearTrajectory(2, 2, lr=0.1).start(imitation=0.5, temperature=1.0)
    >>> for _ in range(4):
    ...     schedule.move([1.0, 0.0] if schedule.wants_gradient() else None)
    ...     print(schedule.source, round(schedule.imitation, 2))
    computed 0.4
    computed 0.3
    predicted 0.2
    predicted 0.1
    """

    def __init__(
        self,
        gradient_steps: int = 10,
        predicted_steps: int = 10,
        lr: float = 0.1,
        *,
        metaparameters: Sequence[str] = ("imitation", "temperature"),
        temperature_range: tuple[float, float] = (0.1, 10.0),
        validation_temperature: float = 1.0,
        virtual_step: str = "own",
        gradient: str = "exact",
        clip: float | None = None,
        validation_batch_size: int | None = None,
    ) -> None:
        super().__init__(
            lr,
            metaparameters=metaparameters,
            temperature_range=temperature_range,
            validation_temperature=validation_temperature,
            virtual_step=virtual_step,
            gradient=gradient,
            clip=clip,
            validation_batch_size=validation_batch_size,
        )
        # not a parameter here: each of the first e₁ steps has a hypergradient
        del self.update_every
        self.gradient_steps = gradient_steps
        self.predicted_steps = predicted_steps

    def start(self, imitation: float, temperature: float) -> LinearSchedule:
        """Return the schedule of λ and T for one training.

        Parameters
        ----------
        imitation, temperature : float
            λ and T at the start of the training.

        Returns
        -------
        LinearSchedule
            λ and T, updated by hypergradients and by lines in turn.

        Raises
        ------
        ValueError
            If a parameter is not valid.
        """
        check_gradient_search(self)
        if self.gradient_steps < 2 or self.predicted_steps < 1:
            raise ValueError(
                f"gradient_steps={self.gradient_steps} must be at least 2, for a line, and "
                f"predicted_steps={self.predicted_steps} at least 1"
            )
        return LinearSchedule(self, *project(self, imitation, temperature))


@dataclass
class LinearSchedule(GreedySchedule):
    """λ and T in one training, updated by hypergradients and by lines in turn."""

    options: LinearTrajectory

    def __post_init__(self) -> None:
        # (λ, T) after each of the e₁ gradient steps of a cycle
        self._gradient_values = np.empty((self.options.gradient_steps, 2))

    def wants_gradient(self) -> bool:
        """Return whether the next step is one of the first e₁ of its cycle."""
        return self._step_in_cycle() < self.options.gradient_steps

    def move(self, gradient: Sequence[float] | None) -> None:
        """Make a step down the gradient, or along the lines if it is None."""
        z = self._step_in_cycle()
        if gradient is not None:
            super().move(gradient)
            self._gradient_values[z] = self.imitation, self.temperature
            return
        self.n_steps += 1
        self.source = "predicted"
        predicted = self._predict(z)
        tuned = self.options.metaparameters
        imitation = predicted[0] if "imitation" in tuned else self.imitation
        temperature = predicted[1] if "temperature" in tuned else self.temperature
        self.imitation, self.temperature = project(self.options, imitation, temperature)

    def _step_in_cycle(self) -> int:
        """Return the number z of the next step in its cycle of e₁ + e₂ steps."""
        return self.n_steps % int(self.options.gradient_steps + self.options.predicted_steps)

    def _predict(self, z: int) -> list[float]:
        """Return the values of the fitted lines of λ and T at step z."""
        steps = np.arange(self.options.gradient_steps)
        # one fit for both columns
        slope, intercept = np.polyfit(steps, self._gradient_values, deg=1)
        return [float(value) for value in intercept + slope * z]
