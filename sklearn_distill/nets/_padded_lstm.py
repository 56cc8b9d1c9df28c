"""A bidirectional LSTM on padded sequences, of operations that ONNX has: it has no packed ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def last_states(lstm: nn.LSTM, sequences: Tensor, lengths: Tensor) -> Tensor:
    """Return the last states of the last layer, as from packed sequences.

    Parameters
    ----------
    lstm : LSTM
        Bidirectional, ``batch_first``, with biases.
    sequences : Tensor of shape (n_samples, n_steps, n_features)
        Sequences and, after their ends, any padding.
    lengths : Tensor of shape (n_samples,)
        Lengths of the sequences, at least 1.

    Returns
    -------
    Tensor of shape (n_samples, 2 * hidden_size)
        The forward state after the last step, then the backward state after the first.

    Examples
    --------
    >>> lstm = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    >>> x, lengths = torch.ones(2, 5, 3), torch.tensor([5, 2])
    >>> packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
    >>> states = lstm(packed)[1][0].transpose(0, 1).flatten(1)
    >>> torch.allclose(last_states(lstm, x, lengths), states, atol=1e-6)
    True
    """
    n_samples, n_steps = sequences.shape[:2]
    step, end = torch.arange(n_steps, device=sequences.device)[None], lengths[:, None]
    mirrored = torch.where(step < end, end - 1 - step, step)  # within each sequence
    zeros = sequences.new_zeros(1, n_samples, lstm.hidden_size)
    forward = backward = sequences
    for layer in range(lstm.num_layers):
        forward = _one_direction(lstm, f"l{layer}", sequences, zeros)
        backward = _one_direction(
            lstm, f"l{layer}_reverse", _take_steps(sequences, mirrored), zeros
        )
        sequences = torch.cat([forward, _take_steps(backward, mirrored)], dim=2)
    # both have read a whole sequence at its last step, and no padding
    return torch.cat([_take_steps(x, end - 1).squeeze(1) for x in (forward, backward)], dim=1)


def _one_direction(lstm: nn.LSTM, name: str, sequences: Tensor, zeros: Tensor) -> Tensor:
    """Return the states after each step, of one layer and direction."""
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = [getattr(lstm, f"{kind}_{name}") for kind in kinds]
    states: Tensor = torch.lstm(
        sequences,
        (zeros, zeros),
        weights,
        has_biases=True,
        num_layers=1,
        dropout=0.0,
        train=False,
        bidirectional=False,
        batch_first=True,
    )[0]
    return states


def _take_steps(sequences: Tensor, steps: Tensor) -> Tensor:
    return torch.gather(sequences, 1, steps[:, :, None].expand(-1, -1, sequences.shape[2]))
