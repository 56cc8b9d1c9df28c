"""Decorators of ``fit`` and other methods, which keep their signatures for type checkers."""

import functools
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from sklearn.base import _fit_context
from sklearn.utils import metaestimators
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    make_constraint,
)

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "all_or_nothing",
    "available_if",
    "satisfies_constraints",
    "validated_parameters",
]

P = ParamSpec("P")
R = TypeVar("R")


def validated_parameters(fit: Callable[P, R]) -> Callable[P, R]:
    """Check the constructor parameters against ``_parameter_constraints`` before ``fit`` runs."""
    checked: Callable[P, R] = _fit_context(prefer_skip_nested_validation=True)(fit)
    return checked


def satisfies_constraints(estimator: Any) -> bool:
    """Return whether the constructor parameters satisfy ``_parameter_constraints``.

    As ``_validate_params`` of scikit-learn, which makes the constraints anew in each fit and raises
    the error. The verdict on parameters that are numbers, strings or None is remembered: in a
    search of many small fits most of them come again.
    """
    kind: Any = type(estimator)
    values = [getattr(estimator, name) for name, _ in _constraints_of(kind)]
    if _IMMUTABLE.issuperset(map(type, values)):
        return _satisfied(kind, *values)
    return _are_satisfied(kind, values)


# of exactly these types: a value of a subclass may be mutable
_IMMUTABLE = frozenset({bool, int, float, str, type(None)})


@functools.lru_cache(maxsize=256, typed=True)  # typed: 1, 1.0 and True are equal
def _satisfied(kind: Any, *values: Any) -> bool:
    return _are_satisfied(kind, values)


def _are_satisfied(kind: Any, values: Iterable[Any]) -> bool:
    return all(
        any(one.is_satisfied_by(value) for one in constraints)
        for (_, constraints), value in zip(_constraints_of(kind), values, strict=True)
    )


@functools.cache
def _constraints_of(kind: Any) -> list[tuple[str, list[Any]]]:
    declared: dict[str, Any] = kind._parameter_constraints
    return [
        (name, [make_constraint(one) for one in constraints])
        for name, constraints in declared.items()
        if constraints != "no_validation"
    ]


def available_if(check: Callable[[Any], bool]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a method exist only where ``check(estimator)`` is true.

    As :func:`sklearn.utils.metaestimators.available_if`, which hides the method's signature.
    """
    decorator: Callable[[Callable[P, R]], Callable[P, R]] = metaestimators.available_if(check)
    return decorator


def all_or_nothing(fit: Callable[P, R]) -> Callable[P, R]:
    """Restore the estimator's attributes if a fit fails or is interrupted.

    Parameters
    ----------
    fit : callable
        A method that sets fitted attributes.

    Returns
    -------
    callable
        The method; if it raises, the attributes are those before the call.
    """

    @functools.wraps(fit)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        attributes = vars(args[0])
        before = dict(attributes)
        try:
            return fit(*args, **kwargs)
        except BaseException:  # also KeyboardInterrupt
            attributes.clear()
            attributes.update(before)
            raise

    return guarded
