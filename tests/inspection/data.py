"""Samples of two or three named classes."""

import numpy as np
from sklearn.datasets import make_classification

NAMES = np.array(["ant", "bee", "cat"])


def labelled_samples(n_classes=3, n_rows=600):
    X, y = make_classification(
        n_rows, 8, n_informative=5, n_classes=n_classes, flip_y=0.2, random_state=0
    )
    return X, NAMES[y]
