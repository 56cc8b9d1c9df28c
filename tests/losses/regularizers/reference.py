"""Reference values of the regularisers' integrals, by slower methods."""

from decimal import Decimal, localcontext

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
LongArray = npt.NDArray[np.longdouble]

REFERENCE_ROUNDING = 1e6 * float(np.finfo(np.longdouble).eps)  # 1e-13 with 80 bits


def log_divided_difference(u: Float64Array) -> LongArray:
    """Compute log exp[u_1, …, u_K] of (n_rows, K) scores by scaling and squaring.

    E[1, K] of the exponential of a bidiagonal matrix; all terms are nonnegative, so ties are safe.
    Rounding doubles with each squaring: long doubles, and REFERENCE_ROUNDING.
    """
    u = np.sort(u, axis=1).astype(np.longdouble)
    shift, (n, K) = u[:, 0], u.shape
    squarings = max(0, int(np.ceil(np.log2(max(np.ptp(u), 1)))))
    A = np.eye(K, k=1) + np.eye(K) * ((u - shift[:, np.newaxis]) / 2**squarings)[:, np.newaxis]
    E = term = np.broadcast_to(np.eye(K, dtype=np.longdouble), (n, K, K))
    for k in range(1, K + 24):
        term = term @ A / k
        E = E + term
    carry = np.zeros(n)
    for _ in range(squarings):
        E = E @ E
        top = E.max(axis=(1, 2))
        E, carry = E / top[:, np.newaxis, np.newaxis], 2 * carry + np.log(top)
    log_corner = carry + np.log(E[:, 0, -1]) - squarings * (K - 1) * np.log(np.longdouble(2))
    return shift + log_corner


def mean_by_divided_differences(u: Float64Array) -> LongArray:
    """Compute m_k = exp[u, u_k] / exp[u] of (n_rows, K) scores."""
    log_mass = log_divided_difference(u)
    bordered = [log_divided_difference(np.column_stack([u, column])) for column in u.T]
    return np.exp(np.column_stack(bordered) - log_mass[:, np.newaxis])


def divided_difference_in_decimals(u: Float64Array) -> Decimal:
    """Compute Σ_k e^{u_k} / Π_{j≠k} (u_k − u_j) with 120 digits; distinct scores only."""
    with localcontext() as context:
        context.prec = 120
        x = [Decimal(float(score)) for score in u]
        total = Decimal(0)
        for k, score in enumerate(x):
            product = Decimal(1)
            for other in x[:k] + x[k + 1 :]:
                product *= score - other
            total += score.exp() / product
        return total


def simplex_rule(n_classes: int, n_nodes: int = 40) -> tuple[Float64Array, Float64Array]:
    """Build Gauss-Legendre points (n_points, K) on the simplex and their weights ds_1…ds_{K−1}."""
    t, w = np.polynomial.legendre.leggauss(n_nodes)
    cube = np.meshgrid(*[(t + 1) / 2] * (n_classes - 1), indexing="ij")
    weights = np.prod(np.meshgrid(*[w / 2] * (n_classes - 1), indexing="ij"), axis=0)
    points, rest = [], np.ones_like(weights)
    for coordinate in cube:  # a stick broken K − 1 times
        points.append(rest * coordinate)
        weights = weights * rest
        rest = rest * (1 - coordinate)
    return np.stack([*map(np.ravel, points), rest.ravel()], axis=1), weights.ravel()


def moments_by_quadrature(u: Float64Array) -> tuple[float, Float64Array, Float64Array]:
    """Compute log ∫ Π_k softmax(u)_k^{s_k} ds, the mean and the covariance of s, of one row."""
    points, weights = simplex_rule(len(u))
    g = np.exp(u - u.max()) / np.exp(u - u.max()).sum()
    density = weights * np.prod(g**points, axis=1)
    total = density.sum()
    mean = density @ points / total
    covariance = (points - mean).T * density @ (points - mean) / total
    return float(np.log(total)), mean, covariance


def hard_scores(n_classes: int) -> Float64Array:
    """Build scores (n_rows, K) with ties, near ties, clusters and spreads up to 1e4."""
    rng = np.random.default_rng(n_classes)
    x, rows = rng.normal(size=n_classes), [np.zeros(n_classes)]
    for spread in 10.0 ** np.arange(-9, 5):
        rows += [spread * x, np.where(np.arange(n_classes) == 1, 0, -spread)]
    for size, gap in zip(rng.integers(1, n_classes, 20), rng.uniform(1, 60, 20), strict=True):
        rows.append(rng.permutation(np.where(np.arange(n_classes) < size, 0, -gap)))
    return np.array(rows)
