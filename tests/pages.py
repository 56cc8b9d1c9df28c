"""Run the ```python blocks of a page, and compare or write the ```text blocks of their output.

``python -m tests.pages PAGE ...`` writes what the blocks print into the pages. A block is left out
when the line before it is ``<!-- no-run: the reason -->``, and numbers of its output are not
compared after ``<!-- numbers vary: the reason -->``.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

BLOCK = re.compile(
    r"(?P<skip>^<!-- no-run: [^\n]+ -->\n\n?)?(?P<vary>^<!-- numbers vary: [^\n]+ -->\n\n?)?"
    r"^```python\n(?P<code>.*?)^```$"
    r"(?P<shown>\n\n```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
NUMBER = re.compile(r"[-+−]?\d(?:[\d,]*\d)?(?:\.\d+)*(?:e[-+]\d+)?")
SPEED = re.compile(r"[\d.,]+(?= times as fast)|^(?:latency|rows_per_second).*$", re.MULTILINE)
ABSOLUTE, RELATIVE = 0.02, 0.05  # what other processors and releases may change


@dataclass(frozen=True)
class Output:
    """What a block prints, and what the page shows; None if it shows no output.

    The numbers may vary from one machine to another.
    """

    line: int
    printed: str
    shown: str | None
    vary: bool = False

    @property
    def agrees(self) -> bool:
        """Whether the page shows the same words, and numbers near to the printed ones."""
        if self.shown is None:
            return True
        shown, printed = without_speed(self.shown), without_speed(self.printed)
        same = words(shown) == words(printed)
        return same and (self.vary or all(map(near, numbers(shown), numbers(printed))))


def without_speed(text: str) -> str:
    """Return an output without the numbers that tell how fast a model is on this machine."""
    return SPEED.sub("", text)


def words(text: str) -> list[str]:
    """Return the words of an output, every number as #."""
    return NUMBER.sub("#", text).split()


def numbers(text: str) -> list[float]:
    """Return the numbers of an output; a version has several."""
    found = (number.replace("−", "-").replace(",", "") for number in NUMBER.findall(text))
    return [float(number) for number in found if number.count(".") < 2]


def near(x: float, y: float) -> bool:
    """Return whether two numbers differ by no more than another machine explains.

    Examples
    --------
    >>> near(0.84, 0.85), near(0.84, 0.74), near(1.57, 1.35)
    (True, False, False)
    """
    return abs(x - y) <= ABSOLUTE + RELATIVE * max(abs(x), abs(y))


def runnable_blocks(text: str) -> list[re.Match[str]]:
    """Return the blocks of a page that are run."""
    return [block for block in BLOCK.finditer(text) if not block["skip"]]


def run_page(page: Path) -> list[Output]:
    """Run the blocks of a page in one namespace, in the working directory.

    Lines have the numbers that they have on the page.
    """
    text, outputs = page.read_text("utf-8"), []
    script = ModuleType("__main__")  # where pickle looks for a class of the page
    before, sys.modules["__main__"] = sys.modules["__main__"], script
    try:
        for block in runnable_blocks(text):
            line = text.count("\n", 0, block.start("code"))
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile("\n" * line + block["code"], str(page), "exec"), vars(script))
            outputs.append(Output(line, printed.getvalue(), block["output"], bool(block["vary"])))
    finally:
        sys.modules["__main__"] = before
    return outputs


def with_outputs(text: str, outputs: list[Output]) -> str:
    """Return the page with these outputs in the blocks that show one."""
    for block, output in reversed(list(zip(runnable_blocks(text), outputs, strict=True))):
        if block["output"] is not None:
            lines = [line.rstrip() for line in output.printed.strip("\n").split("\n")]
            start, end = block.span("output")
            text = text[:start] + "\n".join(lines) + "\n" + text[end:]
    return text


def main() -> None:
    """Write the outputs into the pages that are named on the command line."""
    for name in sys.argv[1:]:
        page = Path(name).resolve()
        page.write_text(with_outputs(page.read_text("utf-8"), run_page(page)), "utf-8")


if __name__ == "__main__":
    main()
