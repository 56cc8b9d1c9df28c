"""An LSTM on padded sequences has the last states, and gradients, of one on packed sequences."""

import pytest
import torch
from torch import nn

from sklearn_distill.nets._padded_lstm import last_states


@pytest.mark.parametrize("n_layers", [1, 3])
def test_padded_and_packed_sequences_end_alike(n_layers):
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 4, n_layers, batch_first=True, bidirectional=True).double()
    x = torch.randn(5, 7, 3, dtype=torch.float64)
    lengths = torch.tensor([7, 1, 4, 6, 2])
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected = lstm(packed)[1][0][-2:].transpose(0, 1).flatten(1)
    found = last_states(lstm, x, lengths)
    torch.testing.assert_close(found, expected)
    gradients = [
        torch.autograd.grad((states**2).sum(), lstm.parameters(), retain_graph=True)
        for states in (found, expected)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
