"""Run the ```python blocks of the README and of docs/, a namespace and a folder for each page.

A block is left out when the line before it is ``<!-- no-run: the reason -->``.
"""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
GENERATED = ("_build", "api", "auto_examples")
BLOCK = re.compile(
    r"(?P<skip>^<!-- no-run: .+ -->\n\n?)?^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


DIFF = re.compile(r"^```diff\n--- (?P<path>.+)\n(?P<lines>(?:[ +-].*\n)+)```$", re.MULTILINE)


def runnable(text: str) -> str:
    """Keep the code of a page, every line where it stands on the page, and blank the rest."""
    lines = [""] * text.count("\n")
    for block in BLOCK.finditer(text):
        if not block["skip"]:
            code = block["code"].splitlines()
            start = text.count("\n", 0, block.start("code"))
            lines[start : start + len(code)] = code
    return "\n".join(lines)


def pages() -> list[Path]:
    """Find the pages with something to run."""
    docs = sorted((ROOT / "docs").rglob("*.md"))
    written = [page for page in docs if page.relative_to(ROOT).parts[1] not in GENERATED]
    candidates = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *written]
    return [page for page in candidates if runnable(page.read_text("utf-8")).strip()]


def shown_diffs() -> list[tuple[Path, str]]:
    """Find the diffs of all pages: the file that each changes, and the lines it expects there."""
    diffs = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        for diff in DIFF.finditer(page.read_text("utf-8")):
            old = [line[1:] for line in diff["lines"].splitlines() if not line.startswith("+")]
            diffs.append((ROOT / diff["path"], "\n".join(old)))
    return diffs


@pytest.mark.parametrize(("path", "old"), shown_diffs(), ids=lambda part: str(part)[-40:])
def test_a_diff_on_a_page_fits_the_file(path, old):
    assert path.read_text("utf-8").count(f"\n{old}\n") == 1


def test_every_diff_on_a_page_names_its_file():
    pages = [page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md")]
    assert sum(page.count("```diff") for page in pages) == len(shown_diffs())


def test_a_block_runs_unless_a_reason_is_given():
    page = "text\n```python\na = 1\n```\n<!-- no-run: slow -->\n```python\nb = 1\n```\n"
    assert runnable(page) == "\n\na = 1\n\n\n\n\n"
    assert "b = 1" in runnable(page.replace("slow ", ""))


# A page's reader sees a window where this run has none.
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_code_on_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = ModuleType("__main__")  # where pickle looks for a class of the page
    monkeypatch.setitem(sys.modules, "__main__", script)
    code = compile(runnable(page.read_text("utf-8")), str(page), "exec")
    exec(code, vars(script))
