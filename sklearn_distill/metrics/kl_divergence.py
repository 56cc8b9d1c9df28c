"""The Kullback-Leibler divergence of a student from its teacher, the distance of distillation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr, softmax

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.probabilities import check_proba
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.metrics._row_scores import weighted_mean


def kl_divergence_from_proba(
    teacher_proba: ArrayLike,
    y_proba: ArrayLike,
    *,
    temperature: float = 1.0,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the mean Kullback-Leibler divergence of the student's probabilities from a teacher's.

    ``D = mean_i Σ_k q_ik log(q_ik / p_ik)``, with ``0 log 0 = 0`` and both softened by T: ``q_ik``
    is proportional to the teacher's probability to the power 1/T, ``p_ik`` to the student's.

    It is 0 if and only if student and teacher agree. With λ = 1 a student that is softened like its
    teacher minimises it: its loss is the cross-entropy, which is larger by the teacher's entropy, a
    constant. Gorpinich, Bakhteev and Strijov call the minimisation of a distance D between student
    and teacher a D-distillation, and this is their D.

    Parameters
    ----------
    teacher_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        The teacher's probabilities; one dimension is P(second class) of two.
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        The student's probabilities, columns in the same order.
    temperature : float, default=1.0
        T > 0, by which the logits of both are divided.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of the mean.

    Returns
    -------
    float
        Divergence in nats, 0 or more; inf if the student has probability 0 for a class that the
        teacher considers possible. Lower is better.

    Raises
    ------
    ValueError
        If probabilities or weights are invalid (the message names the first invalid row), the
        shapes differ, or the temperature is not a positive number.

    See Also
    --------
    cross_entropy_from_proba : The same plus the teacher's entropy, at T = 1.
    fidelity_score : The share of samples with the same predicted class.

    References
    ----------
    Gorpinich, Bakhteev and Strijov 2022, "Gradient-based metaparameter optimisation in knowledge
    distillation", definition of D-distillation.

    Examples
    --------
    >>> from sklearn_distill.metrics import kl_divergence_from_proba
    >>> teacher, student = [[0.9, 0.1]], [[0.5, 0.5]]
    >>> round(kl_divergence_from_proba(teacher, student), 4)
    0.3681
    >>> round(kl_divergence_from_proba(teacher, student, temperature=2.0), 4)
    0.1308
    """
    q = check_proba(teacher_proba, "teacher_proba")
    p = check_proba(y_proba, "y_proba")
    check_same_length("teacher_proba", len(q), "y_proba", len(p))
    if q.shape != p.shape:
        raise ValueError(
            f"teacher_proba has {q.shape[1]} classes and y_proba has {p.shape[1]}; "
            "pass the same classes in the same order for both."
        )
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature={temperature!r}; pass a positive number.")
    weights = check_sample_weight(sample_weight, len(p))
    softened_q, softened_p = _soften(q, temperature), _soften(p, temperature)
    return weighted_mean(rel_entr(softened_q, softened_p).sum(axis=1), weights)


def _soften(p: FloatArray, temperature: float) -> FloatArray:
    """Return softmax(log p / T), rows that sum to 1."""
    with np.errstate(divide="ignore"):  # a class of probability 0 keeps it
        log_p = np.log(p)
    return np.asarray(softmax(log_p / temperature, axis=1))
