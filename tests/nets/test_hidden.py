"""A hidden representation is the output of its layer, and the network stays unchanged."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor
from sklearn_distill.nets import MLP, CifarCNN, LeNet, hidden_representation

X = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
Y = np.arange(20) % 2


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 3)
    )


@pytest.mark.parametrize("build", [CifarCNN, lambda: LeNet(10, (3, 32, 32))], ids=["cnn", "lenet"])
def test_the_default_is_the_last_hidden_layer(build):
    images = torch.rand(7, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    network = build().eval()
    with torch.no_grad():
        expected = network.hidden(images).numpy()
    np.testing.assert_allclose(hidden_representation(network, images), expected, atol=1e-6)


def test_a_named_layer_returns_its_output(network):
    network.eval()
    with torch.no_grad():
        expected = {str(k): network[: k + 1](torch.tensor(X)).numpy() for k in range(5)}
    for name, output in expected.items():
        np.testing.assert_allclose(hidden_representation(network, X, name), output, atol=1e-6)
    images = torch.zeros(2, 3, 32, 32)
    assert hidden_representation(CifarCNN(), images, "body.0").shape == (2, 8 * 30 * 30)


@pytest.mark.parametrize("batch_size", [1, 7, 20, 1000])
def test_batches_do_not_matter(network, batch_size):
    together = hidden_representation(network, X)
    np.testing.assert_allclose(
        hidden_representation(network, X, batch_size=batch_size), together, atol=1e-6
    )


@pytest.mark.parametrize("layer", [None, "0", "missing"])
def test_the_network_stays_unchanged(network, layer):
    network.train()
    network[1].eval()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    modes = [part.training for part in network.modules()]
    try:
        hidden_representation(network, X, layer, device="cpu")
    except ValueError:
        assert layer == "missing"
    assert [part.training for part in network.modules()] == modes
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())
    assert all(weight.grad is None for weight in network.parameters())


def test_a_network_that_fails_stays_unchanged(network):
    network.train()
    with pytest.raises(RuntimeError):
        hidden_representation(network, X[:, :3])
    assert network.training
    assert torch.is_grad_enabled()
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())


@pytest.mark.parametrize(
    "rows", [X, X.astype(float), torch.tensor(X), X.tolist(), np.asfortranarray(X)[::-1][::-1]]
)
def test_X_of_all_types(network, rows):
    np.testing.assert_allclose(
        hidden_representation(network, rows), hidden_representation(network, X), atol=1e-6
    )


def test_read_only_rows(network):
    fixed = X.copy()
    fixed.setflags(write=False)
    assert hidden_representation(network, fixed).shape == (20, 5)


def test_an_empty_X_has_a_width(network):
    assert hidden_representation(network, X[:0]).shape == (0, 5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_precision_of_the_weights(network, dtype):
    representation = hidden_representation(network.to(dtype), X)
    assert representation.dtype == {torch.float64: np.float64}.get(dtype, np.float32)


@pytest.mark.parametrize("embedding_weight", [0.0, 0.1])
def test_the_network_of_estimators_and_nets(embedding_weight):
    student = DistilledNeuralClassifier(
        imitation=0,
        hidden_layer_sizes=(9, 4),
        embedding_weight=embedding_weight,
        max_epochs=1,
        random_state=0,
    )
    student.fit(X, Y, teacher_embedding=X[:, :2])
    representation = hidden_representation(student, X)
    assert representation.shape == (20, 4)
    np.testing.assert_array_equal(hidden_representation(student.net_, X), representation)
    np.testing.assert_allclose(hidden_representation(student, X, "body.3"), representation)
    integers = np.round(X).astype(int)
    regressor = DistilledNeuralRegressor(imitation=0, max_epochs=1, random_state=0).fit(integers, Y)
    assert hidden_representation(regressor, integers).shape == (20, 64)


def test_an_unknown_layer_is_an_error_that_lists_the_layers():
    with pytest.raises(ValueError, match=r"layer='tail' .* MLP: pass one of body, body.0, .*head"):
        hidden_representation(MLP(6, 2), X, "tail")


class TupleNetwork(nn.Module):
    """A network with an unused layer, and one whose output is a tuple."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 3, batch_first=True)
        self.unused = nn.Linear(3, 3)

    def forward(self, x):
        return self.lstm(x)[0]


@pytest.mark.parametrize(
    ("module", "layer", "error", "message"),
    [
        (nn.Sequential(nn.ReLU()), None, ValueError, "no torch.nn.Linear layer.*name the layer"),
        (TupleNetwork(), "unused", ValueError, "does not use this layer"),
        (TupleNetwork(), "lstm", TypeError, "the output of the layer is a tuple"),
        ("network", None, TypeError, "module is a str that has no network"),
        (DistilledNeuralClassifier(), None, TypeError, "that has no network"),
    ],
)
def test_errors(module, layer, error, message):
    with pytest.raises(error, match=message):
        hidden_representation(module, X, layer)


def test_batch_size_must_be_positive(network):
    with pytest.raises(ValueError, match="batch_size=0"):
        hidden_representation(network, X, batch_size=0)
