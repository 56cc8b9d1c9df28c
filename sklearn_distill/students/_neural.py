"""What the neural students share: parameters, the way from data to a trained net, export."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Self

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_distill._optional import import_skorch
from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.fitting import HasMethods, Interval, StrOptions
from sklearn_distill.students._neural_stream import is_dataset
from sklearn_distill.students._neural_targets import NeuralTargets

if TYPE_CHECKING:
    import torch

    from sklearn_distill.nets._checkpoint import Checkpoint
    from sklearn_distill.nets._loader import RowTensors, Stream
    from sklearn_distill.students._neural_training import Trained

_PREFIXES = ("module__", "optimizer__", "iterator_train__")
# what may change between an interruption and its resumption
_NO_IDENTITY = {"callbacks", "checkpoint", "compile", "device", "max_epochs", "verbose"}

RegressionData = tuple[NDArray[Any], FloatArray]  # features and a table for the loss


class NeuralStudent(BaseEstimator):
    """A network in a skorch net, taught by a table of targets."""

    # what moves λ and T in a training; of the classifier it is a parameter
    metaparameter_optimizer: Any = None

    n_features_in_: int
    _trained: Trained
    _shape: tuple[int, ...]

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "module": "no_validation",
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "imitation": [Interval(Real, 0, 1, closed="both")],
        "embedding_weight": [Interval(Real, 0, None, closed="left")],
        "optimizer": [StrOptions({"adam", "adamw", "sgd"}), callable],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "early_stopping": ["boolean"],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "lr_schedule": [StrOptions({"cosine"}), callable, None],
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
        """Return the parameters, those for module and optimiser among them.

        Parameters
        ----------
        deep : bool, default=True
            As in scikit-learn.

        Returns
        -------
        dict
            Parameters by name.
        """
        params: dict[str, Any] = super().get_params(deep)
        return params | {name: vars(self)[name] for name in self._skorch_names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, ``module__x`` and ``optimizer__x`` among them.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self
            The estimator.
        """
        ours = {name for name in params if name.startswith(_PREFIXES + self._unknown())}
        super().set_params(**{name: params[name] for name in params if name not in ours})
        self.__dict__.update({name: params[name] for name in ours})
        return self

    @property
    def net_(self) -> Any:
        """The skorch net that holds the trained network."""
        check_is_fitted(self)
        return self._trained.net

    @property
    def history_(self) -> pd.DataFrame:
        """Losses, learning rates and seconds, one row for each epoch."""
        epochs = [{k: v for k, v in row.items() if k != "batches"} for row in self.net_.history]
        return pd.DataFrame(epochs).set_index("epoch")

    def to_torch(self) -> torch.nn.Module:
        """Return the trained network as a torch module.

        Returns
        -------
        Module
            A copy on the CPU and in evaluation mode. It gives what ``predict_proba`` gives, or of
            a regressor ``predict``.
        """
        from sklearn_distill.nets._export import plain_network

        return plain_network(self.net_.module_, self._n_classes())

    def to_onnx(self, path: str | PathLike[str]) -> None:
        """Write the trained network to an ONNX file, for any number of rows.

        The input is called ``X`` (float32), the output ``answers``: what :meth:`to_torch` gives.

        Parameters
        ----------
        path : str or path-like
            The file.

        Raises
        ------
        ImportError
            If onnx or onnxscript is missing.
        """
        from sklearn_distill.nets._export import write_onnx

        write_onnx(self.to_torch(), self._shape, path)

    def _skorch_names(self) -> list[str]:
        """Return the names of parameters that the constructor's signature does not have."""
        return [name for name in vars(self) if name.startswith(_PREFIXES + self._unknown())]

    def _set_skorch_params(self, params: dict[str, Any]) -> None:
        """Set what the constructor was given beside its signature; fit says what it cannot use."""
        unknown = tuple(name for name in params if not name.startswith(_PREFIXES))
        if any(hasattr(type(self), name) or "_" in (name[0], name[-1]) for name in unknown):
            self._refuse(unknown)  # it would take the place of something else
        self.__dict__.update(params)
        if unknown:
            self._unknown_params = unknown

    def _unknown(self) -> tuple[str, ...]:
        """Return names of the constructor's arguments that mean nothing."""
        return getattr(self, "_unknown_params", ())

    def _check_ready(self) -> None:
        """Require skorch, and parameters that mean something."""
        import_skorch(type(self).__name__)
        if self._unknown():
            self._refuse(self._unknown())

    def _refuse(self, names: tuple[str, ...]) -> None:
        raise TypeError(
            f"{type(self).__name__} got an unexpected parameter {names[0]!r}: beside those of its "
            "signature it takes module__x, optimizer__x and iterator_train__x"
        )

    def _prefixed(self, prefix: str) -> dict[str, Any]:
        """Return the parameters for module or optimiser by their names there."""
        start = f"{prefix}__"
        return {k.removeprefix(start): v for k, v in vars(self).items() if k.startswith(start)}

    def _read_array(
        self, X: Any, y: Any = "no_validation", *, reset: bool, **checks: Any
    ) -> NDArray[Any]:
        """Check features; set or require their number and shape."""
        if is_dataset(X):
            raise TypeError("X is a Dataset, which only fit reads: pass an array")
        dtype = np.float64 if self.precision == "float64" else np.float32
        checked = validate_data(self, X, y, reset=reset, dtype=dtype, allow_nd=True, **checks)
        X = checked if isinstance(y, str) else checked[0]
        if reset:
            self._shape = X.shape[1:]
        elif X.shape[1:] != self._shape:
            raise ValueError(
                f"X has rows of shape {X.shape[1:]}, but {type(self).__name__} was fitted on rows "
                f"of shape {self._shape}"
            )
        return np.asarray(X)

    def _read_held_out(self, X_val: Any, y_val: Any) -> NDArray[Any] | None:
        """Check features of held-out rows, which come with labels or not at all."""
        if X_val is None and y_val is None:
            return None
        if X_val is None or y_val is None:
            raise ValueError("give X_val and y_val both, or neither")
        with about_validation():
            return self._read_array(X_val, reset=False)

    def _train(
        self,
        X: NDArray[Any],
        lesson: NeuralTargets,
        held_out: RegressionData | None = None,
        *,
        before: Trained | None = None,
        n_epochs: int | None = None,
    ) -> Self:
        """Train a network, or the one from before, on features and what is said of them."""
        from sklearn_distill.students._neural_training import as_rows

        if self._prefixed("iterator_train"):
            raise ValueError(
                "iterator_train__x are arguments of torch's DataLoader, which reads a Dataset, and "
                "X is an array: leave them out"
            )
        random_state = check_random_state(self.random_state)
        seed = int(random_state.randint(2**31 - 1))
        checkpoint = self._checkpoint_of((X, lesson.table, held_out))
        if held_out is None and self._needs_validation(n_epochs):
            X, lesson, held_out = self._hold_out(X, lesson, random_state)
        rows = as_rows(X, lesson.table, self.precision)
        return self._run(lesson, rows, held_out, seed, checkpoint, before, n_epochs)

    def _train_on_stream(
        self, stream: Stream, lesson: NeuralTargets, held_out: RegressionData | None
    ) -> Self:
        """Train a network on rows that a Dataset reads."""
        if held_out is None and self.early_stopping:
            raise ValueError("early_stopping=True with a Dataset needs X_val and y_val")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        checkpoint = self._checkpoint_of((type(stream.dataset).__qualname__, held_out))
        return self._run(lesson, stream, held_out, seed, checkpoint, self._earlier())

    def _run(
        self,
        lesson: NeuralTargets,
        rows: RowTensors | Stream,
        held_out: RegressionData | None,
        seed: int,
        checkpoint: Checkpoint | None,
        before: Trained | None = None,
        n_epochs: int | None = None,
    ) -> Self:
        from sklearn_distill.students._neural_training import as_rows, train_network

        self._trained = train_network(
            self,
            lesson,
            rows,
            None if held_out is None else as_rows(*held_out, self.precision),
            seed=seed,
            n_epochs=n_epochs or self.max_epochs,
            checkpoint=checkpoint,
            before=before,
        )
        return self

    def _needs_validation(self, n_epochs: int | None) -> bool:
        """Tell whether labelled rows are to be set aside."""
        stops_early = self.early_stopping and n_epochs is None
        return bool(stops_early or self.metaparameter_optimizer is not None)

    def _hold_out(
        self, X: NDArray[Any], lesson: NeuralTargets, random_state: Any
    ) -> tuple[NDArray[Any], NeuralTargets, RegressionData]:
        """Set labelled rows aside for validation."""
        if self.checkpoint is not None and not isinstance(self.random_state, Integral):
            raise ValueError(
                f"checkpoint with early_stopping=True and random_state={self.random_state!r}: a "
                "resumed fit would set aside other rows, some that it trained on. Give a number "
                "as random_state, or X_val and y_val"
            )
        train, validation = lesson.split(self.validation_fraction, random_state)
        held_out = X[validation], lesson.label_table[validation]
        return X[train], replace(lesson, table=lesson.table[train]), held_out

    def _checkpoint_of(self, data: Any) -> Checkpoint | None:
        if self.checkpoint is None:
            return None
        if self.metaparameter_optimizer is not None:
            raise ValueError(
                "checkpoint and metaparameter_optimizer: the file does not hold the way of λ and "
                "T; leave one of the two out"
            )
        if self.accelerator is not None:
            raise ValueError(
                "checkpoint and accelerator: save the state by accelerator.save_state instead"
            )
        from sklearn_distill.nets._checkpoint import Checkpoint

        named = {k: _named(v) for k, v in self.get_params(deep=False).items()}
        # a cosine is another one where it ends elsewhere
        free = _NO_IDENTITY - ({"max_epochs"} if self.lr_schedule == "cosine" else set())
        params = sorted((k, v) for k, v in named.items() if k not in free)
        return Checkpoint(self.checkpoint, joblib.hash((params, data)))

    def _set_shape(self, features: Any) -> None:
        """Take the shape of a Dataset's rows, which have no names; a warm start keeps its own."""
        shape = tuple(features.shape[1:])
        if self._earlier() is not None and shape != self._shape:
            raise ValueError(
                f"X has rows of shape {shape}, and warm_start=True goes on with a network for "
                f"rows of shape {self._shape}: set warm_start=False"
            )
        self._shape, self.n_features_in_ = shape, shape[0]
        for name in ("feature_names_in_", "n_taught_rows_"):
            self.__dict__.pop(name, None)

    def _earlier(self) -> Trained | None:
        """Return what a warm start goes on with."""
        return self._trained if self.warm_start and hasattr(self, "_trained") else None

    def _scores(self, X: Any) -> FloatArray:
        """Return the network's scores."""
        check_is_fitted(self)
        from sklearn_distill.students._neural_training import predict_scores

        return predict_scores(self.net_, self._read_array(X, reset=False), self.precision)

    @abstractmethod
    def _n_classes(self) -> int | None:
        """Return the number of classes, None for regression."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_trained")


@contextmanager
def about_validation() -> Iterator[None]:
    """Say of a fault that it lies in the validation rows."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"X_val and y_val: {error}") from error


def _named(value: Any) -> str:
    """Describe a parameter, the same in every process."""
    if hasattr(value, "named_modules"):  # a module's layers
        return repr(value)
    if value is None or isinstance(value, (str, Real, list, tuple, dict, np.ndarray)):
        return repr(value)
    kind = value if hasattr(value, "__qualname__") else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
