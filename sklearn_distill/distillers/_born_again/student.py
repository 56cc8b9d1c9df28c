"""What a student must be able to do to learn from the generation before."""

from __future__ import annotations

from typing import Any

from sklearn.base import is_classifier

from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill.teachers._cross_fit import class_name


def teacher_param(student: Any, labels: str, imitation: float | None) -> str | None:
    """Return what the student's fit calls a teacher's answers; None where labels replace them."""
    argument = fit_param_name(student, "teacher_proba")
    if labels == "soft":
        _check_soft(student, argument)
    elif argument is None and imitation not in (None, 1.0):
        raise ValueError(
            f"imitation={imitation} with labels='hard' mixes predictions and labels, which "
            f"student {class_name(student)} cannot: its fit takes no teacher_proba. Take "
            "imitation=1.0, which replaces the labels, or a student of sklearn_distill"
        )
    return argument


def imitation_params(
    student: Any, argument: str | None, imitation: float | None
) -> dict[str, float]:
    """Return the student's parameter to set so that it imitates as much as that."""
    if argument is None or imitation is None:
        return {}
    name = _imitation_of(student)
    if name is None:
        raise ValueError(
            f"student {class_name(student)} has no parameter imitation that could be set to "
            f"{imitation}: take imitation=None, which leaves the student as it is"
        )
    return {name: imitation}


def check_classifier(student: Any) -> None:
    """Require a classifier."""
    if not is_classifier(student):
        raise ValueError(
            f"student {class_name(student)} is no classifier: take one, or "
            "SoftTargetClassifier(regressor) with a regressor of that kind"
        )


def check_proba(student: Any, what: str) -> None:
    """Require probabilities."""
    if not hasattr(student, "predict_proba"):
        raise ValueError(
            f"{what} needs probabilities, and student {class_name(student)} has no predict_proba: "
            "take one that has"
        )


def _check_soft(student: Any, argument: str | None) -> None:
    if argument is None:
        raise ValueError(
            f"student {class_name(student)} cannot learn from probabilities: its fit takes no "
            "teacher_proba, nor does the last step of a pipeline. Take labels='hard', a student of "
            "sklearn_distill, or SoftTargetClassifier(regressor) with the regressor of its kind"
        )
    check_proba(student, "labels='soft'")


def _imitation_of(student: Any) -> str | None:
    """Return the name of λ, in a pipeline that of its last step's."""
    steps = getattr(student, "steps", None)
    if not steps:
        return "imitation" if "imitation" in student.get_params(deep=False) else None
    name, last = steps[-1]
    inner = _imitation_of(last)
    return None if inner is None else f"{name}__{inner}"
