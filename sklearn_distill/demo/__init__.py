"""A complete experiment: a teacher, a baseline student and a distilled student, compared."""

from sklearn_distill.demo._students import STUDENTS
from sklearn_distill.demo.data import DemoData, digits_data, fashion_mnist_data, table_data
from sklearn_distill.demo.experiment import Outcome, run_experiment
from sklearn_distill.demo.figure import draw_outcome

__all__ = [
    "STUDENTS",
    "DemoData",
    "Outcome",
    "digits_data",
    "draw_outcome",
    "fashion_mnist_data",
    "run_experiment",
    "table_data",
]
