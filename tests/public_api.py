"""What the package promises: the names in its ``__all__``; for the tests and the API pages."""

import importlib
import inspect
import pkgutil
from types import FunctionType, ModuleType

import sklearn_distill

# Modules that load torch when they are imported; nothing else may, the rooms themselves included.
NEED_TORCH = frozenset(
    f"sklearn_distill.{module}"
    for module in (
        "losses.torch_tangent",
        "losses.torch_twin",
        "nets.accelerated",
        "nets.alignment",
        "nets.bilevel",
        "nets.callbacks",
        "nets.checkpoint",
        "nets.embedding",
        "nets.export",
        "nets.features",
        "nets.hidden",
        "nets.hypergradient",
        "nets.loader",
        "nets.modules",
        "nets.net",
        "nets.resnet",
        "nets.schedules",
        "nets.weights",
    )
)


def module_names() -> list[str]:
    """Name every module without an underscore in its path; parents come before children."""
    found = pkgutil.walk_packages(sklearn_distill.__path__, prefix="sklearn_distill.")
    return sorted(module.name for module in found if "._" not in module.name)


def public_modules() -> list[ModuleType]:
    """Import the package and every module of :func:`module_names`."""
    return [sklearn_distill, *map(importlib.import_module, module_names())]


def public_names() -> dict[str, object]:
    """Give each public object once, by its shortest path: ``{"sklearn_distill.…": object}``."""
    rooms = [module for module in public_modules() if hasattr(module, "__all__")]
    named = [(room, name, getattr(room, name)) for room in rooms for name in room.__all__]
    named.sort(key=lambda entry: entry[0].__name__.count("."))
    first: dict[int, tuple[str, object]] = {}
    for room, name, thing in named:
        first.setdefault(id(thing), (f"{room.__name__}.{name}", thing))
    return dict(sorted(first.values(), key=lambda entry: entry[0]))


def public_methods(owner: object) -> list[str]:
    """Name the methods and properties of a class that are written in this package."""
    bases = owner.__mro__ if inspect.isclass(owner) else ()
    ours = [vars(base) for base in bases if base.__module__.startswith("sklearn_distill")]
    kinds = (FunctionType, property, classmethod, staticmethod)
    members = {name: member for written in ours for name, member in written.items()}
    return sorted(
        name for name, what in members.items() if name[0] != "_" and isinstance(what, kinds)
    )
