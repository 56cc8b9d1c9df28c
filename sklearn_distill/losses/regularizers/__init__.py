"""Regularisers of the student's softened probabilities, added to the imitation loss."""

from typing import Protocol

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.regularizers.continuous_categorical import ContinuousCategorical
from sklearn_distill.losses.regularizers.grabovoy import Grabovoy

__all__ = [
    "REGULARIZER_NAMES",
    "ContinuousCategorical",
    "Grabovoy",
    "Regularizer",
    "make_regularizer",
]


class Regularizer(Protocol):
    """A smooth function r of one row of softened scores, added to the cross-entropy.

    A row pays ``lse(u) − q·u + r(u)`` with u = z/T'. Arrays are class-major, of shape (n_classes,
    n_rows) with n_classes ≥ 2 and finite floating-point scores. The work is done in float64 and the
    answer has the dtype of ``u``. r does not see a shift of all scores, so gradients sum to 0 over
    the classes. Instances carry no state.
    """

    @property
    def bounded_below(self) -> bool:
        """Whether the cross-entropy plus r is bounded below for every target q."""
        ...

    def convex(self, n_classes: int) -> bool:
        """Tell whether the cross-entropy plus r is convex in u (r alone need not be)."""
        ...

    def value(self, u: FloatArray) -> FloatArray:
        """Compute r, of shape (n_rows,)."""
        ...

    def gradient(self, u: FloatArray) -> FloatArray:
        """Compute ∇r, of shape (n_classes, n_rows)."""
        ...

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Compute r and ∇r, sharing the work."""
        ...

    def hessian_product(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Compute ∇²r(u) v row by row, of shape (n_classes, n_rows)."""
        ...

    def hessian(self, u: FloatArray) -> FloatArray:
        """Compute ∇²r, of shape (n_classes, n_classes, n_rows), for many products at one u."""
        ...


_REGULARIZERS: dict[str, Regularizer] = {
    "grabovoy": Grabovoy(),
    "continuous_categorical": ContinuousCategorical(),
}
REGULARIZER_NAMES = frozenset(_REGULARIZERS)


def make_regularizer(name: str | None) -> Regularizer | None:
    """Find the regulariser of a name.

    Parameters
    ----------
    name : {"grabovoy", "continuous_categorical"} or None
        The estimators' parameter ``regularizer``.

    Returns
    -------
    Regularizer or None
        None for None: the imitation loss is the bare cross-entropy.

    Raises
    ------
    ValueError
        If there is no such regulariser.

    Examples
    --------
    >>> from sklearn_distill.losses.regularizers import make_regularizer
    >>> make_regularizer("grabovoy")
    Grabovoy()
    """
    if name is None:
        return None
    if not isinstance(name, str) or name not in _REGULARIZERS:
        allowed = ", ".join(map(repr, _REGULARIZERS))
        raise ValueError(f"regularizer must be None or one of {allowed}; got {name!r}.")
    return _REGULARIZERS[name]
