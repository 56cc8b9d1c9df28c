"""Look at what a teacher did: numbers here, drawings in files of their own."""

from sklearn_distill.inspection._bootstrap import paired_bootstrap
from sklearn_distill.inspection._result import DistillationReport
from sklearn_distill.inspection._size import count_parameters
from sklearn_distill.inspection.report import distillation_report

__all__ = ["DistillationReport", "count_parameters", "distillation_report", "paired_bootstrap"]
