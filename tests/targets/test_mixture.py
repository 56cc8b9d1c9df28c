import numpy as np
import pytest

from sklearn_distill.targets import Labels, TargetMixture, Teachers
from tests.helpers import central_difference, random_problem, written_objective


def mixture_of(problem, **parameters):
    K = problem["teacher_logits"].shape[2]
    return TargetMixture(
        Labels(problem["codes"], K),
        Teachers(problem["teacher_logits"].transpose(1, 2, 0)),
        problem["weight"],
        **parameters,
    )


def objective_at(targets, Z):
    """The objective over scores Z of shape (K, n), as SoftTargets defines it."""
    value = -np.vdot(targets.linear, Z)
    for term in targets.terms:
        value += term.weight @ np.log(np.exp(Z / term.temperature).sum(axis=0))
    return value


def class_weights(K, weighted):
    return np.linspace(0.5, 3.0, K) if weighted else None


every_class_weight = pytest.mark.parametrize("weighted", [False, True], ids=["", "class_weight"])


@pytest.mark.parametrize("K", [2, 4])
@every_class_weight
@pytest.mark.parametrize("imitation", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("temperature", "soften_student", "t_squared"),
    [(1.0, True, False), (2.5, True, False), (2.5, True, True), (2.5, False, False)],
)
def test_targets_are_the_written_objective(
    K, imitation, temperature, soften_student, t_squared, weighted
):
    problem = random_problem(np.random.default_rng(K), K=K)
    parameters = {
        "imitation": imitation,
        "temperature": temperature,
        "soften_student": soften_student,
        "t_squared": t_squared,
        "class_weight": class_weights(K, weighted),
    }
    Z = np.random.default_rng(1).normal(size=(K, len(problem["codes"])))
    expected = written_objective(
        Z.T, problem["codes"], problem["teacher_logits"], problem["weight"], **parameters
    )
    targets = mixture_of(problem, **parameters).targets()
    np.testing.assert_allclose(objective_at(targets, Z), expected, rtol=1e-12)


def test_one_temperature_is_one_term():
    problem = random_problem(np.random.default_rng(0))
    assert len(mixture_of(problem, imitation=0.5).targets().terms) == 1
    assert len(mixture_of(problem, imitation=0.5, temperature=2.0).targets().terms) == 2
    softened_teacher = mixture_of(problem, imitation=0.5, temperature=2.0, soften_student=False)
    assert len(softened_teacher.targets().terms) == 1


def test_each_row_has_its_whole_weight():
    problem = random_problem(np.random.default_rng(0))
    targets = mixture_of(problem, imitation=0.3, temperature=2.0).targets()
    np.testing.assert_allclose(sum(t.weight for t in targets.terms), problem["weight"])


def test_unlabelled_rows_follow_the_teacher_at_any_imitation():
    problem = random_problem(np.random.default_rng(0))
    missing = problem["codes"] < 0
    assert missing.any()
    none, all_ = (mixture_of(problem, imitation=lam).targets() for lam in (0.0, 1.0))
    np.testing.assert_array_equal(none.linear[:, missing], all_.linear[:, missing])


def test_rows_without_a_prediction_follow_the_label_at_any_imitation():
    problem = random_problem(np.random.default_rng(0))
    without_prediction = np.isnan(problem["teacher_logits"]).all(axis=(1, 2))
    assert without_prediction.any()
    none, all_ = (mixture_of(problem, imitation=lam).targets() for lam in (0.0, 1.0))
    np.testing.assert_array_equal(
        none.linear[:, without_prediction], all_.linear[:, without_prediction]
    )


def test_without_a_teacher_only_the_labels_are_used():
    labels = Labels(np.array([0, 2, 1]), 3)
    weight = np.array([1.0, 2.0, 3.0])
    targets = TargetMixture(labels, None, weight, imitation=0.9, temperature=4.0).targets()
    np.testing.assert_array_equal(targets.linear, labels.one_hot(weight))
    (term,) = targets.terms
    np.testing.assert_array_equal(term.weight, weight)
    assert term.temperature == 1


@pytest.mark.parametrize(
    ("temperature", "soften_student", "t_squared"),
    [(1.0, True, False), (1.7, True, False), (1.7, True, True), (1.7, False, False)],
)
@every_class_weight
@pytest.mark.parametrize("name", ["imitation", "temperature"])
def test_tangents_are_finite_differences(name, temperature, soften_student, t_squared, weighted):
    problem = random_problem(np.random.default_rng(3))
    at = {
        "imitation": 0.4,
        "temperature": temperature,
        "soften_student": soften_student,
        "t_squared": t_squared,
        "class_weight": class_weights(3, weighted),
    }
    tangent = getattr(mixture_of(problem, **at), f"{name}_tangent")()

    def linear(value):
        return mixture_of(problem, **at | {name: value}).targets().linear

    def weights(value):
        tangent = mixture_of(problem, **at | {name: value}).temperature_tangent()
        return np.array([term.weight for term in tangent.base.terms])

    np.testing.assert_allclose(
        [term.weight for term in tangent.direction.terms],
        central_difference(weights, at[name], 1e-5),
        atol=1e-8,
    )
    np.testing.assert_allclose(
        tangent.direction.linear, central_difference(linear, at[name], 1e-5), atol=1e-8
    )
    np.testing.assert_allclose(tangent.base.linear, linear(at[name]), rtol=1e-12)


def test_classes_without_mass_have_none_and_can_be_dropped():
    labels = Labels(np.array([0, 2]), 3)
    targets = TargetMixture(labels, None, np.ones(2), imitation=0.5).targets()
    np.testing.assert_array_equal(targets.class_mass() > 0, [True, False, True])
    assert targets.keep_classes(np.array([True, False, True])).linear.shape == (2, 2)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_the_regularizer_is_added_to_the_teachers_term_only(temperature):
    problem = random_problem(np.random.default_rng(0))
    at = {"imitation": 0.3, "temperature": temperature}
    labels, teacher = mixture_of(problem, **at, regularizer="grabovoy").targets().terms
    assert (labels.temperature, labels.regularizer) == (1.0, None)
    assert (teacher.temperature, teacher.regularizer) == (temperature, "grabovoy")
    np.testing.assert_allclose(labels.weight + teacher.weight, problem["weight"])


@pytest.mark.parametrize("name", ["imitation", "temperature"])
@pytest.mark.parametrize("t_squared", [True, False])
def test_without_a_teacher_nothing_depends_on_imitation_and_temperature(name, t_squared):
    weight = np.array([1.0, 2.0, 3.0])
    mixture = TargetMixture(
        Labels(np.array([0, 2, 1]), 3),
        None,
        weight,
        imitation=0.4,
        temperature=3.0,
        t_squared=t_squared,
    )
    direction = getattr(mixture, f"{name}_tangent")().direction
    np.testing.assert_array_equal(direction.linear, np.zeros((3, 3)))
    for term in direction.terms:
        np.testing.assert_array_equal(term.weight, np.zeros(3))
