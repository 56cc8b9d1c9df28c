"""Estimated costs of passes, Gram matrices and factors, by which a minimiser is chosen.

The constants are seconds of one core of an x86 server, measured by ``python -m benchmarks.costs``.
Only their ratios matter, which differ little between machines.
"""

from __future__ import annotations

# per byte of X that a pass reads from memory, and per multiplication of its products with K scores
PER_BYTE = 6e-11
PER_MULTIPLICATION = 5e-11
# per score of a row: exponentials, logarithms, residuals of a term
PER_SCORE = 8e-9
# per multiplication of a symmetric product and of a Cholesky factor, in float64
PER_GRAM_MULTIPLICATION = 2.2e-11
PER_FACTOR_MULTIPLICATION = 3e-11
# per entry of a triangular factor, in the two solves with it
PER_SOLVED_ENTRY = 2e-10


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
    entries, precision = n_rows * n_columns, itemsize / 8
    products = 2 * entries * n_scores * PER_MULTIPLICATION * precision
    return max(entries * itemsize * PER_BYTE, products) + n_rows * n_scores * PER_SCORE


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
    gram = n_rows * n_columns**2 * PER_GRAM_MULTIPLICATION
    return (gram + n_columns**3 / 3 * PER_FACTOR_MULTIPLICATION) * itemsize / 8


def solve_cost(n_columns: int, n_scores: int, itemsize: int = 8) -> float:
    """Return the cost of the solves with a factor for all scores, in seconds."""
    return n_scores * n_columns**2 * PER_SOLVED_ENTRY * itemsize / 8
