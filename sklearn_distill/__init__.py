"""Knowledge distillation and privileged learning as scikit-learn estimators."""

from sklearn_distill.distillers import TeacherStudentClassifier, TeacherStudentRegressor
from sklearn_distill.search import (
    DistilledLogisticRegressionCV,
    GreedyHypergradient,
    LinearTrajectory,
)
from sklearn_distill.students import (
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
)

__all__ = [
    "DistilledLogisticRegression",
    "DistilledLogisticRegressionCV",
    "DistilledNeuralClassifier",
    "DistilledNeuralRegressor",
    "GreedyHypergradient",
    "LinearTrajectory",
    "PrivilegedLinearRegression",
    "SoftTargetClassifier",
    "TeacherStudentClassifier",
    "TeacherStudentRegressor",
]
__version__ = "0.1.0.dev0"
