"""A checkpoint is resumed on its own data and parameters, unchanged, and by one fit only."""

import functools

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from skorch.callbacks import Callback
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import Dataset

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
MANY = RNG.normal(size=(600, 6)).astype(np.float32)


class Interrupt(Callback):
    """Ctrl-C in the third epoch."""

    def on_epoch_begin(self, net, *args, **kwargs):
        if len(net.history) == 3:
            raise KeyboardInterrupt


class Stateful(Callback):
    def state_dict(self):
        return {"seen": 1}

    def load_state_dict(self, state):
        self.seen = state["seen"]


class Items(Dataset):
    def __init__(self, X, y):
        self.X = torch.tensor(X)
        self.y = y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, row):
        return self.X[row], int(self.y[row]), None


def student(file, **options):
    given = {"max_epochs": 6, "random_state": 0, "classes": [0, 1]}
    if "module" not in options:
        given["hidden_layer_sizes"] = (5,)
    return DistilledNeuralClassifier(imitation=0, checkpoint=file, **given | options)


def interrupt(file, data=(X, Y), **options):
    callbacks = [Interrupt(), *options.pop("callbacks", ())]
    with pytest.raises(KeyboardInterrupt):
        student(file, callbacks=callbacks, **options).fit(*data)


def weights(student):
    return [weight.detach().numpy() for weight in student.net_.module_.parameters()]


def assert_same_weights(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


def scaled(factor, features, generator):
    return factor * features


def network(width):
    def build(n_features, n_outputs):
        layers = torch.nn.Linear(n_features, width), torch.nn.Linear(width, n_outputs)
        return torch.nn.Sequential(*layers)

    return build


STEP = functools.partial(StepLR, step_size=1)
# data and parameters of an interrupted fit, those of the next fit, and what differs
OTHERS = {
    "labels": (((X, Y), {}), ((X, Y[::-1]), {}), "data"),
    "a Dataset's rows": (((Items(X, Y),), {}), ((Items(MANY, np.ones(600)),), {}), "data"),
    "a Dataset's labels": (((Items(X, Y),), {}), ((Items(X, 1 - Y),), {}), "data"),
    "lr": (((X, Y), {}), ((X, Y), {"lr": 0.1}), "lr"),
    "two parameters": (
        ((X, Y), {}),
        ((X, Y), {"lr": 0.1, "batch_size": 9}),
        r"batch_size, lr",
    ),
    "a partial schedule": (
        ((X, Y), {"lr_schedule": functools.partial(STEP, gamma=0.1)}),
        ((X, Y), {"lr_schedule": functools.partial(STEP, gamma=0.9)}),
        "lr_schedule",
    ),
    "a lambda as schedule": (
        ((X, Y), {"lr_schedule": lambda o: StepLR(o, step_size=1, gamma=0.1)}),
        ((X, Y), {"lr_schedule": lambda o: StepLR(o, step_size=1, gamma=0.9)}),
        "lr_schedule",
    ),
    "augmentation": (
        ((X, Y), {"augmentation": functools.partial(scaled, 0.0)}),
        ((X, Y), {"augmentation": functools.partial(scaled, 1.0)}),
        "augmentation",
    ),
    "architecture": (((X, Y), {"module": network(4)}), ((X, Y), {"module": network(9)}), "module"),
    "initial weights": (
        ((X, Y), {"module": torch.nn.Linear(6, 2)}),
        ((X, Y), {"module": torch.nn.Linear(6, 2)}),
        "module",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_data_or_parameters_are_named(tmp_path, case):
    (data, params), (other_data, other_params), name = OTHERS[case]
    file = tmp_path / "training.pt"
    interrupt(file, data, **params)
    before = file.read_bytes()
    other = student(file, **other_params)
    unfitted = dict(vars(other))
    message = rf"checkpoint='.*' was written with other data or parameters \({name}\): "
    with pytest.raises(ValueError, match=message):
        other.fit(*other_data)
    assert vars(other) == unfitted
    assert file.read_bytes() == before
    resumed = student(file, **params).fit(*data)
    assert_same_weights(resumed, student(None, **params).fit(*data))


def test_another_previous_network_is_another_training(tmp_path):
    file = tmp_path / "training.pt"
    one, other = (student(None, lr=lr).fit(X, Y) for lr in (0.001, 0.1))
    callbacks = [WarmInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        clone_of(one).set_params(checkpoint=file, callbacks=callbacks).fit(X, Y)
    with pytest.raises(ValueError, match=r"checkpoint=.*parameters \(warm_start\)"):
        clone_of(other).set_params(checkpoint=file, lr=0.001).fit(X, Y)
    resumed = clone_of(one).set_params(checkpoint=file).fit(X, Y)
    assert_same_weights(resumed, clone_of(one).fit(X, Y))


class WarmInterrupt(Callback):
    def on_epoch_begin(self, net, *args, **kwargs):
        if len(net.history) == 9:
            raise KeyboardInterrupt


def clone_of(fitted):
    """Return a student that continues with a fitted network, and leaves it unchanged."""
    copy = student(None, warm_start=True, lr=fitted.lr)
    vars(copy).update({k: v for k, v in vars(fitted).items() if k not in copy.get_params()})
    return copy


@pytest.mark.parametrize("at_first", [True, False])
def test_another_callback_with_a_state_is_an_error(tmp_path, at_first):
    file = tmp_path / "training.pt"
    one, other = ([Stateful()], None) if at_first else (None, [Stateful()])
    interrupt(file, callbacks=one or ())
    with pytest.raises(ValueError, match=r"checkpoint='.*set callbacks back \(Stateful\)"):
        student(file, callbacks=other).fit(X, Y)
    resumed = student(file, callbacks=one).fit(X, Y)
    assert_same_weights(resumed, student(None).fit(X, Y))


def test_fewer_epochs_than_those_of_the_file_are_an_error(tmp_path):
    file = tmp_path / "training.pt"
    interrupt(file)
    with pytest.raises(ValueError, match=r"checkpoint='.*trained for 2 epochs, more than the 1"):
        student(file, max_epochs=1).fit(X, Y)
    assert len(student(file, max_epochs=2).fit(X, Y).history_) == 2


def _times_nan(state):
    return {name: weight * np.nan for name, weight in state.items()}


FIELDS = ["hash", "identity", "weights", "optimizer", "scaler", "generator", "torch_rng"]
CHANGES = {
    **{f"without {name}": lambda s, n=name: {k: v for k, v in s.items() if k != n}
       for name in [*FIELDS, "callbacks", "history"]},
    "a list": lambda s: [1, 2],
    "weights": lambda s: s | {"weights": {"module": _times_nan(s["weights"]["module"])}},
    "generator": lambda s: s | {"generator": torch.zeros(3, dtype=torch.uint8)},
    "history": lambda s: s | {"history": s["history"] * 5},
    "a method": lambda s: s | {"callbacks": {"best_weights": {"on_epoch_end": 3}}},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_an_error(tmp_path, change):
    file = tmp_path / "training.pt"
    interrupt(file, early_stopping=True)
    torch.save(CHANGES[change](torch.load(file, weights_only=True)), file)
    assert_refused(file)


@pytest.mark.parametrize("part", range(8))
def test_a_corrupt_file_is_an_error(tmp_path, part):
    file = tmp_path / "training.pt"
    interrupt(file, early_stopping=True)
    content = bytearray(file.read_bytes())
    start = len(content) * part // 8
    content[start : start + 64] = bytes(byte ^ 0xFF for byte in content[start : start + 64])
    file.write_bytes(content)
    resumed = student(file, early_stopping=True)
    try:
        resumed.fit(X, Y)
    except ValueError as error:
        assert "cannot be read" in str(error)  # noqa: PT017 - or the bytes hold nothing
    else:
        assert_same_weights(resumed, student(None, early_stopping=True).fit(X, Y))


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_file_is_an_error(tmp_path, share):
    file = tmp_path / "training.pt"
    interrupt(file, early_stopping=True)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    assert_refused(file)


def assert_refused(file):
    resumed = student(file, early_stopping=True)
    unfitted = dict(vars(resumed))
    with pytest.raises(ValueError, match=r"checkpoint='.*' cannot be read"):
        resumed.fit(X, Y)
    assert vars(resumed) == unfitted


def test_what_cannot_be_hashed_is_named(tmp_path):
    with open(tmp_path / "log", "w") as log:
        augment = functools.partial(lambda log, features: features, log)
        with pytest.raises(ValueError, match="checkpoint must recognise its training, but augment"):
            student(tmp_path / "training.pt", augmentation=augment).fit(X, Y)


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_parallel_fits_of_a_search_do_not_share_a_file(tmp_path, backend):
    grid = {"lr": [0.001, 0.1], "max_epochs": [2, 5]}
    searches = []
    for file in (tmp_path / "training.pt", None):
        with joblib.parallel_config(backend=backend):
            search = GridSearchCV(student(file), grid, cv=2, n_jobs=2, error_score="raise")
            searches.append(search.fit(X, Y))
    np.testing.assert_array_equal(*(s.cv_results_["mean_test_score"] for s in searches))
    assert_same_weights(*(search.best_estimator_ for search in searches))
    assert list(tmp_path.iterdir()) == []


def test_each_fit_of_an_interrupted_search_resumes_its_own_file(tmp_path):
    file = tmp_path / "training.pt"
    # two fits stop in the middle, and the same search goes on with both
    for train in (slice(0, 40), slice(20, 60)):
        broken = clone(student(file, callbacks=[Interrupt()]))
        with pytest.raises(KeyboardInterrupt):
            broken.fit(X[train], Y[train])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2
    assert all(name.startswith("training-") and name.endswith(".pt") for name in names)
    scores = cross_val_score(clone(student(file)), X, Y, cv=2)
    np.testing.assert_array_equal(scores, cross_val_score(student(None), X, Y, cv=2))


def test_a_regressor_has_the_same_rules(tmp_path):
    file = tmp_path / "training.pt"
    params = {"hidden_layer_sizes": (5,), "max_epochs": 6, "random_state": 0, "imitation": 0}
    broken = DistilledNeuralRegressor(checkpoint=file, callbacks=[Interrupt()], **params)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"parameters \(data\)"):
        DistilledNeuralRegressor(checkpoint=file, **params).fit(X, X[:, 1])
    resumed = DistilledNeuralRegressor(checkpoint=file, **params).fit(X, X[:, 0])
    whole = DistilledNeuralRegressor(**params).fit(X, X[:, 0])
    np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))
