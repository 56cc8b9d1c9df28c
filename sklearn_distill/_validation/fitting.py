"""What every ``fit`` goes through."""

import functools
from collections.abc import Callable
from typing import Any

from sklearn.base import _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

__all__ = ["HasMethods", "Interval", "StrOptions", "all_or_nothing", "validated_parameters"]

# checks constructor parameters against the class's _parameter_constraints before fit runs
validated_parameters = _fit_context(prefer_skip_nested_validation=True)


def all_or_nothing(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Make a failed or interrupted fit leave the estimator as it was before.

    Parameters
    ----------
    fit : callable
        A method that sets fitted attributes.

    Returns
    -------
    callable
        The method; whatever it raises, the attributes are then those before the call.
    """

    @functools.wraps(fit)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = dict(vars(self))
        try:
            return fit(self, *args, **kwargs)
        except BaseException:  # Ctrl-C too
            vars(self).clear()
            vars(self).update(before)
            raise

    return guarded
