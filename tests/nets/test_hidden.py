"""What is read off a network is what its layer gave, and the network is left as it was."""

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


@pytest.mark.parametrize("built", [CifarCNN, lambda: LeNet(10, (3, 32, 32))], ids=["cnn", "lenet"])
def test_the_default_is_the_last_hidden_layer(built):
    images = torch.rand(7, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    network = built().eval()
    with torch.no_grad():
        expected = network.hidden(images).numpy()
    np.testing.assert_allclose(hidden_representation(network, images), expected, atol=1e-6)


def test_a_named_layer_gives_its_output(network):
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
def test_the_network_is_left_as_it_was(network, layer):
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


def test_a_network_that_fails_is_left_as_it_was_too(network):
    network.train()
    with pytest.raises(RuntimeError):
        hidden_representation(network, X[:, :3])
    assert network.training
    assert torch.is_grad_enabled()
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())


@pytest.mark.parametrize(
    "rows", [X, X.astype(float), torch.tensor(X), X.tolist(), np.asfortranarray(X)[::-1][::-1]]
)
def test_rows_of_all_kinds(network, rows):
    np.testing.assert_allclose(
        hidden_representation(network, rows), hidden_representation(network, X), atol=1e-6
    )


def test_rows_that_can_only_be_read(network):
    fixed = X.copy()
    fixed.setflags(write=False)
    assert hidden_representation(network, fixed).shape == (20, 5)


def test_no_rows_have_a_width(network):
    assert hidden_representation(network, X[:0]).shape == (0, 5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_numbers_of_the_weights(network, dtype):
    read = hidden_representation(network.to(dtype), X)
    assert read.dtype == {torch.float64: np.float64}.get(dtype, np.float32)


@pytest.mark.parametrize("embedding_weight", [0.0, 0.1])
def test_estimators_and_nets_hold_a_network(embedding_weight):
    student = DistilledNeuralClassifier(
        hidden_layer_sizes=(9, 4), embedding_weight=embedding_weight, max_epochs=1, random_state=0
    )
    student.fit(X, Y, teacher_embedding=X[:, :2])
    read = hidden_representation(student, X)
    assert read.shape == (20, 4)
    np.testing.assert_array_equal(hidden_representation(student.net_, X), read)
    np.testing.assert_allclose(hidden_representation(student, X, "body.3"), read)
    integers = np.round(X).astype(int)
    regressor = DistilledNeuralRegressor(max_epochs=1, random_state=0).fit(integers, Y)
    assert hidden_representation(regressor, integers).shape == (20, 64)


def test_an_unknown_layer_is_told_of_those_that_there_are():
    with pytest.raises(ValueError, match=r"layer='tail' .* MLP: name one of body, body.0, .*head"):
        hidden_representation(MLP(6, 2), X, "tail")


class Odd(nn.Module):
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
        (Odd(), "unused", ValueError, "does not use this layer"),
        (Odd(), "lstm", TypeError, "gives a tuple"),
        ("network", None, TypeError, "module is a str that holds no network"),
        (DistilledNeuralClassifier(), None, TypeError, "that holds no network"),
    ],
)
def test_errors(module, layer, error, message):
    with pytest.raises(error, match=message):
        hidden_representation(module, X, layer)


def test_batches_have_rows(network):
    with pytest.raises(ValueError, match="batch_size=0"):
        hidden_representation(network, X, batch_size=0)
