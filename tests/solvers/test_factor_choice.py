"""The factor that costs least in total is chosen, and rare columns do not make it useless."""

from types import SimpleNamespace

import numpy as np
import pytest

from sklearn_distill.solvers import _factor_choice, coarse_to_fine
from sklearn_distill.solvers._factor_choice import (
    block_factor,
    choose_factor,
    choose_factor_of_many_fits,
    full_factor,
    moments_factor,
)
from tests.solvers.test_subsampling import problem


def chosen(n, d, n_scores, n_coarse=None):
    objective = SimpleNamespace(n_rows=n, n_columns=d)
    return choose_factor(objective, d * n_scores, n if n_coarse is None else n_coarse)


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((1_000_000, 21, 1), full_factor),
        ((3_000, 101, 3), full_factor),
        ((1_797, 65, 10), block_factor),
        ((20_000, 129, 50), moments_factor),
        ((6_000, 65, 100), moments_factor),
        ((500, 2_001, 3), None),
    ],
)
def test_kind(shape, kind):
    assert chosen(*shape).make is kind


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((16_000, 51, 5), full_factor),
        ((1_437, 65, 10), block_factor),  # the joint Hessian takes four times as long
        ((20_000, 129, 50), block_factor),  # moments of the classes leave more steps
        ((500, 2_001, 3), None),
    ],
)
def test_kind_for_many_fits(shape, kind):
    n, d, K = shape
    assert choose_factor_of_many_fits(n, d, d * K, min(n, 10 * d)).make is kind


def test_for_many_fits_more_rows_are_taken():
    shape = (1_000_000, 21, 1)
    of_one = chosen(*shape, n_coarse=210)
    assert choose_factor_of_many_fits(*shape[:2], 21, 210).n_rows > of_one.n_rows


@pytest.mark.parametrize("shape", [(50_000, 51, 20), (20_000, 301, 4), (100_000, 101, 5)])
def test_no_other_number_of_rows_is_expected_to_cost_less(shape):
    n, d, K = shape
    choice = chosen(*shape, n_coarse=n // 16)
    assert n // 16 <= choice.n_rows <= n
    for n_taken in (n // 16, n // 4, n):
        others = _factor_choice.choices_of_rows(n, n_taken, d, d * K, is_copied=n_taken > n // 16)
        assert choice.total <= min(other.total for other in others) + 1e-9


def test_more_rows_leave_fewer_steps_and_cost_more():
    few, many = (
        list(_factor_choice.choices_of_rows(50_000, m, 51, 1020, is_copied=False))
        for m in (3_125, 25_000)
    )
    for one, other in zip(few, many, strict=True):
        assert one.n_steps > other.n_steps
        assert one.n_passes < other.n_passes


def test_rows_on_disk_are_loaded_within_a_limit():
    choice = chosen(100_000_000, 1_001, 3, n_coarse=16_760)
    assert choice.n_rows * 1_001 <= 2 * _factor_choice.MAX_ENTRIES


@pytest.mark.parametrize("C", [1.0, 100.0])
def test_columns_that_the_subsample_lacks_cost_few_steps(C):
    """Of 4 of 60,000 rows with a one none is among the 3,750 of the subsample."""

    def with_rare(X):
        rare = np.zeros((len(X), 8))
        rare[np.arange(32) * 1_800 + 7, np.arange(32) % 8] = 120.0  # as standardised
        return np.hstack([X, rare])

    objective = problem(3, n=60_000, C=C, change=with_rare)
    solution = coarse_to_fine(
        objective, objective.zeros(), tol=1e-6, distance_tol=1e-7, max_iter=200
    )
    assert solution.converged
    assert solution.solver == "lbfgs"
    assert solution.n_iter <= 40
