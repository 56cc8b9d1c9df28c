"""The docstrings of everything public, by numpydoc's rules; `make lint` runs this file too."""

import inspect

import pytest
from numpydoc.validate import validate

import sklearn_distill
from tests.public_api import public_methods, public_names

EXEMPT = {
    "ES01",  # one line can say it all
    "EX01",  # a protocol or a download has nothing to show
    "PR08",  # descriptions begin with the letter of the formula: "λ in [0, 1], …"
    "RT04",  # the same
    "SA01",  # most have no neighbour worth naming
}
SECTIONS = {"PR01", "RT01", "YD01"}  # parameters, returns, yields
MATHEMATICS = tuple(
    f"sklearn_distill.{package}." for package in ("chunks", "targets", "losses", "solvers")
)


def generated_init(owner: object) -> bool:
    """Tell records, enumerations and protocols: they list attributes, if anything."""
    code = getattr(getattr(owner, "__init__", None), "__code__", None)
    written = code is not None and code.co_filename.startswith(sklearn_distill.__path__[0])
    return inspect.isclass(owner) and not written


def documented() -> dict[str, set[str]]:
    """Name the public classes, functions and methods, each with the rules it need not keep."""
    exempt = {}
    for name, thing in public_names().items():
        if inspect.isclass(thing) or inspect.isroutine(thing):
            exempt[name] = EXEMPT | ({"PR01"} if generated_init(thing) else set())
        for method in public_methods(thing):
            # The class explains its letters, and strict mypy demands their types: a line will do.
            inside = name.startswith(MATHEMATICS)
            exempt[f"{name}.{method}"] = EXEMPT | (SECTIONS if inside else set())
    return exempt


@pytest.mark.parametrize(("name", "exempt"), documented().items(), ids=documented())
def test_numpydoc_finds_no_fault(name, exempt):
    errors = validate(name)["errors"]
    assert [f"{code}: {text}" for code, text in errors if code not in exempt] == []
