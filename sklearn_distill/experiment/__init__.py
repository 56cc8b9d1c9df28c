"""A complete experiment: a teacher, a baseline student and a distilled student, compared."""

from sklearn_distill.experiment._students import STUDENTS
from sklearn_distill.experiment.data import ExperimentData, digits_data, fashion_mnist_data
from sklearn_distill.experiment.figure import draw_outcome
from sklearn_distill.experiment.model_file import save_model
from sklearn_distill.experiment.rehearsal import rehearse
from sklearn_distill.experiment.run import Outcome, run_experiment
from sklearn_distill.experiment.table import table_data

__all__ = [
    "STUDENTS",
    "ExperimentData",
    "Outcome",
    "digits_data",
    "draw_outcome",
    "fashion_mnist_data",
    "rehearse",
    "run_experiment",
    "save_model",
    "table_data",
]
