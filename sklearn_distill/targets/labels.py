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
    >>> Labels(np.array([1, 0, -1]), n_classes=2).one_hot(np.ones(3))
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """

    codes: IntArray
    n_classes: int

    @cached_property
    def present(self) -> BoolArray:
        """Rows that have a label."""
        return np.asarray(self.codes != MISSING)

    def one_hot(self, weight: FloatArray) -> FloatArray:
        """Return (n_classes, n_rows): each row's weight in its label's place, 0 without a label."""
        mass = np.zeros((self.n_classes, len(self.codes)))
        rows = np.flatnonzero(self.present)
        mass[self.codes[rows], rows] = weight[rows]
        return mass
