"""In a process where torch cannot be imported, all but the networks works."""

import pytest

from tests.public_api import NEED_TORCH
from tests.test_imports import run_python

# sys.modules["torch"] = None would do for us, and scipy stumbles over it.
MISSING = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""
NO_TORCH = MISSING.format(name="torch")

FIT_LINEAR = """
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
import sklearn_distill as sd

X, y = load_iris(return_X_y=True)
proba = LogisticRegression(max_iter=1000).fit(X, y).predict_proba(X)
student = sd.DistilledLogisticRegression(0.5, 2.0, regularizer="continuous_categorical")
assert student.fit(X[:, :2], y, teacher_proba=proba).score(X[:, :2], y) > 0.7
both = sd.TeacherStudentClassifier(LogisticRegression(max_iter=1000), student)
assert both.fit(X, y).score(X, y) > 0.9
linear = sd.PrivilegedLinearRegression(0.5).fit(X[:, :2], X[:, 3], teacher_prediction=X[:, 3])
assert linear.score(X[:, :2], X[:, 3]) > 0.5
"""


IMPORT_ALL = """
from importlib import import_module
from tests.public_api import module_names

for name in module_names():
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        assert error.name == "torch", error
        print(name)
"""


def test_only_what_is_said_to_need_torch_needs_it():
    assert set(run_python(NO_TORCH + IMPORT_ALL).split()) == NEED_TORCH


def test_linear_students_learn():
    run_python(NO_TORCH + FIT_LINEAR)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "from sklearn_distill.nets import MLP",
            'sklearn_distill.nets.MLP needs torch: pip install "sklearn-distill[neural]"',
        ),
        (
            "from sklearn_distill.nets import resolve_device; resolve_device()",
            'resolve_device needs torch: pip install "sklearn-distill[neural]"',
        ),
        (
            "from sklearn_distill._optional import import_skorch; import_skorch('ThisStudent')",
            'ThisStudent needs torch and skorch: pip install "sklearn-distill[neural]"',
        ),
    ],
)
def test_error_names_the_pip_command(code, message):
    catch = f"try:\n    {code}\nexcept ImportError as error:\n    print(error)"
    assert run_python(NO_TORCH + catch).strip() == message


@pytest.mark.parametrize(
    ("missing", "message"),
    [("skorch", "ThisStudent needs torch and skorch"), ("skorch.net", "'skorch.net'")],
)
def test_missing_skorch_is_told_apart_from_a_broken_one(missing, message):
    code = "from sklearn_distill._optional import import_skorch; import_skorch('ThisStudent')"
    catch = f"try:\n    {code}\nexcept ImportError as error:\n    print(error)"
    assert message in run_python(MISSING.format(name=missing) + catch)
