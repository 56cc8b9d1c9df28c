"""An error names the argument, the first invalid row, its value and what to pass instead."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from sklearn_distill.metrics import (
    brier_score,
    cross_entropy_from_proba,
    expected_calibration_error,
    fidelity_score,
    kl_divergence_from_proba,
    max_min_gap,
    uncertainty_degree,
)

Y = [0, 1, 1]

BAD_PROBA = [
    ([[0.5, 0.5], [np.nan, 1], [0.1, 0.9]], r"row 1 is \[nan,  1\.\]; leave out rows without"),
    ([[0.5, 0.5], [0.1, 0.9], [np.inf, 0]], "row 2 is .*inf.*leave out"),
    ([[None, 0.5], [0.1, 0.9], [0.1, 0.9]], "row 0 is .*leave out"),
    ([[0.5, 0.5], [-0.2, 1.2], [-0.1, 1.1]], r"row 1 is \[-0\.2,  1\.2\]; .*0 or more"),
    ([[0.5, 0.5], [0.1, 0.9], [0.1, 0.8]], "row 2 sums to 0.9; .* sum to 1 within 0.001"),
    ([0.5, 1.5, -0.1], r"row 2 is -0\.1"),
    ([0.5, 0.5, 1.5], r"row 2 is 1\.5; .*between 0 and 1"),
    ([[0.2], [0.4], [0.6]], "row 0 sums to 0.2"),
    ([["a", "b"]] * 3, "must be an array of numbers, got a list"),
    (scipy.sparse.csr_array(np.eye(3)), "must be an array of numbers, got a csr_array"),
    ([[[0.5, 0.5]]] * 3, r"has shape \(3, 1, 2\)"),
    ([], r"has shape \(0,\)"),
]

CALLS = {
    "uncertainty_degree": (lambda p: uncertainty_degree(p), "y_proba"),
    "uncertainty_degree as a scorer": (lambda p: uncertainty_degree(Y, p), "y_proba"),
    "max_min_gap": (lambda p: max_min_gap(p), "y_proba"),
    "cross_entropy_from_proba": (lambda p: cross_entropy_from_proba([0.5] * 3, p), "y_proba"),
    "cross_entropy_from_proba truth": (
        lambda p: cross_entropy_from_proba(p, [0.5] * 3),
        "true_proba",
    ),
    "kl_divergence_from_proba": (lambda p: kl_divergence_from_proba([0.5] * 3, p), "y_proba"),
    "kl_divergence_from_proba teacher": (
        lambda p: kl_divergence_from_proba(p, [0.5] * 3),
        "teacher_proba",
    ),
    "brier_score": (lambda p: brier_score(Y, p), "y_proba"),
    "fidelity_score": (lambda p: fidelity_score(Y, p), "y_proba"),
    "expected_calibration_error": (lambda p: expected_calibration_error(Y, p), "y_proba"),
}


@pytest.mark.parametrize(("proba", "message"), BAD_PROBA, ids=[m for _, m in BAD_PROBA])
@pytest.mark.parametrize(("call", "name"), CALLS.values(), ids=CALLS.keys())
def test_bad_probabilities(call, name, proba, message):
    with pytest.raises(ValueError, match=f"^{name}:? {message}"):
        call(proba)


def test_bad_teacher_probabilities_are_named_y_teacher():
    with pytest.raises(ValueError, match=r"^y_teacher: row 1 sums to 1\.1"):
        fidelity_score([[0.5, 0.5], [0.1, 1.0]], [0.1, 0.2])
    with pytest.raises(ValueError, match=r"^y_teacher: row 1 is nan"):
        fidelity_score([0.5, np.nan], [0.1, 0.2])


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, 2.0], r"sample_weight has shape \(2,\); pass one weight for each of the 3 rows"),
        ([[1.0], [2.0], [3.0]], r"sample_weight has shape \(3, 1\)"),
        ([1.0, np.nan, 1.0], "sample_weight: row 1 is nan"),
        ([1.0, 1.0, -2.0], "sample_weight: row 2 is -2; pass numbers that are 0 or more"),
        ([0.0, 0.0, 0.0], "Sample weights must contain at least one non-zero number"),
        (["a", "b", "c"], "sample_weight must be an array of numbers"),
    ],
)
@pytest.mark.parametrize(
    "metric",
    [
        uncertainty_degree,
        max_min_gap,
        cross_entropy_from_proba,
        brier_score,
        fidelity_score,
        expected_calibration_error,
        kl_divergence_from_proba,
    ],
)
def test_bad_weights(metric, weight, message):
    with pytest.raises(ValueError, match=message):
        metric(Y, [0.2, 0.3, 0.4], sample_weight=weight)


with_labels = pytest.mark.parametrize("metric", [brier_score, expected_calibration_error])


@with_labels
@pytest.mark.parametrize(
    ("y", "labels", "message"),
    [
        ([0, 0, 0], None, "y_true holds 1 classes and the probabilities have 2 columns; pass lab"),
        ([0, 1, 2], None, "y_true holds 3 classes and the probabilities have 2 columns"),
        ([0, 1, 5], [0, 1], r"y_true: row 2 is 5; pass one of the known classes \[0, 1\]"),
        (["0", "1", "1"], [0, 1], "y_true: row 0 is '0'"),
        ([0, 1, 1], [0, 1, 2], "labels has 3 classes"),
        ([0, 1, 1], [1, 1], r"labels repeats a class: \[1, 1\]"),
        ([0, 1, np.nan], None, "y_true: row 2 is nan; pass only entries whose class is known"),
        (pd.Series(["a", pd.NA, "b"]), None, "y_true: row 1 is "),
        (["a", None, "b"], None, "y_true: row 1 is None"),
        ([["a"], ["b"], ["b"]], None, r"y_true has shape \(3, 1\)"),
        (pd.Series(["a", 1, 1], dtype=object), None, "y_true mixes labels"),
    ],
)
def test_bad_labels(metric, y, labels, message):
    with pytest.raises(ValueError, match=message):
        metric(y, [0.2, 0.3, 0.4], labels=labels)


@with_labels
def test_unequal_length(metric):
    with pytest.raises(ValueError, match="y_true has 3 rows and y_proba has 2"):
        metric(Y, [0.2, 0.3])


def test_unequal_length_of_two_probabilities():
    with pytest.raises(ValueError, match="true_proba has 1 rows and y_proba has 2"):
        cross_entropy_from_proba([0.5], [0.2, 0.3])
    with pytest.raises(ValueError, match="y_teacher has 3 rows and y_proba has 2"):
        fidelity_score(["a", "b", "b"], [0.2, 0.3])


@pytest.mark.parametrize("metric", [uncertainty_degree, max_min_gap])
def test_missing_probabilities(metric):
    with pytest.raises(ValueError, match="y_proba is missing"):
        metric()


def test_rounding_is_no_error():
    assert max_min_gap([np.float32(1.0000001), 0.0]) == pytest.approx(1)
    assert uncertainty_degree([[0.3333, 0.3333, 0.3333]]) > 0
