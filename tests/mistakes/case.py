"""What a user writes by mistake, what the package says to it, and what to write instead."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from textwrap import dedent
from typing import Any


@dataclass(frozen=True)
class Case:
    """A mistake, or something that looks like one and is right.

    Parameters
    ----------
    title : str
        Heading on the page.
    why : str
        What was meant and what it is taken for; Markdown.
    code : str
        What the user writes. An estimator that must stay unfitted has a name of its own.
    says : tuple (type of Exception or Warning, str) or None
        Class and words of the only error or warning; None if the code is right as it is.
    cure : str
        What to write instead, run after ``code``.
    right : str
        Expression that is true after ``cure``, or after ``code`` if it is right.
    """

    title: str
    why: str
    code: str
    says: tuple[type[Exception], str] | None = None
    cure: str = ""
    right: str = "True"


@dataclass(frozen=True)
class Group:
    """Cases with common data: a section of the page."""

    title: str
    setup: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Outcome:
    """The errors and warnings of a run, and its variables."""

    messages: list[Exception]
    names: dict[str, Any]


def run(code: str, names: dict[str, Any]) -> Outcome:
    """Run code with these variables, and catch its error and its warnings."""
    names = dict(names)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        errors: list[Exception] = []
        try:
            exec(compile(clean(code), "<a user's code>", "exec"), names)
        except Exception as error:
            errors.append(error)
    shown = [warning.message for warning in caught if isinstance(warning.message, Exception)]
    return Outcome(shown + errors, names)


@lru_cache
def variables(setup: str) -> dict[str, Any]:
    """Run the setup of a group, which neither warns nor fails."""
    outcome = run(setup, {})
    if outcome.messages:
        raise outcome.messages[0]
    return outcome.names


@lru_cache
def messages(setup: str, code: str) -> tuple[Exception, ...]:
    """Return the warnings and the error of code, run once after the setup of its group."""
    return tuple(run(code, variables(setup)).messages)


def clean(code: str) -> str:
    """Return code without the indentation that it has in the file of cases."""
    return dedent(code).strip("\n")


def text_of(message: Exception) -> str:
    """Return a message as Python shows it, with its class and its notes."""
    return "\n".join([f"{type(message).__name__}: {message}", *getattr(message, "__notes__", [])])
