"""Compare a teacher and its students: reports of metrics and costs, and displays."""

from sklearn_distill.inspection.compare_students import compare_students
from sklearn_distill.inspection.intervals import paired_interval, split_interval
from sklearn_distill.inspection.latency import predict_latency
from sklearn_distill.inspection.leaderboard import Leaderboard
from sklearn_distill.inspection.metaparameter_display import MetaparameterDisplay
from sklearn_distill.inspection.prediction_histogram_display import PredictionHistogramDisplay
from sklearn_distill.inspection.privileged_gain import PrivilegedGain, privileged_gain
from sklearn_distill.inspection.probability_strip_display import ProbabilityStripDisplay
from sklearn_distill.inspection.report import DistillationReport, distillation_report
from sklearn_distill.inspection.report_display import ReportDisplay
from sklearn_distill.inspection.size import count_parameters, student_size
from sklearn_distill.inspection.training_curve_display import TrainingCurveDisplay
from sklearn_distill.inspection.trajectory_display import TrajectoryDisplay

__all__ = [
    "DistillationReport",
    "Leaderboard",
    "MetaparameterDisplay",
    "PredictionHistogramDisplay",
    "PrivilegedGain",
    "ProbabilityStripDisplay",
    "ReportDisplay",
    "TrainingCurveDisplay",
    "TrajectoryDisplay",
    "compare_students",
    "count_parameters",
    "distillation_report",
    "paired_interval",
    "predict_latency",
    "privileged_gain",
    "split_interval",
    "student_size",
]
