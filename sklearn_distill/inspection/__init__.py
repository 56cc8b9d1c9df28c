"""Look at what a teacher did: numbers here, drawings in files of their own."""

from sklearn_distill.inspection._bootstrap import paired_bootstrap
from sklearn_distill.inspection._result import DistillationReport
from sklearn_distill.inspection._size import count_parameters
from sklearn_distill.inspection.metaparameter_display import MetaparameterDisplay
from sklearn_distill.inspection.report import distillation_report
from sklearn_distill.inspection.trajectory_display import TrajectoryDisplay

__all__ = [
    "DistillationReport",
    "MetaparameterDisplay",
    "TrajectoryDisplay",
    "count_parameters",
    "distillation_report",
    "paired_bootstrap",
]
