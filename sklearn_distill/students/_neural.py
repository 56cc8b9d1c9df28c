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
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import FloatArray, IntArray, TeacherLike
from sklearn_distill._validation.absent_rows import rows_to_fit
from sklearn_distill._validation.extra_sets import entry_of_single, name_validation_set_in_errors
from sklearn_distill._validation.indexing import n_samples, take_any_rows
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.plain_arrays import is_finite
from sklearn_distill._validation.random_state import draw_seed
from sklearn_distill._validation.sample_weight import check_sample_weight, read_sample_weight
from sklearn_distill._validation.tensors import to_numpy
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.students._neural_inputs import (
    Features,
    InputFormat,
    is_iterable_dataset,
    read_features,
    set_format,
    warn_if_far,
)
from sklearn_distill.students._neural_params import NeuralParams
from sklearn_distill.students._neural_plan import MIN_ROWS_TO_HOLD_OUT, with_numbers
from sklearn_distill.students._neural_targets import NeuralTargets, can_hold_out

if TYPE_CHECKING:
    import torch

    from sklearn_distill.nets._checkpoint import Checkpoint
    from sklearn_distill.nets._loader import RowTensors, Stream
    from sklearn_distill.nets._multilayer_perceptron import Layers
    from sklearn_distill.nets._net import StudentNet
    from sklearn_distill.students._neural_live import LivePredictions
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
HeldOut = tuple[Features, FloatArray, NDArray[Any]]


class NeuralStudent(NeuralParams):
    """Base class: a network that a skorch net trains on a table of targets."""

    _trained: Trained
    _format: InputFormat  # of the features
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

    def to_sklearn(self) -> Any:
        """Convert the default network to scikit-learn's multilayer perceptron.

        Returns
        -------
        MLPClassifier or MLPRegressor
            Fitted, with the same predictions up to rounding: its numbers are float64. One column of
            numbers is predicted as a flat array.

        Raises
        ------
        TypeError
            If the network is a ``module`` of the user, or does not read a table of floats.
        """
        check_is_fitted(self)
        from sklearn_distill.nets._multilayer_perceptron import layers_of

        shape = self._format.shape_of_floats
        if shape is None or len(shape) != 1:
            raise TypeError(
                f"{type(self).__name__} was fitted on features that are no table of floats, as "
                "scikit-learn's perceptrons need: save it by to_onnx"
            )
        plain = self._perceptron(layers_of(self.net_.module_))
        if hasattr(self, "feature_names_in_"):
            plain.feature_names_in_ = self.feature_names_in_.copy()
        return plain

    @abstractmethod
    def _perceptron(self, layers: Layers) -> Any:
        """Return the fitted perceptron of scikit-learn with these layers."""

    def to_onnx(self, path: str | PathLike[str], X: Any = None) -> float:
        """Write the trained network to an ONNX file that accepts any number of samples.

        The input is called ``X`` (float32, or int64 if the network reads integers), several inputs
        have their own names, and integers have any length that the network reads. The output is
        called ``answers`` and is that of :meth:`to_torch`.

        Parameters
        ----------
        path : str or path-like
            Path of the file to write.
        X : array-like, DataFrame or dict of array, default=None
            Samples on which onnxruntime is compared with the network. None draws 100 samples of
            standard normal numbers, for a network of one array of floats.

        Returns
        -------
        float
            The largest difference between the file's and the network's predictions.

        Raises
        ------
        ImportError
            If onnx, onnxscript or onnxruntime is missing.
        ValueError
            If X is None, and the network reads integers or several inputs.
        """
        check_is_fitted(self)
        from sklearn_distill.deployment import to_onnx  # slow to import

        return to_onnx(self, path, X)

    def _write_onnx(self, path: str | PathLike[str]) -> None:
        from sklearn_distill.nets._export import write_onnx

        write_onnx(self.to_torch(), self._format.kinds, self._format.shapes, path)

    def _read_validation_set(
        self, X_val: Any, y_val: Any, sample_weight_val: Any
    ) -> tuple[Features, Any, FloatArray] | None:
        """Return features, labels and weights of mean 1 of the rows of positive weight, or None."""
        X_val, y_val = entry_of_single("X_val", X_val), entry_of_single("y_val", y_val)
        weight = entry_of_single("sample_weight_val", sample_weight_val)
        if X_val is None and y_val is None:
            if weight is not None:
                raise ValueError("sample_weight_val is given without X_val and y_val: pass them")
            return None
        if X_val is None or y_val is None:
            raise ValueError("pass both X_val and y_val, or neither")
        with name_validation_set_in_errors():
            features = read_features(self, X_val, reset=False, name="X_val")
            weight = check_sample_weight(weight, len(features))
        rows = rows_to_fit(weight)
        if rows is not None:
            check_same_length("y_val", n_samples(y_val), "X_val", len(features))
            features, y_val, weight = features[rows], take_any_rows(y_val, rows), weight[rows]
        return features, y_val, weight / weight.mean()

    def _train(
        self,
        X: Features,
        targets: NeuralTargets,
        held_out: HeldOut | None = None,
        *,
        previous: Trained | None = None,
        n_epochs: int | None = None,
    ) -> Self:
        """Train a new network, or continue a previous training, on rows with targets."""
        from sklearn_distill.nets._inputs import ItemRows
        from sklearn_distill.students._neural_training import row_tensors

        if held_out is not None:
            warn_if_far("X_val", X, held_out[0])
        if self._params_for("iterator_train") and not isinstance(X, ItemRows):
            raise ValueError(
                "iterator_train__x are arguments of torch's DataLoader, which reads a Dataset, but "
                "X is an array: leave them out"
            )
        random_state = self._random_state()
        # drawn before the split, so that holding rows out does not change the initial weights
        seed = draw_seed(random_state)
        settled = with_numbers(
            self,
            len(X),
            can_validate=held_out is not None or self._can_hold_out(targets),
            one_pass=n_epochs is not None,
        )
        checkpoint = self._make_checkpoint((X, targets.table, held_out), previous, n_epochs)
        if held_out is None and settled._needs_validation(n_epochs):
            X, targets, held_out = self._hold_out(X, targets, random_state)
        train_data = row_tensors(X, targets.table, targets.labels, self._dtype)
        return self._train_network(
            settled, targets, train_data, held_out, seed, checkpoint, previous, n_epochs
        )

    def _train_on_stream(
        self, stream: Stream, targets: NeuralTargets, held_out: HeldOut | None
    ) -> Self:
        """Train a new network, or continue a warm start, on the items of a Dataset."""
        # an IterableDataset has no length, so that no fraction of it can be held out
        settled = with_numbers(self, None)
        if held_out is None and settled.early_stopping:
            raise ValueError("early_stopping=True with a Dataset needs X_val and y_val")
        seed = draw_seed(self._random_state())
        previous = self._previous_training()
        checkpoint = self._make_checkpoint((stream.dataset, held_out), previous)
        return self._train_network(settled, targets, stream, held_out, seed, checkpoint, previous)

    def _train_network(
        self,
        settled: Self,
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
        n_epochs = n_epochs or settled.max_epochs
        if n_epochs == 0 and previous is None:
            warn_user(
                "max_epochs=0: the network keeps its initial weights; raise max_epochs to train it",
                ConvergenceWarning,
            )
        self._trained = train_network(
            settled,
            targets,
            train_data,
            None if held_out is None else row_tensors(*held_out, self._dtype),
            seed=seed,
            n_epochs=n_epochs,
            checkpoint=checkpoint,
            previous=previous,
        )
        if not self._trained.reads_integers:
            self._format = self._format.with_floats()
        return self

    def _predict_live(
        self, X: Features | torch.Tensor | dict[str, torch.Tensor], **given: TeacherLike
    ) -> LivePredictions | None:
        """Return a live teacher's predictions of rows as they are; None without one."""
        if self.teacher is None:
            return None
        repeated = [name for name, values in given.items() if values is not None]
        if repeated:
            raise ValueError(
                f"{repeated[0]} and the parameter teacher, which predicts instead: pass one of "
                "the two"
            )
        from sklearn_distill.students._neural_live import predict_live
        from sklearn_distill.students._neural_training import features_as_tensor

        return predict_live(self, features_as_tensor(X, self._dtype))

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

        (seed,) = broadcast_object_list([draw_seed(random_state)])
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
        n_rows = len(read_features(self, X, reset=False))
        return not read_sample_weight(to_numpy(sample_weight), n_rows).any()

    def _can_hold_out(self, targets: NeuralTargets) -> bool:
        """Return whether early_stopping="auto" holds rows out."""
        # a resumed fit must hold out the same rows
        is_repeatable = self.checkpoint is None or isinstance(self.random_state, Integral)
        least = self._least_rows_to_hold_out()
        return is_repeatable and targets.can_hold_out(self.validation_fraction, least)

    def _least_rows_to_hold_out(self) -> int:
        return 0 if self.scoring is not None else MIN_ROWS_TO_HOLD_OUT

    def _validation_share(
        self, n_rows: int, n_labelled: int, strata: IntArray | None, fit_params: Any
    ) -> float | None:
        """Return which share of the labelled rows a fit holds out; None if it holds out none."""
        least = self._least_rows_to_hold_out()
        can_validate = can_hold_out(n_labelled, strata, self.validation_fraction, least)
        settled = with_numbers(self, n_rows, can_validate=can_validate)
        return self.validation_fraction if settled._needs_validation(None) else None

    def _hold_out(
        self, X: Features, targets: NeuralTargets, random_state: Any
    ) -> tuple[Features, NeuralTargets, HeldOut]:
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
        fixes_length = self.lr_schedule == "cosine" or self.max_epochs == "auto"
        free = _MAY_CHANGE_ON_RESUME - ({"max_epochs"} if fixes_length else set())
        identity = training_identity({k: v for k, v in values.items() if k not in free})
        path = Path(self.checkpoint)
        if self._is_clone:
            others = {name: values[name] for name in _MAY_DIFFER_IN_A_SEARCH}
            path = path_of_fit(path, identity | training_identity(others))
        return Checkpoint(path, identity)

    def _set_stream_format(self, features: torch.Tensor | dict[str, torch.Tensor]) -> None:
        """Set the format of a Dataset's features; a warm start requires that of its network."""
        found = InputFormat.of(features, is_collated=self.collate_fn is not None)
        set_format(self, found, reset=self._previous_training() is None)
        # a Dataset has no names, and its rows are not counted: an earlier fit's would be wrong
        for name in ("feature_names_in_", "n_taught_rows_"):
            self.__dict__.pop(name, None)

    def _previous_training(self) -> Trained | None:
        """Return the training that a warm start continues, None for a new one."""
        return self._trained if self.warm_start and hasattr(self, "_trained") else None

    def _predict_scores(self, X: Any) -> FloatArray:
        """Return the outputs of the network: logits, or regression predictions."""
        if not hasattr(self, "_trained"):
            check_is_fitted(self)
        from sklearn_distill.students._neural_training import predict_scores, predict_stream

        if is_iterable_dataset(X):
            return predict_stream(self, X)
        features: Features | None = self._plain_features(X)
        if features is None:
            features = read_features(self, X, reset=False)
        return predict_scores(self._trained.net, features, self._dtype)

    def _plain_features(self, X: Any) -> NDArray[Any] | None:
        """Return an array that passes all checks, None for anything else.

        scikit-learn's checks of a single row take several times as long as the network.
        """
        if type(X) is not np.ndarray or X.dtype.kind != "f" or not len(X):
            return None
        if not self._format.is_array_of(X) or hasattr(self, "feature_names_in_"):
            return None
        with np.errstate(over="ignore"):  # infinite in the precision of the weights
            features = X.astype(self._array_dtype, copy=False)
        return features if is_finite(features) else None

    def __sklearn_clone__(self) -> Self:
        clone: Self = super().__sklearn_clone__()
        clone._is_clone = True  # one of several fits, which must not share the checkpoint's file
        return clone

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        tags.input_tags.sparse = True
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_trained")
