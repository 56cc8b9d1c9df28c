import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
from sklearn_distill.losses import design as design_module
from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.targets import Labels, SoftTargets, TargetMixture, Teachers
from tests.helpers import central_difference, gradient_by_differences, random_problem
from tests.helpers import written_objective as written

REGULARIZERS = [None, "grabovoy", "continuous_categorical"]
LOSS_PARAMS = [
    {"temperature": 1.0},
    {"temperature": 2.5},
    {"temperature": 2.5, "t_squared": True},
    {"temperature": 2.5, "soften_student": False},
]
every_class_weight = pytest.mark.parametrize("weighted", [False, True], ids=["", "class_weight"])


def class_weight_of(problem, weighted):
    K = problem["teacher_logits"].shape[2]
    return {"class_weight": np.linspace(0.5, 3.0, K)} if weighted else {}


def mixture_of(problem, **parameters):
    return TargetMixture(
        Labels(problem["codes"], problem["teacher_logits"].shape[2]),
        Teachers(problem["teacher_logits"].transpose(1, 2, 0)),
        problem["weight"],
        **{"imitation": 0.4} | parameters,
    )


def objective_of(problem, X=None, *, alpha=0.1, fit_intercept=True, **parameters):
    design = as_design(problem["X"] if X is None else X, fit_intercept)
    targets = mixture_of(problem, **parameters).targets()
    return SoftTargetObjective(RowSums(design, targets, problem["weight"]), alpha)


@pytest.fixture(params=[2, 3, 4])
def problem(request):
    return random_problem(np.random.default_rng(request.param), K=request.param)


def weights_for(objective, scale=0.7):
    return scale * np.random.default_rng(7).normal(size=objective.zeros().shape)


@pytest.mark.parametrize("loss_params", [*LOSS_PARAMS, {"temperature": 2.0}])
@pytest.mark.parametrize("fit_intercept", [True, False])
@every_class_weight
def test_value_is_the_written_formula(problem, weighted, loss_params, fit_intercept):
    loss_params = loss_params | class_weight_of(problem, weighted)
    objective = objective_of(problem, fit_intercept=fit_intercept, **loss_params)
    w = weights_for(objective)
    W = w.reshape(objective.shape)
    Z = objective.sums.design.scores(W, slice(0, len(problem["codes"]))).T
    if Z.shape[1] == 1:
        Z = np.column_stack([np.zeros(len(Z)), Z])
    arguments = (Z, problem["codes"], problem["teacher_logits"], problem["weight"])
    data = written(*arguments, imitation=0.4, **loss_params) / problem["weight"].sum()
    penalty = 0.05 * (W[:, : problem["X"].shape[1]] ** 2).sum()
    np.testing.assert_allclose(objective.value_and_gradient(w)[0], data + penalty, rtol=1e-12)


@pytest.mark.parametrize("loss_params", LOSS_PARAMS)
@pytest.mark.parametrize("regularizer", REGULARIZERS[1:])
def test_a_regularizer_adds_its_value_at_the_softened_scores_of_rows_with_a_prediction(
    problem, loss_params, regularizer
):
    with_r = objective_of(problem, regularizer=regularizer, **loss_params)
    without = objective_of(problem, **loss_params)
    w = weights_for(with_r)
    scores = with_r.sums.design.scores(w.reshape(with_r.shape), slice(0, with_r.n_rows))
    if len(scores) == 1:
        scores = np.concatenate([np.zeros_like(scores), scores])
    T_ = loss_params["temperature"] if loss_params.get("soften_student", True) else 1.0
    without_prediction = np.isnan(problem["teacher_logits"]).all(axis=(1, 2))
    share = np.where(without_prediction, 0, np.where(problem["codes"] < 0, 1.0, 0.4))
    tau = T_**2 if loss_params.get("t_squared") else 1.0
    added = (problem["weight"] * share * tau) @ make_regularizer(regularizer).value(scores / T_)
    difference = with_r.value_and_gradient(w)[0] - without.value_and_gradient(w)[0]
    np.testing.assert_allclose(difference, added / problem["weight"].sum(), rtol=1e-10)


@pytest.mark.parametrize("loss_params", LOSS_PARAMS)
@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_gradient_is_the_finite_difference(problem, loss_params, regularizer):
    objective = objective_of(problem, regularizer=regularizer, **loss_params)
    w = weights_for(objective)
    expected = gradient_by_differences(lambda w: objective.value_and_gradient(w)[0], w)
    np.testing.assert_allclose(objective.value_and_gradient(w)[1], expected, atol=1e-8)


@pytest.mark.parametrize("loss_params", LOSS_PARAMS)
@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_hessian_products_are_finite_differences(problem, loss_params, regularizer):
    objective = objective_of(problem, regularizer=regularizer, **loss_params)
    w = weights_for(objective)
    v = np.random.default_rng(8).normal(size=w.shape)
    expected = central_difference(lambda t: objective.value_and_gradient(w + t * v)[1], 0, 1e-5)
    np.testing.assert_allclose(objective.hessian_operator(w)(v), expected, atol=2e-8)
    H = objective.hessian(w)
    np.testing.assert_allclose(H, H.T, atol=1e-12)
    np.testing.assert_allclose(H @ v, objective.hessian_operator(w)(v), atol=1e-12)


@pytest.mark.parametrize("loss_params", LOSS_PARAMS)
@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("name", ["imitation", "temperature"])
@every_class_weight
def test_metaparameter_derivatives_are_finite_differences(
    problem, weighted, loss_params, regularizer, name
):
    at = {"imitation": 0.4, "regularizer": regularizer} | loss_params
    at |= class_weight_of(problem, weighted)
    objective = objective_of(problem, **at)
    w = weights_for(objective)
    value, gradient = objective.tangent(w, getattr(mixture_of(problem, **at), f"{name}_tangent")())

    def moved(theta):
        return objective_of(problem, **at | {name: theta}).value_and_gradient(w)

    expected = central_difference(lambda t: moved(t)[0], at[name], 1e-5)
    expected_gradient = central_difference(lambda t: moved(t)[1], at[name], 1e-5)
    np.testing.assert_allclose(value, expected, atol=1e-9)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "storage", [np.ascontiguousarray, np.asfortranarray, sparse.csr_array, sparse.csc_matrix]
)
def test_storage_of_X_changes_nothing(problem, storage, dtype):
    plain = objective_of(problem, temperature=2.0)
    w = weights_for(plain)
    v = np.random.default_rng(8).normal(size=w.shape)
    stored = objective_of(problem, storage(problem["X"].astype(dtype)), temperature=2.0)
    tolerance = 1e-13 if dtype == np.float64 else 2e-6
    for expected, actual in zip(
        plain.value_and_gradient(w), stored.value_and_gradient(w), strict=True
    ):
        np.testing.assert_allclose(actual, expected, atol=tolerance)
    np.testing.assert_allclose(
        stored.hessian_operator(w)(v), plain.hessian_operator(w)(v), atol=tolerance
    )
    np.testing.assert_allclose(stored.hessian(w), plain.hessian(w), atol=tolerance)


def every_result(objective, w, tangent):
    v = np.random.default_rng(8).normal(size=w.shape)
    yield from objective.value_and_gradient(w)
    yield from (objective.hessian_operator(w)(v), objective.hessian(w))
    yield from (objective.hessian_blocks(w), objective.hessian_at_zero())
    yield from objective.tangent(w, tangent)
    yield objective.tangents_along(w, v, [tangent])


def test_the_sum_over_tiles_is_that_over_all_rows(problem, monkeypatch):
    rng = np.random.default_rng(0)
    large = {
        name: np.concatenate([values] * 20) if name != "X" else rng.normal(size=(800, 3))
        for name, values in problem.items()
    }
    whole, tiled = (objective_of(large, temperature=2.0) for _ in range(2))
    arguments = weights_for(whole), mixture_of(large, temperature=2.0).temperature_tangent()
    expected = list(every_result(whole, *arguments))
    monkeypatch.setattr(design_module, "TILE_BYTES", 1)
    assert len(list(tiled.sums.design.tiles())) == 4
    for actual, result in zip(every_result(tiled, *arguments), expected, strict=True):
        np.testing.assert_allclose(actual, result, rtol=1e-13, atol=1e-14)


def test_parts_add_up_to_the_whole(problem):
    """Additivity over rows: F = Σ (share of the weight) × F(part), penalty included."""
    objective = objective_of(problem, temperature=2.0, t_squared=True)
    w = weights_for(objective)
    rows = np.random.default_rng(2).permutation(len(problem["codes"]))
    parts = [objective.take(rows[:13]), objective.take(rows[13:])]
    shares = [part.sums.weight.sum() / problem["weight"].sum() for part in parts]
    values, gradients = zip(*(part.value_and_gradient(w) for part in parts), strict=True)
    value, gradient = objective.value_and_gradient(w)
    np.testing.assert_allclose(np.dot(shares, values), value, rtol=1e-13)
    np.testing.assert_allclose(shares @ np.array(gradients), gradient, atol=1e-14)


def test_dense_X_is_not_copied():
    X = np.asfortranarray(np.random.default_rng(0).normal(size=(50, 4)))
    assert np.shares_memory(as_design(X, True).X, X)
    csc = sparse.csc_array(X)
    assert as_design(csc, True).X is csc


def test_extreme_scores_stay_finite(problem):
    for loss_params in LOSS_PARAMS:
        objective = objective_of(problem, **loss_params)
        value, gradient = objective.value_and_gradient(1e4 * weights_for(objective))
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss_params", LOSS_PARAMS)
@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_tangents_along_a_direction_are_those_of_the_gradient(problem, loss_params, regularizer):
    at = {"imitation": 0.4, "regularizer": regularizer} | loss_params
    objective, mixture = objective_of(problem, **at), mixture_of(problem, **at)
    w = weights_for(objective)
    a = np.random.default_rng(9).normal(size=w.shape)
    tangents = [mixture.imitation_tangent(), mixture.temperature_tangent()]
    expected = [a @ objective.tangent(w, tangent)[1] for tangent in tangents]
    np.testing.assert_allclose(objective.tangents_along(w, a, tangents), expected, atol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_penalty_gradient_is_the_derivative_in_log_C(problem, fit_intercept):
    def gradient(log_C):
        alpha = 0.1 * np.exp(-log_C)
        objective = objective_of(problem, alpha=alpha, fit_intercept=fit_intercept)
        return objective.value_and_gradient(weights_for(objective))[1]

    objective = objective_of(problem, fit_intercept=fit_intercept)
    np.testing.assert_allclose(
        -objective.penalty_gradient(weights_for(objective)),
        central_difference(gradient, 0.0, 1e-5),
        atol=1e-10,
    )


def test_hessian_blocks_are_on_the_diagonal_of_the_hessian(problem):
    objective = objective_of(problem, temperature=2.0)
    w = weights_for(objective)
    K, d = objective.shape
    H = objective.hessian(w).reshape(K, d, K, d)
    for k, block in enumerate(objective.hessian_blocks(w)):
        np.testing.assert_allclose(block, H[k, :, k, :], atol=1e-13)


@pytest.mark.parametrize("loss_params", LOSS_PARAMS)
@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_hessian_at_zero_is_one_matrix_for_all_classes(
    problem, loss_params, regularizer, fit_intercept
):
    objective = objective_of(
        problem, regularizer=regularizer, fit_intercept=fit_intercept, alpha=0, **loss_params
    )
    K = objective.shape[0]
    P = np.eye(K) - (1 / K if K > 1 else 0)
    H = objective.hessian(objective.zeros())
    np.testing.assert_allclose(np.kron(P, objective.hessian_at_zero()), H, atol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_penalty_adds_alpha_to_the_hessians_diagonal_but_for_the_intercept(
    problem, fit_intercept
):
    free, penalised = (
        objective_of(problem, alpha=alpha, fit_intercept=fit_intercept) for alpha in (0, 0.1)
    )
    w = weights_for(free)
    K, d = free.shape
    added = np.diag([0.1] * (d - fit_intercept) + [0.0] * fit_intercept)
    difference = penalised.hessian_at_zero() - free.hessian_at_zero()
    np.testing.assert_allclose(difference, added, atol=1e-14)
    difference = penalised.hessian_blocks(w) - free.hessian_blocks(w)
    np.testing.assert_allclose(difference, [added] * K, atol=1e-14)
    difference = penalised.hessian(w) - free.hessian(w)
    np.testing.assert_allclose(difference, np.kron(np.eye(K), added), atol=1e-14)


@pytest.mark.parametrize("loss_params", LOSS_PARAMS)
def test_nonsingular_hessian_acts_as_the_hessian_where_gradients_are(problem, loss_params):
    objective = objective_of(problem, alpha=0.0, **loss_params)
    w = weights_for(objective)
    K, d = objective.shape
    H, nonsingular = objective.hessian(w), objective.nonsingular_hessian(w)
    if K == 1:
        np.testing.assert_array_equal(nonsingular, H)
        return
    V = np.random.default_rng(8).normal(size=(K, d))
    balanced = (V - V.mean(axis=0)).ravel()
    np.testing.assert_allclose(nonsingular @ balanced, H @ balanced, atol=1e-13)
    equal, D = np.tile(V[0], K), np.diag(H).reshape(K, d).mean(axis=0)
    np.testing.assert_allclose(H @ equal, 0, atol=1e-13)
    np.testing.assert_allclose(nonsingular @ equal, np.tile(D * V[0], K), atol=1e-13)
    assert np.linalg.eigvalsh(nonsingular)[0] > 1e-3


@pytest.mark.parametrize("loss_params", LOSS_PARAMS)
def test_the_objective_is_convex_if_its_regularizers_are(problem, loss_params):
    assert objective_of(problem, **loss_params).is_convex
    assert objective_of(problem, regularizer="continuous_categorical", **loss_params).is_convex
    many = problem["teacher_logits"].shape[2] > 2
    assert objective_of(problem, regularizer="grabovoy", **loss_params).is_convex != many


def test_classes_parts_of_the_gradient_sum_to_zero_exactly_enough(problem):
    """Rounding errors along directions without curvature would cause large steps."""
    objective = objective_of(problem, alpha=0.0, temperature=2.5)
    K = objective.shape[0]
    w = 1e3 * weights_for(objective)
    v = np.random.default_rng(8).normal(size=w.shape)
    for G in (objective.value_and_gradient(w)[1], objective.hessian_operator(w)(v)):
        if K > 1:
            size = np.abs(G).max()
            np.testing.assert_allclose(G.reshape(K, -1).sum(axis=0), 0, atol=3e-16 * size)


def test_derivatives_in_the_metaparameters_need_rows_in_memory(problem):
    class NotInMemory:
        n_scores, n_columns = 1, 1

    mixture = mixture_of(problem)
    objective = SoftTargetObjective(NotInMemory(), 0.1)
    with pytest.raises(
        TypeError,
        match=r"^derivatives in λ and T require sums of rows in memory .*, got NotInMemory$",
    ):
        objective.tangent(objective.zeros(), mixture.imitation_tangent())


def test_size_is_that_of_the_rows_and_columns(problem):
    objective = objective_of(problem)
    assert objective.n_rows == len(problem["codes"])
    assert objective.n_columns == problem["X"].shape[1] + 1
    part = objective.take(np.arange(7))
    assert (part.n_rows, part.shape, part.alpha) == (7, objective.shape, objective.alpha)


def test_the_smallest_share_is_of_the_class_with_the_least_target_mass():
    targets = SoftTargets(np.array([[0.5, 0.7], [0.5, 0.2], [0.0, 0.1]]), ())
    sums = RowSums(as_design(np.ones((2, 1)), False), targets, np.ones(2))
    assert SoftTargetObjective(sums, 1.0).smallest_class_share == pytest.approx(0.05)
