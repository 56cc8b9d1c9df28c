"""A sample of the items of a torch Dataset, by which it is recognised."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset

N_SAMPLED = 32


class Peeked(IterableDataset[Any]):
    """Iterable data whose first items may be read ahead: the first pass has them, too.

    Data that can be read once only, as from a socket, would otherwise lose them.

    Parameters
    ----------
    dataset : IterableDataset
        The data.

    Examples
    --------
    >>> lines = Peeked(iter("abc"))
    >>> lines.peek(2), list(lines), list(lines)
    (['a', 'b'], ['a', 'b', 'c'], [])
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._started: Iterator[Any] | None = None
        self._ahead: list[Any] = []

    def peek(self, n_items: int) -> list[Any]:
        """Return the first items of the next pass.

        Parameters
        ----------
        n_items : int
            Number of items, of which there may be fewer.

        Returns
        -------
        list
            The items.
        """
        if self._started is None:
            self._started = iter(self.dataset)
        self._ahead += islice(self._started, max(0, n_items - len(self._ahead)))
        return self._ahead[:n_items]

    def __iter__(self) -> Iterator[Any]:
        started, ahead = self._started, self._ahead
        self._started, self._ahead = None, []
        return iter(self.dataset) if started is None else chain(ahead, started)

    def __getstate__(self) -> dict[str, Any]:
        # the workers of a DataLoader begin anew, each with its own copy
        return {"dataset": self.dataset, "_started": None, "_ahead": []}


def read_sample(dataset: Dataset[Any]) -> list[Any]:
    """Return items that are spread over a Dataset: the first, the last and 30 between them.

    Of an IterableDataset, or one without a length, they are the first 32. The global random
    generators of Python and NumPy are seeded meanwhile and then restored, so that a Dataset that
    augments at random by them gives the same items each time. torch's is seeded only: the caller
    restores it.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        The data set, of any length.

    Returns
    -------
    list
        At most 32 items.
    """
    with _seeded():
        if isinstance(dataset, Peeked):
            return dataset.peek(N_SAMPLED)
        if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
            return list(islice(iter(dataset), N_SAMPLED))
        n_items = len(dataset)
        rows = np.unique(np.linspace(0, n_items - 1, min(n_items, N_SAMPLED)).astype(int))
        return [dataset[int(row)] for row in rows]


@contextmanager
def _seeded() -> Iterator[None]:
    # Datasets may use NumPy's global generator: the rule against it does not apply here
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
