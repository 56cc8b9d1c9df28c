"""The user's names of layers and weights: for freezing, parameter groups, export, embeddings."""

import copy
import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Freezer, Unfreezer
from torch import nn

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor
from sklearn_distill.nets import hidden_representation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = np.arange(40) % 2
E = RNG.normal(size=(40, 5)).astype(np.float32)


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 7), nn.ReLU(), nn.Linear(7, 2))


def small(module=None, **options):
    return DistilledNeuralClassifier(
        module or network(),
        **{"imitation": 0, "lr": 0.01, "max_epochs": 2, "random_state": 0} | options,
    )


def compiled(module, **_):
    """Wrap a module as torch.compile does, without a compiler."""
    return torch._dynamo.OptimizedModule(module, torch._dynamo.disable())


def accelerator():
    accelerate = pytest.importorskip("accelerate", reason="accelerate is not installed")
    return accelerate.Accelerator(cpu=True)


WRAPPERS = {
    "plain": lambda: {},
    "embedding": lambda: {"embedding_weight": 0.1},
    "compile": lambda: {"compile": True},
    "compile and embedding": lambda: {"compile": True, "embedding_weight": 0.1},
    "accelerator": lambda: {"accelerator": accelerator(), "embedding_weight": 0.1},
}


@pytest.fixture(params=WRAPPERS)
def options(request, monkeypatch):
    monkeypatch.setattr(torch, "compile", compiled)
    return WRAPPERS[request.param]()


def moved(student, layer):
    before, after = network()[layer].weight, student.net_.module_[layer].weight
    return float((after - before).detach().abs().max())


def test_frozen_layers_and_parameter_groups_keep_their_names(options):
    groups = [("2.*", {"lr": 0.0})]
    student = small(callbacks=[Freezer("0.*")], optimizer__param_groups=groups, **options)
    student.fit(X, Y, teacher_embedding=E)
    assert moved(student, 0) == moved(student, 2) == 0
    student.set_params(callbacks=None, optimizer__param_groups=[]).fit(X, Y, teacher_embedding=E)
    assert min(moved(student, 0), moved(student, 2)) > 1e-4


def test_the_state_of_the_network_is_that_of_the_users_module(options):
    student = small(**options).fit(X, Y, teacher_embedding=E)
    assert student.net_.module_.state_dict().keys() == network().state_dict().keys()
    for again in (student, pickle.loads(pickle.dumps(student)), copy.deepcopy(student)):
        own = network(1)
        own.load_state_dict(again.to_torch(probabilities=False).state_dict())
        with torch.no_grad():
            proba = own.eval()(torch.tensor(X)).softmax(1).numpy()
        np.testing.assert_allclose(proba, student.predict_proba(X), atol=1e-6)


def test_the_state_of_a_regressor_is_that_of_the_users_module():
    student = DistilledNeuralRegressor(nn.Linear(6, 1), imitation=0, max_epochs=1).fit(X, Y)
    nn.Linear(6, 1).load_state_dict(student.to_torch(restore_y=False).state_dict())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"callbacks": [Freezer("layer9.*")]}, r"callback Freezer has the pattern 'layer9.\*'"),
        ({"callbacks": [("thaw", Unfreezer(["0.*", "9"]))]}, "callback thaw has the pattern '9'"),
        (
            {"optimizer__param_groups": [("layer9.*", {"lr": 0.5})]},
            r"optimizer__param_groups has the pattern 'layer9.\*'.* 0.weight, 0.bias, 2.weight",
        ),
        (
            {"optimizer__param_groups": [("*", {"lr": 0.5}), ("0.*", {"lr": 0.1})]},
            r"the pattern '0.\*', which matches no parameter",
        ),
    ],
)
def test_a_pattern_that_matches_nothing_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options).fit(X, Y)


# --- the layer of an embedding --------------------------------------------------------------------


class HeadFirst(nn.Module):
    """The head is registered first, and an unused and an attention layer last."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 2)
        self.body = nn.Sequential(nn.Linear(6, 33), nn.ReLU(), nn.Linear(33, 8))
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.unused = nn.Linear(33, 2)

    def forward(self, x):
        return self.head(self.encoder(self.body(x)[:, None]).mean(1))


class Gated(nn.Module):
    """A squeeze-and-excitation block with linear layers, and a head that is a convolution."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.gate = nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 8), nn.Sigmoid())
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        z = self.conv(x.reshape(len(x), 1, 2, 3).repeat(1, 1, 2, 2))
        z = z * self.gate(z.mean((2, 3)))[:, :, None, None]
        return self.out(z).mean((2, 3))


def by_weight_norm():
    head = nn.utils.parametrizations.weight_norm(nn.Linear(7, 2))
    return nn.Sequential(nn.Linear(6, 7), nn.ReLU(), head)


@pytest.mark.parametrize(
    ("build", "width"),
    [(HeadFirst, 8), (Gated, 8), (by_weight_norm, 7)],
    ids=["head first", "gated", "weight norm"],
)
def test_the_last_linear_layer_that_is_called_makes_the_scores(build, width):
    student = small(build(), embedding_weight=1.0).fit(X, Y, teacher_embedding=E)
    assert [linear.in_features for linear in student.net_.projection_.maps] == [width]
    assert hidden_representation(student, X, pool=True).shape == (40, width)


def pooled_by_hand(network, name, x):
    """Return the mean over the positions of a layer's output."""
    outputs = []
    layer = dict(network.named_modules())[name]
    with layer.register_forward_hook(lambda _, __, output: outputs.append(output)):
        network(x)
    return outputs[0].mean((2, 3)) if outputs[0].ndim == 4 else outputs[0]


@pytest.mark.parametrize("layer", ["conv", "gate.0", "gate", "out"])
def test_a_named_layer_is_averaged_over_its_positions(layer):
    """One step on the whole data equals a hand-written one."""
    torch.manual_seed(0)
    module, mu = Gated(), 0.3
    student = small(module, embedding_weight=mu, embedding_layer=layer, max_epochs=0)
    with pytest.warns(UserWarning, match="max_epochs=0"):
        student.fit(X, Y, teacher_embedding=E)
    own = copy.deepcopy(module)
    linear = copy.deepcopy(student.net_.projection_.maps[0])
    optimizer = torch.optim.SGD([*own.parameters(), *linear.parameters()], 0.1)
    x, y, e = torch.tensor(X), torch.tensor(Y), torch.tensor(E)
    for _ in range(3):
        distance = (linear(pooled_by_hand(own, layer, x)) - e).square().sum(1).mean()
        loss = nn.functional.cross_entropy(own(x), y) + mu * distance
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    student.set_params(max_epochs=3, optimizer="sgd", lr=0.1).fit(X, Y, teacher_embedding=E)
    for ours, theirs in zip(student.net_.module_.parameters(), own.parameters(), strict=True):
        np.testing.assert_allclose(ours.detach(), theirs.detach(), atol=1e-6)
    hidden = hidden_representation(student, X, layer, pool=True)
    np.testing.assert_allclose(
        hidden, pooled_by_hand(student.net_.module_, layer, x).detach(), atol=1e-6
    )


def test_sequences_are_averaged_over_their_positions():
    sequences = torch.randn(4, 5, 6)
    states = nn.Sequential(nn.Linear(6, 7), nn.LayerNorm(7), nn.Flatten(), nn.Linear(35, 2))
    channels = nn.Sequential(nn.Conv1d(5, 7, 3), nn.Flatten(), nn.Linear(28, 2))
    for network, name, axis in ((states, "0", 1), (states, "1", 1), (channels, "0", 2)):
        with torch.no_grad():
            expected = network[: int(name) + 1](sequences).mean(axis)
        found = hidden_representation(network, sequences, name, pool=True)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_layers_share_the_columns_of_the_embedding():
    """Two layers with a part of the columns each give the sum of their distances."""
    student = small(embedding_weight=0.5, embedding_layer={"0": 2, "2": 3}, max_epochs=1)
    student.set_params(batch_size=40).fit(X, Y, teacher_embedding=E)
    shapes = [(m.in_features, m.out_features) for m in student.net_.projection_.maps]
    assert shapes == [(7, 2), (2, 3)]
    assert student.history_["train_loss"].iloc[0] > np.log(2)


@pytest.mark.parametrize(
    ("module", "layer", "message"),
    [
        (network(), "9", r"embedding_layer='9' is not a layer of Sequential: pass one of 0, 1, 2"),
        (network(), {"0": 2, "2": 2}, "divides 4 columns between the layers, but .* has 5"),
        (HeadFirst(), "unused", "embedding_layer='unused' is a layer that HeadFirst does not call"),
        (nn.Sequential(nn.LSTM(6, 2)), "0", "the output of LSTM is a tuple"),
        (
            nn.Sequential(nn.Unflatten(1, (1, 6)), nn.Conv1d(1, 2, 6), nn.Flatten()),
            None,
            "calls no torch.nn.Linear layer.*embedding_layer=.* its layers are 0, 1, 2",
        ),
    ],
)
def test_errors_name_the_layers(module, layer, message):
    class Scores(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = module

        def forward(self, x):
            out = self.part(x)
            return out[0] if isinstance(out, tuple) else out

    is_lstm = isinstance(module[0] if isinstance(module, nn.Sequential) else module, nn.LSTM)
    student = small(Scores() if is_lstm else module, embedding_weight=1.0)
    student.set_params(embedding_layer="part.0" if is_lstm else layer)
    with pytest.raises((ValueError, TypeError), match=message):
        student.fit(X, Y, teacher_embedding=E)


def test_a_stage_with_an_embedding_and_one_without():
    """FitNets: a warm start may leave the embedding out, or add it."""
    student = small(embedding_weight=1.0, warm_start=True).fit(X, Y, teacher_embedding=E)
    student.set_params(embedding_weight=0.0).fit(X, Y)
    assert len(student.history_) == 4
    student.set_params(embedding_weight=1.0).fit(X, Y, teacher_embedding=E)
    whole = small(max_epochs=4).fit(X, Y)
    later = small(warm_start=True).fit(X, Y).set_params(embedding_weight=0.0).fit(X, Y)
    for one, other in zip(
        whole.net_.module_.parameters(), later.net_.module_.parameters(), strict=True
    ):
        assert torch.equal(one, other)
