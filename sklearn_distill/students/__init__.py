"""Estimators that are trained on labels and on a teacher's predictions."""

from sklearn_distill.students.distilled_boosting_classifier import DistilledBoostingClassifier
from sklearn_distill.students.distilled_boosting_regressor import DistilledBoostingRegressor
from sklearn_distill.students.distilled_logistic import DistilledLogisticRegression
from sklearn_distill.students.distilled_neural_classifier import DistilledNeuralClassifier
from sklearn_distill.students.distilled_neural_regressor import DistilledNeuralRegressor
from sklearn_distill.students.multi_label_student import MultiLabelStudent
from sklearn_distill.students.privileged_linear import PrivilegedLinearRegression
from sklearn_distill.students.soft_target import SoftTargetClassifier
from sklearn_distill.students.soft_target_regressor import SoftTargetRegressor

__all__ = [
    "DistilledBoostingClassifier",
    "DistilledBoostingRegressor",
    "DistilledLogisticRegression",
    "DistilledNeuralClassifier",
    "DistilledNeuralRegressor",
    "MultiLabelStudent",
    "PrivilegedLinearRegression",
    "SoftTargetClassifier",
    "SoftTargetRegressor",
]
