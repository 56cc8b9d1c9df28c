"""Knowledge distillation and privileged learning as scikit-learn estimators."""

from sklearn_distill.distillers import (
    BornAgainClassifier,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.exceptions import ImplausibleTeacherWarning, TeacherMissingWarning
from sklearn_distill.mappings import (
    GaussianNoise,
    RandomConvolution,
    StyleTransfer,
    TwoDecoderVAE,
)
from sklearn_distill.search import (
    DistilledLogisticRegressionCV,
    GreedyHypergradient,
    LinearTrajectory,
    PrivilegedLinearRegressionCV,
)
from sklearn_distill.students import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    MultiLabelStudent,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
)
from sklearn_distill.teachers import LatentAligner

__all__ = [
    "BornAgainClassifier",
    "DistilledBoostingClassifier",
    "DistilledBoostingRegressor",
    "DistilledLogisticRegression",
    "DistilledLogisticRegressionCV",
    "DistilledNeuralClassifier",
    "DistilledNeuralRegressor",
    "GaussianNoise",
    "GreedyHypergradient",
    "ImplausibleTeacherWarning",
    "LatentAligner",
    "LinearTrajectory",
    "MultiLabelStudent",
    "PrivilegedLinearRegression",
    "PrivilegedLinearRegressionCV",
    "RandomConvolution",
    "SoftTargetClassifier",
    "SoftTargetRegressor",
    "StyleTransfer",
    "TeacherMissingWarning",
    "TeacherStudentClassifier",
    "TeacherStudentRegressor",
    "TwoDecoderVAE",
]
__version__ = "0.1.0.dev0"
