import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from tests.public_api import NEED_TORCH, module_names, public_modules, public_names

HEAVY = ["torch", "skorch", "optuna", "matplotlib", "PIL", "polars"]


def run_python(code: str) -> str:
    """Return what a fresh interpreter prints; its errors are the test's."""
    root = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_importing_what_needs_no_torch_loads_nothing_heavy():
    light = [name for name in module_names() if name not in NEED_TORCH]
    rooms = [module.__name__ for module in public_modules() if hasattr(module, "__path__")]
    assert set(rooms) <= {"sklearn_distill", *light}
    imports = "\n".join(f"import {module}" for module in light)
    assert (
        run_python(f"{imports}\nimport sys; print(*{{*{HEAVY}}} & {{*sys.modules}})").split() == []
    )


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_names_that_a_module_promises_exist(module):
    promised = getattr(module, "__all__", [])
    assert [name for name in promised if not hasattr(module, name)] == []
    assert len(promised) == len(set(promised)), "__all__ names nothing twice; ruff holds its order"


def test_every_room_says_what_is_public():
    rooms = [module for module in public_modules() if hasattr(module, "__path__")]
    assert [room.__name__ for room in rooms if not hasattr(room, "__all__")] == []


def test_every_module_has_a_docstring():
    assert [module.__name__ for module in public_modules() if not inspect.getdoc(module)] == []


def test_every_public_name_has_a_docstring():
    documentable = {
        name: thing
        for name, thing in public_names().items()
        if inspect.isclass(thing) or inspect.isroutine(thing)
    }
    assert [name for name, thing in documentable.items() if not thing.__doc__] == []
