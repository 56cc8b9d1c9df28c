"""What predict refuses: values that are not finite, wherever they are."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill import DistilledLogisticRegression

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
CONTAINERS = {"array": np.asarray, "float32": np.float32, "csr": sparse.csr_matrix}


def fitted(change=lambda model: None):
    model = DistilledLogisticRegression(imitation=0).fit(X, Y)
    change(model)
    return model


def zero_coefficient(model):
    model.coef_[0, 1] = 0.0


def sparse_coefficients(model):
    model.sparsify()


@pytest.mark.parametrize("change", [lambda model: None, zero_coefficient, sparse_coefficients])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_predictions_refuse_what_is_not_finite(method, container, value, change):
    rows = X.copy()
    rows[7, 1] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        getattr(fitted(change), method)(CONTAINERS[container](rows))


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_finite_features_with_infinite_scores_are_predicted():
    model = fitted()
    model.coef_[:] = 1e200
    np.testing.assert_array_equal(model.predict(np.full((1, 3), 1e200)), [1])
