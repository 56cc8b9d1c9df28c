"""Fingerprints: texts that are equal for equal values, in every process."""

from __future__ import annotations

import functools
import hashlib
import random
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.data import Dataset

from sklearn_distill.nets._dataset_sample import read_sample

# attributes of every module that its outputs do not depend on: hooks, with numbers that count up
_HOOKS = vars(nn.Module()).keys() - {"_parameters", "_buffers", "_modules", "training"}
_LAZY_HOOKS = {"_load_hook", "_initialize_hook"}
_NUMBERS = (bool, int, float, complex, str, bytes)


@dataclass(frozen=True)
class _Parts:
    """A value without its parts, and the parts."""

    own: str | memoryview
    children: list[Any] = field(default_factory=list)


def fingerprint(value: Any) -> str:
    """Return a hash of a value, by content rather than by address in memory.

    Arrays, tensors and modules count with all their numbers; functions and lambdas with their code,
    defaults and enclosed variables, and with the numbers and strings among the global variables
    that they use; classes with the code of their own methods; other objects with what would be
    pickled. A torch Dataset counts with its length and a sample of its items, a random generator
    with its type, since its state moves on with each draw.

    Parameters
    ----------
    value : Any
        The value.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    TypeError
        If the value contains an object that cannot be pickled, such as a lock or an open file.

    Examples
    --------
    >>> fingerprint(lambda x: x + 1) == fingerprint(lambda x: x + 2)
    False
    >>> fingerprint([np.zeros(3), "a"]) == fingerprint([np.zeros(3), "a"])
    True
    """
    digest = hashlib.blake2b(digest_size=16)
    for piece in _pieces(value, ()):
        digest.update(len(piece).to_bytes(8, "big"))  # else "ab", "c" would equal "a", "bc"
        digest.update(piece)
    return digest.hexdigest()


def _pieces(value: Any, outer: tuple[int, ...]) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a value and of its parts; ``outer`` are the ids of what encloses it."""
    if id(value) in outer:  # a reference to an enclosing object, as a method has to its class
        yield f"enclosing {outer.index(id(value))}".encode()
        return
    parts = _split(value)
    yield type(value).__qualname__.encode()
    yield parts.own.encode("utf-8", "surrogatepass") if isinstance(parts.own, str) else parts.own
    yield str(len(parts.children)).encode()
    for child in parts.children:
        yield from _pieces(child, (*outer, id(value)))


@functools.singledispatch
def _split(value: Any) -> _Parts:
    reduced = value.__reduce_ex__(4)
    if isinstance(reduced, str):  # the name of a global object
        return _Parts(reduced)
    # listitems and dictitems are iterators
    return _Parts("", [*reduced[:3], *(list(items) for items in reduced[3:5] if items)])


@_split.register(type(None))
@_split.register(bool)
@_split.register(int)
@_split.register(float)
@_split.register(complex)
@_split.register(str)
@_split.register(bytes)
@_split.register(types.EllipsisType)
def _constant(value: Any) -> _Parts:
    return _Parts(repr(value))


@_split.register
def _numpy_number(value: np.generic) -> _Parts:
    return _array(np.asarray(value))


@_split.register
def _array(value: np.ndarray) -> _Parts:
    if value.dtype.hasobject:
        return _Parts(str(value.shape), value.ravel().tolist())
    flat = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    return _Parts(flat.data, [f"{value.dtype.str} {value.shape}"])


@_split.register
def _tensor(value: Tensor) -> _Parts:
    description = f"{value.dtype} {'lazy' if is_lazy(value) else tuple(value.shape)}"
    if is_lazy(value):
        return _Parts(description)
    flat = value.detach().to_dense().cpu().contiguous().reshape(-1).view(torch.uint8)
    return _Parts(flat.numpy().data, [description])


@_split.register(torch.Generator)
@_split.register(np.random.Generator)
@_split.register(np.random.RandomState)
@_split.register(random.Random)
def _random_generator(value: Any) -> _Parts:
    return _Parts("")


@_split.register(list)
@_split.register(tuple)
def _sequence(value: Any) -> _Parts:
    return _Parts("", list(value))


@_split.register(set)
@_split.register(frozenset)
def _set(value: Any) -> _Parts:
    return _Parts("", sorted(map(fingerprint, value)))


@_split.register
def _mapping(value: dict) -> _Parts:  # type: ignore[type-arg] # singledispatch takes a class
    return _Parts("", sorted(((fingerprint(key), entry) for key, entry in value.items()), key=_key))


def _key(pair: tuple[str, Any]) -> str:
    return pair[0]


@_split.register
def _module(value: types.ModuleType) -> _Parts:
    return _Parts(value.__name__)


@_split.register
def _function(value: types.FunctionType) -> _Parts:
    enclosed = [_contents(cell) for cell in value.__closure__ or ()]
    names = sorted(_names(value.__code__))
    used = [(n, value.__globals__[n]) for n in names if n in value.__globals__]
    constants = [(name, number) for name, number in used if isinstance(number, _NUMBERS)]
    defaults = (value.__defaults__, value.__kwdefaults__)
    return _Parts(value.__qualname__, [value.__code__, defaults, enclosed, constants])


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return None


def _names(code: types.CodeType) -> set[str]:
    """Return the names that a function and the functions inside it look up."""
    inner = [_names(const) for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*inner)


@_split.register
def _code(value: types.CodeType) -> _Parts:
    return _Parts(value.co_name, [value.co_code, value.co_consts, value.co_names])


@_split.register
def _method(value: types.MethodType) -> _Parts:
    return _Parts("", [value.__func__, value.__self__])


@_split.register
def _builtin(value: types.BuiltinFunctionType) -> _Parts:
    return _Parts(value.__qualname__, [value.__self__])


@_split.register
def _class(value: type) -> _Parts:
    members = [(name, member) for name, member in sorted(vars(value).items()) if _counts(name)]
    own = [(n, m) for n, m in members if isinstance(m, (*_NUMBERS, types.FunctionType))]
    return _Parts(f"{value.__module__}.{value.__qualname__}", own)


def _counts(name: str) -> bool:
    return name not in {"__doc__", "__module__", "__qualname__", "__firstlineno__"}


@_split.register
def _network(value: nn.Module) -> _Parts:
    own = {k: v for k, v in vars(value).items() if k not in _HOOKS | _LAZY_HOOKS}
    return _Parts("", [type(value), own])


@_split.register
def _dataset(value: Dataset) -> _Parts:  # type: ignore[type-arg] # as above
    first, again = (list(map(_elements, read_sample(value))) for _ in range(2))
    columns = zip(zip(*first, strict=False), zip(*again, strict=False), strict=False)
    # what differs between two readings of the same items is random, as an augmentation is
    stable = [column if column == same else None for column, same in columns]
    length = len(value) if hasattr(value, "__len__") else None
    return _Parts(type(value).__qualname__, [length, list(map(len, first)), stable])


def _elements(item: Any) -> list[str]:
    return list(map(fingerprint, item if isinstance(item, (tuple, list)) else [item]))
