"""Students with ``classes`` in ensembles of scikit-learn that encode labels."""

import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier, VotingClassifier

from sklearn_distill import DistilledLogisticRegression

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Y = np.where(X[:, 0] > 0, "spam", "ham")


def ensembles(student):
    return [
        BaggingClassifier(student, 3, random_state=0),
        VotingClassifier([("student", student)]),
    ]


@pytest.mark.parametrize("which", [0, 1], ids=["bagging", "voting"])
def test_the_error_names_the_ensemble_and_the_classes_to_pass(which):
    named = ensembles(DistilledLogisticRegression(imitation=0, classes=["ham", "spam"]))[which]
    with pytest.raises(ValueError, match=r"ensemble .*encodes y as 0, .*classes=range\(2\)"):
        named.fit(X, Y)
    ranged = ensembles(DistilledLogisticRegression(imitation=0, classes=range(2)))[which].fit(X, Y)
    plain = ensembles(DistilledLogisticRegression(imitation=0))[which].fit(X, Y)
    np.testing.assert_array_equal(ranged.predict(X), plain.predict(X))


def test_other_unknown_labels_are_no_codes():
    with pytest.raises(ValueError, match=r"does not name: .*'ham'") as raised:
        DistilledLogisticRegression(imitation=0, classes=["a", "spam"]).fit(X, Y)
    assert "ensemble" not in str(raised.value)
