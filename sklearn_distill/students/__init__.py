"""Estimators that learn from labels and from a teacher's answers."""

from sklearn_distill.students.distilled_logistic import DistilledLogisticRegression
from sklearn_distill.students.privileged_linear import PrivilegedLinearRegression

__all__ = ["DistilledLogisticRegression", "PrivilegedLinearRegression"]
