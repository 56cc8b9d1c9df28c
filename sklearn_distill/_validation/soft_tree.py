r"""scikit-learn's classification trees and forests on probabilities instead of labels.

They are grown as regression trees whose outputs are the probabilities :math:`m_{ik}` of the
classes, of which each criterion of a classifier has its counterpart: in a node with means
:math:`\bar m_k`,

.. math::

    \sum_k \overline{(m_k - \bar m_k)^2} &= G(\bar m) - \overline{G(m)}, \qquad
        G(p) = 1 - \sum_k p_k^2, \\
    \sum_k \overline{m_k \log(m_k / \bar m_k)} &= H(\bar m) - \overline{H(m)}, \qquad
        H(p) = -\sum_k p_k \log p_k.

The squared error and the Poisson deviance on the left are thus the Gini impurity and the entropy of
the mean up to a sum over rows, which no split changes. So a row stays one row, as
``min_samples_leaf`` and the bootstrap of a forest count them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from sklearn.base import clone

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.last_step import last_step, replace_last_step
from sklearn_distill._validation.tree_classifier import REGRESSORS, ToProba, tree_classifier

# of the regressor, and the size of its impurity, a mean over outputs and by the natural logarithm,
# as a multiple of the classifier's divided by the number of classes
_CRITERIA = {
    "gini": ("squared_error", 1.0),
    "entropy": ("poisson", np.log(2)),
    "log_loss": ("poisson", np.log(2)),
}
# so that sums of these targets are exact, and a node of equal targets has exactly the impurity 0
_STEP = 2.0**-30
TREES = frozenset(REGRESSORS)  # the classifiers that SoftTree takes
_NEUTRAL = {"class_weight": None, "monotonic_cst": None, "oob_score": False}


@dataclass(frozen=True)
class SoftTree:
    """A classification tree or forest on probabilities.

    Parameters
    ----------
    estimator : estimator
        Unfitted, one of scikit-learn's trees or forests, or a Pipeline that ends in one.
    classifier : estimator
        The tree or forest.
    n_classes : int
        Number of classes.
    """

    estimator: Any
    classifier: Any
    n_classes: int

    @classmethod
    def of(cls, estimator: Any, n_classes: int) -> Self | None:
        """Return the tree or forest, or None for another estimator.

        Raises
        ------
        ValueError
            If a parameter depends on labels.
        """
        last = last_step(estimator)
        if type(last) not in TREES:
            return None
        params = last.get_params(deep=False)
        for name, neutral in _NEUTRAL.items():
            if name in params and params[name] is not neutral:
                raise ValueError(
                    f"estimator has {name}={params[name]!r}, which needs labels, and its targets "
                    "are probabilities: leave it out"
                )
        if params["criterion"] not in _CRITERIA:
            raise ValueError(
                f"estimator has criterion={params['criterion']!r}, which is none of "
                f"{', '.join(map(repr, _CRITERIA))}"
            )
        return cls(estimator, last, n_classes)

    @property
    def by_entropy(self) -> bool:
        """Whether the criterion is the entropy."""
        return bool(self.classifier.criterion != "gini")

    def regressor(self) -> Any:
        """Return the unfitted regressor of these trees, in a Pipeline if the estimator is one."""
        criterion, unit = _CRITERIA[self.classifier.criterion]
        params = self.classifier.get_params(deep=False) | {"criterion": criterion}
        for name in ("min_impurity_decrease", "ccp_alpha"):
            params[name] *= unit / self.n_classes
        kind = REGRESSORS[type(self.classifier)]
        regressor = kind(**{name: params[name] for name in kind().get_params(deep=False)})
        return replace_last_step(self.estimator, regressor)

    def targets(self, proba: FloatArray) -> FloatArray:
        """Return what the regressor is fitted on.

        By entropy these are multiples of 2⁻³⁰ plus one step, since scikit-learn's Poisson deviance
        allows no node without mass of a class.
        """
        return np.rint(proba / _STEP) * _STEP + _STEP if self.by_entropy else proba

    def weight(self, weight: FloatArray | None) -> FloatArray | None:
        """Return weights of which none is so small that a step would be lost."""
        if weight is None or not self.by_entropy:
            return weight
        unit: float = 2.0 ** np.floor(np.log2(weight.min()))  # the division is exact
        return weight / unit

    def fitted_classifier(self, regressor: Any, classes: NDArray[Any], to_proba: ToProba) -> Any:
        """Return the fitted classifier, in a Pipeline if the estimator is one.

        Parameters
        ----------
        regressor : estimator
            The fitted regressor.
        classes : ndarray of shape (n_classes,)
            Class labels.
        to_proba : callable
            Maps the mean targets of nodes, of shape (n_nodes, n_classes), to probabilities.
        """
        shift = _STEP if self.by_entropy else 0.0
        classifier = tree_classifier(last_step(regressor), classes, lambda v: to_proba(v - shift))
        classifier.set_params(**clone(self.classifier).get_params(deep=False))
        for tree in getattr(classifier, "estimators_", ()):
            params = {name: getattr(classifier, name) for name in classifier.estimator_params}
            tree.set_params(**params)
        for tree in getattr(classifier, "estimators_", [classifier]):
            p = tree.tree_.value[:, 0]
            entropy = -xlogy(p, p).sum(axis=1) / np.log(2)
            tree.tree_.impurity[:] = entropy if self.by_entropy else 1 - (p**2).sum(axis=1)
        return replace_last_step(regressor, classifier)
