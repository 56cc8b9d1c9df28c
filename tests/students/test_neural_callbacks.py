"""Parameters of callbacks by name, as in skorch."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import EarlyStopping, EpochTimer

from sklearn_distill import DistilledNeuralClassifier

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = np.arange(40) % 2


def student(*callbacks, **options):
    return DistilledNeuralClassifier(
        hidden_layer_sizes=(2,),
        imitation=0,
        max_epochs=9,
        callbacks=list(callbacks),
        random_state=0,
        **options,
    )


def stopping(patience=5):
    # no later epoch improves the first one
    return EarlyStopping(monitor="train_loss", patience=patience, threshold=10.0)


def test_a_parameter_of_a_named_callback_takes_effect():
    model = student(("a", stopping(5)))
    assert len(model.fit(X, Y).history_) == 1 + 5
    model.set_params(callbacks__a__patience=2)
    assert model.get_params()["callbacks__a__patience"] == 2
    assert len(model.fit(X, Y).history_) == 1 + 2


def test_a_callback_without_a_name_has_that_of_its_class_and_a_number_if_there_are_several():
    model = student(EpochTimer, stopping()).set_params(callbacks__EarlyStopping__patience=2)
    assert model.callbacks[1].patience == 2
    several = student(stopping(4), stopping(5)).set_params(callbacks__EarlyStopping_2__patience=2)
    assert [callback.patience for callback in several.callbacks] == [4, 2]


def test_a_callback_is_replaced_with_its_parameters_or_switched_off():
    callbacks = [("a", stopping(5)), EpochTimer]
    model = student(*callbacks)
    model.set_params(callbacks__a__patience=3, callbacks__a=stopping(1))
    assert len(model.fit(X, Y).history_) == 1 + 3
    assert len(model.set_params(callbacks__a=None).fit(X, Y).history_) == 9
    assert callbacks[0][1].patience == 5, "the list and callback that the user passed stay"


def test_a_search_over_a_parameter_of_a_callback():
    model = student(("a", stopping(5)))
    search = GridSearchCV(model, {"callbacks__a__patience": [2, 3]}, cv=2, error_score="raise")
    search.fit(X, Y)
    best = search.best_params_["callbacks__a__patience"]
    assert len(search.best_estimator_.history_) == 1 + best
    assert model.callbacks[0][1].patience == 5
    copy = clone(search.best_estimator_)
    assert copy.get_params()["callbacks__a__patience"] == best


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"callbacks__b__patience": 2}, r"'callbacks__b__patience' .* callbacks are \['a', 'Ep"),
        ({"callbacks__b": None}, "Invalid parameter 'callbacks__b'"),
        ({"callbacks__a__patienc": 2}, r"'callbacks__a__patienc' .* callback are \['load_best'"),
        ({"callbacks__EpochTimer__x": 2}, "no parameters to set; pass an instance"),
        ({"callbacks": None, "callbacks__a__patience": 2}, r"callbacks are \[\]"),
    ],
)
def test_an_unknown_name_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        student(("a", stopping()), EpochTimer).set_params(**params)
