"""The constructor's ``class_weight`` as one number a class."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill.targets import Labels


def class_weights(
    class_weight: Any, classes: NDArray[Any], labels: Labels, sample_weight: FloatArray
) -> FloatArray | None:
    r"""Return the weight of each class.

    ``"balanced"`` is :math:`\sum_i s_i / (K \sum_{i: y_i = k} s_i)` over the labelled rows, with K
    the number of classes that have one; a class that has none gets 1.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        As in scikit-learn.
    classes : ndarray of shape (n_classes,)
        Class labels.
    labels : Labels
        The rows' labels.
    sample_weight : ndarray of shape (n_rows,)
        Weights s.

    Returns
    -------
    ndarray of shape (n_classes,) or None
        The weights; None if all are 1.

    Raises
    ------
    ValueError
        If a key of the dict is not a class, or a value is not a finite number of at least 0.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str):
        return balanced_weights(labels.one_hot(sample_weight).sum(axis=1))
    names = classes.tolist()
    unknown = [label for label in class_weight if label not in names]
    if unknown:
        raise ValueError(f"class_weight names {unknown}, but the classes are {names}")
    for label, weight in class_weight.items():
        if not (isinstance(weight, Real) and 0 <= float(weight) < np.inf):
            raise ValueError(
                f"class_weight of {label!r} is {weight!r}: it must be a finite number of at least 0"
            )
    return np.array([class_weight.get(label, 1.0) for label in names], dtype=np.float64)


def balanced_weights(mass: FloatArray) -> FloatArray:
    """Return the weight of each class that is "balanced", from the weight of its labels."""
    seen = mass > 0
    weight = np.ones(len(mass))
    weight[seen] = mass.sum() / (seen.sum() * mass[seen])
    return weight
