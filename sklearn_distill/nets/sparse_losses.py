r"""The loss of a mini-batch whose targets know few of many classes: tables of their numbers only.

The targets of a sample are one row of a table: the weights of the terms, the multiples of the
patterns, then the numbers of the classes in the linear form and their values, then the numbers of
the known classes of each term over unknown ones. Rows with fewer entries are padded by class K.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets.losses import as_scores, regularizer_of, softened
from sklearn_distill.targets import Labels, LogPartitionTerm, SoftTargets, SparseLinear

__all__ = ["SparseTargetLoss", "label_targets", "sparse_table"]


@dataclass(frozen=True)
class _Layout:
    """Terms and widths of the parts of a table.

    Parameters
    ----------
    terms : tuple of (float, str or None, int or None)
        Temperature and regulariser of each term, and the largest number of known classes of a
        row if it is over the unknown classes only.
    n_patterns, n_entries : int
        Numbers of patterns, and of entries of a row.
    """

    terms: tuple[tuple[float, str | None, int | None], ...]
    n_patterns: int
    n_entries: int

    @classmethod
    def of(cls, targets: SoftTargets) -> _Layout:
        linear = _linear(targets)
        terms = tuple(
            (t.temperature, t.regularizer, None if t.known is None else _width(t.known))
            for t in targets.terms
        )
        return cls(terms, len(linear.patterns), _width(linear.entries))

    @property
    def widths(self) -> list[int]:
        """Widths of weights, multiples, class numbers, values and known classes of each term."""
        known = [n for _, _, n in self.terms if n is not None]
        return [len(self.terms), self.n_patterns, self.n_entries, self.n_entries, *known]


class SparseTargetLoss(nn.Module):
    r"""The mean loss of a mini-batch, as :class:`SoftTargetLoss` has it for dense targets.

    .. math:: \frac1n \sum_i \Big\{ \sum_t c_{it}\,[\log \sum_{k \in U_{it}} e^{z_{ik}/T_t}
              + r_t(z_i/T_t)] - ℓ_i·z_i \Big\},

    where U are all classes, or the unknown ones of a sample.

    Parameters
    ----------
    layout : _Layout
        Terms and widths of the parts of the table.
    patterns : ndarray of shape (n_patterns, n_classes)
        Vectors of all classes, multiples of which are in the linear form.

    Examples
    --------
    >>> targets = label_targets(Labels(np.array([1, 0]), 3), np.ones(2))
    >>> loss, table = SparseTargetLoss.of(targets), torch.tensor(sparse_table(targets))
    >>> round(loss(torch.zeros(2, 3), table).item(), 3)  # log 3
    1.099
    """

    def __init__(self, layout: _Layout, patterns: FloatArray) -> None:
        super().__init__()
        self.layout = layout
        self.patterns = patterns
        self.n_classes = patterns.shape[1]

    @classmethod
    def of(cls, targets: SoftTargets) -> SparseTargetLoss:
        """Return the loss for the table of these targets.

        Parameters
        ----------
        targets : SoftTargets
            Targets with a sparse linear form.

        Returns
        -------
        SparseTargetLoss
            The loss, called with rows of ``sparse_table(targets)``.
        """
        return cls(_Layout.of(targets), _linear(targets).patterns)

    @property
    def n_columns(self) -> int:
        """Number of columns of the table."""
        return sum(self.layout.widths)

    def forward(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes)
            Logits z.
        table : Tensor of shape (n_rows, n_columns)
            The mini-batch's rows of :func:`sparse_table`.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        return self.of_rows(scores, table).mean()

    def of_rows(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes)
            Logits z.
        table : Tensor of shape (n_rows, n_columns)
            The mini-batch's rows of :func:`sparse_table`.

        Returns
        -------
        Tensor of shape (n_rows,)
            The losses, of which :meth:`forward` returns the mean.
        """
        z = as_scores(scores, self.n_classes)
        z = z.to(torch.promote_types(z.dtype, table.dtype))
        weights, multiples, classes, values, *known = table.split(self.layout.widths, 1)
        padded = nn.functional.pad(z, (0, 1))
        loss: Tensor = -(values * padded.gather(1, classes.long())).sum(1)
        if self.layout.n_patterns:
            loss = loss - (multiples * (z @ table.new_tensor(self.patterns).to(z.dtype).T)).sum(1)
        of_terms = iter(known)
        for c, (temperature, regularizer, n_known) in zip(
            weights.unbind(1), self.layout.terms, strict=True
        ):
            u = softened(z, temperature)
            if n_known is not None:
                u = _without_known(u, next(of_terms).long(), c != 0)
            phi = torch.logsumexp(u, 1)
            if regularizer is not None:
                phi = phi + regularizer_of(regularizer, u)
            loss = loss + c * phi
        return loss

    def weigh(self, table: Tensor, weight: Tensor) -> Tensor:
        """Return the table of rows with further weights.

        Parameters
        ----------
        table : Tensor of shape (n_rows, n_columns)
            Rows of the table.
        weight : Tensor of shape (n_rows,)
            Their weights.

        Returns
        -------
        Tensor of shape (n_rows, n_columns)
            The table.
        """
        weights, multiples, classes, values, *known = table.split(self.layout.widths, 1)
        w = weight[:, None]
        return torch.cat([weights * w, multiples * w, classes, values * w, *known], dim=1)


def _without_known(u: Tensor, known: Tensor, used: Tensor) -> Tensor:
    """Return scores of -inf for the known classes of the rows whose term is used."""
    mask = torch.zeros(len(u), u.shape[1] + 1, dtype=torch.bool, device=u.device)
    mask = mask.scatter(1, known, value=True)[:, :-1]
    # a row of weight 0 may have no unknown class, and −inf · 0 would be NaN
    return u.masked_fill(mask & used[:, None], -torch.inf)


def sparse_table(targets: SoftTargets) -> FloatArray:
    """Return the targets as a table with one row for each sample.

    Parameters
    ----------
    targets : SoftTargets
        Targets with a sparse linear form.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        The table; class numbers are floats, as all columns are.
    """
    layout, linear = _Layout.of(targets), _linear(targets)
    table = np.zeros((targets.n_rows, sum(layout.widths)))
    weights, multiples, classes, values, *known = np.split(
        table, np.cumsum(layout.widths)[:-1], axis=1
    )
    for column, term in zip(weights.T, targets.terms, strict=True):
        column[:] = term.weight
    multiples[:] = linear.multiples.T
    _pad(classes, linear.entries, linear.entries.indices, targets.n_classes)
    _pad(values, linear.entries, linear.entries.data, 0.0)
    partial = [term for term in targets.terms if term.known is not None]
    for columns, term in zip(known, partial, strict=True):
        _pad(columns, term.known, term.known.indices, targets.n_classes)
    return table


def label_targets(labels: Labels, weight: FloatArray) -> SoftTargets:
    """Return the targets of labels alone, with a sparse linear form.

    Parameters
    ----------
    labels : Labels
        The labels; rows without one get weight 0.
    weight : ndarray of shape (n_rows,)
        Weights of the rows.

    Returns
    -------
    SoftTargets
        The targets.
    """
    entries = labels.sparse_one_hot(weight)
    linear = SparseLinear(entries, np.empty((0, labels.n_classes)), np.empty((0, len(weight))))
    term = LogPartitionTerm(np.where(labels.present, weight, 0.0), 1.0)
    return SoftTargets(linear, (term,))


def _linear(targets: SoftTargets) -> SparseLinear:
    assert isinstance(targets.linear, SparseLinear)
    return targets.linear


def _width(matrix: Any) -> int:
    return int(np.diff(matrix.indptr).max(initial=0))


def _pad(out: FloatArray, matrix: Any, values: Any, padding: float) -> None:
    """Write the entries of each row of a csr_array into the first columns of a matrix."""
    n_entries = np.diff(matrix.indptr)
    rows = np.repeat(np.arange(len(out)), n_entries)
    columns = np.arange(len(values)) - np.repeat(matrix.indptr[:-1], n_entries)
    out[:] = padding
    out[rows, columns] = values
