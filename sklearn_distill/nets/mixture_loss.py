r"""The loss of a mini-batch as a function of λ and T, for schedules that move them.

A row of the table holds the label and the teachers' logits of a sample, before λ and T mix them:
``[weights (3) | trust | one-hot label (K) | share of each teacher (M) | logits (M·K)]``. The sample
weight is in the first column if the sample has a label and a teacher's prediction, in the second if
it has only a label, in the third if it has only a prediction. The trust is the mean weight of the
teachers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets.losses import class_major, regularizer_of, softened
from sklearn_distill.targets import Labels, Teachers

__all__ = ["MixtureLoss", "Residuals", "mixture_table"]


@dataclass(frozen=True)
class Residuals:
    """The loss of a mini-batch and its derivatives with respect to the scores.

    Parameters
    ----------
    loss : Tensor of shape ()
        Mean loss L.
    scores : Tensor of shape (n_rows, n_classes)
        The derivative ∂L/∂z.
    mixed : tuple of Tensor of shape (n_rows, n_classes), default=()
        The mixed derivatives ∂²L/∂λ∂z and ∂²L/∂T∂z; empty if they were not computed.
    """

    loss: Tensor
    scores: Tensor
    mixed: tuple[Tensor, ...] = ()


class MixtureLoss(nn.Module):
    r"""The mean loss of a mini-batch at any λ and T, with closed-form derivatives.

    With φ = lse + r, u = z/T', a = τ/T' and the residual :math:`G_i = c_i (p - y)
    + λ_i a\,(\nablaφ(u) - q)` of a sample of weight 1,

    .. math::

        ∂_λ G = a(\nablaφ - q) - (p - y), \qquad
        ∂_T G = λ_i\{\dot a(\nablaφ - q) - a[\tfrac{\dot T'}{T'}\nabla^2φ\,u - J(q)v/T^2]\},

    where ∂_λ G is 0 unless the sample has a label and a teacher's prediction; it is multiplied by
    the derivative of :math:`λ_i = \min(1, λ \bar w_i)`, with the trust :math:`\bar w_i`. Class
    weights c turn the q of a sample without a label into c ∘ q, whose sum m(T) multiplies φ.

    Parameters
    ----------
    n_classes : int
        Number of classes K.
    n_teachers : int
        Number of teachers M, over whose probabilities q is the mean.
    soften_student : bool, default=True
        Whether T' is T; otherwise T' is 1.
    t_squared : bool, default=False
        Whether τ is T'²; otherwise τ is 1.
    regularizer : {"grabovoy", "continuous_categorical"} or None, default=None
        Name of the regulariser r; None is r = 0.
    class_weight : ndarray of shape (n_classes,) or None, default=None
        Class weights c of samples without a label; None is 1.

    References
    ----------
    Gorpinich, Bakhteev and Strijov 2022, "Gradient-based metaparameter optimisation in knowledge
    distillation", section 3.

    Examples
    --------
    >>> loss = MixtureLoss(n_classes=2, n_teachers=1)
    >>> table = torch.tensor([[1.0, 0, 0, 1, 1, 0, 1, 0, 0]])  # label 0, teacher (0.5, 0.5)
    >>> z = torch.zeros(1, 2)
    >>> residuals = loss.residuals(z, table, imitation=0.5, temperature=1.0, mixed=True)
    >>> residuals.scores, residuals.mixed[0]
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
        class_weight: FloatArray | None = None,
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.n_teachers = n_teachers
        self.soften_student = soften_student
        self.t_squared = t_squared
        self.regularizer = regularizer
        self.class_weight = class_weight

    def residuals(
        self,
        scores: Tensor,
        table: Tensor,
        *,
        imitation: float,
        temperature: float,
        mixed: bool = False,
    ) -> Residuals:
        """Return the loss and its derivatives with respect to the scores, at given λ and T.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes)
            Logits z; their graph is not followed.
        table : Tensor of shape (n_rows, 4 + n_classes + n_teachers * (1 + n_classes))
            The mini-batch's rows of :func:`mixture_table`.
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
        z = class_major(scores.detach())
        moving, label, teacher, y, share, logits = self._split(table, imitation)
        T_, dT_, a, da = self._temperatures(temperature)
        c = self._class_weights(table)
        proba = torch.softmax(softened(logits, temperature), 1)
        q, mass = _weigh_classes(self._mean_over_teachers(proba, share), c)
        log_p, u = torch.log_softmax(z, 0), softened(z, T_)
        log_p_soft = log_p if T_ == 1 else torch.log_softmax(u, 0)
        r, gradient = self._regularizer_and_gradient(u, log_p_soft)
        # lse(u) Σq − q·u is the cross-entropy
        likelihood = torch.addcmul(label * y * log_p, teacher * q, log_p_soft, value=a * T_)
        loss = -likelihood.sum()
        if r is not None:
            loss = loss + a * T_ * (teacher * mass * r).sum()
        label_residual, teacher_residual = log_p.exp() - y, mass * gradient - q
        residual = torch.addcmul(label * label_residual, teacher, teacher_residual, value=a)
        if not mixed:
            return Residuals(loss, residual.T)
        d_temperature = da * teacher_residual
        of_mean = self._mean_over_teachers(jacobian_product(proba, logits), share)
        minus_t2_dq, minus_t2_dmass = _weigh_classes(of_mean, c, 0.0)
        d_temperature.add_(minus_t2_dq - minus_t2_dmass * gradient, alpha=a / temperature**2)
        if dT_:  # with T' = 1 the student's part does not depend on T
            d_temperature.sub_(mass * self._hessian_product(u, gradient), alpha=a * dT_ / T_)
        d_imitation = moving * (a * teacher_residual - label_residual)
        return Residuals(loss, residual.T, (d_imitation.T, (teacher * d_temperature).T))

    def metaparameter_gradient(
        self, scores: Tensor, table: Tensor, *, imitation: float, temperature: float
    ) -> tuple[float, float]:
        r"""Return ∂L/∂λ and ∂L/∂T at fixed scores.

        .. math::

            ∂_λ L_i = τ(φ - q·u) - CE(y, p), \qquad
            ∂_T L_i = λ_i\{\dot τ(φ - q·u) - τ[\tfrac{\dot T'}{T'}(\nablaφ - q)·u + \dot q·u]\}

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes)
            Logits z; their graph is not followed.
        table : Tensor of shape (n_rows, 4 + n_classes + n_teachers * (1 + n_classes))
            The mini-batch's rows of :func:`mixture_table`.
        imitation : float
            Imitation λ in [0, 1].
        temperature : float
            Temperature T > 0.

        Returns
        -------
        tuple of float
            The two derivatives of the mean loss.
        """
        z = class_major(scores.detach())
        moving, _, teacher, y, share, logits = self._split(table, imitation)
        T_, dT_, a, _ = self._temperatures(temperature)
        tau, dtau = a * T_, 2 * T_ * dT_ if self.t_squared else 0.0
        c = self._class_weights(table)
        proba = torch.softmax(softened(logits, temperature), 1)
        q, mass = _weigh_classes(self._mean_over_teachers(proba, share), c)
        of_mean = self._mean_over_teachers(jacobian_product(proba, logits), share)
        dq, dmass = _weigh_classes(of_mean / -(temperature**2), c, 0.0)
        u = softened(z, T_)
        log_p_soft = torch.log_softmax(u, 0)
        r, gradient = self._regularizer_and_gradient(u, log_p_soft)
        r_value = 0.0 if r is None else r
        teacher_loss = mass * r_value - (q * log_p_soft).sum(0)
        label_loss = -(y * torch.log_softmax(z, 0)).sum(0)
        # dq·log softmax(u) is dq·u − dmass lse(u)
        d_agreement = (dT_ / T_ * (mass * gradient - q) * u + dq * log_p_soft).sum(0)
        d_agreement = d_agreement - dmass * r_value
        d_imitation = (moving * (tau * teacher_loss - label_loss)).sum()
        d_temperature = (teacher * (dtau * teacher_loss - tau * d_agreement)).sum()
        return float(d_imitation), float(d_temperature)

    def _split(self, table: Tensor, imitation: float) -> tuple[Tensor, ...]:
        """Return the parts of the table, class-major, with λ and the mean in the weights.

        The weights are those that λ moves from label to teacher, then those of the label's and of
        the teacher's part of the loss. One-hot labels, shares and logits of the teachers follow.
        """
        K, M = self.n_classes, self.n_teachers
        parts = torch.split_with_sizes(class_major(table), [3, 1, K, M, M * K])
        weights, trust, y, share, logits = parts
        both, label, teacher = (weights * (1 / len(table))).unbind()
        share_of_both = (imitation * trust[0]).clamp(max=1.0)
        # a sample with one source gives it the full weight, whatever λ is
        label = torch.addcmul(label, both, 1 - share_of_both)
        teacher = torch.addcmul(teacher, both, share_of_both)
        is_linear = (imitation * trust[0] < 1) | (trust[0] <= 1)
        moving = torch.where(is_linear, both * trust[0], 0.0)
        return moving, label, teacher, y, share, logits.reshape(M, K, -1)

    def _class_weights(self, table: Tensor) -> Tensor | None:
        """Return c for the samples without a label, 1 for others; None without class weights."""
        if self.class_weight is None:
            return None
        by_class = table.new_tensor(self.class_weight)[:, None]
        return torch.where(table[:, 2] > 0, by_class, 1.0)  # the weight of a prediction alone

    def _temperatures(self, T: float) -> tuple[float, float, float, float]:
        """Return T', dT'/dT, a = τ/T' and da/dT."""
        if not self.soften_student:  # T' = 1, so that T'² is 1 as well
            return 1.0, 0.0, 1.0, 0.0
        return (T, 1.0, T, 1.0) if self.t_squared else (T, 1.0, 1 / T, -1 / T**2)

    def _mean_over_teachers(self, values: Tensor, share: Tensor) -> Tensor:
        """Return the mean over the teachers that have a prediction.

        Samples without any have weight 0, so that their values do not matter.
        """
        return values[0] if self.n_teachers == 1 else (share[:, None] * values).sum(0)

    def _regularizer_and_gradient(self, u: Tensor, log_p: Tensor) -> tuple[Tensor | None, Tensor]:
        """Return r(u), None without a regulariser, and ∇φ(u), given log softmax(u)."""
        p = log_p.exp()
        if self.regularizer is None:
            return None, p
        with torch.enable_grad():  # the caller may have switched it off
            leaf = u.detach().requires_grad_()
            r = regularizer_of(self.regularizer, leaf.T)
            (gradient,) = torch.autograd.grad(r.sum(), leaf)
        return r.detach(), p + gradient

    def _hessian_product(self, u: Tensor, gradient: Tensor) -> Tensor:
        """Return ∇²φ(u) u, given ∇φ(u)."""
        if self.regularizer is None:
            return jacobian_product(gradient, u)  # without r the gradient is p
        with torch.enable_grad():
            leaf = u.detach().requires_grad_()
            r = regularizer_of(self.regularizer, leaf.T)
            (r_gradient,) = torch.autograd.grad(r.sum(), leaf, create_graph=True)
            (product,) = torch.autograd.grad((r_gradient * u).sum(), leaf)
        return jacobian_product(torch.softmax(u, 0), u) + product


def _weigh_classes(
    q: Tensor, c: Tensor | None, unweighted_mass: float = 1.0
) -> tuple[Tensor, Tensor | float]:
    """Return c ∘ q and its sum over classes, which is known without class weights."""
    if c is None:
        return q, unweighted_mass
    q = c * q
    return q, q.sum(0)


def jacobian_product(p: Tensor, v: Tensor) -> Tensor:
    """Return J(p)v = (diag p − pp^⊤)v of softmax.

    Parameters
    ----------
    p, v : Tensor of shape (..., n_classes, n_rows)
        Probabilities and vectors.

    Returns
    -------
    Tensor of shape (..., n_classes, n_rows)
        The products.
    """
    pv = p * v
    return pv.addcmul_(p, pv.sum(-2, keepdim=True), value=-1)


def mixture_table(labels: Labels, teachers: Teachers, weight: FloatArray) -> FloatArray:
    """Return labels and teachers' logits as a table with one row for each sample.

    Parameters
    ----------
    labels : Labels
        Labels of the samples, some of which may be missing.
    teachers : Teachers
        Logits of the teachers, NaN where a teacher has no prediction.
    weight : ndarray of shape (n_rows,)
        Sample weights s; of labelled samples times the class weight of the label.

    Returns
    -------
    ndarray of shape (n_rows, 4 + n_classes + n_teachers * (1 + n_classes))
        The table of :class:`MixtureLoss`. It is finite: logits of a missing prediction are 0.

    Examples
    --------
    >>> teachers = Teachers(np.log([[[0.5], [0.5]]]))
    >>> mixture_table(Labels(np.array([1]), 2), teachers, np.ones(1))
    array([[1., 0., 0., 1., 0., 1., 1., 0., 0.]])
    """
    n, present, has_teacher = len(weight), labels.present, teachers.teacher_mask
    sources = [present & has_teacher, present & ~has_teacher, has_teacher & ~present]
    trust = np.ones(n) if teachers.trust is None else teachers.trust
    logits = np.where(np.isnan(teachers.logits), 0.0, teachers.logits)
    # e^-1e4 is 0 in any precision, and unlike −inf it gives 0, not NaN, when multiplied by 0
    logits = np.maximum(logits - logits.max(axis=1, keepdims=True), -1e4)
    return np.column_stack(
        [
            *(weight * mask for mask in sources),
            trust,
            labels.one_hot(np.ones(n)).T,
            teachers.share.T,
            logits.transpose(2, 0, 1).reshape(n, -1),
        ]
    )
