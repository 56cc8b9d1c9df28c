"""What the package promises: the names in its ``__all__``; for the tests and the API pages."""

import importlib
import inspect
import pkgutil
from types import FunctionType, ModuleType

import sklearn_distill

# Modules that load torch when they are imported; nothing else may, their packages included.
NEED_TORCH = frozenset(
    f"sklearn_distill.{module}"
    for module in (
        "mappings._style",
        "mappings._vae",
        "nets._accelerated",
        "nets._batch",
        "nets._bilevel",
        "nets._callbacks",
        "nets._checkpoint",
        "nets._closed_form",
        "nets._custom_loss",
        "nets._dataset_sample",
        "nets._embedding",
        "nets._export",
        "nets._fingerprint",
        "nets._hypergradient",
        "nets._inputs",
        "nets._layers",
        "nets._live_loss",
        "nets._live_teacher",
        "nets._loader",
        "nets._loss_parts",
        "nets._mixing",
        "nets._multi_label_loss",
        "nets._multilayer_perceptron",
        "nets._net",
        "nets._padded_lstm",
        "nets._patterns",
        "nets._seen",
        "nets._share",
        "nets.features",
        "nets.hidden",
        "nets.losses",
        "nets.mixture_loss",
        "nets.modules",
        "nets.partial_mixture_loss",
        "nets.resnet",
        "nets.sparse_losses",
        "nets.weights",
        "students._neural_class_targets",
        "students._neural_identity",
        "students._neural_live",
        "students._neural_live_targets",
        "students._neural_multi_label",
        "students._neural_network",
        "students._neural_probe",
        "students._neural_regression_targets",
        "students._neural_training",
        "teachers._latent_space",
    )
)


def module_names() -> list[str]:
    """Name every module; parents come before children."""
    found = pkgutil.walk_packages(sklearn_distill.__path__, prefix="sklearn_distill.")
    return sorted(module.name for module in found if module.name != "sklearn_distill.__main__")


def public_module_names() -> list[str]:
    """Name every module without an underscore in its path."""
    return [name for name in module_names() if "._" not in name]


def public_modules() -> list[ModuleType]:
    """Import the package and every module of :func:`public_module_names`."""
    return [sklearn_distill, *map(importlib.import_module, public_module_names())]


def public_names() -> dict[str, object]:
    """Give each public object once, by its shortest path: ``{"sklearn_distill.…": object}``."""
    packages = [module for module in public_modules() if hasattr(module, "__all__")]
    named = [
        (package, name, getattr(package, name)) for package in packages for name in package.__all__
    ]
    named.sort(key=lambda entry: entry[0].__name__.count("."))
    first: dict[int, tuple[str, object]] = {}
    for package, name, thing in named:
        first.setdefault(id(thing), (f"{package.__name__}.{name}", thing))
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
