"""The networks of teacher and students, whose output is the log-odds of a dog."""

from torch import nn

from examples.papers.biryukova.scales import SIZE
from sklearn_distill.nets import BGRPixels, ResNet50, load_imagenet_weights

N_FEATURES = 2048


class Resized(nn.Sequential):
    """A network that upsamples its images first, so that only small ones are stored."""

    def __init__(self, make, pixels):
        # even to the same size, upsampling is a tenth of the time of a small network
        upsample = [nn.Upsample(size=pixels)] if pixels > SIZE else []
        super().__init__(*upsample, make())


class Trunk(nn.Sequential):
    """ResNet-50 up to its last hidden layer, with weights from ImageNet."""

    def __init__(self, pixels):
        network = load_imagenet_weights(ResNet50())
        network.head = nn.Identity()
        super().__init__(nn.Upsample(size=pixels), BGRPixels(), network)


class Head(nn.Sequential):
    """The head of the thesis: dropout ½ and one unit."""

    def __init__(self):
        super().__init__(nn.Dropout(0.5), nn.Linear(N_FEATURES, 1))


class TrunkWithHead(nn.Sequential):
    """The whole teacher, with all weights trained."""

    def __init__(self, pixels):
        super().__init__(Trunk(pixels), Head())
