"""ResNet-18 and ResNet-50."""

import torch
from torch import Tensor, nn

from sklearn_distill.nets.modules import ScoreNetwork


class ResNet(ScoreNetwork):
    """Residual network; the base class of :class:`ResNet18` and :class:`ResNet50`.

    Parameters
    ----------
    block : class
        Class of the residual blocks, called with input channels, width, stride and eps; its output
        has ``expansion * width`` channels.
    n_blocks : tuple of int
        Number of blocks of each of the four stages, whose widths are 64, 128, 256 and 512.
    n_outputs : int
        Number of scores of an image.
    in_channels : int
        Number of channels of an image.
    eps : float
        Constant that batch normalisation adds to a variance.
    """

    def __init__(
        self,
        block: type["_Basic"] | type["_Bottleneck"],
        n_blocks: tuple[int, int, int, int],
        n_outputs: int,
        in_channels: int,
        eps: float,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_conv(in_channels, 64, 7, stride=2, eps=eps),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stages = nn.Sequential()
        n_in = 64
        for width, count in zip((64, 128, 256, 512), n_blocks, strict=True):
            stage = nn.Sequential()
            for i in range(count):
                stage.append(block(n_in, width, 2 if i == 0 and width > 64 else 1, eps))
                n_in = block.expansion * width
            self.stages.append(stage)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(n_in, n_outputs)
        # the initialisation of He et al. for layers followed by ReLU
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def hidden(self, x: Tensor) -> Tensor:
        """Return the means of the last feature maps.

        Parameters
        ----------
        x : Tensor of shape (n_samples, in_channels, height, width)
            Images of at least 32×32 pixels.

        Returns
        -------
        Tensor of shape (n_samples, 512 or 2048)
            Means over the pixels, one for each channel.
        """
        representation: Tensor = self.pool(self.stages(self.stem(x))).flatten(1)
        return representation


class ResNet18(ResNet):
    """ResNet-18, the student network of Biryukova.

    11,689,512 parameters for colour images and 1000 classes.

    Parameters
    ----------
    n_outputs : int, default=1000
        Number of scores of an image.
    in_channels : int, default=3
        Number of channels of an image.

    References
    ----------
    He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", table 1.

    Examples
    --------
    >>> import torch
    >>> ResNet18(n_outputs=2)(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 2])
    """

    def __init__(self, n_outputs: int = 1000, in_channels: int = 3) -> None:
        super().__init__(_Basic, (2, 2, 2, 2), n_outputs, in_channels, eps=1e-5)


class ResNet50(ResNet):
    """The original ResNet-50, the teacher network of Biryukova.

    25,557,032 parameters for colour images and 1000 classes. A stage halves the image in its first
    1×1 convolution (in later versions, in the 3×3), and batch normalisation adds 1e-3 to the
    variance. The weights of :func:`load_imagenet_weights` need both.

    Parameters
    ----------
    n_outputs : int, default=1000
        Number of scores of an image.
    in_channels : int, default=3
        Number of channels of an image.

    References
    ----------
    He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", table 1.

    Examples
    --------
    >>> import torch
    >>> ResNet50(n_outputs=2)(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 2])
    """

    def __init__(self, n_outputs: int = 1000, in_channels: int = 3) -> None:
        super().__init__(_Bottleneck, (3, 4, 6, 3), n_outputs, in_channels, eps=1e-3)


class _Basic(nn.Module):
    """relu(shortcut(x) + conv3(relu(conv3(x))))."""

    expansion = 1

    def __init__(self, n_in: int, width: int, stride: int, eps: float) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *_conv(n_in, width, 3, stride=stride, eps=eps),
            nn.ReLU(),
            *_conv(width, width, 3, eps=eps),
        )
        self.shortcut = _shortcut(n_in, width, stride, eps)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.shortcut(x) + self.residual(x))


class _Bottleneck(nn.Module):
    """relu(shortcut(x) + conv1(relu(conv3(relu(conv1(x))))))."""

    expansion = 4

    def __init__(self, n_in: int, width: int, stride: int, eps: float) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *_conv(n_in, width, 1, stride=stride, eps=eps),
            nn.ReLU(),
            *_conv(width, width, 3, eps=eps),
            nn.ReLU(),
            *_conv(width, 4 * width, 1, eps=eps),
        )
        self.shortcut = _shortcut(n_in, 4 * width, stride, eps)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.shortcut(x) + self.residual(x))


def _shortcut(n_in: int, n_out: int, stride: int, eps: float) -> nn.Sequential:
    """Return the identity, or a projection if the shape changes."""
    if n_in == n_out and stride == 1:
        return nn.Sequential()
    return nn.Sequential(*_conv(n_in, n_out, 1, stride=stride, eps=eps))


def _conv(
    n_in: int, n_out: int, kernel: int, *, stride: int = 1, eps: float
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """Return a convolution and the batch normalisation that makes its bias superfluous."""
    convolution = nn.Conv2d(n_in, n_out, kernel, stride, padding=kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(n_out, eps=eps)
