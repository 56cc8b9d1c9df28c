"""Run the ```python blocks of the README and of docs/, a namespace and a folder for each page.

A block is left out when the line before it is ``<!-- no-run: the reason -->``. A ```text block that
follows has the words that the block prints, and numbers near to the printed ones unless the line
before the block is ``<!-- numbers vary: the reason -->``; ``python -m tests.pages`` writes it anew.
"""

import re
from pathlib import Path
from urllib.error import URLError

import pytest

from tests.pages import Output, run_page, runnable_blocks, with_outputs

ROOT = Path(__file__).parents[1]
GENERATED = ("_build", "api", "auto_examples")


DIFF = re.compile(r"^```diff\n--- (?P<path>.+)\n(?P<lines>(?:[ +-].*\n)+)```$", re.MULTILINE)


def pages() -> list[Path]:
    """Find the pages with something to run."""
    docs = sorted((ROOT / "docs").rglob("*.md"))
    written = [page for page in docs if page.relative_to(ROOT).parts[1] not in GENERATED]
    candidates = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *written]
    return [page for page in candidates if runnable_blocks(page.read_text("utf-8"))]


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
    assert [block["code"] for block in runnable_blocks(page)] == ["a = 1\n"]
    assert len(runnable_blocks(page.replace("slow ", ""))) == 2
    between = page.replace("text", "<!-- no-run: slow -->\n```python\nc = 1\n```", 1)
    assert [block["code"] for block in runnable_blocks(between)] == ["a = 1\n"]


def test_outputs_are_compared_and_written(tmp_path):
    page = tmp_path / "page.md"
    text = (
        "```python\nprint('loss', 2.5)\n```\n\n```text\nloss 2.4\n```\n\n```text\nno output\n```\n"
    )
    page.write_text(text, "utf-8")
    outputs = run_page(page)
    assert outputs == [Output(1, "loss 2.5\n", "loss 2.4\n")]
    assert outputs[0].agrees
    assert not Output(1, "loss 2.5", "gain 2.5").agrees
    assert not Output(1, "", "loss 2.5").agrees
    assert not Output(1, "loss 2.5", "loss 2.1").agrees
    assert Output(1, "9 times as fast\nlatency 20", "80 times as fast\nlatency 300").agrees
    assert with_outputs(text, outputs) == text.replace("2.4", "2.5")


# A page's reader sees a window where this run has none.
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_code_on_the_page_runs_and_prints_what_it_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        outputs = run_page(page)
    except URLError as error:
        pytest.skip(f"the page fetches data, and there is no network: {error}")
    for output in outputs:
        assert output.agrees, f"line {output.line}: it prints\n{output.printed}"
