"""Write the guide page "Common mistakes" from the cases, with the messages that they give.

``python -m tests.mistakes.page`` writes ``docs/user_guide/common_mistakes.md``. A new case is one
``Case`` in the group where it belongs.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import sklearn

from tests.mistakes import (
    arguments,
    columns,
    forgotten_teacher,
    missing,
    networks,
    pipelines,
    scales,
    searches,
)
from tests.mistakes.case import Case, Group, clean, messages, text_of

PAGE = Path(__file__).parents[2] / "docs" / "user_guide" / "common_mistakes.md"
GROUPS = tuple(
    module.GROUP
    for module in (
        forgotten_teacher,
        columns,
        arguments,
        scales,
        missing,
        pipelines,
        searches,
        networks,
    )
)
HEAD = f"""# Common mistakes

This page lists what is easily written by mistake, the message that follows, and what to write
instead. Some cases look like mistakes and are right as they are: they have no message. An error
leaves the estimator as it was.

*Each case is a test; `python -m tests.mistakes.page` writes this page from them, with scikit-learn
{sklearn.__version__}.*
"""


def written_page() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(section(group) for group in GROUPS)])


def section(group: Group) -> str:
    """Return the section of a group: its data, and its cases."""
    cases = [entry(group, case) for case in group.cases]
    return "\n".join([f"## {group.title}\n", block(group.setup), *cases])


def entry(group: Group, case: Case) -> str:
    """Return the entry of a case: what is written, what follows, and what to write instead."""
    parts = [
        f"### {case.title}\n",
        f"{textwrap.fill(case.why, 99, break_on_hyphens=False)}\n",
        block(case.code),
    ]
    if case.says:
        said = messages(group.setup, case.code)
        parts.append("\n".join(output(text_of(message)) for message in said))
    if case.cure:
        parts += ["Instead:\n", block(case.cure)]
    return "\n".join(parts)


def block(code: str) -> str:
    """Return a block of code; the tests of the cases run it."""
    return f"<!-- no-run: tests/mistakes runs the case -->\n```python\n{clean(code)}\n```\n"


def output(text: str) -> str:
    """Return a block of a message, wrapped, without addresses in memory."""
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    lines = [textwrap.fill(line, 88, break_on_hyphens=False) for line in text.splitlines()]
    return "\n".join(["```text", *lines, "```\n"])


def main() -> None:
    """Write the page."""
    PAGE.write_text(written_page(), "utf-8")


if __name__ == "__main__":
    main()
