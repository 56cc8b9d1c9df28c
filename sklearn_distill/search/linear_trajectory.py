"""λ and T by gradients for some steps, then along the straight lines that these suggest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_distill.search.greedy_hypergradient import (
    GreedyHypergradient,
    GreedySchedule,
    check_descent,
    project,
)


class LinearTrajectory(GreedyHypergradient):
    r"""Compute hypergradients for e₁ steps, predict λ and T by lines for the next e₂, repeat.

    The values that e₁ steps of :class:`.GreedyHypergradient` leave are fitted by one least-squares
    line over the step number z for each metaparameter; in the next e₂ steps λ and T are the lines'
    values at z = e₁, …, e₁ + e₂ − 1, always projected into their ranges, and no hypergradient is
    computed.

    Parameters
    ----------
    gradient_steps : int, default=10
        e₁ ≥ 2, steps with a hypergradient.
    predicted_steps : int, default=10
        e₂ ≥ 1, steps along the lines.
    lr : float, default=0.1
        γ_θ, the metaparameters' learning rate.
    metaparameters : tuple of {"imitation", "temperature"}, default=("imitation", "temperature")
        Which of the two move.
    temperature_range : tuple of float, default=(0.1, 10.0)
        Where T is kept; λ is kept in [0, 1].
    validation_temperature : float, default=1.0
        Temperature of the validation loss.
    virtual_step : {"own", "sgd"}, default="own"
        As in :class:`.GreedyHypergradient`.
    gradient : {"exact", "finite_difference"}, default="exact"
        As in :class:`.GreedyHypergradient`.
    clip : float or None, default=None
        As in :class:`.GreedyHypergradient`.
    validation_batch_size : int or None, default=None
        As in :class:`.GreedyHypergradient`.

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
        del self.update_every  # every step of the first e₁ is one
        self.gradient_steps = gradient_steps
        self.predicted_steps = predicted_steps

    def start(self, imitation: float, temperature: float) -> LinearSchedule:
        """Begin a training.

        Parameters
        ----------
        imitation, temperature : float
            λ and T at its start.

        Returns
        -------
        LinearSchedule
            What moves them.

        Raises
        ------
        ValueError
            If a parameter is not valid.
        """
        check_descent(self)
        if self.gradient_steps < 2 or self.predicted_steps < 1:
            raise ValueError(
                f"gradient_steps={self.gradient_steps} must be at least 2, for a line, and "
                f"predicted_steps={self.predicted_steps} at least 1"
            )
        return LinearSchedule(self, *project(self, imitation, temperature))


class LinearSchedule(GreedySchedule):
    """λ and T in one training, moved by gradients and along lines in turn."""

    def wants_gradient(self) -> bool:
        """Tell whether this step is one of the first e₁ of its cycle."""
        return self._place() < self.options.gradient_steps

    def move(self, gradient: Sequence[float] | None) -> None:
        """Step down the gradient, or along the lines."""
        place = self._place()
        if gradient is not None:
            super().move(gradient)
            self._recorded()[place] = self.imitation, self.temperature
            return
        self.n_steps += 1
        self.source = "predicted"
        values = self._line(place)
        moved = self.options.metaparameters
        imitation = values[0] if "imitation" in moved else self.imitation
        temperature = values[1] if "temperature" in moved else self.temperature
        self.imitation, self.temperature = project(self.options, imitation, temperature)

    def _place(self) -> int:
        """Return the number z of this step in its cycle."""
        return self.n_steps % int(self.options.gradient_steps + self.options.predicted_steps)

    def _recorded(self) -> Any:
        if not hasattr(self, "_values"):
            self._values = np.empty((self.options.gradient_steps, 2))
        return self._values

    def _line(self, z: int) -> list[float]:
        """Return the lines' values at z."""
        steps = np.arange(self.options.gradient_steps)
        slope, start = np.polyfit(steps, self._recorded(), deg=1)
        return [float(value) for value in start + slope * z]
