"""Estimated costs of passes, Gram matrices and factors, by which a minimiser is chosen.

The constants are seconds of one core of an x86 server, measured by ``python -m benchmarks.costs``.
Only their ratios matter, which differ little between machines.
"""

from __future__ import annotations

# of the calls of a pass, and of a Gram matrix, however small X is
PER_PASS = 3e-5
PER_GRAM = 1e-5
# per byte of X that a pass reads, per multiplication of its products with K scores, and per score
# of a row: exponentials, logarithms, residuals of two terms
PER_BYTE = 1.2e-10
PER_MULTIPLICATION = 3.7e-11
PER_SCORE = 6.9e-9
# per entry of X in a copy of rows that are spread over it
PER_COPIED_ENTRY = 2e-9
# per entry of X in a weighted Gram matrix, and per multiplication of that symmetric product
PER_WEIGHTED_ENTRY = 2.2e-9
PER_GRAM_MULTIPLICATION = 2e-11
# per multiplication of a Cholesky factor, and d³ of the eigenvectors of a symmetric matrix
PER_FACTOR_MULTIPLICATION = 3e-11
PER_EIGENVECTOR_MULTIPLICATION = 4e-10
# per entry of a triangular factor, in the two solves with it
PER_SOLVED_ENTRY = 2.8e-10


def pass_cost(n_rows: int, n_columns: int, n_scores: int, itemsize: int = 8) -> float:
    """Return the cost of value and gradient, in seconds.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of a dense X.
    n_scores : int
        Number of scores.
    itemsize : int
        Bytes of an entry of X.

    Returns
    -------
    float
        Seconds of one core.
    """
    n_bytes = n_rows * n_columns * itemsize
    products = 2 * n_scores * (n_bytes / 8) * PER_MULTIPLICATION
    return PER_PASS + n_bytes * PER_BYTE + products + n_rows * n_scores * PER_SCORE


def factor_cost(n_rows: int, n_columns: int, itemsize: int = 8) -> float:
    """Return the cost of a Gram matrix of the columns and its Cholesky factor, in seconds.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of X.
    itemsize : int
        Bytes of an entry of the matrix.

    Returns
    -------
    float
        Seconds of one core.
    """
    in_float64 = gram_cost(n_rows, n_columns) + cholesky_cost(n_columns)
    return in_float64 * itemsize / 8


def gram_cost(n_rows: int, n_columns: int) -> float:
    """Return the cost of a weighted Gram matrix of the columns in float64, in seconds."""
    of_entry = PER_WEIGHTED_ENTRY + n_columns * PER_GRAM_MULTIPLICATION
    return PER_GRAM + n_rows * n_columns * of_entry


def copy_cost(n_rows: int, n_columns: int) -> float:
    """Return the cost of a copy of some rows, in seconds."""
    return n_rows * n_columns * PER_COPIED_ENTRY


def cholesky_cost(n_columns: int) -> float:
    """Return the cost of the Cholesky factor of a matrix in float64, in seconds."""
    return n_columns**3 / 3 * PER_FACTOR_MULTIPLICATION


def eigenvectors_cost(n_columns: int) -> float:
    """Return the cost of the eigenvectors of a symmetric matrix in float64, in seconds."""
    return n_columns**3 * PER_EIGENVECTOR_MULTIPLICATION


def solve_cost(n_columns: int, n_scores: int, itemsize: int = 8) -> float:
    """Return the cost of the solves with a factor for all scores, in seconds."""
    return n_scores * n_columns**2 * PER_SOLVED_ENTRY * itemsize / 8
