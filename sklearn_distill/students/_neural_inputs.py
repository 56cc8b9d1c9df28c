"""X of a neural student: an array, a sparse matrix, several inputs by name, samples, a Dataset."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sklearn_distill._typing import TargetLike
from sklearn_distill._validation.extra_sets import warn_if_out_of_range
from sklearn_distill._validation.indexing import is_named, n_samples
from sklearn_distill._validation.masks import refuse_mask
from sklearn_distill._validation.network_input import check_network_input, refuse_loader
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.tensors import to_numpy

if TYPE_CHECKING:
    from torch.utils.data import Dataset

    from sklearn_distill.nets._inputs import Collate, ItemRows, NamedInputs, ToInput
    from sklearn_distill.students._neural_params import NeuralParams

# arrays, inputs by name, and Datasets or lists of samples, of which torch's types are not imported
NetworkInput: TypeAlias = Any
# an array of numbers, or Inputs, which become a network's input batch by batch
Features: TypeAlias = Any

# arguments of torch's DataLoader that say how items are read, rather than which
_READING = {
    "in_order",
    "multiprocessing_context",
    "num_workers",
    "persistent_workers",
    "pin_memory",
    "pin_memory_device",
    "prefetch_factor",
    "timeout",
    "worker_init_fn",
}
_N_LISTED = 10


@dataclass(frozen=True)
class InputFormat:
    """What a network reads: names, types and shapes of the features of ``fit``.

    Parameters
    ----------
    kinds : dict from str or None to {"f", "i", "b"}
        Whether the input of each name holds floats, integers or bools; None is that of an array.
    shapes : dict from str or None to tuple of int
        Shapes without the axis of the samples.
    is_collated : bool, default=False
        Whether a ``collate_fn`` makes the mini-batches, whose shapes may differ.
    """

    kinds: dict[str | None, str]
    shapes: dict[str | None, tuple[int, ...]]
    is_collated: bool = False

    @classmethod
    def of(cls, x: Any, *, is_collated: bool = False) -> Self:
        """Return the format of a mini-batch: an array, a tensor or a dict of tensors."""
        from sklearn_distill.nets._inputs import kind_of

        parts = x if isinstance(x, dict) else {None: x}
        return cls(
            {name: kind_of(part) for name, part in parts.items()},
            {name: tuple(part.shape[1:]) for name, part in parts.items()},
            is_collated,
        )

    @property
    def is_named(self) -> bool:
        """Whether there are several inputs by name."""
        return None not in self.kinds

    @property
    def n_features(self) -> int | None:
        """Number of features of an array, None for other inputs."""
        if self.is_named or self.is_collated or not self.shapes[None]:
            return None
        return self.shapes[None][0]

    @property
    def shape_of_floats(self) -> tuple[int, ...] | None:
        """Shape of a sample in one array of floats, None for other inputs."""
        is_array = self.kinds == {None: "f"} and not self.is_collated
        return self.shapes[None] if is_array else None

    def is_array_of(self, X: NDArray[Any]) -> bool:
        """Return whether the student was fitted on one array of floats, with rows of this shape."""
        return self.shape_of_floats == X.shape[1:]

    def with_floats(self) -> Self:
        """Return the format of an array whose integers the network reads as floats."""
        return replace(self, kinds={None: "f"})

    def check(self, what: str, owner: str, other: InputFormat) -> None:
        """Require features of this format.

        Parameters
        ----------
        what, owner : str
            Names of the argument and of the estimator, for messages.
        other : InputFormat
            The format of the features.

        Raises
        ------
        ValueError
            If inputs are missing or unknown, or have other shapes.
        """
        if self.is_named != other.is_named:
            now, then = (
                f"inputs by the names {list(one.kinds)[:_N_LISTED]}" if one.is_named else "an array"
                for one in (other, self)
            )
            raise ValueError(f"{what} is {now}, but {owner} was fitted on {then}: pass the same")
        missing = [name for name in self.kinds if name not in other.kinds]
        if missing:
            raise ValueError(
                f"{what} lacks the inputs {missing[:_N_LISTED]}, on which {owner} was fitted"
            )
        unknown = [name for name in other.kinds if name not in self.kinds]
        if unknown:
            raise ValueError(
                f"{what} has the inputs {unknown[:_N_LISTED]}, on which {owner} was not fitted: "
                f"leave them out, or fit it with them; it knows {list(self.kinds)[:_N_LISTED]}"
            )
        if not self.is_collated:
            for name, shape in self.shapes.items():
                _check_same_shape(what, owner, name, self.kinds[name], shape, other.shapes[name])


def _check_same_shape(
    what: str,
    owner: str,
    name: str | None,
    kind: str,
    expected: tuple[int, ...],
    shape: tuple[int, ...],
) -> None:
    # sequences of token ids may be padded to another length; a table has its columns
    is_sequence = name is not None and not (kind == "f" and len(expected) == 1)
    if shape != expected and not (is_sequence and len(shape) == len(expected)):
        part = what if name is None else f"{what}[{name!r}]"
        raise ValueError(
            f"{part} has rows of shape {shape}, but {owner} was fitted on rows of shape {expected}"
        )


def is_dataset(X: object) -> TypeGuard[Dataset[Any]]:
    """Return whether X is a torch Dataset or skorch's SliceDataset, without importing either."""
    # without torch in sys.modules there can be no Dataset
    data, helper = sys.modules.get("torch.utils.data"), sys.modules.get("skorch.helper")
    return (data is not None and isinstance(X, data.Dataset)) or (
        helper is not None and isinstance(X, helper.SliceDataset)
    )


def is_iterable_dataset(X: object) -> bool:
    """Return whether X is a torch Dataset that can only be read in its own order."""
    data = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(X, data.IterableDataset)


def holds_features_alone(X: Any, **targets: object) -> bool:
    """Return whether X is a Dataset of features, whose labels or predictions are arrays.

    Parameters
    ----------
    X : object
        The argument of ``fit``.
    **targets : object
        Its further arguments by name, None for those that were not given.
    """
    if not is_dataset(X) or all(value is None for value in targets.values()):
        return False
    if is_iterable_dataset(X) or not len(X):  # type: ignore[arg-type]
        return False
    first = X[0]
    return not (isinstance(first, (tuple, list)) and len(first) in (3, 4) and np.ndim(first[0]))


def read_features(
    student: NeuralParams,
    X: Any,
    y: TargetLike = "no_validation",
    *,
    reset: bool,
    name: str = "X",
    **checks: Any,
) -> Features:
    """Check features; set their format and number, or compare them with those of ``fit``.

    Parameters
    ----------
    student : NeuralParams
        The student, whose ``_format`` and ``n_features_in_`` are set.
    X : object
        The features.
    y : array-like, default="no_validation"
        Labels, checked as scikit-learn does.
    reset : bool
        Whether this is the first fit of the network.
    name : str, default="X"
        The argument's name, for messages.
    **checks : Any
        Arguments of scikit-learn's check of y.

    Returns
    -------
    ndarray or Inputs
        The features.
    """
    if is_dataset(X) or student.collate_fn is not None:
        features: Any = _read_items(student, X, reset=reset, name=name)
    elif is_named(X):
        features = _read_named(student, X, reset=reset, name=name)
    else:
        return _read_array(student, X, y, reset=reset, name=name, **checks)
    if not len(features):
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of 1 is required: {name} is empty"
        )
    if not isinstance(y, str):
        _check_labels(student, y, len(features), **checks)
    from sklearn_distill.nets._inputs import first_rows

    is_collated = student.collate_fn is not None
    set_format(
        student, InputFormat.of(first_rows(features, 1), is_collated=is_collated), reset, name
    )
    return features


def set_format(student: NeuralParams, found: InputFormat, reset: bool, name: str = "X") -> None:
    """Set the format of the features and ``n_features_in_``, or compare it with that of fit."""
    if not reset:
        student._format.check(name, type(student).__name__, found)
        return
    student._format = found
    # those of an earlier fit would be wrong
    for attribute in ("feature_names_in_", "n_features_in_"):
        student.__dict__.pop(attribute, None)
    if found.n_features is not None:
        student.n_features_in_ = found.n_features


def warn_if_far(name: str, X: Features, samples: Features) -> None:
    """Warn if numbers of a validation set lie far outside the range of X."""
    from sklearn_distill.nets._inputs import CsrRows, NamedInputs

    if isinstance(X, NamedInputs):
        for key, part in X.parts.items():
            if not isinstance(part, CsrRows) and part.is_floating_point():
                pair = to_numpy(part), to_numpy(samples.parts[key])
                warn_if_out_of_range(f"{name}[{key!r}]", *pair)
    elif isinstance(X, CsrRows) and isinstance(samples, CsrRows):
        warn_if_out_of_range(name, X.matrix, samples.matrix)
    elif isinstance(X, np.ndarray) and isinstance(samples, np.ndarray) and X.dtype.kind == "f":
        warn_if_out_of_range(name, X, samples)


def feature_collate(student: NeuralParams, what: str, *, reset: bool) -> Collate:
    """Return the function from samples to the network's input."""
    from sklearn_distill.nets._inputs import Collate, ToInput

    kinds = None if reset else student._format.kinds
    to_input = ToInput(student._dtype, what, kinds, as_floats=student.module is None)
    return Collate(to_input, student.collate_fn)


def _read_items(student: NeuralParams, X: Any, *, reset: bool, name: str) -> ItemRows:
    """Return samples that are read one by one."""
    from sklearn_distill.nets._inputs import (
        Features,
        FeaturesOfBatch,
        ItemRows,
        NamedSamples,
    )

    collate = feature_collate(student, name, reset=reset)
    options = _reading_options(student, is_fit=reset and name == "X")
    if not is_dataset(X):
        refuse_loader(name, X)
        if is_named(X):
            items, n_rows = NamedSamples(dict(X)), _common_length(name, X)
        else:
            items, n_rows = (X.to_numpy() if hasattr(X, "to_numpy") else X), n_samples(X)
        return ItemRows(items, collate, np.arange(n_rows), options)
    if is_iterable_dataset(X):
        raise TypeError(
            f"{name} is an IterableDataset, whose items have no numbers: pass one by number, or, "
            "as X of fit, one whose items are (x, y, teacher)"
        )
    n_rows = len(X)  # type: ignore[arg-type]
    whole = student._params_for("iterator_train").get("collate_fn")
    if whole is not None and student.collate_fn is None:
        collate = replace(collate, collate_fn=FeaturesOfBatch(whole))
        return ItemRows(X, collate, np.arange(n_rows), options)
    return ItemRows(Features(X), collate, np.arange(n_rows), options)


def _reading_options(student: NeuralParams, *, is_fit: bool) -> dict[str, Any]:
    """Return the arguments of the DataLoader that reads features alone."""
    given = student._params_for("iterator_train")
    others = sorted(given.keys() - _READING)
    if is_fit and others:
        raise ValueError(
            f"iterator_train__{others[0]} needs a Dataset whose items are (x, y, teacher): leave "
            "it out, as the rows of features with y and the teacher's predictions as arrays are "
            "drawn as those of an array"
        )
    return {option: value for option, value in given.items() if option in _READING}


def _read_named(
    student: NeuralParams, X: Mapping[Any, Any], *, reset: bool, name: str
) -> NamedInputs:
    """Return several inputs by name."""
    from sklearn_distill.nets._inputs import NamedInputs, ToInput

    if student.module is None:
        raise TypeError(
            f"{name} is a {type(X).__name__} of inputs, but the default network reads a table: "
            "pass a module whose forward has their names as parameters"
        )
    _common_length(name, X)
    to_input = ToInput(student._dtype, name, None if reset else student._format.kinds)
    # not dict(X), as skorch's SliceDict has the number of rows as its length
    return NamedInputs({key: _part(student, key, part, to_input) for key, part in X.items()})


def _part(student: NeuralParams, key: str, values: Any, to_input: ToInput) -> Any:
    from sklearn_distill.nets._inputs import CsrRows, is_sparse

    refuse_mask(f"{to_input.what}[{key!r}]", values)
    if is_sparse(values):
        dtype = student._array_dtype
        return CsrRows(check_array(values, accept_sparse="csr", dtype=dtype), student._dtype)
    return to_input.tensor(key, values.to_numpy() if hasattr(values, "to_numpy") else values)


def _common_length(name: str, X: Mapping[Any, Any]) -> int:
    """Return the number of rows that all inputs have."""
    keys = list(X.keys())
    if not keys or not all(isinstance(key, str) for key in keys):
        raise ValueError(
            f"{name} is a {type(X).__name__} with the keys {keys[:_N_LISTED]}: they must be the "
            "names of the parameters of the module's forward"
        )
    lengths = {}
    for key in keys:
        try:
            lengths[key] = n_samples(X[key])
        except TypeError as error:
            raise ValueError(
                f"{name}[{key!r}] is a {type(X[key]).__name__}: it must have one row for each "
                "sample"
            ) from error
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"{name} has inputs of different lengths {lengths}: each must have one row for each "
            "sample"
        )
    return next(iter(lengths.values()))


def _read_array(
    student: NeuralParams, X: Any, y: TargetLike, *, reset: bool, name: str, **checks: Any
) -> Features:
    """Return an array of numbers, or a sparse matrix of which mini-batches become dense."""
    from sklearn_distill.nets._inputs import CsrRows, is_sparse

    check_network_input(name, X)
    refuse_mask(name, X)
    X = to_numpy(X)  # of bfloat16, which NumPy lacks, and of any device
    is_integer = _reads_integers(student, X, reset=reset)
    checked = validate_data(
        student,
        X,
        to_numpy(y),
        reset=reset,
        dtype=_dtype_of_check(X) if is_integer else student._array_dtype,
        allow_nd=True,
        accept_sparse="csr",
        **checks,
    )
    features: Any = checked if isinstance(y, str) else checked[0]
    if is_integer:
        features = _as_int64(features, name)
    if reset:
        student._format = InputFormat.of(features)
    elif student._format.shapes.get(None) != features.shape[1:]:  # a cheap test for single rows
        # scikit-learn has compared the number of features
        student._format.check("X", type(student).__name__, InputFormat.of(features))
    return CsrRows(features, student._dtype) if is_sparse(features) else features


def _reads_integers(student: NeuralParams, X: Any, *, reset: bool) -> bool:
    """Return whether X becomes integers: those of fit, unless the network needs floats."""
    from sklearn_distill.nets._inputs import is_sparse

    if is_sparse(X) or student.module is None:
        return False
    if not reset:
        return bool(student._format.kinds.get(None) == "i")
    if hasattr(X, "dtypes") and hasattr(X, "columns"):
        return all(_is_integer_dtype(dtype) for dtype in X.dtypes)
    if not hasattr(X, "dtype"):
        try:
            X = np.asarray(X)
        except ValueError:  # rows of different lengths have an error of their own
            return False
    return getattr(X.dtype, "kind", None) in ("i", "u")


def _is_integer_dtype(dtype: Any) -> bool:
    # polars' types have a method, those of pandas a kind
    is_integer = getattr(dtype, "is_integer", None)
    return (
        bool(is_integer()) if callable(is_integer) else getattr(dtype, "kind", None) in ("i", "u")
    )


def _dtype_of_check(X: Any) -> Any:
    """Return the type that keeps integers exactly; floats are read to find fractions."""
    kind = getattr(getattr(X, "dtype", None), "kind", "i")
    return None if kind in "iub" else np.float64


def _as_int64(features: NDArray[Any], name: str) -> NDArray[np.int64]:
    from sklearn_distill.nets._inputs import check_integers

    check_integers(features, name)
    return features.astype(np.int64, copy=False)


def _check_labels(student: NeuralParams, y: TargetLike, n_rows: int, **checks: Any) -> None:
    """Check labels without a teacher as scikit-learn does beside an array."""
    if y is None:
        raise ValueError(
            f"{type(student).__name__} requires y to be passed, but the target y is None"
        )
    check_same_length("y", n_samples(y), "X", n_rows)
    validate_data(student, y=to_numpy(y), reset=False, **checks)
