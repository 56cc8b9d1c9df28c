"""The "?" of an HTML diagram leads to the estimator's page of the API reference."""

import inspect

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_html_repr

from sklearn_distill import DistilledLogisticRegression
from tests.public_api import public_names

ESTIMATORS = {
    path: thing
    for path, thing in public_names().items()
    if inspect.isclass(thing) and issubclass(thing, BaseEstimator)
}


@pytest.mark.parametrize("path", ESTIMATORS)
def test_an_estimator_has_a_page(path):
    estimator = object.__new__(ESTIMATORS[path])
    assert estimator._get_doc_link().endswith(f"/api/generated/{path}.html")


def test_the_diagram_links_to_it():
    page = estimator_html_repr(DistilledLogisticRegression())
    assert "sklearn_distill.DistilledLogisticRegression.html" in page


def test_a_class_of_somebody_else_has_no_page_here():
    class Own(DistilledLogisticRegression):
        pass

    assert Own()._get_doc_link() == ""
