"""Draw which module may import which, from the contracts that ``make lint`` checks."""

import importlib
import inspect
import tomllib
from html import escape
from pathlib import Path
from typing import Any

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
WIDTH, ROW, MARGIN, NAME = 780, 30, 44, 130
MATHEMATICS, OTHER = "#bfe3e0", "#eceff1"


def contracts() -> dict[str, dict[str, Any]]:
    """Return the contracts of import-linter by their type."""
    tool = tomllib.loads(PYPROJECT.read_text("utf-8"))["tool"]
    return {contract["type"]: contract for contract in tool["importlinter"]["contracts"]}


def first_line(name: str) -> str:
    """Return the first line of a module's docstring."""
    module = importlib.import_module(f"sklearn_distill.{name}")
    return (inspect.getdoc(module) or "").splitlines()[0].replace("``", "")


def row(place: int, name: str, colour: str) -> str:
    """Draw the row of a module."""
    y = 8 + ROW * place
    return (
        f'<rect x="{MARGIN}" y="{y}" width="{WIDTH - MARGIN - 8}" height="{ROW - 5}" rx="4" '
        f'fill="{colour}"/>'
        f'<text x="{MARGIN + 10}" y="{y + 17}" font-family="monospace" font-weight="bold">'
        f"{escape(name)}</text>"
        f'<text x="{MARGIN + NAME}" y="{y + 17}">{escape(first_line(name))}</text>'
    )


def layers_svg() -> str:
    """Draw the modules, each above those that it may import; colour the purely numerical ones."""
    rules = contracts()
    names = [layer.strip("()") for layer in rules["layers"]["layers"]]
    pure = {path.rpartition(".")[2] for path in rules["forbidden"]["source_modules"]}
    rows = [
        row(place, name, MATHEMATICS if name in pure else OTHER) for place, name in enumerate(names)
    ]
    height = 12 + ROW * len(names)
    end = height - 16
    arrow = (
        f'<path d="M22 12V{end}m-5 -9l5 9l5 -9" fill="none" stroke="#333" stroke-width="1.5"/>'
        f'<text x="-{height // 2}" y="14" transform="rotate(-90)" text-anchor="middle">'
        "may import</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-size="12" '
        f'font-family="sans-serif" fill="#222"><rect width="100%" height="100%" fill="white"/>'
        f"{arrow}{''.join(rows)}</svg>\n"
    )
