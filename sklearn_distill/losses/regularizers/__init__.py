"""Regularisers r of the student's softened probabilities, added to the teacher's term."""

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
    """A smooth function r of a row's softened scores, added to the cross-entropy.

    The loss of a row is ``lse(u) − q·u + r(u)`` with u = z/T'. Arrays are class-major, of shape
    (n_classes, n_rows) with n_classes ≥ 2, and scores are finite. Computations are in float64, and
    results have the dtype of ``u``. r is invariant to a shift of all scores, so gradients sum to 0
    over the classes. Instances have no state.
    """

    @property
    def bounded_below(self) -> bool:
        """Whether the cross-entropy plus r is bounded below for every target q."""
        ...

    def convex(self, n_classes: int) -> bool:
        """Whether the cross-entropy plus r is convex in u, even if r itself is not."""
        ...

    def value(self, u: FloatArray) -> FloatArray:
        """Compute r, of shape (n_rows,)."""
        ...

    def gradient(self, u: FloatArray) -> FloatArray:
        """Compute ∇r, of shape (n_classes, n_rows)."""
        ...

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Compute r and ∇r together, which share most computations."""
        ...

    def hessian_product(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Compute ∇²r(u) v row by row, of shape (n_classes, n_rows)."""
        ...

    def hessian(self, u: FloatArray) -> FloatArray:
        """Compute ∇²r, of shape (n_classes, n_classes, n_rows)."""
        ...


_REGULARIZERS: dict[str, Regularizer] = {
    "grabovoy": Grabovoy(),
    "continuous_categorical": ContinuousCategorical(),
}
REGULARIZER_NAMES = frozenset(_REGULARIZERS)


def make_regularizer(name: str | None) -> Regularizer | None:
    """Return the regulariser of a name.

    Parameters
    ----------
    name : {"grabovoy", "continuous_categorical"} or None
        Value of the estimators' parameter ``regularizer``.

    Returns
    -------
    Regularizer or None
        The regulariser; None for None, which leaves the cross-entropy unchanged.

    Raises
    ------
    ValueError
        If no regulariser has this name.

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
