"""Whatever comes into ``fit`` of a network: finite answers, or an error that names the argument."""

import pytest
from hypothesis import strategies as st

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor
from sklearn_distill._validation.label_matrix import is_label_matrix
from tests.faults.contract import (
    fitted_or_refused,
    predicts_numbers,
    predicts_probabilities,
)
from tests.faults.strategies import class_data, holds, imitations, powers, regression_data

SMALL = {"hidden_layer_sizes": (3,), "max_epochs": 2, "batch_size": 8, "random_state": 0}

of_training = {
    "imitation": imitations(),
    "lr": powers(-4, 3),
    "optimizer": st.sampled_from(("adam", "sgd")),
    "early_stopping": st.booleans(),
    "gradient_clip": st.none() | powers(-3, 3),
    "precision": st.sampled_from(("float32", "float64")),
}
of_classes = of_training | {
    "temperature": powers(-3, 3),
    "soften_student": st.booleans(),
    "t_squared": st.booleans(),
    "regularizer": st.sampled_from((None, None, "grabovoy", "continuous_categorical")),
    "class_weight": st.sampled_from((None, None, "balanced")),
}


def weights_are_finite(student):
    assert all(w.isfinite().all() for w in student.net_.module_.parameters())


def classifier(data, options):
    student = DistilledNeuralClassifier(**SMALL, **options)
    if fitted_or_refused(student, data):
        if is_label_matrix(data.y):  # of several labels, each of which has a probability
            predicts_numbers(student, data.X)
        else:
            predicts_probabilities(student, data.X)
        weights_are_finite(student)


def regressor(data, options):
    student = DistilledNeuralRegressor(**SMALL, **options)
    if fitted_or_refused(student, data):
        predicts_numbers(student, data.X)
        weights_are_finite(student)


LAWS = {
    classifier: {"data": class_data(), "options": st.fixed_dictionaries(of_classes)},
    regressor: {"data": regression_data(), "options": st.fixed_dictionaries(of_training)},
}


@pytest.mark.parametrize("law", LAWS)
def test_finite_answers_or_an_error_that_helps(law):
    holds(law, 80, **LAWS[law])


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
def test_finite_answers_or_an_error_that_helps_on_many_examples(law):
    holds(law, 600, **LAWS[law])
