"""scikit-learn's estimator checks, the distiller checks and metadata routing of the search."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import GroupKFold, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_distill.checks import parametrize_with_distiller_checks
from sklearn_distill.search import DistilledLogisticRegressionCV
from tests.students.test_distilled_logistic import data
from tests.students.test_routing import CV, fingerprint, indexed_data


@pytest.mark.filterwarnings("ignore::sklearn_distill.TeacherMissingWarning")  # they have no teacher
@parametrize_with_checks(
    [
        # tight, and C not too large: the checks compare coefficients to 1e-7 (and weights of 1000
        # beside 0.0001 leave rounding errors of 2e-11 in a gradient)
        DistilledLogisticRegressionCV("C", cv=3, bounds={"C": (1e-3, 1.0)}, tol=1e-9),
        DistilledLogisticRegressionCV(
            ("C",), cv=3, method="grid", grid={"C": [0.1, 1.0]}, tol=1e-11
        ),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


FITTED_ON_LABELS = [
    "check_imitation_zero_ignores_teacher",
    "check_no_teacher_is_label_learning",
    "check_missing_predictions",
    "check_forgotten_teacher",
]


class ByContent:
    """Folds that depend on a row's content only: copies stay together, in any order of the rows."""

    def split(self, X, y=None, groups=None):
        fold = np.floor(1e3 * np.abs(X[:, 0])).astype(int) % 3
        for k in range(3):
            yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 3


@parametrize_with_distiller_checks(
    [
        DistilledLogisticRegressionCV((name,), cv=ByContent(), search_tol=1e-7)
        for name in ("C", "temperature")
    ],
    expected_failed_checks=lambda search: (
        {"check_t_squared": "temperature=1 is where it starts"}
        | dict.fromkeys(FITTED_ON_LABELS, "a search over the temperature needs a teacher")
        if "temperature" in search.metaparameters
        else {}
    ),
)
def test_distiller_checks_with_a_fixed_imitation(estimator, check):
    """The imitation is fixed: if tuned, the teacher would not be ignored at a start of 0.

    A repeated row equals a row of twice the weight only if both copies are in the same fold.
    """
    check(estimator)


class Spy(DistilledLogisticRegressionCV):
    """A search that checks that prediction i comes with sample i: both identify i."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None, **params):
        assert teacher_proba is not None, "teacher_proba was not passed"
        values = np.asarray(teacher_proba)
        np.testing.assert_allclose(values[:, 1], fingerprint(np.asarray(X)[:, 0]), atol=1e-12)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba, **params)


@pytest.mark.parametrize("routing", [False, True])
def test_teacher_rows_follow_their_samples(routing):
    X, y, teacher = indexed_data()
    search = Spy(("imitation",), cv=2, tol=1e-3, max_iter=1000)
    with config_context(enable_metadata_routing=routing):
        cross_validate(search, X, y, params={"teacher_proba": teacher}, cv=CV, error_score="raise")
    name = "teacher_proba" if routing else "spy__teacher_proba"
    with config_context(enable_metadata_routing=routing):
        cross_validate(
            make_pipeline("passthrough", search),
            X,
            y,
            params={name: teacher},
            cv=CV,
            error_score="raise",
        )


@pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")  # meant
def test_inside_the_search_teacher_rows_follow_their_samples():
    """A good teacher gives a smaller loss than the same predictions shifted by one row."""
    X, y, _ = data(3)
    grid = {"imitation": [1.0]}
    search = DistilledLogisticRegressionCV("imitation", cv=KFold(4), method="grid", grid=grid)
    right = np.full((len(y), 3), 0.05) + 0.85 * np.eye(3)[y]
    losses = [
        -search.fit(X, y, teacher_proba=teacher).best_score_
        for teacher in (right, np.roll(right, 1, axis=0))
    ]
    assert losses[0] < losses[1] - 0.01


def test_pipeline():
    X, y, teacher = data(2)
    pipeline = make_pipeline(StandardScaler(), DistilledLogisticRegressionCV(("imitation",)))
    pipeline.fit(X, y, distilledlogisticregressioncv__teacher_proba=teacher)
    assert pipeline.score(X, y) > 0.7


def test_with_routing_groups_go_to_the_splitter():
    X, y, teacher = data(3)
    groups = np.arange(len(y)) % 10
    search = DistilledLogisticRegressionCV(("C",), cv=GroupKFold(4))
    plain = search.fit(X, y, teacher_proba=teacher, groups=groups).coef_
    with config_context(enable_metadata_routing=True):
        routed = search.fit(X, y, teacher_proba=teacher, groups=groups).coef_
        with pytest.raises(TypeError, match="unexpected"):
            search.fit(X, y, teacher_proba=teacher, color="red")
    np.testing.assert_array_equal(plain, routed)


WRONG = {
    "metaparameters": [("lambda",), (), ("C", "C")],
    "bounds": [{"C": (0.0, 1.0)}, {"imitation": (-1, 1)}, {"tau": (1, 2)}, {"C": (2.0, 1.0)}],
    "grid": [{"C": [1.0]}, {"imitation": [2.0], "temperature": [1.0], "C": [1.0]}, 1],
    "method": ["random"],
    "cv": [[]],
    "validation_temperature": [0.0],
    "t_squared": [True],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in WRONG.items() for v in vs])
def test_wrong_parameters(name, value):
    X, y, teacher = data(2)
    parameters = {"method": "grid"} | {name: value}
    search = DistilledLogisticRegressionCV(**parameters, soften_student=name != "t_squared")
    before = set(vars(search))
    with pytest.raises(ValueError, match=name):
        search.fit(X, y, teacher_proba=teacher)
    assert set(vars(search)) == before


def test_errors_of_folds():
    X, y, teacher = data(2)
    with pytest.raises(ValueError, match=r"enable_metadata_routing=True.*'color'"):
        DistilledLogisticRegressionCV().fit(X, y, teacher_proba=teacher, color="red")
    rows = np.arange(75)
    for cv, message in [
        ([(rows, rows)], "cv in fold 1 of 1 tests row 0, on which it trains"),
        ([(rows, rows[:0])], "cv in fold 1 of 1 has no labelled row to test on"),
    ]:
        with pytest.raises(ValueError, match=message):
            DistilledLogisticRegressionCV(cv=cv).fit(X, y, teacher_proba=teacher)
    with pytest.raises(ValueError, match="y has no labels"):
        DistilledLogisticRegressionCV(classes=[0, 1]).fit(X, None, teacher_proba=teacher)
