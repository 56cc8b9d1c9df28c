"""Networks of the papers, their weights and devices; torch is loaded when a name is first used."""

from typing import TYPE_CHECKING

from sklearn_distill._optional import lazy_names
from sklearn_distill.nets.device import resolve_device

if TYPE_CHECKING:
    from sklearn_distill.nets.features import BGRPixels, SqueezeNet, VGG19Features
    from sklearn_distill.nets.hidden import hidden_representation
    from sklearn_distill.nets.modules import MLP, BiLSTM, CifarCNN, LeNet, ScoreNetwork
    from sklearn_distill.nets.resnet import ResNet18, ResNet50
    from sklearn_distill.nets.weights import load_imagenet_weights

__all__ = [
    "MLP",
    "BGRPixels",
    "BiLSTM",
    "CifarCNN",
    "LeNet",
    "ResNet18",
    "ResNet50",
    "ScoreNetwork",
    "SqueezeNet",
    "VGG19Features",
    "hidden_representation",
    "load_imagenet_weights",
    "resolve_device",
]

_MODULE_OF = {
    "BGRPixels": "features",
    "BiLSTM": "modules",
    "CifarCNN": "modules",
    "LeNet": "modules",
    "MLP": "modules",
    "ResNet18": "resnet",
    "ResNet50": "resnet",
    "ScoreNetwork": "modules",
    "SqueezeNet": "features",
    "VGG19Features": "features",
    "hidden_representation": "hidden",
    "load_imagenet_weights": "weights",
}
__getattr__, __dir__ = lazy_names(__name__, _MODULE_OF)
