"""Estimators that learn from labels and from a teacher's answers."""

from sklearn_distill.students.distilled_logistic import DistilledLogisticRegression

__all__ = ["DistilledLogisticRegression"]
