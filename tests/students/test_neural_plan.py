"""What "auto" stands for, and outputs of a regression in units of their deviation."""

import copy
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, make_classification
from sklearn.neural_network import MLPRegressor
from skorch.callbacks import Callback
from torch.nn import functional

from sklearn_distill import (
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    GreedyHypergradient,
)
from sklearn_distill.nets import MLP
from sklearn_distill.nets._callbacks import StopTraining
from sklearn_distill.students._neural_plan import with_numbers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
T = X[:, 0] + 0.1 * RNG.normal(size=60)
Y = X[:, 0] - X[:, 1]
NAMES = ["max_epochs", "batch_size", "lr", "lr_schedule", "early_stopping"]
AS_WITH_A_NUMBER = [20, 128, 1e-3, None, False]


def numbers(n_rows, *, can_validate=False, one_pass=False, **options):
    student = DistilledNeuralClassifier(**options)
    settled = with_numbers(student, n_rows, can_validate=can_validate, one_pass=one_pass)
    assert student.get_params() == DistilledNeuralClassifier(**options).get_params()
    return [getattr(settled, name) for name in NAMES]


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [
        (16, [250, 16, 5e-3, "cosine", False]),
        (160, [32, 20, 5e-3, "cosine", False]),
        (2000, [63, 125 + 3, 5e-3, "cosine", False]),
        (60_000, [20, 128, 5e-3, "cosine", False]),
    ],
)
def test_small_tables_have_more_passes(n_rows, expected):
    assert numbers(n_rows) == expected


def test_a_given_number_of_epochs_leaves_the_others_alone():
    assert numbers(100, max_epochs=20) == AS_WITH_A_NUMBER
    assert numbers(100, max_epochs=20, can_validate=True) == AS_WITH_A_NUMBER
    given = {"max_epochs": 7, "batch_size": 9, "lr": 0.5, "lr_schedule": None}
    assert numbers(100, early_stopping=True, **given) == [*given.values(), True]


def test_what_is_given_stays_next_to_an_automatic_number_of_epochs():
    assert numbers(160, lr=0.5, batch_size=80) == [125, 80, 0.5, "cosine", False]
    assert numbers(160, lr_schedule=None, early_stopping=True)[3:] == [None, True]
    assert numbers(160, module=torch.nn.Linear(4, 2))[2] == 1e-3
    assert numbers(160, optimizer="sgd")[2] == 1e-3
    assert numbers(160, can_validate=True)[4] is True


def test_trainings_of_another_kind_are_as_before():
    assert numbers(None) == AS_WITH_A_NUMBER
    assert numbers(160, one_pass=True) == AS_WITH_A_NUMBER
    greedy = GreedyHypergradient()
    student = DistilledNeuralClassifier(metaparameter_optimizer=greedy)
    settled = with_numbers(student, 160, can_validate=True)
    assert [getattr(settled, name) for name in NAMES] == AS_WITH_A_NUMBER


class OneEpoch(Callback):
    """End the training after its first epoch."""

    def on_epoch_end(self, net, **kwargs):
        raise StopTraining


def test_many_rows_are_held_out_unless_a_class_is_rare():
    many, classes = make_classification(2200, random_state=0)
    student = DistilledNeuralClassifier(imitation=0, callbacks=[OneEpoch()], random_state=0)
    student.fit(many, classes)
    assert "valid_loss" in student.history_
    student.set_params(max_epochs=1).fit(many, classes)
    assert "valid_loss" not in student.history_
    classes[0] = 2  # one row
    student.set_params(max_epochs="auto").fit(many, classes)
    assert list(student.classes_) == [0, 1, 2]
    assert "valid_loss" not in student.history_


def test_a_fit_at_the_defaults_is_a_hand_written_loop():
    student = DistilledNeuralRegressor(imitation=0.3, random_state=0)
    student.fit(X[:16], Y[:16], teacher_prediction=T[:16])
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    torch.manual_seed(seed)
    network = MLP(4, 1, (64,))
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 250)
    generator = torch.Generator().manual_seed(seed)
    mean, deviation = Y[:16].mean(), Y[:16].std()
    target = torch.tensor((0.7 * Y[:16] + 0.3 * T[:16] - mean) / deviation).float()[:, None]
    for _ in range(250):
        rows = torch.randperm(16, generator=generator)
        optimizer.zero_grad()
        functional.mse_loss(network(torch.tensor(X)[rows]), target[rows]).backward()
        optimizer.step()
        schedule.step()
    predictions = network(torch.tensor(X)).detach().numpy().ravel() * deviation + mean
    np.testing.assert_allclose(student.predict(X), predictions, atol=1e-4)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_units_of_the_labels_change_nothing(n_outputs):
    y, t = (np.column_stack([values] * n_outputs) for values in (Y, T))
    y, t = y.copy(), t.copy()
    y[:5], t[5:9] = np.nan, np.nan
    a, b = np.array([3e9, -2.0])[:n_outputs], np.array([1e6, 1e-6])[:n_outputs]
    options = {"imitation": 0.4, "max_epochs": 3, "batch_size": 16, "random_state": 0}
    student = DistilledNeuralRegressor(**options).fit(X, y, teacher_prediction=t)
    other = DistilledNeuralRegressor(**options).fit(X, a + b * y, teacher_prediction=a + b * t)
    expected = student.predict(X).reshape(60, -1)
    np.testing.assert_allclose((other.predict(X).reshape(60, -1) - a) / b, expected, atol=1e-5)
    np.testing.assert_allclose(other.history_["train_loss"], student.history_["train_loss"], 1e-5)


def test_losses_are_in_units_of_the_variance():
    student = DistilledNeuralRegressor(imitation=0, max_epochs=2, random_state=0)
    student.fit(X, 10 * Y + 5, X_val=X[:20], y_val=10 * Y[:20] + 5)
    error = np.mean((student.predict(X[:20]) - 10 * Y[:20] - 5) ** 2)
    last = student.history_["valid_loss"].iloc[-1]
    np.testing.assert_allclose(last, error / np.var(10 * Y), rtol=1e-4)
    assert student.net_.score(X[:20], 10 * Y[:20] + 5) == student.score(X[:20], 10 * Y[:20] + 5)
    module = student.to_torch()
    with torch.no_grad():
        exported = module(torch.tensor(X)).ravel()
        bare = student.to_torch(restore_y=False)(torch.tensor(X)).ravel()
    np.testing.assert_allclose(exported, student.predict(X), atol=1e-4)
    np.testing.assert_allclose(bare * np.std(10 * Y) + 5 + 10 * Y.mean(), exported, atol=1e-4)


def test_a_warm_start_keeps_the_units():
    student = DistilledNeuralRegressor(imitation=0, max_epochs=1, warm_start=True, random_state=0)
    before = copy.deepcopy(student.fit(X, Y)._units)
    student.fit(X, 100 * Y).partial_fit(X, Y)
    np.testing.assert_array_equal(student._units.scale, before.scale)
    student.set_params(warm_start=False).fit(X, 100 * Y)
    np.testing.assert_allclose(student._units.scale, 100 * before.scale)


def test_constants_and_teachers_alone_have_units():
    student = DistilledNeuralRegressor(max_epochs=2, random_state=0)
    student.fit(X, teacher_prediction=T)
    np.testing.assert_allclose(student._units.center, T.mean())
    student.set_params(imitation=0).fit(X, np.full(60, 0.1))
    np.testing.assert_array_equal(student._units.scale, 1)
    student.fit(X, Y.astype(float) * 1e200)
    assert np.isfinite(student.predict(X)).all()


def test_raw_labels_of_any_scale_are_learned():
    features, y = load_diabetes(return_X_y=True)
    features = features / features.std(axis=0)
    student = DistilledNeuralRegressor(imitation=0, random_state=0).fit(features[::2], y[::2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = MLPRegressor(random_state=0).fit(features[::2], y[::2])
    score = student.score(features[1::2], y[1::2])
    assert score > 0.35 > peer.score(features[1::2], y[1::2])


def test_predictions_of_plain_arrays_skip_checks_only():
    student = DistilledNeuralClassifier(imitation=0, max_epochs=1, random_state=0).fit(X, Y > 0)
    expected = student.predict_proba(X.tolist())
    for plain in (X, X.astype(np.float64), X[:, ::-1][:, ::-1], np.asfortranarray(X)):
        np.testing.assert_array_equal(student.predict_proba(plain), expected)
    for wrong in (X[:, :3], X[:0], np.where(X > 2, np.nan, X), np.full((1, 4), np.inf)):
        with pytest.raises(ValueError, match=r"X has|minimum of 1|NaN|infinity"):
            student.predict_proba(wrong)
