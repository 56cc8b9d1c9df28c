import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from tests.public_api import public_modules, public_names

HEAVY = ["torch", "skorch", "optuna", "matplotlib", "PIL", "polars"]


def test_importing_every_room_loads_nothing_heavy():
    code = (
        "import sys; from tests.public_api import public_modules; public_modules();"
        f"print(*set({HEAVY}) & set(sys.modules))"
    )
    root = Path(__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_names_that_a_module_promises_exist(module):
    promised = getattr(module, "__all__", [])
    assert [name for name in promised if not hasattr(module, name)] == []
    assert list(promised) == sorted(set(promised)), "__all__ is sorted and names nothing twice"


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
