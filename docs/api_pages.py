"""Write the pages of the API reference: what users call first, what extends the package apart."""

import inspect
from pathlib import Path
from types import ModuleType

from tests.public_api import public_modules, public_names

# The names of the package itself, by what a reader looks for.
ESTIMATORS = {
    "Students of given predictions": [
        "DistilledLogisticRegression",
        "DistilledBoostingClassifier",
        "DistilledBoostingRegressor",
        "DistilledNeuralClassifier",
        "DistilledNeuralRegressor",
        "PrivilegedLinearRegression",
        "SoftTargetClassifier",
        "SoftTargetRegressor",
        "MultiLabelStudent",
    ],
    "Teacher and student fitted together": [
        "TeacherStudentClassifier",
        "TeacherStudentRegressor",
        "BornAgainClassifier",
    ],
    "Choosing λ, T and C": [
        "DistilledLogisticRegressionCV",
        "PrivilegedLinearRegressionCV",
        "LinearTrajectory",
        "GreedyHypergradient",
    ],
    "Teachers of other domains and other classes": [
        "LatentAligner",
        "GaussianNoise",
        "RandomConvolution",
        "StyleTransfer",
        "TwoDecoderVAE",
    ],
    "Warnings": ["ImplausibleTeacherWarning", "TeacherMissingWarning", "WorseTeacherWarning"],
}
# The modules whose names appear in the user guide, and those that a user calls by other names.
USERS = (
    "inspection",
    "metrics",
    "model_selection",
    "search",
    "deployment",
    "teachers",
    "nets",
    "augmentation",
    "datasets",
    "checks",
)


def write_api_pages(folder: Path) -> None:
    """Write index.rst and internals.rst from each ``__all__``; autosummary adds the pages."""
    names = _names_by_module()
    modules = {module.__name__: module for module in public_modules() if module.__name__ in names}
    users = [f"sklearn_distill.{name}" for name in USERS]
    internals = [name for name in names if name not in (*users, "sklearn_distill")]
    folder.mkdir()
    index = [
        _title("API reference", "="),
        ".. toctree::\n   :hidden:\n\n   internals\n",
        ".. currentmodule:: sklearn_distill\n",
        *_estimators(names["sklearn_distill"]),
        *(_section(modules[name], names[name]) for name in users),
        _title("Building blocks", "-"),
        "What the estimators are made of, for extensions and for reading: :doc:`internals`.\n",
    ]
    page = [
        _title("Building blocks", "="),
        "The losses, targets and solvers of the estimators. :doc:`/extending` shows their use, and "
        ":doc:`/architecture` how they depend on each other.\n",
        *(_section(modules[name], names[name]) for name in internals),
    ]
    (folder / "index.rst").write_text("\n".join(index), "utf-8")
    (folder / "internals.rst").write_text("\n".join(page), "utf-8")


def _names_by_module() -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for path in public_names():
        module_name, name = path.rsplit(".", 1)
        names.setdefault(module_name, []).append(name)
    return names


def _estimators(names: list[str]) -> list[str]:
    """Return a section for each group; a name in none of them, or in two, is an error."""
    grouped = [name for group in ESTIMATORS.values() for name in group]
    if sorted(grouped) != sorted(names):
        raise ValueError(f"docs/api_pages.py groups {sorted(set(grouped) ^ set(names))} wrongly")
    return [_title(heading, "-") + _table(group) for heading, group in ESTIMATORS.items()]


def _section(module: ModuleType, names: list[str]) -> str:
    """Return the section of a module: its docstring and a table of its public names."""
    about = inspect.getdoc(module)
    heading = _title(module.__name__, "-")
    return f"{heading}{about}\n\n.. currentmodule:: {module.__name__}\n\n{_table(names)}"


def _table(names: list[str]) -> str:
    rows = "\n".join(f"   {name}" for name in names)
    return f".. autosummary::\n   :toctree: generated\n\n{rows}\n"


def _title(title: str, underline: str) -> str:
    return f"{title}\n{underline * len(title)}\n\n"
