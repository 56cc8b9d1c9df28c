import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_distill
from tests.public_api import NEED_TORCH, module_names, public_modules, public_names

PATTERN = "sklearn_distill/**/*.py"
HEAVY = ["torch", "skorch", "optuna", "matplotlib", "PIL", "polars"]


def run_python(code: str) -> str:
    """Return what a fresh interpreter prints; its errors are the test's."""
    root = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_importing_what_needs_no_torch_loads_nothing_heavy():
    light = [name for name in module_names() if name not in NEED_TORCH]
    packages = [module.__name__ for module in public_modules() if hasattr(module, "__path__")]
    assert set(packages) <= {"sklearn_distill", *light}
    imports = "\n".join(f"import {module}" for module in light)
    assert (
        run_python(f"{imports}\nimport sys; print(*{{*{HEAVY}}} & {{*sys.modules}})").split() == []
    )


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_names_that_a_module_promises_exist(module):
    promised = getattr(module, "__all__", [])
    assert [name for name in promised if not hasattr(module, name)] == []
    assert len(promised) == len(set(promised)), "__all__ names nothing twice; ruff holds its order"


def test_every_subpackage_says_what_is_public():
    packages = [module for module in public_modules() if hasattr(module, "__path__")]
    assert [package.__name__ for package in packages if not hasattr(package, "__all__")] == []


def module_trees() -> dict[str, ast.Module]:
    """Parse every module of the package, by its name."""
    root = Path(sklearn_distill.__path__[0]).parent
    paths = {path.relative_to(root).with_suffix(""): path for path in root.glob(PATTERN)}
    return {
        ".".join(name.parts).removesuffix(".__init__"): ast.parse(path.read_text("utf-8"))
        for name, path in paths.items()
    }


def imports_of(tree: ast.Module) -> list[tuple[str, str]]:
    """List what is imported from this package: (module, name)."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return [
        (node.module or "", alias.name)
        for node in found
        if (node.module or "").startswith("sklearn_distill.")
        for alias in node.names
    ]


def test_modules_with_public_names_have_no_underscore_and_all_others_have_one():
    exported = {
        getattr(module, name).__module__
        for module in public_modules()
        for name in getattr(module, "__all__", [])
        if hasattr(getattr(module, name), "__module__")
    }
    exported |= {module.__name__ for module in public_modules() if hasattr(module, "__all__")}
    private_packages = ("sklearn_distill._", "sklearn_distill.distillers._born_again.")
    wrong = [
        name
        for name in module_names()
        if not name.startswith(private_packages) and ("._" in name) == (name in exported)
    ]
    assert wrong == []


def test_private_names_of_another_subpackage_are_not_imported():
    wrong = [
        f"{importer} imports {name} of {module}"
        for importer, tree in module_trees().items()
        for module, name in imports_of(tree)
        if name.startswith("_") and module.split(".")[1] != importer.split(".")[1]
    ]
    assert wrong == []


def test_every_module_has_a_docstring():
    assert [module.__name__ for module in public_modules() if not inspect.getdoc(module)] == []


def test_every_public_name_has_a_docstring():
    documentable = {
        name: thing
        for name, thing in public_names().items()
        if inspect.isclass(thing) or inspect.isroutine(thing)
    }
    assert [name for name, thing in documentable.items() if not thing.__doc__] == []


def test_the_package_loads_what_is_used():
    code = "import sys, sklearn_distill; print('sklearn' in sys.modules, {})"
    assert run_python(code.format("0")).split() == ["False", "0"]
    assert (
        run_python(code.format("sklearn_distill.metrics.__name__")).split()[1].endswith("metrics")
    )
    with pytest.raises(AttributeError, match="has no attribute 'Distilled'"):
        sklearn_distill.Distilled  # noqa: B018


@pytest.mark.parametrize("name", sklearn_distill.__all__)
def test_a_name_is_imported_from_the_first_of_its_homes(name):
    assert getattr(sklearn_distill, name).__module__.startswith("sklearn_distill.")
    assert name in dir(sklearn_distill)


def test_an_estimator_loads_neither_trees_nor_decompositions():
    """scikit-learn's trees import its neighbours, and these its decompositions."""
    code = "import sys; from sklearn_distill import *; print(*{'sklearn.tree'} & {*sys.modules})"
    assert run_python(code).split() == []
