"""Labels as class numbers, some of them missing."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray

MISSING = -1


@dataclass(frozen=True)
class Labels:
    """Class numbers of the rows.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows,)
        Position of each row's label in ``classes_``; ``MISSING`` where the row has none.
    n_classes : int
        Number of classes K.

    Examples
    --------
    >>> import numpy as np
    >>> Labels(np.array([1, 0, -1]), n_classes=2).add_mass(np.zeros((2, 3)), np.ones(3))
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """

    codes: IntArray
    n_classes: int

    @cached_property
    def present(self) -> BoolArray:
        """Rows that have a label."""
        return np.asarray(self.codes != MISSING)

    def add_mass(self, mass: FloatArray, weight: FloatArray) -> FloatArray:
        """Add each row's weight in its label's place to (n_classes, n_rows) and return that."""
        for k, mass_k in enumerate(mass):  # faster than scattering into K far-apart rows
            mass_k += weight * (self.codes == k)
        return mass

    def one_hot(self, weight: FloatArray) -> FloatArray:
        """Return (n_classes, n_rows): each row's weight in its label's place, 0 without a label."""
        return self.add_mass(np.zeros((self.n_classes, len(self.codes))), weight)
