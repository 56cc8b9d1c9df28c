"""The share that one of several processes has of each mini-batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from sklearn_distill.nets._batch import Batch


@dataclass(frozen=True)
class Share:
    """Which rows of a mini-batch belong to a process.

    Parameters
    ----------
    rank : int, default=0
        Number of the process.
    world : int, default=1
        Number of processes.

    Examples
    --------
    >>> [Share(rank, 2).of(5) for rank in range(2)]
    [slice(0, 2, None), slice(2, 5, None)]
    """

    rank: int = 0
    world: int = 1

    def of(self, n_rows: int) -> slice:
        """Return the positions of the process's rows."""
        return slice(self.rank * n_rows // self.world, (self.rank + 1) * n_rows // self.world)

    def size(self, n_rows: int) -> int:
        """Return the number of the process's rows."""
        part = self.of(n_rows)
        return int(part.stop - part.start)

    def positions(self, rows: Any) -> Any:
        """Return the process's rows; a process without any takes part with the first one."""
        own = rows[self.of(len(rows))]
        return own if len(own) else rows[:1]

    def counted(self, batch: Batch, n_total: int) -> Batch:
        """Return the mini-batch of the process with its numbers of rows."""
        n_own = self.size(n_total)
        # a row that only takes part has no target
        table = batch.table if n_own else torch.zeros_like(batch.table)
        return batch._replace(table=table, n_own=n_own, n_total=n_total)


class SharedBatchSampler:
    """The share of each mini-batch of a batch sampler, which all processes draw alike.

    Parameters
    ----------
    batch_sampler : iterable of list of int
        Gives the positions of the items of each mini-batch.
    share : Share
        The process's share.
    """

    def __init__(self, batch_sampler: Iterable[list[int]], share: Share) -> None:
        self.batch_sampler = batch_sampler
        self.share = share
        self.sizes: deque[int] = deque()  # of the mini-batches that a DataLoader has read ahead

    def __iter__(self) -> Iterator[list[int]]:
        self.sizes.clear()
        for positions in self.batch_sampler:
            self.sizes.append(len(positions))
            yield self.share.positions(positions)

    def __len__(self) -> int:
        # torch's samplers have a length, but their base class does not say so
        return len(self.batch_sampler)  # type: ignore[arg-type]


@dataclass(frozen=True)
class SharedCollate:
    """Makes the share of a mini-batch from all of its items, for data that are only iterable.

    Parameters
    ----------
    collate : callable
        Makes a mini-batch from items.
    share : Share
        The process's share.
    """

    collate: Callable[[list[Any]], Batch]
    share: Share

    def __call__(self, items: list[Any]) -> Batch:
        """Return the share of the mini-batch."""
        return self.share.counted(self.collate(self.share.positions(items)), len(items))
