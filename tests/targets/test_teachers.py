import numpy as np

from sklearn_distill.targets import (
    Labels,
    Teachers,
    expected_class_mass,
    label_weights,
    row_weights,
    soften,
)


def test_several_teachers_are_averaged_over_those_with_a_prediction():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 4, 5))
    logits[1, :, 2] = logits[:, :, 4] = np.nan
    q = Teachers(logits).soften(2.0)
    each = [soften(v, 2.0) for v in logits]
    np.testing.assert_allclose(q[:, 0], np.mean([p[:, 0] for p in each], axis=0))
    np.testing.assert_allclose(q[:, 2], (each[0][:, 2] + each[2][:, 2]) / 2)
    np.testing.assert_array_equal(q[:, 4], 0)
    np.testing.assert_array_equal(Teachers(logits).teacher_mask, [True] * 4 + [False])


def test_teachers_without_missing_predictions_are_averaged_everywhere():
    logits = np.random.default_rng(0).normal(size=(3, 4, 5))
    for n in (1, 2, 3):
        expected = np.mean([soften(v, 2.0) for v in logits[:n]], axis=0)
        np.testing.assert_allclose(Teachers(logits[:n]).soften(2.0), expected, rtol=1e-14)


def test_a_single_teacher_may_have_missing_predictions():
    logits = np.random.default_rng(0).normal(size=(1, 4, 5))
    incomplete = logits.copy()
    incomplete[:, :, 2] = np.nan
    for name in ("soften", "soften_derivative"):
        expected = getattr(Teachers(logits), name)(2.0)
        expected[:, 2] = 0
        np.testing.assert_allclose(getattr(Teachers(incomplete), name)(2.0), expected, rtol=1e-14)


def test_equal_teachers_are_one_teacher():
    v = np.random.default_rng(1).normal(size=(1, 3, 6))
    once, thrice = Teachers(v), Teachers(np.repeat(v, 3, axis=0))
    np.testing.assert_allclose(thrice.soften(1.5), once.soften(1.5), rtol=1e-14)
    np.testing.assert_allclose(
        thrice.soften_derivative(1.5), once.soften_derivative(1.5), rtol=1e-12
    )


def test_row_weights():
    labels = Labels(np.array([1, 0, -1]), 2)
    teachers = Teachers(np.log(np.array([[[0.5, 0.5, 0.25], [0.5, 0.5, 0.75]]])))
    s = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(row_weights(s, None, labels, teachers), s)
    np.testing.assert_allclose(
        row_weights(s, np.array([10.0, 2.0]), labels, teachers),
        [2, 20, 3 * (0.25 * 10 + 0.75 * 2)],
    )


def test_a_row_without_target_does_not_change_the_other_weights():
    labels = Labels(np.array([1, 0, -1]), 2)
    s = row_weights(np.array([1.0, 2.0, 3.0]), np.array([10.0, 2.0]), labels, None)
    np.testing.assert_array_equal(s[:2], [2, 20])


def test_a_row_without_a_label_counts_its_expected_class():
    labels = Labels(np.array([1, 0, -1, -1]), 2)
    p = np.array([[0.5, 0.5, 0.25, np.nan], [0.5, 0.5, 0.75, np.nan]])
    s = np.array([1.0, 2.0, 3.0, 4.0])
    teachers = Teachers(np.log(p)[None])
    np.testing.assert_allclose(expected_class_mass(labels, teachers, s), [2.75, 3.25])
    np.testing.assert_array_equal(expected_class_mass(labels, None, s), [2, 1])


def test_class_weights_of_labels():
    labels, s = Labels(np.array([1, 0, -1]), 2), np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(label_weights(s, np.array([10.0, 2.0]), labels), [2, 20, 3])
    np.testing.assert_array_equal(label_weights(s, None, labels), s)
