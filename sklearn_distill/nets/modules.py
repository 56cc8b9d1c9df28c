"""The small networks of the papers: each returns scores (logits).

They share one convention: the last layer is a linear layer called ``head``, and ``hidden`` returns
its input, the last hidden representation.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sklearn_distill.nets._padded_lstm import last_states


class ScoreNetwork(nn.Module):
    """Base class of the networks of the papers: the scores are ``head(hidden(x))``.

    A subclass implements ``hidden`` and sets ``head``, a :class:`torch.nn.Linear`, after its other
    layers.
    """

    head: nn.Linear

    def hidden(self, x: Tensor) -> Tensor:
        """Return the last hidden representation.

        Parameters
        ----------
        x : Tensor of shape (n_samples, ...)
            Features of the samples.

        Returns
        -------
        Tensor of shape (n_samples, head.in_features)
            The representation, from which ``head`` computes the scores.
        """
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores (logits).

        Parameters
        ----------
        x : Tensor of shape (n_samples, ...)
            Features of the samples.

        Returns
        -------
        Tensor of shape (n_samples, n_outputs)
            The scores, one for each output.
        """
        scores: Tensor = self.head(self.hidden(x))
        return scores


class MLP(ScoreNetwork):
    """Multilayer perceptron with ReLU activations.

    Parameters
    ----------
    n_features : int
        Number of features; images of shape (n, C, H, W) are flattened to C·H·W features.
    n_outputs : int
        Number of scores of a sample.
    hidden_layer_sizes : sequence of int, default=(64,)
        Widths of the hidden layers; an empty sequence is a linear model.
    dropout : float, default=0.0
        Fraction in [0, 1) of each hidden layer that is dropped in training.

    Examples
    --------
    >>> import torch
    >>> MLP(784, 10)(torch.zeros(2, 784)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        hidden_layer_sizes: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        sizes = [n_features, *hidden_layer_sizes]
        self.body = nn.Sequential()
        for n_in, n_out in pairwise(sizes):
            self.body.extend([nn.Linear(n_in, n_out), nn.ReLU()])
            if dropout:
                self.body.append(nn.Dropout(dropout))
        self.head = nn.Linear(sizes[-1], n_outputs)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the last hidden layer.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Features; more dimensions are flattened.

        Returns
        -------
        Tensor of shape (n_samples, hidden_layer_sizes[-1])
            The layer after its ReLU (and dropout, in training).
        """
        representation: Tensor = self.body(x.flatten(1))
        return representation


class LeNet(ScoreNetwork):
    """LeNet-like network for small images, the teacher of Grabovoy and Strijov.

    A 5×5 convolution with 3 channels, pooling, a 5×5 convolution with 9 channels, pooling, then
    linear layers with 120 and 84 units and the scores, with ReLU activations: 29,176 parameters for
    28×28 grey images and 10 classes. The paper states the types of layers and 30 thousand
    parameters; the widths are those of the authors' code.

    Parameters
    ----------
    n_outputs : int, default=10
        Number of scores of an image.
    image_shape : tuple of int, default=(1, 28, 28)
        Channels, height and width; the last two are at least 16 pixels.

    References
    ----------
    Grabovoy and Strijov 2022, "Probabilistic interpretation of the distillation problem",
    section 6.1; LeCun et al. 1998.

    Examples
    --------
    >>> sum(p.numel() for p in LeNet().parameters())
    29176
    """

    def __init__(
        self, n_outputs: int = 10, image_shape: tuple[int, int, int] = (1, 28, 28)
    ) -> None:
        super().__init__()
        channels, height, width = image_shape
        n_left = 9 * _width_after(height, 5, 2) * _width_after(width, 5, 2)
        self.body = nn.Sequential(
            *(nn.Conv2d(channels, 3, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(3, 9, 5), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Flatten(),
            *(nn.Linear(n_left, 120), nn.ReLU()),
            *(nn.Linear(120, 84), nn.ReLU()),
        )
        self.head = nn.Linear(84, n_outputs)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the last hidden layer.

        Parameters
        ----------
        x : Tensor of shape (n_samples, channels, height, width)
            Images of shape `image_shape`.

        Returns
        -------
        Tensor of shape (n_samples, 84)
            The layer after its ReLU.
        """
        representation: Tensor = self.body(x)
        return representation


class CifarCNN(ScoreNetwork):
    """Convolutional student of Gorpinich, Bakhteev and Strijov.

    Three times a 3×3 convolution (8, 16, 32 channels), batch normalisation, pooling and ReLU; then
    a linear layer with 64 units and the scores: 15,050 parameters for 32×32 colour images and 10
    classes. There is no padding, so 2×2 pixels of 32 channels are left.

    Parameters
    ----------
    n_outputs : int, default=10
        Number of scores of an image.
    image_shape : tuple of int, default=(3, 32, 32)
        Channels, height and width; the last two are at least 22 pixels.

    References
    ----------
    Gorpinich, Bakhteev and Strijov 2022, "Gradient-based metaparameter optimisation in
    distillation".

    Examples
    --------
    >>> sum(p.numel() for p in CifarCNN().parameters())
    15050
    """

    def __init__(
        self, n_outputs: int = 10, image_shape: tuple[int, int, int] = (3, 32, 32)
    ) -> None:
        super().__init__()
        channels, height, width = image_shape
        self.body = nn.Sequential()
        for n_in, n_out in pairwise([channels, 8, 16, 32]):
            self.body.extend([nn.Conv2d(n_in, n_out, 3), nn.BatchNorm2d(n_out)])
            self.body.extend([nn.MaxPool2d(2), nn.ReLU()])  # they commute; ReLU of fewer is faster
        n_left = 32 * _width_after(height, 3, 3) * _width_after(width, 3, 3)
        self.body.extend([nn.Flatten(), nn.Linear(n_left, 64), nn.ReLU()])
        self.head = nn.Linear(64, n_outputs)
        # 1.6 times as fast on a CPU (benchmarks.neural_speed); torch does not declare the argument
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def hidden(self, x: Tensor) -> Tensor:
        """Return the last hidden layer.

        Parameters
        ----------
        x : Tensor of shape (n_samples, channels, height, width)
            Images of shape `image_shape`.

        Returns
        -------
        Tensor of shape (n_samples, 64)
            The layer after its ReLU.
        """
        representation: Tensor = self.body(x)
        return representation


class BiLSTM(ScoreNetwork):
    """Bidirectional LSTM for texts, which are sequences of word numbers.

    An embedding, LSTMs that read forwards and backwards, and the scores of their two last states.
    Padding is skipped: the scores of a text do not depend on the length it was padded to.

    Parameters
    ----------
    n_words : int
        Size of the vocabulary, including padding: words are numbered 0..n_words − 1.
    n_outputs : int
        Number of scores of a text.
    embedding_size : int, default=100
        Dimension of the word vectors.
    hidden_size : int, default=128
        Dimension of the state in each direction.
    n_layers : int, default=1
        Number of LSTM layers.
    dropout : float, default=0.0
        Fraction in [0, 1) of the word vectors and of the last states that is dropped in training.
    padding : int, default=0
        Number that fills a text up after its last word.

    References
    ----------
    Grabovoy and Strijov 2022, "Probabilistic interpretation of the distillation problem", the
    teacher of its Twitter experiment.

    Examples
    --------
    >>> import torch
    >>> net = BiLSTM(n_words=50, n_outputs=2)
    >>> net(torch.tensor([[7, 3, 9], [4, 0, 0]])).shape
    torch.Size([2, 2])
    """

    def __init__(
        self,
        n_words: int,
        n_outputs: int,
        embedding_size: int = 100,
        hidden_size: int = 128,
        n_layers: int = 1,
        dropout: float = 0.0,
        padding: int = 0,
    ) -> None:
        super().__init__()
        self.padding = padding
        self.embedding = nn.Embedding(n_words, embedding_size, padding_idx=padding)
        self.lstm = nn.LSTM(
            embedding_size, hidden_size, n_layers, batch_first=True, bidirectional=True
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * hidden_size, n_outputs)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the two last states: forwards after the last word, backwards after the first.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_words_of_longest)
            Word numbers, then padding; an empty text is read as one padding. Floats with whole
            values are accepted.

        Returns
        -------
        Tensor of shape (n_samples, 2 * hidden_size)
            The forward state, then the backward state, after dropout.
        """
        words = x.long()
        lengths = (words != self.padding).sum(1).clamp(min=1)  # torch packs no empty sequence
        vectors = self.dropout(self.embedding(words))
        if torch.onnx.is_in_onnx_export():
            return last_states(self.lstm, vectors, lengths)
        packed = nn.utils.rnn.pack_padded_sequence(
            vectors, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, (states, _) = self.lstm(packed)
        representation: Tensor = self.dropout(states[-2:].transpose(0, 1).flatten(1))
        return representation


def _width_after(pixels: int, kernel: int, n_times: int) -> int:
    """Return the width that is left after some convolutions without padding and poolings by 2."""
    for _ in range(n_times):
        pixels = (pixels - kernel + 1) // 2
    return pixels
