"""Random fits of the other students equal models of other libraries that are fitted by hand.

``FUZZ_PROBLEMS`` is their number; ``make fuzz PROBLEMS=1000`` sets it.
"""

import os
from functools import wraps

import numpy as np
import pytest
from scipy.optimize import minimize

import sklearn_distill
from tests.fuzz import boosting, generations, label_sets, linear_searches, students

pytest.importorskip("torch", reason="torch is an extra")
SHORT_RUN = 6
CHECKS = [
    *students.CHECKS,
    generations.generations,
    *boosting.CHECKS,
    *linear_searches.CHECKS,
    *label_sets.CHECKS,
]
every_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)


def chunks():
    """Divide the seeds, so that workers share them."""
    n_problems = int(os.environ.get("FUZZ_PROBLEMS", SHORT_RUN))
    return [range(start, min(start + 200, n_problems)) for start in range(0, n_problems, 200)]


@pytest.mark.fuzz
@pytest.mark.parametrize("seeds", chunks(), ids=str)
@every_check
def test_random_fits(check, seeds):
    flags = students.flags_of(check)
    found = [flag for seed in seeds for flag in flags(seed)]
    assert not found, "\n".join([f"{len(found)} flags", *found[:10]])


@every_check
def test_each_check_flags_another_weight_of_the_teacher(check, monkeypatch):
    """It cannot pass whatever the student does: the students' λ differs by a fifth."""
    for name in sklearn_distill.__all__:
        if name.startswith(("Distilled", "SoftTarget")):
            kind = getattr(sklearn_distill, name)
            monkeypatch.setattr(kind, "fit", with_less_imitation(kind.fit))
    search = sklearn_distill.PrivilegedLinearRegressionCV
    monkeypatch.setattr(search, "fit", with_less_imitation(search.fit, "imitations"))
    flags = students.flags_of(check)
    first = next(flag for seed in range(100) for flag in flags(seed))
    assert "crash" not in first


def with_less_imitation(fit, name="imitation"):
    @wraps(fit)  # whose signature meta-estimators read
    def changed(self, *args, **kwargs):
        given = getattr(self, name)
        setattr(self, name, 0.8 * np.asarray(given) if name == "imitations" else 0.8 * given)
        try:
            return fit(self, *args, **kwargs)
        finally:
            setattr(self, name, given)

    return changed


def test_the_projection_is_the_nearest_point_of_the_simplex():
    v = np.array([0.9, 0.6, -0.3])
    nearest = minimize(
        lambda p: ((p - v) ** 2).sum(),
        np.full(3, 1 / 3),
        bounds=[(0, 1)] * 3,
        constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
    ).x
    np.testing.assert_allclose(students.on_simplex(v), nearest, atol=1e-6)
