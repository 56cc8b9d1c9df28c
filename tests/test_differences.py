"""The page of differences names every parameter of scikit-learn's that ours lack."""

import inspect
import re
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, LogisticRegressionCV, Ridge

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    PrivilegedLinearRegression,
)

PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "differences.md"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (LogisticRegression, DistilledLogisticRegression),
        (LogisticRegressionCV, DistilledLogisticRegressionCV),
        (LinearRegression, PrivilegedLinearRegression),
        (Ridge, PrivilegedLinearRegression),
    ],
)
def test_each_parameter_that_is_missing_or_has_another_default_is_on_the_page(theirs, ours):
    section = PAGE.read_text("utf-8").split(f"## {ours.__name__}\n")[1].split("\n## ")[0]
    named = set(re.findall(r"\b\w+\b", " ".join(re.findall(r"`([^`]*)`", section))))
    missing = set(inspect.signature(theirs).parameters) - set(inspect.signature(ours).parameters)
    deprecated_with_penalty = {"multi_class"}  # of scikit-learn before 1.8
    assert missing - deprecated_with_penalty <= named
    for name, parameter in inspect.signature(ours).parameters.items():
        same = inspect.signature(theirs).parameters.get(name)
        if same is not None and same.default != parameter.default:
            assert name in named
