import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from sklearn_distill import TwoDecoderVAE


class Domains:
    """Digits, and as target domain their negatives with shuffled pixels: no digits to a teacher."""

    def __init__(self):
        X, y = load_digits(return_X_y=True)
        rng = np.random.default_rng(0)
        order, pixels = rng.permutation(len(X)), rng.permutation(64)
        X, y = X[order] / 16, y[order]
        self.X_source, self.y_source = X[:900], y[:900]
        target = 1 - X[900:, pixels]
        self.X, self.y = target[:500], y[900:1400]
        self.X_unseen, self.y_unseen = target[500:], y[1400:]

    def fitted(self, **params):
        defaults = {"n_components": 16, "hidden_size": 64, "kl_weight": 0.1, "random_state": 0}
        phi = TwoDecoderVAE(**defaults | {"lr": 0.01, "batch_size": 32} | params)
        return phi.fit(self.X, self.y, X_source=self.X_source, y_source=self.y_source)


@pytest.fixture(scope="session")
def domains():
    return Domains()


@pytest.fixture(scope="session")
def phi(domains):
    return domains.fitted(max_epochs=60)


@pytest.fixture(scope="session")
def teacher(domains):
    """A classifier of the source domain."""
    return SVC(gamma=0.03).fit(domains.X_source, domains.y_source)
