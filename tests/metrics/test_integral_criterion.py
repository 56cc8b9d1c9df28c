import numpy as np
import pytest

from sklearn_distill.metrics import integral_criterion


def test_definition_by_a_plain_loop():
    losses = np.random.default_rng(0).uniform(size=20).tolist()
    area = sum(0.5 * (losses[e] + losses[e + 1]) for e in range(19))
    assert integral_criterion(losses) == pytest.approx(area, rel=1e-14)


@pytest.mark.parametrize("n_epochs", [2, 7])
def test_constant_losses_are_a_rectangle(n_epochs):
    assert integral_criterion([1.5] * n_epochs) == 1.5 * (n_epochs - 1)


def test_baseline_is_the_area_between():
    better, worse = np.array([1.0, 0.5, 0.2]), np.array([1.0, 0.9, 0.8])
    between = integral_criterion(better, baseline=worse)
    assert between == pytest.approx(integral_criterion(better - worse))
    assert between < 0 < integral_criterion(worse, baseline=better)
    assert integral_criterion(worse, baseline=worse) == 0


@pytest.mark.parametrize(
    ("losses", "baseline", "message"),
    [
        ([1.0], None, r"losses has shape \(1,\)"),
        ([[1.0, 2.0]], None, r"losses has shape \(1, 2\)"),
        ([1.0, 2.0, np.nan], None, "losses: row 2 is nan"),
        (["a", "b"], None, "losses must be an array of numbers"),
        ([1.0, 2.0], [1.0, np.inf], "baseline: row 1 is inf"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "losses has 2 rows and baseline has 3"),
    ],
)
def test_errors(losses, baseline, message):
    with pytest.raises(ValueError, match=message):
        integral_criterion(losses, baseline)
