"""Pipelines of a resampler of imbalanced-learn, which changes the number of rows, and a student."""

from __future__ import annotations

from functools import partial
from typing import Any

from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.model_selection import cross_validate

from tests.routing.case import called, fitted
from tests.routing.classifiers import CV, STEP, case
from tests.routing.datasets import RARE_CLASS, TWO_CLASSES


def before(sampler: Any, student: Any) -> Any:
    return Pipeline([("sampler", sampler), ("student", student)])


fewer = partial(before, RandomUnderSampler(random_state=0))
more = partial(before, RandomOverSampler(random_state=0))
between = partial(before, SMOTE(random_state=0))

RESAMPLERS = [
    case("`RandomUnderSampler`, in imblearn's `Pipeline`", fitted(fewer), RARE_CLASS, STEP),
    case("`RandomOverSampler`, in imblearn's `Pipeline`", fitted(more), RARE_CLASS, STEP),
    case("`SMOTE`, in imblearn's `Pipeline`", fitted(between), RARE_CLASS, STEP),
    case(
        "`cross_validate` of imblearn's `Pipeline`",
        called(cross_validate, fewer, cv=CV, error_score="raise"),
        RARE_CLASS,
        STEP,
    ),
    case(
        "`RandomUnderSampler`, in imblearn's `Pipeline`, classes of equal size",
        fitted(fewer),
        TWO_CLASSES,
        STEP,
    ),
    case(
        "`BalancedBaggingClassifier`",
        fitted(partial(BalancedBaggingClassifier, n_estimators=3, random_state=0)),
        RARE_CLASS,
    ),
]
