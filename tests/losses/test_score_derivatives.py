"""The loss of boosting: the written formula, its derivatives and its start."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import softmax

from sklearn_distill.losses import ScoreLoss
from sklearn_distill.losses import score_derivatives as module
from sklearn_distill.targets import LogPartitionTerm, SoftTargets, row_weights
from tests.helpers import central_difference, random_problem, written_objective
from tests.losses.test_objective import LOSS_PARAMS, mixture_of

every_loss = pytest.mark.parametrize("loss_params", LOSS_PARAMS, ids=str)
every_class_weight = pytest.mark.parametrize("weighted", [False, True], ids=["", "class_weight"])


def with_zero(scores):
    """Return z = (0, η) for one score."""
    return np.concatenate([np.zeros_like(scores), scores]) if len(scores) == 1 else scores


def loss_of(problem, **parameters):
    mixture = mixture_of(problem, **parameters)
    weight = row_weights(problem["weight"], mixture.class_weight, mixture.labels, mixture.teachers)
    return ScoreLoss(mixture.targets(), weight)


def class_weight_of(problem, weighted):
    K = problem["teacher_logits"].shape[2]
    return {"class_weight": np.linspace(0.5, 3.0, K)} if weighted else {}


@pytest.fixture(params=[2, 3, 5])
def problem(request):
    return random_problem(np.random.default_rng(request.param), K=request.param)


def derivatives_of(loss, scores):
    gradient, hessian = np.empty((2, *scores.shape))
    loss.derivatives(scores, gradient, hessian)
    return gradient, hessian


@every_loss
@every_class_weight
def test_the_mean_is_the_written_formula(problem, weighted, loss_params):
    parameters = {"imitation": 0.4} | loss_params | class_weight_of(problem, weighted)
    loss = loss_of(problem, **parameters)
    scores = np.random.default_rng(1).normal(size=(loss.n_scores, loss.n_rows))
    total = written_objective(
        with_zero(scores).T,
        problem["codes"],
        problem["teacher_logits"],
        problem["weight"],
        **parameters,
    )
    assert loss.mean(scores) * loss.weight.sum() == pytest.approx(total, rel=1e-12)


@every_loss
@every_class_weight
def test_derivatives_are_finite_differences(problem, weighted, loss_params):
    loss = loss_of(problem, **loss_params, **class_weight_of(problem, weighted))
    scores = np.random.default_rng(1).normal(size=(loss.n_scores, loss.n_rows))
    gradient, hessian = derivatives_of(loss, scores)
    total = loss.weight.sum()
    for k, i in [(0, 0), (loss.n_scores - 1, 7), (0, 20)]:
        unit = np.zeros_like(scores)
        unit[k, i] = 1

        def moved(t, unit=unit):
            return scores + t * unit

        def slope(t, k=k, i=i, moved=moved):
            return derivatives_of(loss, moved(t))[0][k, i]

        slopes = central_difference(lambda t, moved=moved: loss.mean(moved(t)) * total, 0, 1e-5)
        assert gradient[k, i] == pytest.approx(slopes, abs=1e-7)
        assert hessian[k, i] == pytest.approx(central_difference(slope, 0, 1e-5), abs=1e-7)


def test_the_gradient_of_labels_is_p_minus_y_times_s(problem):
    loss = loss_of(problem, imitation=0.0)
    labelled = problem["codes"] >= 0
    scores = np.random.default_rng(1).normal(size=(loss.n_scores, loss.n_rows))
    p = softmax(with_zero(scores), axis=0)[-loss.n_scores :]
    y = np.eye(loss.n_classes)[problem["codes"]].T[-loss.n_scores :]
    gradient, hessian = derivatives_of(loss, scores)
    expected = ((p - y) * problem["weight"])[:, labelled]
    np.testing.assert_allclose(gradient[:, labelled], expected, atol=1e-15)
    expected = (p * (1 - p) * problem["weight"])[:, labelled]
    np.testing.assert_allclose(hessian[:, labelled], expected, atol=1e-15)


def test_far_from_the_boundary_the_gradient_of_two_classes_does_not_cancel():
    targets = SoftTargets(np.array([[0.0], [1.0]]), (LogPartitionTerm(np.ones(1), 1.0),))
    gradient, hessian = derivatives_of(ScoreLoss(targets, None), np.array([[30.0]]))
    assert gradient[0, 0] == pytest.approx(-np.exp(-30.0), rel=1e-12)
    assert hessian[0, 0] == pytest.approx(np.exp(-30.0), rel=1e-12)
    gradient, _ = derivatives_of(ScoreLoss(targets, None), np.array([[-1000.0]]))
    assert gradient[0, 0] == -1.0


def test_tiles_and_float32_arrays_hold_the_same_numbers(problem, monkeypatch):
    loss = loss_of(problem, temperature=2.0)
    scores = np.random.default_rng(1).normal(size=(loss.n_scores, loss.n_rows))
    whole = derivatives_of(loss, scores)
    monkeypatch.setattr(module, "_TILE_SIZE", 7)
    out = [np.empty(scores.shape[::-1], dtype=np.float32) for _ in range(2)]
    loss.derivatives(scores, out[0].T, out[1].T)
    for one, other in zip(whole, out, strict=True):
        np.testing.assert_array_equal(one.astype(np.float32), other.T)


@every_loss
@every_class_weight
@pytest.mark.parametrize("imitation", [0.0, 0.4, 1.0])
def test_the_start_is_the_best_constant(problem, weighted, loss_params, imitation):
    parameters = loss_params | {"imitation": imitation} | class_weight_of(problem, weighted)
    loss = loss_of(problem, **parameters)
    start = loss.start()
    everywhere = np.ones((1, loss.n_rows))
    gradient, _ = derivatives_of(loss, start[:, None] * everywhere)
    np.testing.assert_allclose(gradient.sum(axis=1) / loss.weight.sum(), 0, atol=1e-10)
    best = minimize(lambda z: loss.mean(z[:, None] * everywhere), np.zeros(loss.n_scores))
    assert loss.mean(start[:, None] * everywhere) <= best.fun + 1e-12
    if loss.n_scores > 1:
        assert start.mean() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("K", [2, 3, 10])
@pytest.mark.parametrize("temperature", [0.1, 0.25, 30.0])
def test_the_start_is_damped(K, temperature):
    """Plain Newton steps diverge at T = 0.25."""
    problem = random_problem(np.random.default_rng(0), K=K)
    problem["teacher_logits"] *= 10
    loss = loss_of(problem, temperature=temperature, imitation=0.6)
    gradient, _ = derivatives_of(loss, loss.start()[:, None] * np.ones((1, loss.n_rows)))
    np.testing.assert_allclose(gradient.sum(axis=1) / loss.weight.sum(), 0, atol=1e-10)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_a_class_without_mass_has_a_finite_start(temperature):
    linear = np.array([[0.5, 0.3], [0.5, 0.7], [0.0, 0.0]])
    terms = (LogPartitionTerm(np.ones(2), 1.0), LogPartitionTerm(np.ones(2), temperature))
    mass = sum(term.weight / term.temperature for term in terms)
    for used in (terms[:1], terms):
        targets = SoftTargets(linear * (mass if len(used) == 2 else 1), used)
        start = ScoreLoss(targets, None).start()
        assert np.isfinite(start).all()
        assert softmax(start)[2] < 1e-10


@pytest.mark.parametrize("K", [2, 4])
def test_scores_in_single_precision_and_any_order(K):
    """The arithmetic is that of double precision."""
    rng = np.random.default_rng(0)
    n, n_scores = 200, 1 if K == 2 else K
    q = rng.dirichlet(np.ones(K), size=n).T
    loss = ScoreLoss(SoftTargets(q, (LogPartitionTerm(np.ones(n), 1.0),)), None)
    single = np.ascontiguousarray(20 * rng.normal(size=(n, n_scores)), dtype=np.float32).T
    g, h, expected_g, expected_h = np.empty((4, n_scores, n))
    loss.derivatives(single, g, h)
    loss.derivatives(single.astype(np.float64), expected_g, expected_h)
    np.testing.assert_array_equal(g, expected_g)
    np.testing.assert_array_equal(h, expected_h)
