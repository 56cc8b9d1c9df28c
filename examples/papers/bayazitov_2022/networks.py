"""The convolutional teacher and student of Imagenette."""

from itertools import pairwise

import torch
from torch import nn

from sklearn_distill.nets import ScoreNetwork

KERNEL = 5


class Convolutions(ScoreNetwork):
    """Convolutions 5×5, each with ReLU and pooling that halves the image; then dense layers.

    The thesis has images of 200 pixels, no padding, and kernels of 5, 5, 8, 5 and 7 in the teacher,
    which are too large for images of 64 pixels. Here all kernels are 5, with padding.

    Parameters
    ----------
    channels : sequence of int
        Channels of each convolution: 24, 48, 96, 192, 384 in the published teacher, 24, 48 in the
        student.
    widths : sequence of int
        Widths of the dense layers: 120, 84 in the published teacher, 120 in the student.
    pixels : int
        Height and width of the images, which have three channels.
    n_outputs : int, default=10
        Number of outputs.
    """

    def __init__(self, channels, widths, pixels, n_outputs=10):
        super().__init__()
        self.body = nn.Sequential()
        for n_in, n_out in pairwise([3, *channels]):
            convolution = nn.Conv2d(n_in, n_out, KERNEL, padding="same")
            self.body.extend([convolution, nn.ReLU(), nn.MaxPool2d(2)])
        self.body.append(nn.Flatten())
        left = pixels // 2 ** len(channels)
        for n_in, n_out in pairwise([channels[-1] * left**2, *widths]):
            self.body.extend([nn.Linear(n_in, n_out), nn.ReLU()])
        self.head = nn.Linear(widths[-1], n_outputs)
        self.to(memory_format=torch.channels_last)  # 1.2 times as fast on a CPU

    def hidden(self, x):
        """Return the last layer before the scores, (n, widths[-1])."""
        return self.body(x)
