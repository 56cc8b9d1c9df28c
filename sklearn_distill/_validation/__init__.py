"""Checks of what comes in; the only home of private scikit-learn imports."""

from sklearn_distill._validation.fitting import (
    HasMethods,
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.labels import (
    check_classes,
    check_labels,
    check_two_classes,
    classes_of_columns,
    found_labels,
)
from sklearn_distill._validation.lesson import read_lesson
from sklearn_distill._validation.numbers import check_numbers
from sklearn_distill._validation.rows import (
    check_every_row_speaks,
    check_sample_weight,
    read_sample_weight,
)
from sklearn_distill._validation.sizes import check_hidden_layer_sizes
from sklearn_distill._validation.teacher import check_teacher, read_teacher

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "all_or_nothing",
    "check_classes",
    "check_every_row_speaks",
    "check_hidden_layer_sizes",
    "check_labels",
    "check_numbers",
    "check_sample_weight",
    "check_teacher",
    "check_two_classes",
    "classes_of_columns",
    "found_labels",
    "read_lesson",
    "read_sample_weight",
    "read_teacher",
    "validated_parameters",
]
