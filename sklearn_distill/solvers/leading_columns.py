"""A preconditioner of many columns, a few of which have most of the curvature."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.solvers.factor import KroneckerFactor


class LeadingColumnsFactor:
    r"""The Gram matrix A of some columns and the diagonal of the others, of each score.

    The frequencies of words fall off like :math:`1/j`, so that a few hundred of them have nearly
    all large eigenvalues of the Hessian, while the penalty dominates the others.

    Parameters
    ----------
    diagonal : ndarray of shape (n,)
        Nonnegative diagonal of all columns, in the precision of the vectors to be solved.
    columns : ndarray of int of shape (n_leading,)
        The columns of A.
    A : ndarray of shape (n_leading, n_leading)
        Symmetric and positive semidefinite matrix.
    by_column : bool, default=False
        Whether the weights of a column are consecutive in a vector, instead of those of a score.

    Raises
    ------
    numpy.linalg.LinAlgError
        If A is not finite or not positive semidefinite.

    Examples
    --------
    >>> import numpy as np
    >>> factor = LeadingColumnsFactor(np.array([2.0, 4.0]), np.array([1]), np.array([[5.0]]))
    >>> factor.solve(np.array([1.0, 1.0])).round(6)
    array([0.5, 0.2])
    """

    def __init__(
        self, diagonal: FloatArray, columns: IntArray, A: FloatArray, *, by_column: bool = False
    ) -> None:
        # a column of zeros without penalty has no curvature, and any scale is valid
        self._diagonal = np.where(diagonal > 0, diagonal, 1)
        self._columns, self._by_column = columns, by_column
        # a product with a root and its transpose is positive, whatever the rounding of the root
        self._root = KroneckerFactor(A).inverse_root().astype(diagonal.dtype)

    def solve(self, v: FloatArray) -> FloatArray:
        """Return M⁻¹v.

        Parameters
        ----------
        v : ndarray of shape (n_weights,)
            Flat vector, such as a gradient.

        Returns
        -------
        ndarray of shape (n_weights,)
            Flat solution.
        """
        n, root = len(self._diagonal), self._root
        if self._by_column:
            V = v.reshape(n, -1)
            solved = V / self._diagonal[:, None]
            solved[self._columns] = root.T @ (root @ V[self._columns])
        else:
            V = v.reshape(-1, n)
            solved = V / self._diagonal
            solved[:, self._columns] = (V[:, self._columns] @ root.T) @ root
        return np.asarray(solved).ravel()
