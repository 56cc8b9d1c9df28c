import numpy as np
import pytest

from sklearn_distill.targets import LogPartitionTerm, SoftTargets, TargetTangent, stack_targets


def targets_of(n, *kinds, K=3, seed=0):
    """Targets of n rows with a term of each kind (temperature, regularizer)."""
    rng = np.random.default_rng(seed)
    terms = tuple(LogPartitionTerm(rng.uniform(1, 2, size=n), *kind) for kind in kinds)
    return SoftTargets(rng.uniform(size=(K, n)), terms)


def kind_of(term):
    return term.temperature, term.regularizer


KEPT = np.array([True, False, True])
KINDS = [(1.0, None), (2.0, "grabovoy")]


def test_classes_left_out_leave_the_terms():
    targets = targets_of(5, *KINDS)
    fewer = targets.keep_classes(KEPT)
    np.testing.assert_array_equal(fewer.linear, targets.linear[[0, 2]])
    assert fewer.terms == targets.terms


def test_all_classes_kept_is_no_copy():
    targets = targets_of(5, *KINDS)
    assert targets.keep_classes(np.ones(3, dtype=bool)) is targets


def test_a_tangent_without_a_class_is_that_of_the_targets_without_it():
    base, direction = targets_of(5, *KINDS), targets_of(5, *KINDS, seed=1)
    fewer = TargetTangent(base, direction).keep_classes(KEPT)
    np.testing.assert_array_equal(fewer.base.linear, base.linear[KEPT])
    np.testing.assert_array_equal(fewer.direction.linear, direction.linear[KEPT])


def test_size_is_that_of_all_arrays():
    assert targets_of(5, *KINDS).nbytes == 8 * (3 * 5 + 2 * 5)
    assert targets_of(5).nbytes == 8 * 3 * 5


@pytest.mark.parametrize("rows", [slice(1, 4), np.array([4, 0])])
def test_rows_taken_out_keep_their_targets(rows):
    targets = targets_of(5, *KINDS)
    taken = targets.take(rows)
    np.testing.assert_array_equal(taken.linear, targets.linear[:, rows])
    assert [kind_of(term) for term in taken.terms] == KINDS
    for term, expected in zip(taken.terms, targets.terms, strict=True):
        np.testing.assert_array_equal(term.weight, expected.weight[rows])


def test_stacked_parts_are_all_rows():
    whole = targets_of(7, *KINDS)
    stacked = stack_targets([whole.take(slice(0, 3)), whole.take(slice(3, 7))])
    np.testing.assert_array_equal(stacked.linear, whole.linear)
    assert [kind_of(term) for term in stacked.terms] == KINDS
    for term, expected in zip(stacked.terms, whole.terms, strict=True):
        np.testing.assert_array_equal(term.weight, expected.weight)


def test_a_term_that_a_part_lacks_has_no_weight_there():
    """Terms differ in temperature or regulariser: those of one kind are one term."""
    kinds = [(2.0, None), (2.0, "grabovoy"), (3.0, "grabovoy")]
    parts = [targets_of(2, kinds[0], kinds[1]), targets_of(3, kinds[2], kinds[1])]
    stacked = {kind_of(term): term.weight for term in stack_targets(parts).terms}
    first, second = ({kind_of(t): t.weight for t in part.terms} for part in parts)
    assert set(stacked) == set(kinds)
    for kind, weight in stacked.items():
        np.testing.assert_array_equal(weight[:2], first.get(kind, np.zeros(2)))
        np.testing.assert_array_equal(weight[2:], second.get(kind, np.zeros(3)))
