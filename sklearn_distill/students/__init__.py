"""Estimators that are trained on labels and on a teacher's predictions."""

from sklearn_distill.students.distilled_boosting_classifier import DistilledBoostingClassifier
from sklearn_distill.students.distilled_logistic import DistilledLogisticRegression
from sklearn_distill.students.distilled_neural_classifier import DistilledNeuralClassifier
from sklearn_distill.students.distilled_neural_regressor import DistilledNeuralRegressor
from sklearn_distill.students.privileged_linear import PrivilegedLinearRegression
from sklearn_distill.students.soft_target import SoftTargetClassifier

__all__ = [
    "DistilledBoostingClassifier",
    "DistilledLogisticRegression",
    "DistilledNeuralClassifier",
    "DistilledNeuralRegressor",
    "PrivilegedLinearRegression",
    "SoftTargetClassifier",
]
