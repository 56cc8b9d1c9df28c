"""Checks that a student can be trained on the predictions of the previous generation."""

from __future__ import annotations

from typing import Any

from sklearn.base import is_classifier

from sklearn_distill._validation.fit_params import fit_param_name, student_param_name
from sklearn_distill._validation.last_step import last_step
from sklearn_distill.distillers._student_data import suited_student
from sklearn_distill.teachers._cross_fit import class_name


def teacher_param(student: Any, labels: str, imitation: float | None) -> str | None:
    """Return the parameter of the student's fit that takes a teacher's probabilities.

    None means that it has none, and the predicted classes replace the labels.
    """
    name = fit_param_name(student, "teacher_proba")
    if labels == "soft":
        _check_soft(student, name)
    elif name is None and imitation not in (None, 1.0):
        raise ValueError(
            f"imitation={imitation} with labels='hard' mixes predictions and labels, which "
            f"student {class_name(student)} does not support: its fit takes no teacher_proba. Set "
            "imitation=1.0, which replaces the labels, or use a student of sklearn_distill"
        )
    return name


def imitation_params(
    student: Any, teacher_param: str | None, imitation: float | None
) -> dict[str, float]:
    """Return the student's parameter that sets λ, by name; nothing if it is left unchanged."""
    if teacher_param is None or imitation is None:
        return {}
    name = student_param_name(student, "imitation")
    if name is None:
        raise ValueError(
            f"student {class_name(student)} has no parameter imitation that could be set to "
            f"{imitation}: set imitation=None, which leaves the student unchanged"
        )
    return {name: imitation}


def check_classifier(student: Any) -> None:
    """Require a classifier."""
    if not is_classifier(student):
        raise ValueError(
            f"student {class_name(student)} is not a classifier: use one, or "
            "SoftTargetClassifier around a tree, a forest or a regressor of that kind"
        )


def check_proba(student: Any, needed_by: str) -> None:
    """Require ``predict_proba``."""
    if not hasattr(student, "predict_proba"):
        raise ValueError(
            f"{needed_by} needs probabilities, and student {class_name(student)} has no "
            "predict_proba: use a student that has it"
        )


def _check_soft(student: Any, teacher_param: str | None) -> None:
    if teacher_param is None:
        raise ValueError(
            f"student {class_name(student)} cannot learn from probabilities: its fit takes no "
            "teacher_proba, nor does the last step of a pipeline. Set labels='hard', or use a "
            f"student of sklearn_distill{suited_student(last_step(student))}"
        )
    check_proba(student, "labels='soft'")
