"""What a network reads, a tensor or several by name, and features that become it batch by batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from sklearn_distill._typing import IntArray

# the argument of a module's forward, or its keyword arguments
ModelInput = Tensor | dict[str, Tensor]
# "f" for floats in the precision of the weights, "i" for int64, "b" for bool; by name, None for a
# single tensor
Kinds = Mapping[str | None, str]

_KINDS = {"b": "b", "i": "i", "u": "i", "f": "f"}
_LARGEST_ID = np.iinfo(np.int64).max


def call_network(network: nn.Module, x: ModelInput, **further: Any) -> Any:
    """Return the output of a network.

    Parameters
    ----------
    network : Module
        The network.
    x : Tensor or dict of Tensor
        Its argument, or its keyword arguments.
    **further : Any
        Further keyword arguments.

    Returns
    -------
    Any
        What the network returns, scores as a rule.
    """
    return network(**x, **further) if isinstance(x, dict) else network(x, **further)


def call_arguments(x: ModelInput) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """Return a network's input as positional and keyword arguments."""
    return ((), x) if isinstance(x, dict) else ((x,), {})


def map_tensors(function: Callable[[Tensor], Tensor], x: Any) -> Any:
    """Return an input after applying a function to its tensors."""
    return {k: function(v) for k, v in x.items()} if isinstance(x, dict) else function(x)


def tensors_of(x: ModelInput) -> list[Tensor]:
    """Return the tensors of an input."""
    return list(x.values()) if isinstance(x, dict) else [x]


def n_rows_of(x: ModelInput) -> int:
    """Return the number of rows of a network's input."""
    return len(tensors_of(x)[0])


def join_inputs(inputs: Sequence[Any]) -> Any:
    """Return the rows of several inputs as one."""
    if not isinstance(inputs[0], dict):
        return torch.cat(list(inputs))
    return {name: torch.cat([x[name] for x in inputs]) for name in inputs[0]}


def try_with_floats(read: Callable[[Any], Any], x: Any, with_floats: Callable[[Any], Any]) -> Any:
    """Return what is read from integers as they are, or from floats where they cannot be read.

    Embeddings read integers; linear layers and convolutions do not.

    Parameters
    ----------
    read : callable
        Reads ``x``; it may raise anything about a type that it cannot read.
    x : object
        An input with integers, or what passes integers on.
    with_floats : callable
        Returns the same with floats.

    Returns
    -------
    object
        What ``read`` returns. If it can read neither, its error about the integers is raised: the
        type was not the cause.
    """
    try:
        return read(x)
    except Exception as error:  # whatever a module raises
        try:
            return read(with_floats(x))
        except Exception:  # the first error says more
            raise error from None


def first_rows(features: Any, n_rows: int) -> Any:
    """Return the first rows as a network's input, in memory of their own.

    Parameters
    ----------
    features : Tensor, dict of Tensor or Inputs
        Features of samples, or a mini-batch of them.
    n_rows : int
        Number of rows, of which there may be fewer.

    Returns
    -------
    Tensor or dict of Tensor
        The input.
    """
    if isinstance(features, Inputs):
        return features.take(torch.arange(min(n_rows, len(features))))
    return map_tensors(lambda values: values[:n_rows].clone(), features)


@dataclass(frozen=True)
class ToInput:
    """Function from arrays, tensors or a mapping of them to a network's input; workers pickle it.

    Integers become int64, bools of a mapping stay bools, floats have the precision of the weights.

    Parameters
    ----------
    dtype : torch.dtype
        Type of floats.
    what : str, default="X"
        What the values are, for messages.
    kinds : mapping from name to {"f", "i", "b"} or None, default=None
        Types that the network was trained on, to which the values are cast; None keeps those of
        the values.
    as_floats : bool, default=False
        Whether a single tensor is cast to floats.

    Examples
    --------
    >>> to_input = ToInput(torch.float32)
    >>> to_input({"ids": [[1, 2]], "value": [0.5]})
    {'ids': tensor([[1, 2]]), 'value': tensor([0.5000])}
    """

    dtype: torch.dtype
    what: str = "X"
    kinds: Kinds | None = None
    as_floats: bool = False

    def __call__(self, values: Any) -> ModelInput:
        """Return the input."""
        if not isinstance(values, Mapping):
            return self.tensor(None, values)
        return {str(name): self.tensor(str(name), part) for name, part in values.items()}

    def tensor(self, name: str | None, values: Any) -> Tensor:
        """Return the input of a name, None for a single one."""
        what = self.what if name is None else f"{self.what}[{name!r}]"
        array = values if isinstance(values, Tensor) else as_numbers(values, what)
        kind = self._kind(name, array)
        if isinstance(array, Tensor):
            array = array.detach()
            array = array.float() if array.is_floating_point() and array.itemsize < 4 else array
            array = array.cpu().numpy()
        return as_kind(array, kind, self.dtype, what)

    def _kind(self, name: str | None, values: Any) -> str:
        if self.kinds is not None and name in self.kinds:
            return self.kinds[name]
        own = kind_of(values)
        # scikit-learn's tables of integers and bools are numbers; a mapping says what it means
        return "f" if name is None and (self.as_floats or own == "b") else own


def as_numbers(values: Any, what: str) -> NDArray[Any]:
    """Return values as an array of numbers.

    Parameters
    ----------
    values : array-like
        The values.
    what : str
        What they are, for messages.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    ValueError
        If they are no numbers, or rows have different lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{what} holds rows of different lengths: pad them, or pass collate_fn=, a function "
            "from a list of samples to tensors"
        ) from error
    if array.dtype.kind not in _KINDS:
        raise ValueError(f"{what} holds values of {array.dtype}: a network reads numbers")
    return array


def kind_of(values: Any) -> str:
    """Return "f", "i" or "b", the kind of the numbers of an array or tensor."""
    if not isinstance(values, Tensor):
        return _KINDS[values.dtype.kind]
    if values.dtype == torch.bool:
        return "b"
    return "f" if values.is_floating_point() else "i"


def as_kind(array: NDArray[Any], kind: str, dtype: torch.dtype, what: str) -> Tensor:
    """Return an array as a tensor of floats, integers or bools.

    Parameters
    ----------
    array : ndarray
        Numbers.
    kind : {"f", "i", "b"}
        What the network reads.
    dtype : torch.dtype
        Type of floats.
    what : str
        What the numbers are, for messages.

    Returns
    -------
    Tensor
        The tensor, which may share the array's memory.

    Raises
    ------
    ValueError
        If floats are not finite or integers would change.
    """
    if kind == "f" or array.dtype.kind == "f":
        _check_finite(array, what)
    if kind == "i":
        check_integers(array, what)
    elif kind == "b" and array.dtype.kind != "b" and not np.isin(array, (0, 1)).all():
        raise ValueError(f"{what} must be bools, as in fit: it has other values than 0 and 1")
    to = {"f": dtype, "i": torch.int64, "b": torch.bool}[kind]
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:  # types with few operations in torch
        array = array.astype(np.int64)
    # torch warns about read-only arrays and rejects negative strides
    return torch.as_tensor(np.require(array, requirements=["C", "W"])).to(to)


def _check_finite(array: NDArray[Any], what: str) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{what} has values that are NaN or infinite: impute them")


def check_integers(array: NDArray[Any], what: str) -> None:
    """Require integers that int64 holds, as values of any type."""
    if array.dtype.kind == "f" and not (array == np.trunc(array)).all():
        raise ValueError(
            f"{what} has fractions, but the network was fitted on integers, such as token ids: "
            "pass integers"
        )
    if array.dtype.kind == "u" and array.size and array.max() > _LARGEST_ID:
        raise ValueError(f"{what} has integers above 2**63 - 1, which torch's int64 lacks")


class Inputs(ABC):
    """Features of samples that are not one tensor: a network reads them mini-batch by mini-batch.

    They are indexed by rows like an array, and then hold these rows.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def __getitem__(self, rows: Any) -> Self:
        """Return some rows, by a slice, a mask or their numbers."""

    @abstractmethod
    def take(self, rows: Tensor) -> ModelInput:
        """Return the network's input for some rows.

        Parameters
        ----------
        rows : Tensor of int of shape (n_taken,)
            Row numbers, on the CPU.

        Returns
        -------
        Tensor or dict of Tensor
            The input.
        """

    def batches(self, parts: Iterable[Tensor]) -> Iterator[ModelInput]:
        """Yield the network's inputs for several mini-batches.

        Parameters
        ----------
        parts : iterable of Tensor of int
            Row numbers of the mini-batches.

        Yields
        ------
        Tensor or dict of Tensor
            An input.
        """
        return map(self.take, parts)

    def to(self, device: torch.device) -> Inputs:
        """Return the features on a device; what is read batch by batch follows batch by batch."""
        return self

    def with_floats(self) -> Inputs:
        """Return features whose integers become floats if they are one tensor."""
        return self


def as_indices(rows: Any, n_rows: int) -> IntArray:
    """Return the numbers of rows that a slice, a mask or numbers select."""
    if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:  # as sklearn indexes
        rows = rows[0]
    indices: IntArray = np.arange(n_rows)[rows]
    return indices


@dataclass(frozen=True, eq=False)
class CsrRows(Inputs):
    """A sparse matrix, of which only mini-batches become dense.

    Parameters
    ----------
    matrix : sparse matrix of shape (n_rows, n_features)
        The matrix, in CSR format.
    dtype : torch.dtype
        Type of the mini-batches.
    """

    matrix: Any
    dtype: torch.dtype = torch.float32

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, rows: Any) -> CsrRows:
        return replace(self, matrix=self.matrix[as_indices(rows, len(self))])

    def take(self, rows: Tensor) -> Tensor:
        """Return some rows as a dense tensor."""
        return torch.as_tensor(self.matrix[rows.numpy()].toarray()).to(self.dtype)


@dataclass(frozen=True, eq=False)
class NamedInputs(Inputs):
    """Several features of the same samples, keyword arguments of a network.

    Parameters
    ----------
    parts : dict from str to Tensor or CsrRows
        The features, with the same number of rows.
    """

    parts: dict[str, Tensor | CsrRows]

    def __len__(self) -> int:
        return len(next(iter(self.parts.values())))

    def __getitem__(self, rows: Any) -> NamedInputs:
        numbers = as_indices(rows, len(self))
        return NamedInputs({name: part[numbers] for name, part in self.parts.items()})

    def take(self, rows: Tensor) -> dict[str, Tensor]:
        """Return some rows by name."""
        return {
            name: part.take(rows)
            if isinstance(part, CsrRows)
            else part.index_select(0, rows.to(part.device))
            for name, part in self.parts.items()
        }

    def to(self, device: torch.device) -> NamedInputs:
        """Return the features on a device."""
        moved = {
            name: part if isinstance(part, CsrRows) else part.to(device)
            for name, part in self.parts.items()
        }
        return NamedInputs(moved)


@dataclass(frozen=True, eq=False)
class ItemRows(Inputs):
    """Samples that are read one by one, as from a Dataset, and collated to mini-batches.

    Parameters
    ----------
    items : Dataset or sequence
        The samples by number.
    collate : callable
        Makes the network's input from a list of samples.
    rows : ndarray of int
        Numbers of the samples that count.
    loader : dict, default={}
        Arguments of torch's DataLoader that say how samples are read, such as ``num_workers``.
    """

    items: Any
    collate: Collate
    rows: IntArray
    loader: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any) -> ItemRows:
        return replace(self, rows=self.rows[as_indices(rows, len(self))])

    def take(self, rows: Tensor) -> ModelInput:
        """Read some samples."""
        return self.collate([self.items[int(row)] for row in self.rows[rows.numpy()]])

    def batches(self, parts: Iterable[Tensor]) -> Iterator[ModelInput]:
        """Yield mini-batches, which a DataLoader's workers may read ahead."""
        if not self.loader:
            return super().batches(parts)
        read = _Batches(self, list(parts))
        return iter(DataLoader(read, batch_size=None, shuffle=False, **self.loader))

    def for_prediction(self) -> ItemRows:
        """Return samples whose reading leaves torch's global generator as it is."""
        if not self.loader:
            return self
        return replace(self, loader={"generator": torch.Generator(), **self.loader})

    def with_floats(self) -> ItemRows:
        """Return samples whose integers become floats if they are one tensor."""
        return replace(self, collate=self.collate.with_floats())


@dataclass(frozen=True)
class Collate:
    """Function from a list of samples to a network's input; DataLoader workers pickle it.

    Parameters
    ----------
    to_input : ToInput
        Makes tensors.
    collate_fn : callable or None, default=None
        The user's function from a list of samples to arrays or tensors, or a mapping of them;
        None stacks samples of one shape.
    """

    to_input: ToInput
    collate_fn: Any = None

    def __call__(self, items: Sequence[Any]) -> ModelInput:
        """Return the input.

        Raises
        ------
        ValueError
            If the samples have different shapes, or `collate_fn` returns another number of rows.
        """
        if self.collate_fn is None:
            return self.to_input(stack_samples(items, self.to_input.what))
        x = self.to_input(self.collate_fn(list(items)))
        for tensor in tensors_of(x):
            if tensor.shape[:1] != (len(items),):
                raise ValueError(
                    f"collate_fn returned a tensor of shape {tuple(tensor.shape)} for {len(items)} "
                    "samples: it must return one row for each sample"
                )
        return x

    def with_floats(self) -> Collate:
        """Return a function that makes floats of integers if they are one tensor."""
        return replace(self, to_input=replace(self.to_input, as_floats=True))


def stack_samples(samples: Sequence[Any], what: str) -> Any:
    """Return samples of one shape as one array, or a dict of arrays.

    Parameters
    ----------
    samples : sequence of array-like, or of mappings of them
        The samples.
    what : str
        What they are, for messages.

    Returns
    -------
    ndarray or dict of ndarray
        The samples, one a row.

    Raises
    ------
    ValueError
        If their shapes or names differ.
    """
    if not isinstance(samples[0], Mapping):
        return _stack(what, samples)
    names = list(samples[0])
    for sample in samples:
        if not isinstance(sample, Mapping) or set(sample) != set(names):
            got = list(sample) if isinstance(sample, Mapping) else type(sample).__name__
            raise ValueError(f"{what} has the names {names} in one sample, but {got} in another")
    return {name: _stack(f"{what}[{name!r}]", [one[name] for one in samples]) for name in names}


def _stack(what: str, samples: Sequence[Any]) -> NDArray[Any]:
    rows = [_as_array(sample) for sample in samples]
    shapes = sorted({row.shape for row in rows})
    if len(shapes) > 1:
        raise ValueError(
            f"{what} has samples of the shapes {shapes[:10]}: all must have the same shape; pad "
            "them, or pass collate_fn=, a function from a list of samples to tensors"
        )
    return np.stack(rows)


def _as_array(sample: Any) -> NDArray[Any]:
    if isinstance(sample, Tensor):
        sample = sample.detach().cpu()
        sample = sample.float() if sample.dtype == torch.bfloat16 else sample
    return np.asarray(sample)


@dataclass(frozen=True)
class NamedSamples:
    """Features by name as samples by number, each a dict.

    Parameters
    ----------
    parts : mapping from str to sequence
        The features, with the same number of rows.

    Examples
    --------
    >>> NamedSamples({"ids": [[1, 2], [3]], "n": [2, 1]})[1]
    {'ids': [3], 'n': 1}
    """

    parts: Mapping[str, Any]

    def __getitem__(self, number: int) -> dict[str, Any]:
        return {name: values[number] for name, values in self.parts.items()}


@dataclass(frozen=True)
class Features:
    """The features of a Dataset's items: the first elements of tuples, other items as they are.

    Parameters
    ----------
    dataset : Dataset
        The items, which may be tuples with labels and more.
    """

    dataset: Any

    def __getitem__(self, number: int) -> Any:
        return features_of(self.dataset[number])


class Items(Dataset[Any]):
    """Items in a list.

    Parameters
    ----------
    items : list
        The items.
    """

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, number: int) -> Any:
        return self.items[number]


def features_of(item: Any) -> Any:
    """Return the features of a Dataset's item."""
    is_list_of_numbers = isinstance(item, list) and (not item or np.ndim(item[0]) == 0)
    return item[0] if isinstance(item, (tuple, list)) and not is_list_of_numbers else item


@dataclass(frozen=True)
class FeaturesOfBatch:
    """Function from items to the features of the mini-batch that a user's function makes of them.

    Parameters
    ----------
    collate_fn : callable
        Returns a tuple that begins with the features.
    """

    collate_fn: Any

    def __call__(self, items: list[Any]) -> Any:
        """Return the features."""
        return self.collate_fn(items)[0]


class _Batches(Dataset[Any]):
    """The mini-batches of samples by number, for the workers of a DataLoader."""

    def __init__(self, inputs: ItemRows, parts: list[Tensor]) -> None:
        self.inputs = inputs
        self.parts = parts

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, number: int) -> Any:
        return self.inputs.take(self.parts[number])


def is_sparse(values: object) -> bool:
    """Return whether values are a sparse matrix or array of SciPy."""
    return bool(sparse.issparse(values))  # its type guard would narrow the type
