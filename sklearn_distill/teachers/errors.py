"""Whose error it is: which teacher's, and in which fold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def named_in_errors(teacher: Any, where: str) -> Iterator[None]:
    """Say in any error whose it is and in which fold."""
    try:
        yield
    except Exception as error:
        kinds = (ValueError, TypeError)
        kind = next((kind for kind in kinds if isinstance(error, kind)), RuntimeError)
        raise kind(f"teacher {name_of(teacher)} failed {where}: {error}") from error


def name_of(teacher: Any) -> str:
    """Return the name of the teacher's class."""
    return type(teacher).__name__
