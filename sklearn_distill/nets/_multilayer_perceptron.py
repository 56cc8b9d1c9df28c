"""A trained network of linear layers and ReLU as a multilayer perceptron of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer
from torch import nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets.modules import MLP

Layers = list[tuple[FloatArray, FloatArray]]  # coefficients (n_in, n_out) and intercepts (n_out,)


def layers_of(module: nn.Module) -> Layers:
    """Return the weights of a network's linear layers.

    Parameters
    ----------
    module : MLP
        Trained network.

    Returns
    -------
    list of (ndarray of shape (n_in, n_out), ndarray of shape (n_out,))
        In float64, from the first hidden layer to the scores.

    Raises
    ------
    TypeError
        If the network is not an :class:`~sklearn_distill.nets.MLP`.
    """
    if type(module) is not MLP:
        raise TypeError(
            f"scikit-learn has no estimator with the predictions of a {type(module).__name__}, "
            "only of the default network: save it by to_onnx"
        )
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    return [(_numbers(layer.weight).T, _numbers(layer.bias)) for layer in layers]


def _numbers(weight: Any) -> FloatArray:
    numbers: FloatArray = weight.detach().cpu().double().numpy().copy()
    return numbers


def perceptron_of_classes(layers: Layers, classes: NDArray[Any]) -> MLPClassifier:
    """Return the classifier with the probabilities softmax(z), of two classes σ(z₁ - z₀).

    Parameters
    ----------
    layers : list of (ndarray, ndarray)
        See :func:`layers_of`; z is one score for each class, or the log-odds of the second of two.
    classes : ndarray of shape (n_classes,)
        Class labels, of at least two classes.

    Returns
    -------
    MLPClassifier
        Fitted.
    """
    if len(classes) == 2:
        layers = [*layers[:-1], _log_odds(*layers[-1])]
    plain = MLPClassifier(_hidden_sizes(layers))
    _set_layers(plain, layers, "logistic" if len(classes) == 2 else "softmax")
    plain.classes_ = classes
    plain._label_binarizer = LabelBinarizer().fit(classes)
    return plain


def perceptron_of_labels(layers: Layers) -> MLPClassifier:
    """Return the classifier of several labels with the probabilities σ(z).

    Parameters
    ----------
    layers : list of (ndarray, ndarray)
        See :func:`layers_of`; z are the log-odds of each label.

    Returns
    -------
    MLPClassifier
        Fitted.
    """
    plain = MLPClassifier(_hidden_sizes(layers))
    _set_layers(plain, layers, "logistic")
    # two rows: one without any label, one with all
    labels = np.tile([[0], [1]], plain.n_outputs_)
    plain._label_binarizer = LabelBinarizer().fit(labels)
    plain.classes_ = plain._label_binarizer.classes_
    return plain


def perceptron_of_numbers(
    layers: Layers, center: FloatArray | float, scale: FloatArray | float
) -> MLPRegressor:
    """Return the regressor with the predictions z · scale + center.

    Parameters
    ----------
    layers : list of (ndarray, ndarray)
        See :func:`layers_of`; z are standardised predictions.
    center, scale : ndarray of shape (n_outputs,) or float
        Mean and standard deviation of the labels.

    Returns
    -------
    MLPRegressor
        Fitted.
    """
    coef, intercept = layers[-1]
    layers = [*layers[:-1], (coef * scale, intercept * scale + center)]
    plain = MLPRegressor(_hidden_sizes(layers))
    _set_layers(plain, layers, "identity")
    return plain


def _log_odds(coef: FloatArray, intercept: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the layer of z₁ - z₀; of log-odds, the layer itself."""
    if coef.shape[1] == 1:
        return coef, intercept
    return coef[:, [1]] - coef[:, [0]], intercept[[1]] - intercept[[0]]


def _hidden_sizes(layers: Layers) -> tuple[int, ...]:
    return tuple(coef.shape[1] for coef, _ in layers[:-1])


def _set_layers(plain: Any, layers: Layers, out_activation: str) -> None:
    plain.coefs_ = [coef for coef, _ in layers]
    plain.intercepts_ = [intercept for _, intercept in layers]
    plain.n_features_in_ = len(plain.coefs_[0])
    plain.n_outputs_ = len(plain.intercepts_[-1])
    plain.n_layers_ = len(layers) + 1
    plain.out_activation_ = out_activation
