"""The tables on images: training, validation and test sets, and the methods."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from examples.papers.gorpinich_2022 import table_cifar10, table_fashion_mnist
from examples.papers.gorpinich_2022.images import (
    MEASURES,
    TEACHER,
    DistillationData,
    TrainingConfig,
    evaluate,
    tune,
)
from sklearn_distill.nets import MLP, CifarCNN

TRAINING = TrainingConfig(60, epochs=3, lr=0.5, halving=2, metaparameter_lr=0.5)
NETWORK = partial(MLP, hidden_layer_sizes=())


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4)).astype(np.float32)
    y = X[:, :3].argmax(axis=1)
    log_proba = np.log(rng.dirichlet(np.ones(3), size=80))
    return DistillationData(X, y, log_proba, (X[60:], y[60:]), log_proba[60:])


def measures_of(method, data):
    return evaluate(method, data, TRAINING, NETWORK, seed=0, device="cpu")


def test_measures_of_the_teacher(data):
    _, y = data.test
    log_proba = data.teacher_test_log_proba
    found = measures_of(TEACHER, data)
    assert found["accuracy"] == np.mean(log_proba.argmax(axis=1) == y)
    np.testing.assert_allclose(
        found["cross_entropy"], np.mean([-log_proba[i, k] for i, k in enumerate(y)])
    )


def test_methods_return_all_measures(data):
    for method, n_hypergradients in {"none": 0, "random": 0, "gradient": 3, "proposed": 3}.items():
        found = measures_of(method, data)
        assert list(found) == list(MEASURES)
        assert found["hypergradients"] == n_hypergradients


@pytest.mark.parametrize("method", ["none", "naive", "random", "gradient"])
def test_the_last_tenth_is_used_for_metaparameters_only(method, data):
    y = data.y.copy()
    y[54:60] = (y[54:60] + 1) % 3
    before, after = (
        tune(method, one, TRAINING, NETWORK, 0, "cpu") for one in (data, replace(data, y=y))
    )
    assert before.validation_loss != after.validation_loss
    changed = (before.imitation, before.temperature) != (after.imitation, after.temperature)
    assert changed == (method == "gradient")
    if not changed:
        proba = (one.student.predict_proba(data.X) for one in (before, after))
        np.testing.assert_array_equal(*proba)


def test_methods_of_a_seed_share_the_initial_values(data):
    results = [
        tune(method, data, replace(TRAINING, metaparameter_lr=1e-9), NETWORK, 0, "cpu")
        for method in ("random", "gradient", "proposed")
    ]
    for one in results[1:]:
        assert one.imitation == pytest.approx(results[0].imitation)
        assert one.temperature == pytest.approx(results[0].temperature)


def test_the_published_sizes():
    fashion, cifar = table_fashion_mnist.SCALES["full"], table_cifar10.SCALES["full"]
    assert fashion.training.n_training == 54_000
    assert (cifar.reduced.n_training, cifar.whole.n_training) == (11_520, 45_000)
    assert sum(p.numel() for p in CifarCNN().parameters()) == 15_050
