"""Base class of the neural students: validation of the data, training, export."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_distill._typing import FloatArray, TargetLike, TeacherLike
from sklearn_distill._validation.extra_sets import (
    name_validation_set_in_errors,
    warn_if_out_of_range,
)
from sklearn_distill._validation.masks import refuse_mask
from sklearn_distill._validation.network_input import check_network_input
from sklearn_distill._validation.sample_weight import read_sample_weight
from sklearn_distill._validation.tensors import to_numpy
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.students._neural_params import NeuralParams
from sklearn_distill.students._neural_targets import NeuralTargets

if TYPE_CHECKING:
    import torch
    from torch.utils.data import Dataset

    from sklearn_distill.nets._checkpoint import Checkpoint
    from sklearn_distill.nets._loader import RowTensors, Stream
    from sklearn_distill.nets._net import StudentNet
    from sklearn_distill.students._neural_live import AskedTeacher
    from sklearn_distill.students._neural_training import Trained

# parameters that may differ between an interrupted fit and the one that resumes it
_MAY_CHANGE_ON_RESUME = {
    "accelerator",
    "callbacks",
    "checkpoint",
    "compile",
    "device",
    "max_epochs",
    "verbose",
}
# those of them in which fits that run at the same time may differ
_MAY_DIFFER_IN_A_SEARCH = {"callbacks", "max_epochs"}

# features, the table that the loss reads, and the labels that callbacks read
HeldOut = tuple[NDArray[Any], FloatArray, NDArray[Any]]


class NeuralStudent(NeuralParams):
    """Base class: a network that a skorch net trains on a table of targets."""

    n_features_in_: int
    _trained: Trained
    _shape: tuple[int, ...]  # of a sample's features, without the axis of the samples
    _is_clone = False

    @property
    def net_(self) -> StudentNet:
        """The skorch net that holds the trained network."""
        check_is_fitted(self)
        return self._trained.net

    @property
    def history_(self) -> pd.DataFrame:
        """Losses, λ, T, learning rates and durations in seconds, one row for each epoch."""
        epochs = [{k: v for k, v in row.items() if k != "batches"} for row in self.net_.history]
        return pd.DataFrame(epochs, columns=None if epochs else ["epoch"]).set_index("epoch")

    @abstractmethod
    def to_torch(self) -> torch.nn.Module:
        """Return the trained network as a torch module."""

    def to_onnx(self, path: str | PathLike[str]) -> None:
        """Write the trained network to an ONNX file that accepts any number of samples.

        The input is called ``X`` (float32). The output is called ``answers`` and is that of
        :meth:`to_torch`.

        Parameters
        ----------
        path : str or path-like
            Path of the file to write.

        Raises
        ------
        ImportError
            If onnx or onnxscript is missing.
        """
        from sklearn_distill.nets._export import write_onnx

        write_onnx(self.to_torch(), self._shape, path)

    def _validate_array(
        self,
        X: ArrayLike | Dataset[Any],
        y: TargetLike = "no_validation",
        *,
        reset: bool,
        name: str = "X",
        **checks: Any,
    ) -> NDArray[Any]:
        """Check features; set their number and shape, or compare them with those of the fit."""
        check_network_input(name, X)
        refuse_mask(name, X)
        # the dtype of the weights; mixed precision keeps them in float32
        dtype = np.float64 if self.precision == "float64" else np.float32
        X = to_numpy(X)  # of bfloat16, which NumPy lacks, and of any device
        checked = validate_data(
            self, X, to_numpy(y), reset=reset, dtype=dtype, allow_nd=True, **checks
        )
        features = np.asarray(checked if isinstance(y, str) else checked[0])
        if reset:
            self._shape = features.shape[1:]
        elif features.shape[1:] != self._shape:
            raise ValueError(
                f"X has rows of shape {features.shape[1:]}, but {type(self).__name__} was fitted "
                f"on rows of shape {self._shape}"
            )
        return features

    def _validate_held_out(self, X_val: ArrayLike | None, y_val: TargetLike) -> NDArray[Any] | None:
        """Check the features of a validation set; None without one."""
        if X_val is None and y_val is None:
            return None
        if X_val is None or y_val is None:
            raise ValueError("pass both X_val and y_val, or neither")
        with name_validation_set_in_errors():
            return self._validate_array(X_val, reset=False, name="X_val")

    def _train(
        self,
        X: NDArray[Any],
        targets: NeuralTargets,
        held_out: HeldOut | None = None,
        *,
        previous: Trained | None = None,
        n_epochs: int | None = None,
    ) -> Self:
        """Train a new network, or continue a previous training, on arrays."""
        from sklearn_distill.students._neural_training import row_tensors

        if held_out is not None:
            warn_if_out_of_range("X_val", X, held_out[0])
        if self._params_for("iterator_train"):
            raise ValueError(
                "iterator_train__x are arguments of torch's DataLoader, which reads a Dataset, but "
                "X is an array: leave them out"
            )
        random_state = self._random_state()
        # drawn before the split, so that holding rows out does not change the initial weights
        seed = int(random_state.randint(2**31 - 1))
        checkpoint = self._make_checkpoint((X, targets.table, held_out), previous, n_epochs)
        if held_out is None and self._needs_validation(n_epochs):
            X, targets, held_out = self._hold_out(X, targets, random_state)
        train_data = row_tensors(X, targets.table, targets.labels, self.precision)
        return self._train_network(
            targets, train_data, held_out, seed, checkpoint, previous, n_epochs
        )

    def _train_on_stream(
        self, stream: Stream, targets: NeuralTargets, held_out: HeldOut | None
    ) -> Self:
        """Train a new network, or continue a warm start, on the items of a Dataset."""
        # an IterableDataset has no length, so that no fraction of it can be held out
        if held_out is None and self.early_stopping:
            raise ValueError("early_stopping=True with a Dataset needs X_val and y_val")
        seed = int(self._random_state().randint(2**31 - 1))
        previous = self._previous_training()
        checkpoint = self._make_checkpoint((stream.dataset, held_out), previous)
        return self._train_network(targets, stream, held_out, seed, checkpoint, previous)

    def _train_network(
        self,
        targets: NeuralTargets,
        train_data: RowTensors | Stream,
        held_out: HeldOut | None,
        seed: int,
        checkpoint: Checkpoint | None,
        previous: Trained | None = None,
        n_epochs: int | None = None,
    ) -> Self:
        from sklearn_distill.students._neural_training import row_tensors, train_network

        if self.scoring is not None and held_out is None and n_epochs is None:
            raise ValueError(
                f"scoring={self.scoring!r} needs validation rows: pass X_val and y_val, or set "
                "early_stopping=True"
            )
        n_epochs = n_epochs or self.max_epochs
        if n_epochs == 0 and previous is None:
            warn_user(
                "max_epochs=0: the network keeps its initial weights; raise max_epochs to train it",
                ConvergenceWarning,
            )
        self._trained = train_network(
            self,
            targets,
            train_data,
            None if held_out is None else row_tensors(*held_out, self.precision),
            seed=seed,
            n_epochs=n_epochs,
            checkpoint=checkpoint,
            previous=previous,
        )
        return self

    def _ask_teacher(
        self, X: NDArray[Any] | torch.Tensor, **given: TeacherLike
    ) -> AskedTeacher | None:
        """Return a live teacher, asked about rows as they are; None without one."""
        if self.teacher is None:
            return None
        repeated = [name for name, values in given.items() if values is not None]
        if repeated:
            raise ValueError(
                f"{repeated[0]} and the parameter teacher, which is asked instead: pass one of "
                "the two"
            )
        from sklearn_distill.students._neural_live import ask_teacher
        from sklearn_distill.students._neural_training import in_precision

        features = in_precision(X, self.precision) if isinstance(X, np.ndarray) else X
        return ask_teacher(self, features)

    def _named_teacher(self) -> AbstractContextManager[Any]:
        """Return a context whose errors say that a live teacher made the predictions."""
        if self.teacher is None:
            return nullcontext()
        from sklearn_distill.nets._live_teacher import name_teacher_in_errors

        return name_teacher_in_errors()

    def _first_epoch(self, previous: Trained | None) -> int:
        """Return the number of the first epoch of a training, after those of a warm start."""
        return 1 if previous is None else len(previous.net.history) + 1

    def _random_state(self) -> np.random.RandomState:
        """Return the random generator of a fit, the same in all processes of an accelerator."""
        random_state: np.random.RandomState = check_random_state(self.random_state)
        if getattr(self.accelerator, "num_processes", 1) == 1 or isinstance(
            self.random_state, Integral
        ):
            return random_state
        from accelerate.utils import broadcast_object_list

        (seed,) = broadcast_object_list([int(random_state.randint(2**31 - 1))])
        return np.random.RandomState(seed)

    def _needs_validation(self, n_epochs: int | None) -> bool:
        """Return whether rows have to be held out."""
        # partial_fit fixes n_epochs: its single pass has nothing to stop
        stops_early = self.early_stopping and n_epochs is None
        return bool(stops_early or self.metaparameter_optimizer is not None)

    def _adds_nothing(self, X: ArrayLike, sample_weight: ArrayLike | None) -> bool:
        """Return whether all rows of a ``partial_fit`` after the first have weight 0."""
        if sample_weight is None or not hasattr(self, "_trained"):
            return False
        n_rows = len(self._validate_array(X, reset=False))
        return not read_sample_weight(to_numpy(sample_weight), n_rows).any()

    def _hold_out(
        self, X: NDArray[Any], targets: NeuralTargets, random_state: Any
    ) -> tuple[NDArray[Any], NeuralTargets, HeldOut]:
        """Split off rows for validation: with a label, if some have one."""
        if self.checkpoint is not None and not isinstance(self.random_state, Integral):
            raise ValueError(
                f"checkpoint with early_stopping=True and random_state={self.random_state!r}: a "
                "resumed fit would hold out other rows, some of which it was trained on. Pass an "
                "int as random_state, or pass X_val and y_val"
            )
        from sklearn_distill.nets._seen import known_labels

        train, validation = targets.split(self.validation_fraction, random_state)
        assert targets.labels is not None
        loss, table = targets.taught or (targets.label_loss, targets.label_table)
        held_out = X[validation], table[validation], known_labels(targets.labels, validation)
        return X[train], replace(targets.take(train), label_loss=loss), held_out

    def _make_checkpoint(
        self, data: Any, previous: Trained | None, n_epochs: int | None = None
    ) -> Checkpoint | None:
        """Return the checkpoint callback for a training on these data, None without a file."""
        if self.checkpoint is None:
            return None
        if self.metaparameter_optimizer is not None:
            raise ValueError(
                "checkpoint and metaparameter_optimizer: a checkpoint does not contain the "
                "trajectory of λ and T; leave one of the two out"
            )
        from sklearn_distill.nets._checkpoint import Checkpoint
        from sklearn_distill.students._neural_identity import path_of_fit, training_identity

        start = None if previous is None else previous.identity()
        values = self.get_params(deep=False) | {"data": data, "warm_start": (start, n_epochs)}
        # with another max_epochs a cosine has other learning rates from the first epoch on
        free = _MAY_CHANGE_ON_RESUME - ({"max_epochs"} if self.lr_schedule == "cosine" else set())
        identity = training_identity({k: v for k, v in values.items() if k not in free})
        path = Path(self.checkpoint)
        if self._is_clone:
            others = {name: values[name] for name in _MAY_DIFFER_IN_A_SEARCH}
            path = path_of_fit(path, identity | training_identity(others))
        return Checkpoint(path, identity)

    def _set_shape(self, features: torch.Tensor) -> None:
        """Set the shape of a Dataset's features; a warm start requires that of its network."""
        shape = tuple(features.shape[1:])
        if self._previous_training() is not None and shape != self._shape:
            raise ValueError(
                f"X has rows of shape {shape}, but warm_start=True continues with a network for "
                f"rows of shape {self._shape}: set warm_start=False"
            )
        self._shape, self.n_features_in_ = shape, shape[0]
        # a Dataset has no names, and its rows are not counted: an earlier fit's would be wrong
        for name in ("feature_names_in_", "n_taught_rows_"):
            self.__dict__.pop(name, None)

    def _previous_training(self) -> Trained | None:
        """Return the training that a warm start continues, None for a new one."""
        return self._trained if self.warm_start and hasattr(self, "_trained") else None

    def _predict_scores(self, X: ArrayLike) -> FloatArray:
        """Return the outputs of the network: logits, or regression predictions."""
        check_is_fitted(self)
        from sklearn_distill.students._neural_training import predict_scores

        return predict_scores(self.net_, self._validate_array(X, reset=False), self.precision)

    def __sklearn_clone__(self) -> Self:
        clone: Self = super().__sklearn_clone__()
        clone._is_clone = True  # one of several fits, which must not share the checkpoint's file
        return clone

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_trained")
