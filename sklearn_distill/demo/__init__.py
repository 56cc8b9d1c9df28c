"""The main job: a strong teacher, and one small student without and with it."""

from sklearn_distill.demo.experiment import Outcome, run_experiment
from sklearn_distill.demo.figure import draw_outcome
from sklearn_distill.demo.lessons import Lesson, digits_lesson, fashion_mnist_lesson, table_lesson

__all__ = [
    "Lesson",
    "Outcome",
    "digits_lesson",
    "draw_outcome",
    "fashion_mnist_lesson",
    "run_experiment",
    "table_lesson",
]
