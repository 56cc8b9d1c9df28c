"""The tables on images: who trains, who validates, and who judges."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from examples.papers.gorpinich_2022 import table_cifar10, table_fashion_mnist
from examples.papers.gorpinich_2022.images import MEASURES, TEACHER, Course, Lesson, figures, tuned
from sklearn_distill.nets import MLP, CifarCNN

COURSE = Course(60, epochs=3, lr=0.5, halving=2, metaparameter_lr=0.5)
NETWORK = partial(MLP, hidden_layer_sizes=())


@pytest.fixture
def lesson():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4)).astype(np.float32)
    y = X[:, :3].argmax(axis=1)
    says = np.log(rng.dirichlet(np.ones(3), size=80))
    return Lesson(X, y, says, (X[60:], y[60:]), says[60:])


def reached(method, lesson):
    return figures(method, lesson, COURSE, NETWORK, seed=0, device="cpu")


def test_the_teacher_is_judged_by_what_it_says(lesson):
    _, y = lesson.test
    says = lesson.teacher_test_log_proba
    found = reached(TEACHER, lesson)
    assert found["accuracy"] == np.mean(says.argmax(axis=1) == y)
    np.testing.assert_allclose(
        found["cross_entropy"], np.mean([-says[i, k] for i, k in enumerate(y)])
    )


def test_methods_tell_of_all_measures(lesson):
    for method, n_hypergradients in {"none": 0, "random": 0, "gradient": 3, "proposed": 3}.items():
        found = reached(method, lesson)
        assert list(found) == list(MEASURES)
        assert found["hypergradients"] == n_hypergradients


@pytest.mark.parametrize("method", ["none", "naive", "random", "gradient"])
def test_the_last_tenth_moves_metaparameters_and_trains_nobody(method, lesson):
    y = lesson.y.copy()
    y[54:60] = (y[54:60] + 1) % 3
    before, after = (
        tuned(method, one, COURSE, NETWORK, 0, "cpu") for one in (lesson, replace(lesson, y=y))
    )
    assert before.validation_loss != after.validation_loss
    moved = (before.imitation, before.temperature) != (after.imitation, after.temperature)
    assert moved == (method == "gradient")
    if not moved:
        proba = (one.student.predict_proba(lesson.X) for one in (before, after))
        np.testing.assert_array_equal(*proba)


def test_methods_of_a_seed_begin_where_random_does(lesson):
    begun = [
        tuned(method, lesson, replace(COURSE, metaparameter_lr=1e-9), NETWORK, 0, "cpu")
        for method in ("random", "gradient", "proposed")
    ]
    for one in begun[1:]:
        assert one.imitation == pytest.approx(begun[0].imitation)
        assert one.temperature == pytest.approx(begun[0].temperature)


def test_the_published_sizes():
    fashion, cifar = table_fashion_mnist.SCALES["full"], table_cifar10.SCALES["full"]
    assert fashion.course.n_training == 54_000
    assert (cifar.reduced.n_training, cifar.whole.n_training) == (11_520, 45_000)
    assert sum(p.numel() for p in CifarCNN().parameters()) == 15_050
