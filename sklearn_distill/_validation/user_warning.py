"""Warn at the line of the user's call, whatever lies between."""

import inspect
import warnings

# packages whose frames lie between the user's call of fit and the warning
_BETWEEN = frozenset({"sklearn_distill", "sklearn", "joblib", "skorch"})


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning whose place is the user's line.

    Decorators, pipelines and searches lie between, so that no fixed number of calls would do.

    Parameters
    ----------
    message : str
        What happened and what to do.
    category : type of Warning, default=UserWarning
        The warning's class.

    Warns
    -----
    Warning
        Always, of the given class.
    """
    warnings.warn(message, category, stacklevel=_level_of_user())


def _level_of_user() -> int:
    """Return the stacklevel of the user's call, as seen by the function that calls this one.

    Without a user's frame, as in a worker process, the level is beyond the stack, which
    ``warnings`` accepts.
    """
    frame, level = inspect.currentframe(), 0
    while frame is not None and _package_of(frame.f_globals) in _BETWEEN:
        frame, level = frame.f_back, level + 1
    return level


def _package_of(namespace: dict[str, object]) -> str:
    return str(namespace.get("__name__", "")).partition(".")[0]
