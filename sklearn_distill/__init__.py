"""Knowledge distillation and privileged learning as scikit-learn estimators."""

from sklearn_distill.students import DistilledLogisticRegression

__all__ = ["DistilledLogisticRegression"]
__version__ = "0.1.0.dev0"
