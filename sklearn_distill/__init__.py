"""Knowledge distillation and privileged learning as scikit-learn estimators."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sklearn_distill.exceptions import (
    ImplausibleTeacherWarning,
    TeacherMissingWarning,
    WorseTeacherWarning,
)

if TYPE_CHECKING:
    from sklearn_distill.distillers import (
        BornAgainClassifier,
        TeacherStudentClassifier,
        TeacherStudentRegressor,
    )
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
    "WorseTeacherWarning",
]
__version__ = "0.1.0.dev0"

# Names and subpackages are imported when they are used (PEP 562): not everybody needs the searches,
# the maps, the reports and the estimators that fit a teacher.
_HOMES = ("students", "search", "distillers", "teachers", "mappings")
_SUBPACKAGES = (
    *("augmentation", "checks", "chunks", "datasets", "deployment", "experiment", "inspection"),
    *("losses", "metrics", "model_selection", "nets", "solvers", "targets", *_HOMES),
)


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    packages = (import_module(f"{__name__}.{home}") for home in _HOMES)
    return next(getattr(package, name) for package in packages if hasattr(package, name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBPACKAGES})
