"""Data sets: with true probabilities, with privileged columns, and those of the papers."""

from sklearn_distill.datasets.adult import fetch_adult
from sklearn_distill.datasets.cifar10 import fetch_cifar10
from sklearn_distill.datasets.covertype import fetch_covertype_sample
from sklearn_distill.datasets.digits_privileged import load_digits_privileged
from sklearn_distill.datasets.dogs_vs_cats import fetch_dogs_vs_cats
from sklearn_distill.datasets.fashion_mnist import fetch_fashion_mnist
from sklearn_distill.datasets.imagenette import fetch_imagenette
from sklearn_distill.datasets.mnist import fetch_mnist
from sklearn_distill.datasets.privileged_classification import make_privileged_classification
from sklearn_distill.datasets.privileged_regression import make_privileged_regression
from sklearn_distill.datasets.sentiment140 import fetch_sentiment140
from sklearn_distill.datasets.teacher_probabilities import make_teacher_probabilities

__all__ = [
    "fetch_adult",
    "fetch_cifar10",
    "fetch_covertype_sample",
    "fetch_dogs_vs_cats",
    "fetch_fashion_mnist",
    "fetch_imagenette",
    "fetch_mnist",
    "fetch_sentiment140",
    "load_digits_privileged",
    "make_privileged_classification",
    "make_privileged_regression",
    "make_teacher_probabilities",
]
