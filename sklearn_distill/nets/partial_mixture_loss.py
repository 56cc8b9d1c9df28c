"""The loss of a mini-batch as a function of λ and T, for teachers that leave classes unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets.losses import class_major, softened
from sklearn_distill.nets.mixture_loss import (
    MixtureLoss,
    Residuals,
    jacobian_product,
    mixture_table,
)
from sklearn_distill.targets import Labels, PartialTeachers

__all__ = ["PartialMixtureLoss", "partial_mixture_table"]


@dataclass(frozen=True)
class _Rest:
    """What an undivided rest adds to the terms of the teachers, of each sample.

    Parameters
    ----------
    value : Tensor of shape (n_rows,)
        D.
    residual : Tensor of shape (n_classes, n_rows)
        E, the derivative of D in u.
    d_value, d_residual : Tensor of these shapes
        The derivatives of D and of E in T, at fixed scores.
    """

    value: Tensor
    residual: Tensor
    d_value: Tensor
    d_residual: Tensor


class PartialMixtureLoss(MixtureLoss):
    r"""The loss of :class:`MixtureLoss` where the unknown classes U of a teacher share its rest.

    With q of an even rest, :math:`q_r = \sum_U q_k` and c = softmax of the scores of U, the loss of
    a teacher is that of q plus

    .. math::

        D = \sum_{k \in U} q_k u_k - q_r\,\mathrm{lse}_U(u), \qquad
        E = \nabla_u D = (q_k - q_r c_k)_{k \in U},

    whose derivatives in T, with :math:`\dot u = -\frac{\dot T'}{T'} u`, are

    .. math::

        \dot D = \dot q_U·u - \dot q_r\,\mathrm{lse}_U + E·\dot u, \qquad
        \dot E = \dot q_U - \dot q_r c - q_r J(c)\,\dot u.

    Its table is :func:`partial_mixture_table`.

    Parameters
    ----------
    n_classes, n_teachers : int
        Numbers K of classes and M of teachers.
    soften_student, t_squared : bool
        Whether T' is T, and τ is T'².
    regularizer : {"grabovoy", "continuous_categorical"} or None
        Name of the regulariser r.
    class_weight : ndarray of shape (n_classes,) or None
        Class weights c of samples without a label.
    """

    def residuals(
        self,
        scores: Tensor,
        table: Tensor,
        *,
        imitation: float,
        temperature: float,
        mixed: bool = False,
    ) -> Residuals:
        """Return the loss and its derivatives, as :meth:`MixtureLoss.residuals`.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes)
            Logits z; their graph is not followed.
        table : Tensor of shape (n_rows, n_columns)
            The mini-batch's rows of :func:`partial_mixture_table`.
        imitation : float
            Imitation λ in [0, 1].
        temperature : float
            Temperature T > 0.
        mixed : bool, default=False
            Whether to return the mixed derivatives too.

        Returns
        -------
        Residuals
            Loss and derivatives, without a graph.
        """
        even, unknown = self._parts(table)
        at = {"imitation": imitation, "temperature": temperature}
        base = super().residuals(scores, even, **at, mixed=mixed)
        moving, _, teacher, *_ = self._split(even, imitation)
        rest = self._rest(scores, even, unknown, **at)
        T_, _, a, da = self._temperatures(temperature)
        loss = base.loss + a * T_ * (teacher * rest.value).sum()
        residual = base.scores + a * (teacher * rest.residual).T
        if not mixed:
            return Residuals(loss, residual)
        d_imitation, d_temperature = base.mixed
        d_imitation = d_imitation + a * (moving * rest.residual).T
        moved = teacher * (da * rest.residual + a * rest.d_residual)
        return Residuals(loss, residual, (d_imitation, d_temperature + moved.T))

    def metaparameter_gradient(
        self, scores: Tensor, table: Tensor, *, imitation: float, temperature: float
    ) -> tuple[float, float]:
        """Return ∂L/∂λ and ∂L/∂T at fixed scores.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes)
            Logits z; their graph is not followed.
        table : Tensor of shape (n_rows, n_columns)
            The mini-batch's rows of :func:`partial_mixture_table`.
        imitation : float
            Imitation λ in [0, 1].
        temperature : float
            Temperature T > 0.

        Returns
        -------
        tuple of float
            The two derivatives of the mean loss.
        """
        even, unknown = self._parts(table)
        at = {"imitation": imitation, "temperature": temperature}
        d_imitation, d_temperature = super().metaparameter_gradient(scores, even, **at)
        moving, _, teacher, *_ = self._split(even, imitation)
        rest = self._rest(scores, even, unknown, **at)
        T_, dT_, a, _ = self._temperatures(temperature)
        tau, dtau = a * T_, 2 * T_ * dT_ if self.t_squared else 0.0
        d_imitation += float((moving * tau * rest.value).sum())
        d_temperature += float((teacher * (dtau * rest.value + tau * rest.d_value)).sum())
        return d_imitation, d_temperature

    def _parts(self, table: Tensor) -> tuple[Tensor, Tensor]:
        """Return the table of an even rest, and the unknown classes of each teacher."""
        n_unknown = self.n_teachers * self.n_classes
        unknown = class_major(table[:, -n_unknown:]) > 0
        return table[:, :-n_unknown], unknown.reshape(self.n_teachers, self.n_classes, -1)

    def _rest(
        self,
        scores: Tensor,
        even: Tensor,
        unknown: Tensor,
        *,
        imitation: float,
        temperature: float,
    ) -> _Rest:
        """Return D and E, and their derivatives: the mean over the teachers, with class weights."""
        *_, share, logits = self._split(even, imitation)
        T_, dT_, _, _ = self._temperatures(temperature)
        u = softened(class_major(scores.detach()), T_)
        c = self._class_weights(even)
        q = torch.softmax(softened(logits, temperature), 1)
        dq = jacobian_product(q, logits) / -(temperature**2)
        weighted = share[:, None] * unknown * (1.0 if c is None else c)
        q, dq = weighted * q, weighted * dq
        q_rest, dq_rest = q.sum(1, keepdim=True), dq.sum(1, keepdim=True)
        # where all classes are known, q is 0 and any finite c will do
        is_known = ~unknown & unknown.any(1, keepdim=True)
        of_unknown = u.expand_as(q).masked_fill(is_known, -torch.inf)
        lse = torch.logsumexp(of_unknown, 1)
        soft = torch.softmax(of_unknown, 1)
        du = -dT_ / T_ * u
        residual = q - q_rest * soft
        d_residual = dq - dq_rest * soft - q_rest * jacobian_product(soft, du.expand_as(q))
        value = (q * u).sum(1) - q_rest[:, 0] * lse
        d_value = (dq * u).sum(1) - dq_rest[:, 0] * lse + (residual * du).sum(1)
        return _Rest(value.sum(0), residual.sum(0), d_value.sum(0), d_residual.sum(0))


def partial_mixture_table(
    labels: Labels, teachers: PartialTeachers, weight: FloatArray
) -> FloatArray:
    """Return labels, logits of an even rest, and the unknown classes as a table.

    Parameters
    ----------
    labels : Labels
        Labels of the samples, some of which may be missing.
    teachers : PartialTeachers
        Predictions with unknown classes.
    weight : ndarray of shape (n_rows,)
        Sample weights, as for :func:`~sklearn_distill.nets.mixture_loss.mixture_table`.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        The table of :class:`PartialMixtureLoss`; of teachers whose rest is spread, that of
        :class:`~sklearn_distill.nets.mixture_loss.MixtureLoss` with no unknown class.
    """
    even = mixture_table(labels, teachers.as_teachers(), weight)
    unknown = np.ones((len(weight), teachers.n_teachers, labels.n_classes))
    for m, known in enumerate(teachers.known):
        matrix = known.log_proba
        unknown[np.repeat(np.arange(len(weight)), known.n_known), m, matrix.indices] = 0.0
    if teachers.partial == "spread":
        unknown[:] = 0.0
    return np.column_stack([even, unknown.reshape(len(weight), -1)])
