"""Notice a teacher that was forgotten: the argument is absent, or missing in every row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sklearn_distill._typing import FloatArray, TeacherLike
from sklearn_distill._validation.fit_params import (
    TEACHER_PARAMS,
    has_live_teacher,
    student_param_name,
    teacher_params,
)
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.exceptions import TeacherMissingWarning

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


def check_teacher_used(
    imitation: float,
    n_taught_rows: int,
    *,
    embedding: FloatArray | None = None,
    teacher_weight: Any = None,
    **teachers: TeacherLike,
) -> None:
    """Warn if a student that imitates was given no teacher, and refuse one without predictions.

    Parameters
    ----------
    imitation : float
        The student's λ; with 0 the user has said that no teacher is meant.
    n_taught_rows : int
        Number of rows with a teacher's prediction.
    embedding : ndarray or None, default=None
        The teacher's embedding, if the student is trained on one: then it has a teacher.
    teacher_weight : array-like or None, default=None
        Weights of the predictions, which may all be 0.
    **teachers : array-like or None
        The teacher arguments of ``fit``, by name.

    Raises
    ------
    ValueError
        If a teacher was given, all its predictions are missing, and λ is 1.

    Warns
    -----
    TeacherMissingWarning
        If no teacher was given, or one without a prediction, and λ is above 0.
    """
    if imitation == 0 or n_taught_rows:
        return
    given = _given(teachers)
    cause = _missing(given, teacher_weight) if given else ""
    if not given and embedding is None:
        warn_user(
            f"no {' or '.join(teachers)}: fitted on the labels alone; pass imitation=0 to say so",
            TeacherMissingWarning,
        )
    elif given and imitation == 1:
        raise ValueError(
            f"{cause}, but imitation={imitation:g}: pass the teacher's predictions, or "
            "imitation=0 to fit on the labels alone"
        )
    elif given:
        warn_user(f"{cause}: fitted on the labels alone", TeacherMissingWarning)


def check_teacher_searched(
    searched_by: str, n_taught_rows: int, *, teacher_weight: Any = None, **teachers: TeacherLike
) -> None:
    """Require a prediction for a search over λ or T, which have no effect without one.

    Parameters
    ----------
    searched_by : str
        The argument that asks for the search, with its value, for the message.
    n_taught_rows : int
        Number of rows with a teacher's prediction.
    teacher_weight : array-like or None, default=None
        Weights of the predictions, which may all be 0.
    **teachers : array-like or None
        The teacher arguments of ``fit``, by name.

    Raises
    ------
    ValueError
        If no row has a prediction.
    """
    if n_taught_rows:
        return
    given = _given(teachers)
    cause = _missing(given, teacher_weight) if given else f"there is no {' or '.join(teachers)}"
    raise ValueError(_void_search(searched_by, cause))


def check_search_params(
    searched_by: str,
    student: BaseEstimator,
    searched: Collection[str],
    fit_params: Mapping[str, Any],
) -> None:
    """Require a teacher among the parameters of ``fit`` if a student's λ or T is searched.

    Parameters
    ----------
    searched_by : str
        The argument that asks for the search, for the message.
    student : estimator
        A student or a pipeline that ends in one. An estimator that makes the teacher's predictions
        itself takes none, and is not checked; nor is a network with a live ``teacher``.
    searched : collection of str
        Names of the constructor parameters that are searched.
    fit_params : mapping
        Parameters of ``fit``, by name.

    Raises
    ------
    ValueError
        If λ or T is searched and no teacher is given.
    """
    takes = teacher_params(student)
    tunable = {student_param_name(student, name) for name in ("imitation", "temperature")}
    given = {name.rpartition("__")[2] for name in _given(fit_params)}
    if has_live_teacher(student):
        return
    if takes and tunable & set(searched) and not given & set(TEACHER_PARAMS):
        raise ValueError(_void_search(searched_by, f"there is no {' or '.join(takes)}"))


def _void_search(searched_by: str, cause: str) -> str:
    return (
        f"{searched_by} searches the weight or the temperature of a teacher, but {cause}: pass the "
        "teacher's predictions, or set imitation=0 and search the other parameters"
    )


def _given(teachers: Mapping[str, Any]) -> list[str]:
    return [name for name, values in teachers.items() if values is not None]


def _missing(given: list[str], teacher_weight: Any) -> str:
    distrusted = "" if teacher_weight is None else " or has teacher_weight 0"
    return f"{given[0]} is missing (NaN){distrusted} in every row"
