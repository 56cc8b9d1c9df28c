r"""The loss of a mini-batch: the torch version of the NumPy losses, for networks.

The targets of a sample are one row of a table, ``[ℓ_1 … ℓ_K | c_1 … c_t]``: the linear form and the
weights of the log-partition terms. A mini-batch is then one lookup in one array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.targets import SoftTargets

__all__ = ["SoftTargetLoss", "SquaredLoss", "as_scores", "target_table"]


Terms = Sequence[tuple[float, str | None]]


def target_table(targets: SoftTargets, terms: Terms | None = None) -> FloatArray:
    """Return the targets as a table with one row for each sample.

    Parameters
    ----------
    targets : SoftTargets
        Targets of K classes, class-major.
    terms : sequence of (float, str or None) or None, default=None
        Temperature and regulariser of the t terms, in the loss's order. The weight of a term that
        these targets lack is 0. None takes the terms of the targets.

    Returns
    -------
    ndarray of shape (n_rows, n_classes + n_terms)
        The linear form ℓ, then the weights c.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.targets import Labels, TargetMixture
    >>> mixture = TargetMixture(Labels(np.array([1, 0]), 2), None, np.ones(2), imitation=0.0)
    >>> target_table(mixture.targets())
    array([[0., 1., 1.],
           [1., 0., 1.]])
    """
    weights = {(term.temperature, term.regularizer): term.weight for term in targets.terms}
    absent = np.zeros(targets.linear.shape[1])
    columns = [weights.get(term, absent) for term in (weights if terms is None else terms)]
    return np.column_stack([targets.linear.T, *columns])


class SoftTargetLoss(nn.Module):
    r"""The mean loss of a mini-batch with soft targets.

    .. math:: \frac1n \sum_i \Big\{ \sum_t c_{it}\,[\mathrm{lse}(z_i/T_t) + r_t(z_i/T_t)]
              - ℓ_i·z_i \Big\}

    Parameters
    ----------
    terms : sequence of (float, str or None)
        Temperature T' and the name of the regulariser of each term.
    n_classes : int
        Number of classes K.

    References
    ----------
    Grabovoy and Strijov 2022, eq. (17); Hinton, Vinyals and Dean 2015.

    Examples
    --------
    >>> loss = SoftTargetLoss([(1.0, None)], n_classes=2)
    >>> scores, table = torch.zeros(1, 2), torch.tensor([[0.3, 0.7, 1.0]])
    >>> round(loss(scores, table).item(), 3)  # log 2
    0.693
    """

    def __init__(self, terms: Terms, n_classes: int) -> None:
        super().__init__()
        self.terms = tuple(terms)
        self.n_classes = n_classes

    @classmethod
    def of(cls, targets: SoftTargets) -> SoftTargetLoss:
        """Return the loss for the table of these targets.

        Parameters
        ----------
        targets : SoftTargets
            Targets whose terms and number of classes the loss takes.

        Returns
        -------
        SoftTargetLoss
            The loss, called with rows of ``target_table(targets)``.
        """
        terms = [(term.temperature, term.regularizer) for term in targets.terms]
        return cls(terms, len(targets.linear))

    def forward(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes), or (n_rows, 1) or (n_rows,) for two classes
            Logits z; a single one is the log-odds of the second class.
        table : Tensor of shape (n_rows, n_classes + n_terms)
            The mini-batch's rows of :func:`target_table`.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        if self._is_regularized:  # no closed-form gradient: autograd differentiates the rows
            return self.of_rows(scores, table).mean()
        z = _in_table_precision(as_scores(scores, self.n_classes), table)
        return _apply(_MeanCrossEntropy, z, table, self.n_classes, self._temperatures)

    def residual(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the derivative of the mean loss with respect to the K scores, without a graph.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes), or (n_rows, 1) or (n_rows,) for two classes
            Logits z, as in :meth:`forward`.
        table : Tensor of shape (n_rows, n_classes + n_terms)
            The mini-batch's rows of :func:`target_table`.

        Returns
        -------
        Tensor of shape (n_rows, n_classes)
            ∂L/∂z.
        """
        z = _in_table_precision(as_scores(scores.detach(), self.n_classes), table)
        if not self._is_regularized:
            z, table = class_major(z), class_major(table)
            return _residual(_log_probabilities(z, self._temperatures), table, self._temperatures).T
        with torch.enable_grad():
            leaf = z.clone().requires_grad_()
            (residual,) = torch.autograd.grad(self.of_rows(leaf, table).mean(), leaf)
        return residual

    def of_rows(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes), or (n_rows, 1) or (n_rows,) for two classes
            Logits z, as in :meth:`forward`.
        table : Tensor of shape (n_rows, n_classes + n_terms)
            The mini-batch's rows of :func:`target_table`.

        Returns
        -------
        Tensor of shape (n_rows,)
            The losses, of which :meth:`forward` returns the mean.
        """
        z = _in_table_precision(as_scores(scores, self.n_classes), table)
        linear = table[:, : self.n_classes]
        loss = -(linear * z).sum(1)
        for t, (temperature, regularizer) in enumerate(self.terms, start=self.n_classes):
            u = softened(z, temperature)
            phi = torch.logsumexp(u, 1)
            if regularizer is not None:
                phi = phi + regularizer_of(regularizer, u)
            loss = loss + table[:, t] * phi
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
        return table * weight[:, None]

    @property
    def n_columns(self) -> int:
        """Number of columns of the table."""
        return self.n_classes + len(self.terms)

    @property
    def _is_regularized(self) -> bool:
        return any(regularizer is not None for _, regularizer in self.terms)

    @property
    def _temperatures(self) -> list[float]:
        return [temperature for temperature, _ in self.terms]


class SquaredLoss(nn.Module):
    r"""The mean over a mini-batch of :math:`s_i \|z_i - m_i\|^2 / \dim m`, for regression.

    A row of the table is ``[m | s]``: the mixture of the label and the teacher's prediction, and
    the weight of the sample.

    Examples
    --------
    >>> SquaredLoss()(torch.tensor([[1.0]]), torch.tensor([[3.0, 0.5]])).item()
    2.0
    """

    def forward(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_outputs) or (n_rows,)
            Predictions z of the network.
        table : Tensor of shape (n_rows, n_outputs + 1)
            Targets m, then the weights s in the last column.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        targets, weight = table[:, :-1], table[:, -1]
        z = _in_table_precision(scores, table).reshape(targets.shape)
        return (weight * (z - targets).square().mean(1)).mean()

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
        return torch.cat([table[:, :-1], table[:, -1:] * weight[:, None]], dim=1)


def as_scores(scores: Tensor, n_classes: int) -> Tensor:
    """Return one score for each class; a single logit η of two classes is (0, η).

    Parameters
    ----------
    scores : Tensor of shape (n_rows, n_classes), (n_rows, 1) or (n_rows,)
        Output of the network.
    n_classes : int
        Number of classes K.

    Returns
    -------
    Tensor of shape (n_rows, n_classes)
        One score for each class.
    """
    if n_classes == 2 and (scores.ndim == 1 or scores.shape[1] == 1):
        # softmax is unchanged by a constant, so the first class may have the score 0
        eta = scores.reshape(-1, 1)
        return torch.cat([torch.zeros_like(eta), eta], dim=1)
    return scores


def _in_table_precision(scores: Tensor, table: Tensor) -> Tensor:
    """Return half-precision scores in the precision of the table.

    With three digits, a mean loss would no longer show that training improves it.
    """
    return scores.to(torch.promote_types(scores.dtype, table.dtype))


def regularizer_of(name: str, u: Tensor) -> Tensor:
    """Return the regulariser r of each row, twice differentiable.

    Parameters
    ----------
    name : {"grabovoy", "continuous_categorical"}
        Name of the regulariser.
    u : Tensor of shape (n_rows, n_classes)
        Softened scores z/T'.

    Returns
    -------
    Tensor of shape (n_rows,)
        The values r(u).
    """
    if name == "grabovoy":
        return _grabovoy(u)
    return _apply(_NumpyRegularizer, u, name)


def _apply(function: Any, *args: Any) -> Tensor:
    """Apply a torch.autograd.Function, whose ``apply`` has no type."""
    value: Tensor = function.apply(*args)
    return value


class _MeanCrossEntropy(torch.autograd.Function):
    """The mean loss without a regulariser, its gradient in closed form: half of autograd's work."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, table: Tensor, n_classes: int, temperatures: list[float]
    ) -> Tensor:
        loss, residual = _mean_cross_entropy(z, table, n_classes, temperatures)
        ctx.save_for_backward(residual)
        return loss

    @staticmethod
    @once_differentiable  # the stored residual has no graph: a second derivative would be wrong
    def backward(ctx: Any, upstream: Tensor) -> Any:
        (residual,) = ctx.saved_tensors
        return residual * upstream, None, None, None


def _mean_cross_entropy(
    z: Tensor, table: Tensor, n_classes: int, temperatures: list[float]
) -> tuple[Tensor, Tensor]:
    """Return the mean loss without a regulariser, and its derivative with respect to z."""
    z, table = class_major(z), class_major(table)
    log_p = _log_probabilities(z, temperatures)
    loss = -(table[:n_classes] * z).sum()
    for c, T, log_p_t in zip(table[n_classes:], temperatures, log_p, strict=True):
        loss = loss + torch.dot(c, softened(z[0], T) - log_p_t[0])  # lse(u) = u_k − log p_k, any k
    return loss * (1 / z.shape[1]), _residual(log_p, table, temperatures).T


def _log_probabilities(z: Tensor, temperatures: list[float]) -> list[Tensor]:
    """Return log softmax(z/T') of each term, class-major like z."""
    return [torch.log_softmax(softened(z, T), 0) for T in temperatures]


def _residual(log_p: list[Tensor], table: Tensor, temperatures: list[float]) -> Tensor:
    """Return the derivative of the mean loss with respect to z, class-major.

    log_p is overwritten, which saves an array for each term.
    """
    n_classes = len(table) - len(log_p)
    residual = -table[:n_classes]
    for c, T, log_p_t in zip(table[n_classes:], temperatures, log_p, strict=True):
        residual.addcmul_(log_p_t.exp_(), c, value=1 / T)
    return residual.mul_(1 / table.shape[1])


def softened(scores: Tensor, temperature: float) -> Tensor:
    """Return scores/T by a product: in torch, dividing by a number costs twice as much.

    Parameters
    ----------
    scores : Tensor
        Scores z, of any shape.
    temperature : float
        Temperature T > 0.

    Returns
    -------
    Tensor of the shape of scores
        The softened scores; `scores` itself if T is 1.
    """
    return scores if temperature == 1 else scores * (1 / temperature)


def class_major(rows: Tensor) -> Tensor:
    """Return the transpose in contiguous memory.

    A sum over few classes is several times as fast along the first dimension as along the last.

    Parameters
    ----------
    rows : Tensor of shape (n_rows, n_columns)
        Scores or a table, one row for each sample.

    Returns
    -------
    Tensor of shape (n_columns, n_rows)
        The transpose. Do not write to it: a single row shares its memory with the input.
    """
    return rows.T.contiguous()


def _grabovoy(u: Tensor) -> Tensor:
    """Return Σ_k (ℓ_k − log ℓ_k) with ℓ_k = lse(u) − u_k.

    The most probable class is computed separately: its ℓ would be rounded to 0.
    """
    # For the top class ℓ = softplus(a), with a the log-odds against it. Unlike lse(u) − u, it keeps
    # its digits when the class has nearly all the probability.
    top = u.argmax(1, keepdim=True)
    is_top = torch.zeros_like(u, dtype=torch.bool).scatter(1, top, value=True)
    a = torch.logsumexp(u.masked_fill(is_top, -torch.inf), 1) - u.gather(1, top).squeeze(1)
    losses = torch.logsumexp(u, 1, keepdim=True) - u
    rest = losses.masked_fill(is_top, 1.0)  # 1 − log 1 = 1, which is subtracted below
    top_loss = nn.functional.softplus(a)
    # Below −30 log softplus(a) is a to rounding. The clamp keeps the other branch finite there,
    # since torch.where passes gradients to both.
    log_top_loss = torch.where(a < -30, a, torch.log(nn.functional.softplus(a.clamp(min=-30))))
    return (rest - torch.log(rest)).sum(1) - 1 + top_loss - log_top_loss


class _NumpyRegularizer(torch.autograd.Function):
    """A NumPy regulariser, twice differentiable.

    Its derivatives come from NumPy too: the closed forms, which autograd would differentiate, lose
    their digits near ties.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, name: str) -> Tensor:
        ctx.name = name
        ctx.save_for_backward(u)
        regularizer = make_regularizer(name)
        assert regularizer is not None
        return _to_torch(regularizer.value(_to_numpy(u)), u)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        (u,) = ctx.saved_tensors
        return upstream[0][:, None] * _apply(_NumpyGradient, u, ctx.name), None


class _NumpyGradient(torch.autograd.Function):
    """The gradient of a NumPy regulariser, so that autograd can differentiate it once more."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, name: str) -> Tensor:
        ctx.name = name
        ctx.save_for_backward(u)
        regularizer = make_regularizer(name)
        assert regularizer is not None
        return _to_torch(regularizer.gradient(_to_numpy(u)).T, u)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        (u,) = ctx.saved_tensors
        regularizer = make_regularizer(ctx.name)
        assert regularizer is not None
        product = regularizer.hessian_product(_to_numpy(u), _to_numpy(upstream[0]))
        return _to_torch(product.T, u), None


def _to_numpy(u: Tensor) -> FloatArray:
    """Return scores class-major, as the NumPy losses take them."""
    array: FloatArray = np.ascontiguousarray(u.detach().cpu().numpy().T)
    return array


def _to_torch(values: FloatArray, like: Tensor) -> Tensor:
    return torch.as_tensor(np.ascontiguousarray(values), dtype=like.dtype, device=like.device)
