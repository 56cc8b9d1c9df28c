"""Neural students minimise the documented objective, as a hand-written loop does."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_digits
from torch import nn

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
)
from sklearn_distill.checks import parametrize_with_distiller_checks
from sklearn_distill.nets import MLP, hidden_representation
from tests.helpers import random_problem

# a linear network, minimised to the last digit: its predictions are those of the optimum
EXACT = {
    "hidden_layer_sizes": (),
    "optimizer": torch.optim.LBFGS,
    "optimizer__line_search_fn": "strong_wolfe",
    "optimizer__max_iter": 500,
    "optimizer__tolerance_grad": 1e-11,
    "optimizer__tolerance_change": 1e-15,
    "lr": 1.0,
    "batch_size": 10_000,
    "max_epochs": 2,
    "precision": "float64",
    "random_state": 0,
}
DIGITS, DIGIT = load_digits(n_class=4, return_X_y=True)
DIGITS = (DIGITS[:300] / 16).astype(np.float32)
DIGIT = DIGIT[:300]
TEACHER_PROBA = softmax(
    np.random.default_rng(0).normal(size=(300, 4)) + 2 * np.eye(4)[DIGIT], axis=1
)


def small(**options):
    return DistilledNeuralClassifier(
        **{
            "imitation": 0,
            "hidden_layer_sizes": (8,) if options.get("module") is None else (64,),
            "lr": 0.01,
            "max_epochs": 3,
            "random_state": 0,
        }
        | options
    )


def weights(student):
    return [w.detach().numpy() for w in student.net_.module_.parameters()]


def assert_same_weights(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


@parametrize_with_distiller_checks(
    [DistilledNeuralClassifier(**EXACT), DistilledNeuralRegressor(**EXACT)]
)
def test_common_properties_of_distillers(estimator, check):
    check(estimator)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {"imitation": 0.3, "temperature": 2.0},
        {"imitation": 0.7, "temperature": 3.0, "t_squared": True},
        {"imitation": 0.5, "temperature": 2.0, "soften_student": False},
        {"imitation": 0.5, "temperature": 1.5, "regularizer": "continuous_categorical"},
        {"imitation": 0.5, "class_weight": "balanced"},
        {"imitation": 0.5, "temperature": 2.0, "class_weight": {0: 0.5, 1: 4.0}},
    ],
    ids=str,
)
def test_a_linear_network_is_the_distilled_logistic_regression(K, options):
    rng = np.random.default_rng(0)
    problem = random_problem(rng, n=60, K=K)
    y = np.where(problem["codes"] >= 0, problem["codes"], np.nan)
    fit_params = {
        "sample_weight": problem["weight"],
        "teacher_logits": problem["teacher_logits"],
    }
    linear = DistilledLogisticRegression(C=1e8, solver="newton-cg", tol=1e-12, **options)
    network = DistilledNeuralClassifier(**EXACT, **options)
    for student in (linear, network):
        student.fit(problem["X"], y, **fit_params)
    expected = linear.predict_proba(problem["X"])
    np.testing.assert_allclose(network.predict_proba(problem["X"]), expected, atol=1e-5)
    assert network.n_taught_rows_ == linear.n_taught_rows_


def test_a_single_logit_is_enough_for_two_classes():
    rng = np.random.default_rng(0)
    problem = random_problem(rng, n=60, K=2)
    y = np.where(problem["codes"] >= 0, problem["codes"], np.nan)
    network = DistilledNeuralClassifier(MLP, module__n_outputs=1, temperature=2.0, **EXACT)
    two_logits = DistilledNeuralClassifier(temperature=2.0, **EXACT)
    network.set_params(module__hidden_layer_sizes=(), hidden_layer_sizes=(64,))
    for student in (network, two_logits):
        student.fit(problem["X"], y, teacher_logits=problem["teacher_logits"])
    proba = network.predict_proba(problem["X"])
    np.testing.assert_allclose(proba, two_logits.predict_proba(problem["X"]), atol=1e-5)
    np.testing.assert_allclose(np.exp(network.predict_log_proba(problem["X"])), proba)
    with torch.no_grad():
        exported = network.to_torch().float()(torch.tensor(problem["X"]).float()).numpy()
    np.testing.assert_allclose(exported, proba, atol=1e-5)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("imitation", [0.0, 0.3, 1.0])
def test_a_linear_network_is_the_privileged_linear_regression(n_outputs, imitation):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    y, predictions = rng.normal(size=(2, 50, n_outputs))
    y[:10], predictions[10:20] = np.nan, np.nan
    if n_outputs == 1:
        y, predictions = y.ravel(), predictions.ravel()
    weight = rng.uniform(0.5, 2.0, size=50)
    linear = PrivilegedLinearRegression(imitation, noise_variance=1.0, teacher_noise_variance=1.0)
    network = DistilledNeuralRegressor(imitation=imitation, **EXACT)
    for student in (linear, network):
        student.fit(X, y, weight, teacher_prediction=predictions)
    np.testing.assert_allclose(network.predict(X), linear.predict(X), atol=1e-6)
    assert network.predict(X).shape == y.shape
    assert network.n_taught_rows_ == 40


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_several_teachers_of_numbers_are_their_available_mean(n_outputs):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 3)), rng.normal(size=(50, n_outputs))
    teachers = rng.normal(size=(50, 2, n_outputs))
    teachers[:10, 0], teachers[10:20] = np.nan, np.nan
    mean = teachers.mean(axis=1)
    mean[:10] = teachers[:10, 1]
    network = DistilledNeuralRegressor(imitation=0.4, max_epochs=3, random_state=0)
    several = network.fit(X, y, teacher_prediction=teachers).predict(X)
    assert network.n_taught_rows_ == 40
    np.testing.assert_array_equal(network.fit(X, y, teacher_prediction=mean).predict(X), several)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_without_imitation_it_is_a_hand_written_loop(optimizer):
    student = small(imitation=0.0, optimizer=optimizer, batch_size=64)
    student.fit(DIGITS, DIGIT, teacher_proba=TEACHER_PROBA)

    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    torch.manual_seed(seed)
    network = MLP(64, 4, (8,))
    generator = torch.Generator().manual_seed(seed)
    step, X, y = optimizer(network.parameters(), lr=0.01), torch.tensor(DIGITS), torch.tensor(DIGIT)
    for _ in range(3):
        for rows in torch.randperm(300, generator=generator).split(64):
            step.zero_grad()
            nn.functional.cross_entropy(network(X[rows]), y[rows]).backward()
            step.step()
    for weight, expected in zip(weights(student), network.parameters(), strict=True):
        np.testing.assert_allclose(weight, expected.detach().numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_repeated_fits_equal_a_single_longer_one(dropout):
    options = {"module__dropout": dropout, "batch_size": 64}
    fit_params = {"teacher_proba": TEACHER_PROBA}
    at_once = small(imitation=0.5, max_epochs=4, **options).fit(DIGITS, DIGIT, **fit_params)
    warm = small(imitation=0.5, max_epochs=2, warm_start=True, **options)
    warm.fit(DIGITS, DIGIT, **fit_params).fit(DIGITS, DIGIT, **fit_params)
    by_hand = small(imitation=0.5, **options)
    for _ in range(4):
        by_hand.partial_fit(DIGITS, DIGIT, **fit_params)
    for student in (warm, by_hand):
        assert_same_weights(student, at_once)
        assert student.history_["train_loss"].tolist() == at_once.history_["train_loss"].tolist()


def test_a_seed_determines_the_network_and_torch_random_state_is_unchanged():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, same = (small(module__dropout=0.2).fit(DIGITS, DIGIT) for _ in range(2))
    other = small(random_state=1).fit(DIGITS, DIGIT)
    assert torch.equal(before, torch.get_rng_state())
    assert_same_weights(one, same)
    assert np.abs(one.predict_proba(DIGITS) - other.predict_proba(DIGITS)).max() > 1e-3


def test_fit_starts_from_new_weights_and_changes_no_parameter():
    module = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 4))
    state = copy.deepcopy(module.state_dict())
    student = small(module=module)
    params = student.get_params()
    once = student.fit(DIGITS, DIGIT).predict_proba(DIGITS)
    np.testing.assert_array_equal(student.fit(DIGITS, DIGIT).predict_proba(DIGITS), once)
    assert student.get_params() == params
    assert all(torch.equal(state[name], weight) for name, weight in module.state_dict().items())
    assert student.net_.module_ is not module


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_predict_the_same_and_continue_the_same(copied):
    student = small(imitation=0.5, module__dropout=0.2).fit(
        DIGITS, DIGIT, teacher_proba=TEACHER_PROBA
    )
    other = copied(student)
    np.testing.assert_array_equal(other.predict_proba(DIGITS), student.predict_proba(DIGITS))
    for one in (student, other):
        one.partial_fit(DIGITS, DIGIT, teacher_proba=TEACHER_PROBA)
    assert_same_weights(other, student)


def test_parameters_of_module_and_optimizer():
    student = small(module=MLP, module__hidden_layer_sizes=(5,), optimizer__weight_decay=0.1)
    again = clone(student).set_params(module__hidden_layer_sizes=(6,))
    assert again.get_params()["optimizer__weight_decay"] == 0.1
    assert again.fit(DIGITS, DIGIT).net_.module_.head.in_features == 6
    assert again.net_.optimizer_.param_groups[0]["weight_decay"] == 0.1
    assert student.get_params()["module__hidden_layer_sizes"] == (5,)


def test_images_and_their_shape():
    images = DIGITS.reshape(-1, 1, 8, 8)
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4))
    student = small(imitation=0.5, module=module, max_epochs=5).fit(
        images, DIGIT, teacher_proba=TEACHER_PROBA
    )
    assert student.score(images, DIGIT) > 0.9
    with pytest.raises(ValueError, match=r"shape \(1, 4, 16\), but .* \(1, 8, 8\)"):
        student.predict(DIGITS.reshape(-1, 1, 4, 16))
    with pytest.raises(ValueError, match=r"X has shape .* pass a module"):
        small().fit(images, DIGIT)


def test_names_labels_and_columns_of_any_kind():
    names = np.array(["a", "b", "c", "d"])
    frame = pd.DataFrame(DIGITS).rename(columns=str)
    teacher_proba = pd.DataFrame(TEACHER_PROBA, columns=names)[["c", "a", "d", "b"]]
    student = small(imitation=0.5).fit(frame, names[DIGIT], teacher_proba=teacher_proba)
    plain = small(imitation=0.5).fit(DIGITS, DIGIT, teacher_proba=TEACHER_PROBA)
    assert_same_weights(student, plain)
    assert list(student.predict(frame)) == list(names[plain.predict(DIGITS)])
    assert list(student.feature_names_in_) == [str(k) for k in range(64)]


def test_unlabelled_rows_and_a_class_that_only_the_teacher_predicts():
    y = np.where(DIGIT == 3, None, DIGIT.astype(object))
    student = small(classes=[0, 1, 2, 3], max_epochs=30, imitation=0.9)
    student.fit(DIGITS, y, teacher_proba=np.eye(4)[DIGIT] * 0.8 + 0.05)
    assert (student.predict(DIGITS)[DIGIT == 3] == 3).mean() > 0.9


def test_the_scale_of_sample_weights_has_no_effect():
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=300)
    one = small().fit(DIGITS, DIGIT, weight)
    other = small().fit(DIGITS, DIGIT, 8 * weight)
    np.testing.assert_allclose(one.predict_proba(DIGITS), other.predict_proba(DIGITS), atol=1e-6)


def test_teacher_embedding_is_fitted_by_the_hidden_layer():
    rng = np.random.default_rng(0)
    embedding = DIGITS @ rng.normal(size=(64, 3))
    embedding = (embedding - embedding.mean(axis=0)) / embedding.std(axis=0)
    embedding[::3] = np.nan

    def distance(student):
        hidden = hidden_representation(student, DIGITS)
        with torch.no_grad():
            codes = student.net_.projection_([torch.tensor(hidden)]).numpy()
        return np.nanmean(np.square(codes - embedding).sum(axis=1))

    options = {"imitation": 0.0, "max_epochs": 60, "lr": 0.02, "hidden_layer_sizes": (32,)}
    near, far = (
        small(embedding_weight=mu, **options).fit(DIGITS, DIGIT, teacher_embedding=embedding)
        for mu in (1.0, 1e-6)
    )
    assert distance(near) < 0.2 * distance(far)
    assert near.score(DIGITS, DIGIT) > 0.9
    changed = np.where(np.isnan(embedding), embedding, embedding + 1)
    other = small(embedding_weight=1.0, **options)
    other.fit(DIGITS, DIGIT, teacher_embedding=changed)
    assert np.abs(other.predict_proba(DIGITS) - near.predict_proba(DIGITS)).max() > 1e-3
    ignored = small(**options).fit(DIGITS, DIGIT, teacher_embedding=embedding)
    assert_same_weights(ignored, small(**options).fit(DIGITS, DIGIT))


def test_training_in_half_precision():
    student = small(imitation=0.5, precision="bfloat16", max_epochs=10).fit(
        DIGITS, DIGIT, teacher_proba=TEACHER_PROBA
    )
    assert student.score(DIGITS, DIGIT) > 0.9
    assert {w.dtype for w in student.net_.module_.parameters()} == {torch.float32}


@pytest.mark.parametrize("regularizer", ["grabovoy", "continuous_categorical"])
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_with_regularisers(precision, regularizer):
    options = {"regularizer": regularizer, "max_epochs": 20, "temperature": 2.0}
    mixed = small(imitation=0.5, precision=precision, **options).fit(
        DIGITS, DIGIT, teacher_proba=TEACHER_PROBA
    )
    single = small(imitation=0.5, **options).fit(DIGITS, DIGIT, teacher_proba=TEACHER_PROBA)
    losses = [student.history_["train_loss"].iloc[-1] for student in (mixed, single)]
    np.testing.assert_allclose(*losses, rtol=0.01)


def test_lazy_layers_are_initialised_from_the_seed():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, same = (small(module=nn.LazyLinear(4)).fit(DIGITS, DIGIT) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert_same_weights(one, same)


def test_an_instance_is_converted_to_the_precision():
    module = nn.Linear(64, 4).double()
    student = small(module=module).fit(DIGITS, DIGIT)
    assert {w.dtype for w in student.net_.module_.parameters()} == {torch.float32}
    assert {w.dtype for w in module.parameters()} == {torch.float64}


@pytest.mark.parametrize("order", [slice(None, None, -1), slice(None, None, 2)], ids=str)
def test_views_of_features_give_the_same_as_copies(order):
    X, y = DIGITS[order], DIGIT[order]
    X.flags.writeable = False
    student, copied = small().fit(X, y), small().fit(X.copy(), y.copy())
    assert_same_weights(student, copied)
    np.testing.assert_array_equal(student.predict_proba(X), copied.predict_proba(X.copy()))
