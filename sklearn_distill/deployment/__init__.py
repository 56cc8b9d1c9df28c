"""Fitted models for production: without this package, or without Python."""

from sklearn_distill.deployment.to_onnx import to_onnx
from sklearn_distill.deployment.to_sklearn import to_sklearn

__all__ = ["to_onnx", "to_sklearn"]
