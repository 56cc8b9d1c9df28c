r"""The objective of a mini-batch as a function of λ and T, for searches that move them.

The table of a row holds what labels and teachers said, before λ and T mix it: its weight s in one
of three places, by who speaks, then ``[one-hot label (K) | share of each teacher (M) | logits
(M·K)]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets.losses import class_major, regularizer_of, softened
from sklearn_distill.targets import Labels, Teachers

__all__ = ["MixtureLoss", "Residuals", "answer_table"]


@dataclass(frozen=True)
class Residuals:
    """The loss of a mini-batch, and its derivatives in the scores.

    Parameters
    ----------
    loss : Tensor of shape ()
        Mean loss L.
    scores : Tensor of shape (n_rows, n_classes)
        ∂L/∂z.
    mixed : tuple of Tensor of shape (n_rows, n_classes)
        ∂²L/∂λ∂z and ∂²L/∂T∂z; none where they were not asked for.
    """

    loss: Tensor
    scores: Tensor
    mixed: tuple[Tensor, ...] = ()


class MixtureLoss(nn.Module):
    r"""The mean loss of a mini-batch at any λ and T, with closed derivatives in the scores.

    With φ = lse + r, u = z/T', a = τ/T' and the residual :math:`G_i = c_i (p - y)
    + λ_i a\,(\nablaφ(u) - q)` of a row of weight 1,

    .. math::

        ∂_λ G = a(\nablaφ - q) - (p - y), \qquad
        ∂_T G = λ_i\{\dot a(\nablaφ - q) - a[\tfrac{\dot T'}{T'}\nabla^2φ\,u - J(q)v/T^2]\},

    the first on rows where label and teacher speak.

    Parameters
    ----------
    n_classes : int
        Number of classes K.
    n_teachers : int
        Number of teachers M.
    soften_student : bool
        Whether T' is T, or 1.
    t_squared : bool
        Whether τ is T'², or 1.
    regularizer : str or None
        Name of r.

    References
    ----------
    Gorpinich, Bakhteev and Strijov 2022, "Gradient-based metaparameter optimisation in knowledge
    distillation", section 3.

    Examples
    --------
    >>> loss = MixtureLoss(n_classes=2, n_teachers=1)
    >>> table = torch.tensor([[1.0, 0, 0, 1, 0, 1, 0, 0]])  # both: label 0, a teacher undecided
    >>> at = loss.at(torch.zeros(1, 2), table, imitation=0.5, temperature=1.0, mixed=True)
    >>> at.scores, at.mixed[0]
    (tensor([[-0.2500,  0.2500]]), tensor([[ 0.5000, -0.5000]]))
    """

    def __init__(
        self,
        n_classes: int,
        n_teachers: int,
        *,
        soften_student: bool = True,
        t_squared: bool = False,
        regularizer: str | None = None,
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.n_teachers = n_teachers
        self.soften_student = soften_student
        self.t_squared = t_squared
        self.regularizer = regularizer

    def at(
        self,
        scores: Tensor,
        table: Tensor,
        *,
        imitation: float,
        temperature: float,
        mixed: bool = False,
    ) -> Residuals:
        """Return loss and residuals at λ and T.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes)
            Logits z; their graph is not followed.
        table : Tensor of shape (n_rows, 3 + n_classes + n_teachers * (1 + n_classes))
            Rows of :func:`answer_table`.
        imitation : float
            λ in [0, 1].
        temperature : float
            T > 0.
        mixed : bool, default=False
            Whether to return the mixed derivatives too.

        Returns
        -------
        Residuals
            Loss and derivatives.
        """
        z = class_major(scores.detach())
        both, label, teacher, y, share, logits = self._split(table, imitation)
        T_, dT_, a, da = self._temperatures(temperature)
        each = torch.softmax(softened(logits, temperature), 1)
        q = self._over_teachers(each, share)
        log_p, u = torch.log_softmax(z, 0), softened(z, T_)
        log_p_soft = log_p if T_ == 1 else torch.log_softmax(u, 0)
        r, gradient = self._phi(u, log_p_soft)
        # lse(u) - q·u is the cross-entropy, as q sums to 1
        agreement = torch.addcmul(label * y * log_p, teacher * q, log_p_soft, value=a * T_)
        loss = -agreement.sum() if r is None else a * T_ * (teacher * r).sum() - agreement.sum()
        of_label, of_teacher = log_p.exp() - y, gradient - q
        residual = torch.addcmul(label * of_label, teacher, of_teacher, value=a)
        if not mixed:
            return Residuals(loss, residual.T)
        of_T = da * of_teacher
        turned = self._over_teachers(_curved(each, logits), share)  # −T² ∂q/∂T
        of_T.add_(turned, alpha=a / temperature**2)
        if dT_:
            of_T.sub_(self._curved(u, gradient), alpha=a * dT_ / T_)
        of_imitation = both * (a * of_teacher - of_label)
        return Residuals(loss, residual.T, (of_imitation.T, (teacher * of_T).T))

    def slopes(
        self, scores: Tensor, table: Tensor, *, imitation: float, temperature: float
    ) -> tuple[float, float]:
        r"""Return ∂L/∂λ and ∂L/∂T at fixed scores.

        .. math::

            ∂_λ L_i = τ(φ - q·u) - CE(y, p), \qquad
            ∂_T L_i = λ_i\{\dot τ(φ - q·u) - τ[\tfrac{\dot T'}{T'}(\nablaφ - q)·u + \dot q·u]\}

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes)
            Logits z.
        table : Tensor of shape (n_rows, 3 + n_classes + n_teachers * (1 + n_classes))
            Rows of :func:`answer_table`.
        imitation : float
            λ in [0, 1].
        temperature : float
            T > 0.

        Returns
        -------
        tuple of float
            The derivatives of the mean loss.
        """
        z = class_major(scores.detach())
        both, _, teacher, y, share, logits = self._split(table, imitation)
        T_, dT_, a, _ = self._temperatures(temperature)
        tau, dtau = a * T_, 2 * T_ * dT_ if self.t_squared else 0.0
        each = torch.softmax(softened(logits, temperature), 1)
        q = self._over_teachers(each, share)
        dq = self._over_teachers(_curved(each, logits), share) / -(temperature**2)
        u = softened(z, T_)
        log_p_soft = torch.log_softmax(u, 0)
        r, gradient = self._phi(u, log_p_soft)
        of_teacher = (0.0 if r is None else r) - (q * log_p_soft).sum(0)
        of_label = -(y * torch.log_softmax(z, 0)).sum(0)
        turned = ((dT_ / T_ * (gradient - q) + dq) * u).sum(0)
        in_imitation = (both * (tau * of_teacher - of_label)).sum()
        return float(in_imitation), float((teacher * (dtau * of_teacher - tau * turned)).sum())

    def _split(self, table: Tensor, imitation: float) -> tuple[Tensor, ...]:
        """Return the weights of rows that both speak for, of the label and of the teacher; more.

        All class-major: a column a row.
        """
        K, M = self.n_classes, self.n_teachers
        parts = torch.split_with_sizes(class_major(table), [3, K, M, M * K])
        who, y, share, logits = parts
        both, label, teacher = (who * (1 / len(table))).unbind()
        label = torch.add(label, both, alpha=1 - imitation)
        teacher = torch.add(teacher, both, alpha=imitation)
        return both, label, teacher, y, share, logits.reshape(M, K, -1)

    def _temperatures(self, T: float) -> tuple[float, float, float, float]:
        """Return T', its derivative, a = τ/T' and its derivative."""
        if not self.soften_student:
            return 1.0, 0.0, 1.0, 0.0
        return (T, 1.0, T, 1.0) if self.t_squared else (T, 1.0, 1 / T, -1 / T**2)

    def _over_teachers(self, each: Tensor, share: Tensor) -> Tensor:
        """Return the mean over the teachers that speak; where none does, anything."""
        return each[0] if self.n_teachers == 1 else (share[:, None] * each).sum(0)

    def _phi(self, u: Tensor, log_p: Tensor) -> tuple[Tensor | None, Tensor]:
        """Return r(u), None where there is none, and ∇φ(u), given the logarithm of softmax(u)."""
        p = log_p.exp()
        if self.regularizer is None:
            return None, p
        with torch.enable_grad():
            at = u.detach().requires_grad_()
            r = regularizer_of(self.regularizer, at.T)
            (gradient,) = torch.autograd.grad(r.sum(), at)
        return r.detach(), p + gradient

    def _curved(self, u: Tensor, gradient: Tensor) -> Tensor:
        """Return ∇²φ(u) u."""
        if self.regularizer is None:
            return _curved(gradient, u)  # without r the gradient is p
        with torch.enable_grad():
            at = u.detach().requires_grad_()
            r = regularizer_of(self.regularizer, at.T)
            (slope,) = torch.autograd.grad(r.sum(), at, create_graph=True)
            (product,) = torch.autograd.grad((slope * u).sum(), at)
        return _curved(torch.softmax(u, 0), u) + product


def _curved(p: Tensor, v: Tensor) -> Tensor:
    """Return J(p)v = (diag p − pp^⊤)v of classes in the last dimension but one."""
    pv = p * v
    return pv.addcmul_(p, pv.sum(-2, keepdim=True), value=-1)


def answer_table(labels: Labels, teachers: Teachers, weight: FloatArray) -> FloatArray:
    """Return what labels and teachers said, one row for each sample.

    Parameters
    ----------
    labels : Labels
        The rows' labels.
    teachers : Teachers
        The teachers' logits.
    weight : ndarray of shape (n_rows,)
        Row weights s.

    Returns
    -------
    ndarray of shape (n_rows, 3 + n_classes + n_teachers * (1 + n_classes))
        The table of :class:`MixtureLoss`; finite, a silent teacher's logits being 0.

    Examples
    --------
    >>> teachers = Teachers(np.log([[[0.5], [0.5]]]))
    >>> answer_table(Labels(np.array([1]), 2), teachers, np.ones(1))
    array([[1., 0., 0., 0., 1., 1., 0., 0.]])
    """
    n, present, taught = len(weight), labels.present, teachers.teacher_mask
    who = [present & taught, present & ~taught, taught & ~present]
    speaks = ~np.isnan(teachers.logits[:, 0, :])
    share = speaks / np.maximum(speaks.sum(axis=0), 1)
    logits = np.where(np.isnan(teachers.logits), 0.0, teachers.logits)
    # e^-1e4 is 0 in any precision, and no infinity meets a 0
    logits = np.maximum(logits - logits.max(axis=1, keepdims=True), -1e4)
    return np.column_stack(
        [
            *(weight * one for one in who),
            labels.one_hot(np.ones(n)).T,
            share.T,
            logits.transpose(2, 0, 1).reshape(n, -1),
        ]
    )
