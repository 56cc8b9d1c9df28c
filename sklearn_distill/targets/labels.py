"""Labels as class codes, some of which may be missing."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_distill._typing import BoolArray, FloatArray, IntArray

MISSING = -1


@dataclass(frozen=True)
class Labels:
    """Class codes of the rows.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows,)
        Index of each row's label in ``classes_``, or ``MISSING``.
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
        """Add each row's weight to the entry of its label in ``mass``, in place, and return it.

        ``mass`` has shape (n_classes, n_rows); rows without a label are left as they are.
        """
        # K contiguous passes are faster than scattering into K rows that are far apart in memory.
        for k, mass_k in enumerate(mass):
            mass_k += weight * (self.codes == k)
        return mass

    def sparse_one_hot(self, weight: FloatArray) -> Any:
        """Return the weighted one-hot labels as a csr_array, (n_rows, n_classes)."""
        rows = np.flatnonzero(self.present & (weight != 0))
        shape = (len(self.codes), self.n_classes)
        return sparse.csr_array((weight[rows], (rows, self.codes[rows])), shape=shape)

    def one_hot(self, weight: FloatArray) -> FloatArray:
        """Return the weighted one-hot labels, (n_classes, n_rows); 0 without a label."""
        return self.add_mass(np.zeros((self.n_classes, len(self.codes))), weight)
