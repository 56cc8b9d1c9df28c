"""The parameters of the neural students, those of skorch included."""

from __future__ import annotations

import functools
from abc import abstractmethod
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer_names

from sklearn_distill._doc_link import DocLink
from sklearn_distill._optional import import_skorch
from sklearn_distill._validation.fitting import HasMethods, Interval, StrOptions
from sklearn_distill._validation.numbers import check_hidden_layer_sizes
from sklearn_distill.students._neural_callbacks import PREFIX as CALLBACK_PREFIX
from sklearn_distill.students._neural_callbacks import callback_params, with_callback_params

if TYPE_CHECKING:
    import torch

    from sklearn_distill.nets._predictions import Predictions

AUTO = StrOptions({"auto"})
_PREFIXES = ("module__", "optimizer__", "iterator_train__")


class NeuralParams(DocLink, BaseEstimator):
    """Base class of the neural students: their parameters, and ``module__x``, ``optimizer__x``."""

    # set by the constructors of the subclasses
    module: Any
    hidden_layer_sizes: Any
    imitation: float
    temperature: float  # classifier only
    teacher: Any
    embedding_weight: float
    embedding_layer: Any
    optimizer: Any
    lr: Any
    batch_size: Any
    collate_fn: Any
    max_epochs: Any
    early_stopping: Any
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    scoring: Any
    lr_schedule: Any
    gradient_clip: float | None
    augmentation: Any
    metaparameter_optimizer: Any = None  # a parameter of the classifier only
    callbacks: Any
    warm_start: bool
    checkpoint: str | PathLike[str] | None
    precision: str
    compile: bool
    device: Any
    accelerator: Any
    random_state: Any
    verbose: int
    # set by fit
    n_features_in_: int
    _format: Any  # names, types and shapes of the features

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "module": "no_validation",
        "teacher": "no_validation",  # fit names what is wrong with it
        "distillation_loss": [callable, None],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "imitation": [Interval(Real, 0, 1, closed="both"), callable],
        "embedding_weight": [Interval(Real, 0, None, closed="left")],
        "embedding_layer": [str, dict, None],
        "optimizer": [StrOptions({"adam", "adamw", "sgd"}), callable],
        "lr": [Interval(Real, 0, None, closed="neither"), AUTO],
        "batch_size": [Interval(Integral, 1, None, closed="left"), AUTO],
        "collate_fn": [callable, None],
        "max_epochs": [Interval(Integral, 0, None, closed="left"), AUTO],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "early_stopping": ["boolean", AUTO],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "lr_schedule": [StrOptions({"auto", "cosine"}), callable, None],
        "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
        "augmentation": [callable, None],
        "callbacks": [list, tuple, None],
        "warm_start": ["boolean"],
        "checkpoint": [str, PathLike, None],
        "precision": [StrOptions({"float32", "float64", "bfloat16", "float16"})],
        "compile": ["boolean"],
        "device": "no_validation",
        "accelerator": [HasMethods("prepare"), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, including those of module, optimiser, DataLoader and callbacks.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of nested estimators and callbacks.

        Returns
        -------
        dict
            Parameter names mapped to their values.
        """
        # the signature lacks their names, but clone and searches need them, too
        params: dict[str, Any] = super().get_params(deep)
        if deep:
            params |= callback_params(self.callbacks)
        return params | {name: vars(self)[name] for name in self._skorch_names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, including ``module__x``, ``optimizer__x`` and ``callbacks__name__x``.

        Parameters
        ----------
        **params : dict
            Parameter names mapped to their new values.

        Returns
        -------
        self
            The estimator.
        """
        skorch_names = {name for name in params if name.startswith(self._skorch_prefixes())}
        of_callbacks = {k: v for k, v in params.items() if k.startswith(CALLBACK_PREFIX)}
        others = skorch_names | of_callbacks.keys()
        super().set_params(**{k: v for k, v in params.items() if k not in others})
        self.callbacks = with_callback_params(type(self).__name__, self.callbacks, of_callbacks)
        self.__dict__.update({name: params[name] for name in skorch_names})
        return self

    def _skorch_prefixes(self) -> tuple[str, ...]:
        """Return the beginnings of parameter names that the constructor's signature lacks."""
        return _PREFIXES + self._unknown_names()

    def _skorch_names(self) -> list[str]:
        """Return the names of the parameters that the constructor's signature lacks."""
        return [name for name in vars(self) if name.startswith(self._skorch_prefixes())]

    def _set_skorch_params(self, params: dict[str, Any]) -> None:
        """Set the constructor's ``**skorch_params``.

        Unknown names are kept, and ``fit`` raises for them: scikit-learn's constructors do not
        validate.
        """
        unknown = tuple(name for name in params if not name.startswith(_PREFIXES))
        # kept, such a name would overwrite a method or an attribute
        if any(hasattr(type(self), name) or "_" in (name[0], name[-1]) for name in unknown):
            self._raise_unexpected(unknown)
        self.__dict__.update(params)
        if unknown:
            self._unknown_params = unknown

    def _unknown_names(self) -> tuple[str, ...]:
        """Return the names of the constructor's arguments that are no parameters."""
        return getattr(self, "_unknown_params", ())

    def _check_requirements(self) -> None:
        """Require skorch, and no unknown parameter."""
        import_skorch(type(self).__name__)
        if self._unknown_names():
            self._raise_unexpected(self._unknown_names())

    def _raise_unexpected(self, names: tuple[str, ...]) -> None:
        raise TypeError(
            f"{type(self).__name__} got an unexpected parameter {names[0]!r}: besides those of its "
            "signature it accepts module__x, optimizer__x and iterator_train__x"
        )

    @property
    def _dtype(self) -> torch.dtype:
        """The type of the weights; mixed precision keeps them in float32."""
        import torch

        return torch.float64 if self.precision == "float64" else torch.float32

    @property
    def _array_dtype(self) -> type[np.floating[Any]]:
        """The same type of NumPy."""
        return np.float64 if self.precision == "float64" else np.float32

    @abstractmethod
    def _predictions(self) -> Predictions:
        """Return what the estimator predicts from the scores of its network."""

    def _moves(self) -> bool:
        """Return whether λ or T is a function of the epoch."""
        return callable(self.imitation) or callable(getattr(self, "temperature", None))

    def _metaparameters(self, epoch: int) -> dict[str, float]:
        """Return λ and T of an epoch, as far as the estimator has them."""
        ranges = {"imitation": (0.0, 1.0), "temperature": (1e-100, 1e100)}
        values = {}
        for name, (least, most) in ranges.items():
            if hasattr(self, name):
                value = getattr(self, name)
                values[name] = float(value(epoch) if callable(value) else value)
                if not least <= values[name] <= most:
                    raise ValueError(
                        f"{name} gave {values[name]:g} for epoch {epoch}: it must return "
                        f"{'a number in [0, 1]' if name == 'imitation' else 'a positive number'}"
                    )
        return values

    def _refuse_moving(self, what: str) -> None:
        """Require numbers as λ and T."""
        for name in ("imitation", "temperature"):
            if callable(getattr(self, name, None)):
                raise ValueError(f"{name} is a function of the epoch, which {what}: pass a number")

    def _architecture(self) -> dict[str, str]:
        """Describe the parameters from which the network is built."""
        params = {f"module__{name}": value for name, value in self._params_for("module").items()}
        if self.module is None:
            params["hidden_layer_sizes"] = check_hidden_layer_sizes(self.hidden_layer_sizes)
        params["module"] = self.module
        return {name: describe(value) for name, value in params.items()}

    def _params_for(self, prefix: str) -> dict[str, Any]:
        """Return the parameters ``prefix__x`` as a dict of x."""
        start = f"{prefix}__"
        return {k.removeprefix(start): v for k, v in vars(self).items() if k.startswith(start)}


def describe(value: Any) -> str:
    """Describe a parameter by a text that is the same in every process."""
    if hasattr(value, "named_modules"):  # the repr of a torch module lists its layers
        return repr(value)
    if value is None or isinstance(value, (str, Real, np.ndarray)):
        return repr(value)
    if isinstance(value, functools.partial):
        return f"partial({describe([value.func, value.args, value.keywords])})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {describe(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(describe, value))}]"
    # the repr of a function or of another object contains its address in memory
    kind = value if hasattr(value, "__qualname__") else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
