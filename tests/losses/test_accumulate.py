"""Products of float32 vectors have more digits than float32 would give them."""

import numpy as np
import pytest

from sklearn_distill.losses._accumulate import dot


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 100_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_product(n, dtype):
    rng = np.random.default_rng(n)
    c, values = rng.uniform(size=(2, n)).astype(dtype)
    exact = float(np.dot(c.astype(np.float64), values.astype(np.float64)))
    assert dot(c, values) == pytest.approx(exact, rel=1e-6 if n < 10_000 else 3e-8)


def test_a_long_sum_keeps_its_digits():
    n = 10_000_000
    assert dot(np.ones(n, np.float32), np.full(n, 0.1, np.float32)) == pytest.approx(
        n * float(np.float32(0.1)), rel=1e-6
    )
