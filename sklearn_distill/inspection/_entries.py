"""The rows of a leaderboard: students, their baselines and controls, the teacher and the prior."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_distill._validation.fit_params import (
    clone_without_teacher,
    fit_param_name,
    student_param_name,
)
from sklearn_distill._validation.last_step import last_step
from sklearn_distill.search import DistilledLogisticRegressionCV, PrivilegedLinearRegressionCV
from sklearn_distill.students import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    SoftTargetClassifier,
    SoftTargetRegressor,
)

RESERVED = ("prior", "teacher")
STUDENT_KINDS = ("baseline", "distilled")  # only these can be chosen
CONTROLS = ("permuted", "label smoothing")
_SEARCHES = (DistilledLogisticRegressionCV, PrivilegedLinearRegressionCV)
Setting = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Entry:
    """A row of the leaderboard, before it is fitted.

    Parameters
    ----------
    name : str
        Of the row.
    student : str
        Name of the student in the user's dict; that of the row for teacher and prior.
    kind : {"distilled", "baseline", "permuted", "label smoothing", "teacher", "prior"}
        How it is fitted.
    estimator : estimator
        The unfitted student, teacher or prior.
    settings : list of dict
        The parameters that the search compares; a single one is not searched.
    """

    name: str
    student: str
    kind: str
    estimator: Any
    settings: list[Setting] = field(default_factory=lambda: [{}])


def make_entries(
    teacher: Any,
    students: Mapping[str, Any],
    *,
    is_class: bool,
    controls: bool,
    param_grid: Mapping[str, Any] | None,
) -> list[Entry]:
    """Return the rows of the leaderboard.

    Parameters
    ----------
    teacher : estimator
        The teacher.
    students : dict of str to estimator
        Students, whose fit takes a teacher's predictions, and other models.
    is_class : bool
        Whether they are classifiers.
    controls : bool
        Whether each distilled student has its controls.
    param_grid : dict of str to (dict or list of dict), or None
        The settings to search, by the student's name.

    Returns
    -------
    list of Entry
        Baselines come first: of equally good models, the one without a teacher is chosen.

    Raises
    ------
    ValueError
        If a name is reserved or unknown, or a student is a search over a student.
    """
    _check_names(students, param_grid)
    grids = dict(param_grid or {})
    entries = [
        entry
        for name, student in students.items()
        for entry in _entries_of(str(name), student, grids.get(name), is_class, controls)
    ]
    kinds = [*STUDENT_KINDS, *CONTROLS]
    prior = DummyClassifier(strategy="prior") if is_class else DummyRegressor()
    return [
        Entry("prior", "prior", "prior", prior),
        Entry("teacher", "teacher", "teacher", teacher),
        *sorted(entries, key=lambda entry: kinds.index(entry.kind)),
    ]


def _check_names(students: Mapping[str, Any], param_grid: Mapping[str, Any] | None) -> None:
    taken = [name for name in students if str(name) in RESERVED or ": " in str(name)]
    if not students or taken:
        raise ValueError(
            f"students has the names {list(students)}; pass one student or more, by names other "
            f"than {list(RESERVED)} and without ': '."
        )
    unknown = sorted(set(param_grid or {}) - set(students))
    if unknown:
        raise ValueError(f"param_grid has {unknown}; the students are {list(students)}.")


def _entries_of(
    name: str, student: Any, grid: Any, is_class: bool, controls: bool
) -> Iterator[Entry]:
    param = "teacher_proba" if is_class else "teacher_prediction"
    if fit_param_name(student, param) is None:
        _refuse_search_over_student(name, student, param)
        yield Entry(name, name, "baseline", student, _settings(grid))
        return
    settings = _small_grid(student) if grid is None else _settings(grid)
    baseline = clone_without_teacher(student, [])
    yield Entry(f"{name}: baseline", name, "baseline", baseline, _without(student, settings))
    yield Entry(name, name, "distilled", student, settings)
    if controls:
        for kind in CONTROLS:
            yield Entry(f"control: {name}, {kind}", name, kind, student, settings)


def _refuse_search_over_student(name: str, student: Any, param: str) -> None:
    inner = getattr(last_step(student), "estimator", None)
    if inner is not None and hasattr(inner, "fit") and fit_param_name(inner, param) is not None:
        raise ValueError(
            f"students[{name!r}] is a {type(student).__name__} over a student: pass the student "
            f"itself, and its settings as param_grid={{{name!r}: ...}}, so that the teacher is "
            "refitted in each fold of the search."
        )


def _settings(grid: Any) -> list[Setting]:
    return [{}] if grid is None else list(ParameterGrid(grid))


def _small_grid(student: Any) -> list[Setting]:
    """Return λ of 0, ½ and 1, with T of 1 and 3; nothing for a student that searches itself."""
    last = last_step(student)
    imitation = student_param_name(student, "imitation")
    has_own = isinstance(last, _SEARCHES) or getattr(last, "metaparameter_optimizer", None)
    if has_own or imitation is None:
        return [{}]
    temperature = student_param_name(student, "temperature")
    softened = {} if temperature is None else {temperature: [1.0, 3.0]}
    return list(ParameterGrid([{imitation: [0.0]}, {imitation: [0.5, 1.0]} | softened]))


def _without(student: Any, settings: list[Setting]) -> list[Setting]:
    """Return the settings without λ and T, each once."""
    names = {student_param_name(student, name) for name in ("imitation", "temperature")}
    kept: list[Setting] = []
    for setting in settings:
        other = {name: value for name, value in setting.items() if name not in names}
        if other not in kept:
            kept.append(other)
    return kept


def groups_param(student: Any) -> str | None:
    """Return the name under which ``fit`` takes groups for the student's own search, or None.

    Examples
    --------
    >>> groups_param(make_pipeline(StandardScaler(), PrivilegedLinearRegressionCV()))
    'privilegedlinearregressioncv__groups'
    """
    if not isinstance(last_step(student), _SEARCHES):
        return fit_param_name(student, "groups")
    # they route groups to their splitter: their fit names no such parameter
    weight = fit_param_name(student, "sample_weight")
    return None if weight is None else weight.replace("sample_weight", "groups")


def default_students(*, is_class: bool) -> dict[str, Any]:
    """Return a linear student, a tree, boosting, and a small network if torch is installed.

    Parameters
    ----------
    is_class : bool
        Whether the students are classifiers.

    Returns
    -------
    dict of str to estimator
        Unfitted students for a table of numbers.
    """
    leaves = {"max_depth": 8, "min_samples_leaf": 5}
    students: dict[str, Any] = (
        {
            "linear": make_pipeline(StandardScaler(), DistilledLogisticRegressionCV()),
            "tree": SoftTargetClassifier(DecisionTreeClassifier(**leaves)),
            "boosting": DistilledBoostingClassifier(HistGradientBoostingClassifier()),
        }
        if is_class
        else {
            "linear": make_pipeline(StandardScaler(), PrivilegedLinearRegressionCV()),
            "tree": SoftTargetRegressor(DecisionTreeRegressor(**leaves)),
            "boosting": DistilledBoostingRegressor(HistGradientBoostingRegressor()),
        }
    )
    if find_spec("torch") and find_spec("skorch"):
        kind = DistilledNeuralClassifier if is_class else DistilledNeuralRegressor
        # early stopping on few rows, too, which the class's own defaults do not hold out
        network = kind(max_epochs=200, lr=0.01, early_stopping=True)
        students["network"] = make_pipeline(StandardScaler(), network)
    return students
