"""Metrics of predicted probabilities, ``metric(y_true, y_proba)``, and scorers for searches."""

from sklearn_distill.metrics.brier_score import brier_score
from sklearn_distill.metrics.calibration_error import expected_calibration_error
from sklearn_distill.metrics.cross_entropy import cross_entropy_from_proba
from sklearn_distill.metrics.fidelity_score import fidelity_score
from sklearn_distill.metrics.integral_criterion import integral_criterion
from sklearn_distill.metrics.kl_divergence import kl_divergence_from_proba
from sklearn_distill.metrics.max_min_gap import max_min_gap
from sklearn_distill.metrics.scorers import get_scorer, get_scorer_names
from sklearn_distill.metrics.uncertainty_degree import uncertainty_degree

__all__ = [
    "brier_score",
    "cross_entropy_from_proba",
    "expected_calibration_error",
    "fidelity_score",
    "get_scorer",
    "get_scorer_names",
    "integral_criterion",
    "kl_divergence_from_proba",
    "max_min_gap",
    "uncertainty_degree",
]
