"""Each mistake is announced, nothing remains half fitted, and the cure is right."""

import ast

import pytest
import sklearn
from sklearn.base import BaseEstimator

from tests.mistakes.case import clean, messages, run, variables
from tests.mistakes.page import GROUPS, PAGE, written_page

CASES = [
    pytest.param(group, case, id=f"{group.title}: {case.title}")
    for group in GROUPS
    for case in group.cases
]
every_case = pytest.mark.parametrize(("group", "case"), CASES)


@every_case
def test_a_mistake_is_announced(group, case):
    said = messages(group.setup, case.code)
    if case.says is None:
        assert said == ()
        return
    kind, words = case.says
    (message,) = said
    assert isinstance(message, kind)
    assert words in str(message)


@pytest.mark.parametrize(
    ("group", "case"),
    [
        case
        for case in CASES
        if case.values[1].says and not issubclass(case.values[1].says[0], Warning)
    ],
)
def test_an_error_leaves_every_estimator_as_it_was(group, case):
    *before, last = ast.parse(clean(case.code)).body
    names = run(ast.unparse(before), variables(group.setup)).names
    states = [(one, dict(vars(one))) for one in estimators_of_ours(names)]
    assert run(ast.unparse(last), names).messages
    for estimator, state in states:
        assert vars(estimator).keys() == state.keys()
        assert all(vars(estimator)[name] is value for name, value in state.items())


@every_case
def test_the_cure_is_right(group, case):
    names = run(case.code, variables(group.setup)).names
    outcome = run(case.cure, names)
    assert outcome.messages == []
    assert eval(case.right, outcome.names)


@pytest.mark.skipif(
    f"scikit-learn\n{sklearn.__version__}.*" not in PAGE.read_text("utf-8"),
    reason="the page shows the messages with another version of scikit-learn",
)
def test_the_page_is_written_from_the_cases():
    assert PAGE.read_text("utf-8") == written_page()


def estimators_of_ours(names):
    """Return the estimators of this package among variables and their parameters."""
    return [
        value
        for variable in names.values()
        if isinstance(variable, BaseEstimator)
        for value in [variable, *variable.get_params().values()]
        if type(value).__module__.startswith("sklearn_distill.")
    ]
