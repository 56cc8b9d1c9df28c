"""Tune λ and T in training, by the gradient of the validation loss after the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator

from sklearn_distill._doc_link import DocLink

# in the order of a hypergradient's entries
_TUNABLE = ("imitation", "temperature")


class GreedyHypergradient(DocLink, BaseEstimator):
    r"""Tune λ and T by a gradient step on the validation loss after each step of the weights.

    .. math::

        w' = w - γ\,∇_w L_\mathrm{train}(w, θ), \qquad
        θ ← \mathrm{Proj}\big[θ - γ_θ\,∇_θ L_\mathrm{val}(w'(θ))\big],

    with θ = (λ, T) and L_val the cross-entropy of validation labels at the temperature
    ``validation_temperature``. The gradient is exact: for SGD it is
    :math:`-γ\,⟨∇L_\mathrm{val}(w'), ∂_θ∇L_\mathrm{train}(w)⟩`; for momentum and Adam the
    derivative of the optimiser's step takes the place of −γ.

    Pass it to a neural student as ``metaparameter_optimizer``; λ and T start at the student's
    ``imitation`` and ``temperature``.

    Parameters
    ----------
    lr : float, default=0.1
        Learning rate γ_θ of the metaparameters.
    update_every : int, default=1
        Number of steps of the weights for each step of λ and T.
    metaparameters : tuple of {"imitation", "temperature"}, default=("imitation", "temperature")
        The metaparameters that are tuned; the other one is fixed.
    temperature_range : tuple of float, default=(0.1, 10.0)
        Interval to which T is projected; λ is projected to [0, 1].
    validation_temperature : float, default=1.0
        Temperature of the validation loss.
    virtual_step : {"own", "sgd"}, default="own"
        The step to w', at which the validation loss is taken: "own" is the optimiser's step (SGD
        with or without momentum, Adam, AdamW), "sgd" that of the paper, a step of plain SGD with
        the same learning rate, whatever the optimiser.
    gradient : {"exact", "finite_difference"}, default="exact"
        How the hypergradient is computed. "finite_difference" is the central difference of
        ∂L_train/∂θ along the derivative of the step, 0.01 long to both sides as in the authors'
        code; for networks without dropout and batch normalisation.
    clip : float or None, default=None
        Largest absolute value of each entry of the hypergradient; 0.01 in the authors' code.
    validation_batch_size : int or None, default=None
        Number of validation samples for a hypergradient; None takes the student's ``batch_size``.
        Fewer samples cost less, and the gradient is noisier.

    References
    ----------
    Gorpinich, Bakhteev and Strijov 2022, "Gradient-based metaparameter optimisation in knowledge
    distillation", section 3.

    Examples
    --------
    >>> schedule = GreedyHypergradient(lr=0.1).start(imitation=0.5, temperature=1.0)
    >>> schedule.move([1.0, 20.0])
    >>> schedule.imitation, schedule.temperature  # projected
    (0.4, 0.1)
    """

    def __init__(
        self,
        lr: float = 0.1,
        *,
        update_every: int = 1,
        metaparameters: Sequence[str] = _TUNABLE,
        temperature_range: tuple[float, float] = (0.1, 10.0),
        validation_temperature: float = 1.0,
        virtual_step: str = "own",
        gradient: str = "exact",
        clip: float | None = None,
        validation_batch_size: int | None = None,
    ) -> None:
        self.lr = lr
        self.update_every = update_every
        self.metaparameters = metaparameters
        self.temperature_range = temperature_range
        self.validation_temperature = validation_temperature
        self.virtual_step = virtual_step
        self.gradient = gradient
        self.clip = clip
        self.validation_batch_size = validation_batch_size

    def start(self, imitation: float, temperature: float) -> GreedySchedule:
        """Return the schedule of λ and T for one training.

        Parameters
        ----------
        imitation, temperature : float
            λ and T at the start of the training.

        Returns
        -------
        GreedySchedule
            λ and T, updated by hypergradients.

        Raises
        ------
        ValueError
            If a parameter is not valid.
        """
        check_gradient_search(self)
        return GreedySchedule(self, *project(self, imitation, temperature))


@dataclass
class GreedySchedule:
    """λ and T in one training, updated by hypergradients.

    Parameters
    ----------
    options : GreedyHypergradient
        The search, with its constructor parameters.
    imitation, temperature : float
        Present values of λ and T.
    source : {"held", "computed", "predicted"}
        Whether the last step left the values unchanged, or updated them by a hypergradient or by a
        prediction.
    n_steps : int
        Number of steps of the weights so far.
    """

    options: GreedyHypergradient
    imitation: float
    temperature: float
    source: str = "held"
    n_steps: int = 0

    @property
    def validation_temperature(self) -> float:
        """Temperature of the validation loss."""
        return float(self.options.validation_temperature)

    @property
    def validation_batch_size(self) -> int | None:
        """Number of validation rows for a hypergradient; None for the training's batch size."""
        return self.options.validation_batch_size

    @property
    def virtual_step(self) -> str:
        """The step after which the validation loss is taken: "own" or "sgd"."""
        return self.options.virtual_step

    @property
    def gradient(self) -> str:
        """How the hypergradient is computed: "exact" or "finite_difference"."""
        return self.options.gradient

    def wants_gradient(self) -> bool:
        """Return whether the next step updates λ and T by a hypergradient."""
        return self.n_steps % self.options.update_every == 0

    def move(self, gradient: Sequence[float] | None) -> None:
        """Make a step down the gradient in (λ, T); None leaves the values unchanged."""
        self.n_steps += 1
        self.source = "held" if gradient is None else "computed"
        if gradient is not None:
            self.imitation, self.temperature = projected_step(
                self.options, self.imitation, self.temperature, gradient
            )

    def state(self) -> dict[str, Any]:
        """Return λ, T and the source of their values, for the history."""
        return {
            "imitation": self.imitation,
            "temperature": self.temperature,
            "source": self.source,
        }


def projected_step(
    options: GreedyHypergradient,
    imitation: float,
    temperature: float,
    gradient: Sequence[float],
) -> tuple[float, float]:
    """Return λ and T after a projected gradient step."""
    if options.clip is not None:
        gradient = [min(max(slope, -options.clip), options.clip) for slope in gradient]
    values = [
        value - options.lr * slope if name in options.metaparameters else value
        for name, value, slope in zip(_TUNABLE, (imitation, temperature), gradient, strict=True)
    ]
    return project(options, *values)


def project(
    options: GreedyHypergradient, imitation: float, temperature: float
) -> tuple[float, float]:
    """Return λ and T projected to their ranges; a fixed T may be outside of its range."""
    low, high = options.temperature_range
    if "temperature" in options.metaparameters:
        temperature = min(max(temperature, low), high)
    return min(max(imitation, 0.0), 1.0), temperature


def check_gradient_search(options: GreedyHypergradient) -> None:
    """Check the constructor parameters of a search by hypergradients."""
    unknown = sorted(set(options.metaparameters) - set(_TUNABLE))
    if unknown or not options.metaparameters:
        raise ValueError(
            f"metaparameters={tuple(options.metaparameters)!r} must name some of {_TUNABLE}"
        )
    low, high = options.temperature_range
    if not 0 < low <= high:
        raise ValueError(f"temperature_range={(low, high)} must be 0 < low <= high")
    if options.virtual_step not in {"own", "sgd"}:
        raise ValueError(f"virtual_step must be 'own' or 'sgd', got {options.virtual_step!r}")
    if options.gradient not in {"exact", "finite_difference"}:
        raise ValueError(
            f"gradient must be 'exact' or 'finite_difference', got {options.gradient!r}"
        )
    _check_numbers(options)


def _check_numbers(options: GreedyHypergradient) -> None:
    # `not x > 0` rather than `x <= 0`: NaN is rejected, too
    if options.clip is not None and not options.clip > 0:
        raise ValueError(f"clip must be above 0 or None, got {options.clip!r}")
    size = options.validation_batch_size
    if size is not None and not (isinstance(size, Integral) and int(size) >= 1):
        raise ValueError(f"validation_batch_size must be a whole number >= 1 or None, got {size!r}")
    for name in ("lr", "validation_temperature"):
        if not getattr(options, name) > 0:
            raise ValueError(f"{name} must be above 0, got {getattr(options, name)!r}")
