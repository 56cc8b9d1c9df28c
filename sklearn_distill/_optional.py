"""Optional dependencies, imported when they are needed; an error names the pip command."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

PIP = 'pip install "sklearn-distill[neural]"'


def import_torch(who: str) -> ModuleType:
    """Return torch, or raise an ImportError with the pip command.

    Parameters
    ----------
    who : str
        Name of the caller in the user's code, with which the error message begins.

    Returns
    -------
    module
        torch.

    Raises
    ------
    ImportError
        If torch is not installed. An installed torch that fails to import raises its own error.

    Examples
    --------
    >>> import_torch("resolve_device").ones(2)
    tensor([1., 1.])
    """
    return _import("torch", f"{who} needs torch: {PIP}")


def import_skorch(who: str) -> ModuleType:
    """Return skorch, or raise an ImportError with the pip command; skorch itself needs torch.

    Parameters
    ----------
    who : str
        Name of the caller in the user's code, with which the error message begins.

    Returns
    -------
    module
        skorch.

    Raises
    ------
    ImportError
        If torch or skorch is not installed.

    Examples
    --------
    >>> import_skorch("DistilledNeuralClassifier").__name__
    'skorch'
    """
    message = f"{who} needs torch and skorch: {PIP}"
    _import("torch", message)
    return _import("skorch", message)


def import_optuna(who: str) -> ModuleType:
    """Return optuna, or raise an ImportError with the pip command.

    Parameters
    ----------
    who : str
        Name of the caller in the user's code, with which the error message begins.

    Returns
    -------
    module
        optuna.

    Raises
    ------
    ImportError
        If optuna is not installed.

    Examples
    --------
    >>> import_optuna("distillation_objective").__name__
    'optuna'
    """
    return _import("optuna", f'{who} needs optuna: pip install "sklearn-distill[search]"')


def import_boosting(library: str, who: str) -> ModuleType:
    """Return a boosting library, or raise an ImportError with the pip command.

    Parameters
    ----------
    library : {"lightgbm", "xgboost", "catboost"}
        Name of the library.
    who : str
        Name of the caller in the user's code, with which the error message begins.

    Returns
    -------
    module
        The library.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    return _import(library, f'{who} needs {library}: pip install "sklearn-distill[boosting]"')


def import_onnx(module: str, who: str) -> ModuleType:
    """Return a module of the extra ``onnx``, or raise an ImportError with the pip command.

    Parameters
    ----------
    module : str
        Name of the module: "skl2onnx", "onnxmltools", "onnxruntime", …
    who : str
        Name of the caller in the user's code, with which the error message begins.

    Returns
    -------
    module
        The module.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    return _import(module, f'{who} needs {module}: pip install "sklearn-distill[onnx]"')


def import_skops(who: str) -> ModuleType:
    """Return skops.io, or raise an ImportError with the pip command.

    Parameters
    ----------
    who : str
        Name of the caller in the user's code, with which the error message begins.

    Returns
    -------
    module
        skops.io.

    Raises
    ------
    ImportError
        If skops is not installed.
    """
    _import("skops", f'{who} needs skops: pip install "sklearn-distill[deploy]"')
    return import_module("skops.io")


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package whose names need torch (PEP 562).

    Parameters
    ----------
    package : str
        The ``__name__`` of the package.
    homes : mapping of str to str
        Module of the package that defines each name.

    Returns
    -------
    getattr, dir : callables
        The first imports the module of a name when the name is first used; the second lists these
        names together with those that the package holds already.
    """

    def get_name(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        import_torch(f"{package}.{name}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    def list_names() -> list[str]:
        return sorted({*vars(import_module(package)), *homes})

    return get_name, list_names


def tensor_to_numpy(values: Any) -> NDArray[Any]:
    """Return a torch tensor on any device as an array in memory; torch need not be imported."""
    array: NDArray[Any] = values.detach().cpu().numpy()
    return array


def _import(name: str, message: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise  # a dependency of the package is missing, not the package itself
        raise ImportError(message) from error
